/** Requests of a handle to the code that answers them. */
import type { Dump, Handle } from '../handle.js';
import { Errno } from '../errno.js';

/**
 * Runs the netlink request of a WRITE or TRANSACT. Returns the reply's bytes (empty for a WRITE), a `Dump` that
 * READ will read, or a positive errno of the operation itself.
 */
export function dispatch(handle: Handle, op: number, request: Uint8Array): Uint8Array | Dump | number {
  void handle;
  void op;
  void request;
  return Errno.EOPNOTSUPP;
}
