/** Limits of a call: an AbortSignal, a time. */
import { setLongTimer, type Timer } from '@ovs-node/common/clock';
import { OvsdbError } from '../data/error.js';

export interface CallOptions {
  /** Ends the waiting, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Longest waiting, ms; then it rejects with OvsdbError `timed out`. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Waits for `work`, but no longer than the options allow.
 *
 * @param given called once when the waiting was given up.
 */
export async function limited<T>(
  work: Promise<T>,
  { signal, timeoutMs }: CallOptions,
  given: () => void = () => undefined,
): Promise<T> {
  if (signal === undefined && timeoutMs === undefined) return work;
  let timer: Timer | undefined;
  let onAbort: (() => void) | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    const giveUp = (reason: unknown): void => {
      given();
      reject(reason as Error);
    };
    if (timeoutMs !== undefined) {
      const late = (): void => giveUp(new OvsdbError('timed out', `no answer within ${timeoutMs} ms`));
      timer = setLongTimer(timeoutMs, late);
    }
    if (signal?.aborted === true) giveUp(signal.reason);
    else if (signal !== undefined) {
      onAbort = () => giveUp(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
    }
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } finally {
    timer?.cancel();
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}
