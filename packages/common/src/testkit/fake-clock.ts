import type { Clock, Timer } from '../clock.js';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

/** A clock that moves only when told to. Timers fire inside `advance`, in order of their time, then of creation. */
export class FakeClock implements Clock {
  #now: number;
  #wallOffset: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  /** @param now monotonic start in ms. @param wall time since 1970 in ms at that moment. */
  constructor(now = 0, wall = Date.UTC(2024, 0, 1)) {
    this.#now = now;
    this.#wallOffset = wall - now;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.#wallOffset;
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    const pending: Pending = { at: this.#now + Math.max(0, delayMs), order: this.#order++, fn };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  soon(delayMs: number, fn: () => void): Timer {
    return this.setTimer(delayMs, fn);
  }

  /** Number of timers that have not fired. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Moves time by `ms`, firing what becomes due on the way, each at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      let next: Pending | undefined;
      for (const p of this.#pending) {
        if (p.at <= end && (!next || p.at < next.at || (p.at === next.at && p.order < next.order))) next = p;
      }
      if (!next) break;
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fn();
    }
    this.#now = end;
  }
}
