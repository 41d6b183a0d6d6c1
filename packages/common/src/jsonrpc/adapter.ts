/**
 * JSON-RPC 1.0 over the `json-rpc-2.0` package, which matches replies to requests and calls methods.
 *
 * The two versions differ in three ways, each handled here: 2.0 messages carry `jsonrpc`, a 1.0 notification has
 * `id: null` where 2.0 has none, and a 1.0 error is any JSON value where 2.0 wants {code, message, data} (the 1.0
 * value travels in `data`). Nothing outside this file knows the package.
 */
import { JSONRPCClient, JSONRPCServer, type JSONRPCID, type JSONRPCResponse } from 'json-rpc-2.0';

/** A 1.0 message with a method: a request, or a notification when `id` is null. */
export interface Request10 {
  readonly id: unknown;
  readonly method: string;
  readonly params: unknown;
}

/** A 1.0 reply: one of `result` and `error` is null. */
export interface Response10 {
  readonly id: unknown;
  readonly result: unknown;
  readonly error: unknown;
}

/** Fails a request with a JSON value: thrown by a handler it becomes the reply's `error`; received, the rejection. */
export class JsonRpcError extends Error {
  readonly error: unknown;

  constructor(error: unknown) {
    super(typeof error === 'string' ? error : JSON.stringify(error));
    this.name = 'JsonRpcError';
    this.error = error;
  }
}

/** Runs one request; `id` is the requester's (for RFC 7047 `cancel`). */
export type RequestHandler = (method: string, params: unknown[], id: unknown) => unknown;

const VERSION = '2.0' as const;

/** The calling side: gives requests ids and settles them when their replies come. */
export class Caller {
  readonly #client: JSONRPCClient;
  #nextId = 0;
  #closed: Error | null = null;

  /** @param send writes a 1.0 request. */
  constructor(send: (message: Request10) => void) {
    this.#client = new JSONRPCClient((payload: { id: unknown; method: string; params: unknown }) => {
      send({ id: payload.id, method: payload.method, params: payload.params });
    });
  }

  /** Sends a request; the promise rejects with JsonRpcError for an error reply, or with what `close` was given. */
  call(method: string, params: unknown[]): { id: number; result: Promise<unknown> } {
    const id = this.#nextId++;
    return { id, result: this.#call(id, method, params) };
  }

  async #call(id: number, method: string, params: unknown[]): Promise<unknown> {
    if (this.#closed) throw this.#closed;
    const response: JSONRPCResponse = await this.#client.requestAdvanced({
      jsonrpc: VERSION,
      id,
      method,
      params,
    });
    if (!response.error) return response.result as unknown;
    if (this.#closed) throw this.#closed;
    throw new JsonRpcError(response.error.data);
  }

  /** Takes a reply; one that nobody waits for is ignored. */
  receive(reply: Response10): void {
    const id = reply.id as JSONRPCID;
    if (reply.error !== null && reply.error !== undefined) {
      this.#client.receive({ jsonrpc: VERSION, id, error: { code: 0, message: '', data: reply.error } });
    } else this.#client.receive({ jsonrpc: VERSION, id, result: reply.result ?? null });
  }

  /** Rejects what is pending and what comes later. */
  close(reason: Error): void {
    this.#closed = reason;
    this.#client.rejectAllPendingRequests(reason.message);
  }
}

/** The answering side. */
export class Responder {
  readonly #server = new JSONRPCServer<RequestHandler>({ errorListener: () => {} });

  constructor() {
    // Methods are the handler's to know: every request passes through one middleware, and an error keeps its
    // 1.0 value in `data`.
    this.#server.applyMiddleware((_next, request, handler) => {
      const done = (result: unknown): JSONRPCResponse => ({
        jsonrpc: VERSION,
        id: request.id ?? null,
        result: result === undefined ? null : result,
      });
      try {
        const result = handler(request.method, request.params as unknown[], request.id);
        return Promise.resolve(result).then(done);
      } catch (error) {
        return Promise.reject(error as Error);
      }
    });
    this.#server.mapErrorToJSONRPCErrorResponse = (id, error: unknown) => ({
      jsonrpc: VERSION,
      id,
      error: {
        code: 0,
        message: '',
        data:
          error instanceof JsonRpcError
            ? error.error
            : error instanceof Error
              ? error.message
              : String(error),
      },
    });
  }

  /** Calls the handler, synchronously; the promise is the reply, and never rejects. */
  async answer(request: Request10, handler: RequestHandler): Promise<Response10> {
    const response = await this.#server.receive(
      { jsonrpc: VERSION, id: request.id as JSONRPCID, method: request.method, params: request.params },
      handler,
    );
    const error: unknown = response?.error ? (response.error.data ?? response.error.message) : null;
    return { id: request.id, result: error === null ? ((response?.result as unknown) ?? null) : null, error };
  }
}
