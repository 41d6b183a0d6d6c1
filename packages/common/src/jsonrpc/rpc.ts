/**
 * The two halves of JSON-RPC 1.0 that a session needs, whoever implements them: `dispatcher.ts` for OVSDB, where the
 * rate of small transactions counts, and `adapter.ts` over the `json-rpc-2.0` package for control sockets.
 */

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

/** The calling side: gives requests ids and settles them when their replies come. */
export interface Caller {
  /** Sends a request; the promise rejects with JsonRpcError for an error reply, or with what `close` was given. */
  call(method: string, params: unknown[]): { readonly id: number; readonly result: Promise<unknown> };
  /** Takes a reply; one that nobody waits for is ignored. */
  receive(reply: Response10): void;
  /** Rejects what is pending and what comes later. */
  close(reason: Error): void;
}

/** The answering side. */
export interface Responder {
  /** Calls the handler, synchronously; gives the reply, or the promise of it, which never rejects. */
  answer(request: Request10, handler: RequestHandler): Response10 | Promise<Response10>;
}

export interface RpcEngine {
  /** @param send writes a 1.0 request. */
  readonly caller: (send: (message: Request10) => void) => Caller;
  readonly responder: () => Responder;
}

/** The `error` of a reply for what a handler threw: JsonRpcError's value, else the text. */
export function errorValue(thrown: unknown): unknown {
  if (thrown instanceof JsonRpcError) return thrown.error;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
