/**
 * JSON-RPC 1.0 with nothing in between: a map of pending requests, and a handler's result sent as it is.
 *
 * It exists because of what the `json-rpc-2.0` package costs where OVSDB's small transactions count: of our
 * ovsdb-server's CPU time per transaction a tenth to a quarter (docs/dependencies.md has the numbers). Its promises,
 * one chain for each request, also put a turn of the microtask queue between a request and its reply; here a handler
 * that returns at once is answered at once.
 */
import {
  type Caller,
  JsonRpcError,
  type Request10,
  type RequestHandler,
  type Responder,
  type Response10,
  type RpcEngine,
  errorValue,
} from './rpc.js';

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: Error) => void;
}

class PlainCaller implements Caller {
  readonly #send: (message: Request10) => void;
  readonly #pending = new Map<unknown, Pending>();
  #nextId = 0;
  #closed: Error | null = null;

  constructor(send: (message: Request10) => void) {
    this.#send = send;
  }

  call(method: string, params: unknown[]): { id: number; result: Promise<unknown> } {
    const id = this.#nextId++;
    if (this.#closed) return { id, result: Promise.reject(this.#closed) };
    const result = new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#send({ id, method, params });
    return { id, result };
  }

  receive(reply: Response10): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    this.#pending.delete(reply.id);
    if (reply.error !== null && reply.error !== undefined) pending.reject(new JsonRpcError(reply.error));
    else pending.resolve(reply.result ?? null);
  }

  close(reason: Error): void {
    this.#closed = reason;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const each of pending) each.reject(reason);
  }
}

const success = (id: unknown, result: unknown): Response10 => ({ id, result: result ?? null, error: null });
const failure = (id: unknown, thrown: unknown): Response10 => ({
  id,
  result: null,
  error: errorValue(thrown),
});

const responder: Responder = {
  answer({ id, method, params }: Request10, handler: RequestHandler) {
    try {
      const result = handler(method, params as unknown[], id);
      if (!(result instanceof Promise)) return success(id, result);
      return result.then(
        (value: unknown) => success(id, value),
        (thrown: unknown) => failure(id, thrown),
      );
    } catch (thrown) {
      return failure(id, thrown);
    }
  },
};

/** The engine of OVSDB sessions, and of every session that does not choose another. */
export const plainEngine: RpcEngine = {
  caller: (send) => new PlainCaller(send),
  responder: () => responder,
};
