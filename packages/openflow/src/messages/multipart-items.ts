import { DecodeFailure } from '../errors.js';
import type { Reader } from '../wire.js';
import type { MultipartReply, MultipartRequest } from './types.js';

/**
 * Reads items to the end and makes a reply of them. When one is bad, those before it stay in the failure, so that a
 * reader is shown them.
 */
export function items<T, P>(r: Reader, read: () => T, make: (list: T[]) => P): P {
  const list: T[] = [];
  try {
    while (r.left > 0) list.push(read());
  } catch (e) {
    if (e instanceof DecodeFailure) {
      e.partial ??= make(list) as MultipartReply | MultipartRequest;
      e.error.at ??= r.pos;
    }
    throw e;
  }
  return make(list);
}
