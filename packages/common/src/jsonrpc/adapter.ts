/**
 * JSON-RPC 1.0 over the `json-rpc-2.0` package, which matches replies to requests and calls methods.
 *
 * The two versions differ in three ways, each handled here: 2.0 messages carry `jsonrpc`, a 1.0 notification has
 * `id: null` where 2.0 has none, and a 1.0 error is any JSON value where 2.0 wants {code, message, data} (the 1.0
 * value travels in `data`). Nothing outside this file knows the package.
 */
import { JSONRPCClient, JSONRPCServer, type JSONRPCID, type JSONRPCResponse } from 'json-rpc-2.0';
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

const VERSION = '2.0' as const;

class LibraryCaller implements Caller {
  readonly #client: JSONRPCClient;
  #nextId = 0;
  #closed: Error | null = null;

  constructor(send: (message: Request10) => void) {
    this.#client = new JSONRPCClient((payload: { id: unknown; method: string; params: unknown }) => {
      send({ id: payload.id, method: payload.method, params: payload.params });
    });
  }

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

  receive(reply: Response10): void {
    const id = reply.id as JSONRPCID;
    if (reply.error !== null && reply.error !== undefined) {
      this.#client.receive({ jsonrpc: VERSION, id, error: { code: 0, message: '', data: reply.error } });
    } else this.#client.receive({ jsonrpc: VERSION, id, result: reply.result ?? null });
  }

  close(reason: Error): void {
    this.#closed = reason;
    this.#client.rejectAllPendingRequests(reason.message);
  }
}

class LibraryResponder implements Responder {
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
        data: errorValue(error),
      },
    });
  }

  async answer(request: Request10, handler: RequestHandler): Promise<Response10> {
    const response = await this.#server.receive(
      { jsonrpc: VERSION, id: request.id as JSONRPCID, method: request.method, params: request.params },
      handler,
    );
    const error: unknown = response?.error ? (response.error.data ?? response.error.message) : null;
    return { id: request.id, result: error === null ? ((response?.result as unknown) ?? null) : null, error };
  }
}

/** The engine of control sockets. */
export const libraryEngine: RpcEngine = {
  caller: (send) => new LibraryCaller(send),
  responder: () => new LibraryResponder(),
};
