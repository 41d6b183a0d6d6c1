/**
 * Time, injected. Pure state machines take `now` as a number; what must own a timer takes a `Clock`, so that tests
 * (and `time/stop`, `time/warp`) can hold and move it.
 */

/** A pending timer. */
export interface Timer {
  /** Forgets the timer; harmless after it fired. */
  cancel(): void;
}

/** A source of time and of timers. */
export interface Clock {
  /** Milliseconds on a monotonic clock with an arbitrary origin; may have a fraction. */
  now(): number;
  /** Milliseconds since 1970-01-01 UTC. */
  wall(): number;
  /** Calls `fn` once, not before `delayMs` have passed. Does not keep the process alive by itself if `unref`. */
  setTimer(delayMs: number, fn: () => void, unref?: boolean): Timer;
  /**
   * Calls `fn` once when `delayMs` of the machine's time have passed, though this clock may stand still: for what follows
   * something that has happened, not for what is due at a time.
   */
  soon(delayMs: number, fn: () => void): Timer;
}

/** The longest delay of the machine's timers, ms: some 24 days. */
const MAX_DELAY = 0x7fffffff;

/**
 * Calls `fn` once, not before `delayMs` have passed, by timers of the machine: of one that is longer than those can be, each
 * sets the next. Infinity: never.
 */
export function setLongTimer(delayMs: number, fn: () => void, unref = false): Timer {
  let left = Math.max(0, delayMs);
  let handle: NodeJS.Timeout;
  const arm = (): void => {
    const ms = Math.min(left, MAX_DELAY);
    left -= ms;
    handle = setTimeout(() => (left > 0 ? arm() : fn()), ms);
    if (unref) handle.unref();
  };
  arm();
  return { cancel: () => clearTimeout(handle) };
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer: setLongTimer,
  soon: (delayMs, fn) => systemClock.setTimer(delayMs, fn),
};
