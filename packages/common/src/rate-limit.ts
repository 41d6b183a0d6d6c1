/**
 * A token bucket for messages that could come often: `burst` at once, `perMinute` sustained. What it drops is
 * counted and told with the next message that passes.
 */
export class RateLimit {
  readonly perMinute: number;
  readonly burst: number;
  #tokens: number;
  #filled = 0;
  #dropped = 0;
  #firstDrop = 0;
  #lastDrop = 0;

  constructor(perMinute: number, burst: number) {
    this.perMinute = perMinute;
    this.burst = burst;
    this.#tokens = burst;
  }

  /** True when a message may pass at `nowMs` (monotonic); otherwise it counts as dropped. */
  take(nowMs: number): boolean {
    this.#tokens = Math.min(this.burst, this.#tokens + ((nowMs - this.#filled) * this.perMinute) / 60000);
    this.#filled = nowMs;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return true;
    }
    if (this.#dropped++ === 0) this.#firstDrop = nowMs;
    this.#lastDrop = nowMs;
    return false;
  }

  /** The sentence about what was dropped since the last time it was asked for, or null. */
  report(nowMs: number): string | null {
    if (this.#dropped === 0) return null;
    const n = this.#dropped;
    this.#dropped = 0;
    const since = Math.floor((nowMs - this.#firstDrop) / 1000);
    const last = Math.floor((nowMs - this.#lastDrop) / 1000);
    return `Dropped ${n} log messages in last ${since} seconds (most recently, ${last} seconds ago) due to excessive rate`;
  }
}
