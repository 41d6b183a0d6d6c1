/**
 * A clock that can be stopped and moved: `time/stop` and `time/warp` of the peer's dummy datapaths.
 *
 * While it runs it is the machine's clock, plus what it was warped by. Stopped, it stands, and timers fire only when
 * `warp` passes them, in the order of their times, with the event loop running in between, so that what one timer
 * starts is over before the next fires. So it is for the first thousand timers of a step; then time is where the step ends
 * and what is due fires there, what comes again and again once, as with the peer: the revalidator alone would come round
 * 172,800 times in a day, and nothing else be done for minutes.
 */
import { type Clock, type Timer, systemClock } from './clock.js';
import type { UnixctlServer } from './unixctl.js';

interface Pending {
  readonly due: number;
  readonly fn: () => void;
  readonly unref: boolean;
  real: Timer | undefined;
}

/** Turns of the event loop that follow each step of a warp. */
const SETTLE_TURNS = 20;
/** Timers of one step that fire each at its own time. */
const TIMED_FIRES = 1000;

export class WarpClock implements Clock {
  /** Added to the machine's time. */
  #offset = 0;
  /** The time at which it stands; undefined while it runs. */
  #stopped: number | undefined;
  readonly #pending = new Set<Pending>();

  now(): number {
    return this.#stopped ?? systemClock.now() + this.#offset;
  }

  wall(): number {
    return systemClock.wall() + (this.now() - systemClock.now());
  }

  setTimer(delayMs: number, fn: () => void, unref = false): Timer {
    const entry: Pending = { due: this.now() + Math.max(0, delayMs), fn, unref, real: undefined };
    this.#pending.add(entry);
    if (this.#stopped === undefined) this.#arm(entry);
    return {
      cancel: () => {
        entry.real?.cancel();
        this.#pending.delete(entry);
      },
    };
  }

  soon(delayMs: number, fn: () => void): Timer {
    return systemClock.setTimer(delayMs, fn);
  }

  #arm(entry: Pending): void {
    entry.real = systemClock.setTimer(entry.due - this.now(), () => this.#fire(entry), entry.unref);
  }

  #fire(entry: Pending): void {
    if (this.#pending.delete(entry)) entry.fn();
  }

  /** Stops time, at a whole ms, so that what is measured while it stands comes out whole. */
  stop(): void {
    this.#stopped ??= Math.floor(this.now());
    for (const entry of this.#pending) entry.real?.cancel();
  }

  /** Lets time go on from where it stands. */
  #go(): void {
    this.#offset = this.now() - systemClock.now();
    this.#stopped = undefined;
    for (const entry of this.#pending) this.#arm(entry);
  }

  /**
   * Moves time forward by `totalMs`, in steps of `stepMs`, and lets everything that is due happen. Meanwhile it stands, and
   * afterwards, too, if it did before.
   */
  async warp(totalMs: number, stepMs = totalMs): Promise<void> {
    const wasRunning = this.#stopped === undefined;
    this.stop();
    let left = totalMs;
    while (left > 0) {
      const step = Math.min(left, Math.max(1, stepMs));
      left -= step;
      await this.#advance(this.now() + step);
    }
    if (wasRunning) this.#go();
  }

  async #advance(to: number): Promise<void> {
    for (let fired = 0; ; fired++) {
      const next = [...this.#pending].sort((a, b) => a.due - b.due)[0];
      if (next === undefined || next.due > to) break;
      this.#stopped = fired < TIMED_FIRES ? Math.max(this.now(), next.due) : to;
      this.#fire(next);
      await settle();
    }
    this.#stopped = to;
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < SETTLE_TURNS; i++) await new Promise((done) => setImmediate(done));
}

/** Registers `time/stop` and `time/warp`. */
export function registerTimeCommands(unixctl: UnixctlServer, clock: WarpClock): void {
  unixctl.register('time/stop', '', 0, 0, () => {
    clock.stop();
    return '';
  });
  unixctl.register('time/warp', '[large_msecs] msecs', 1, 2, async (args) => {
    const numbers = args.map(Number);
    if (numbers.some((each) => !Number.isInteger(each) || each <= 0)) throw new Error('invalid MSECS');
    const [total, step] = numbers.length === 2 ? (numbers as [number, number]) : [numbers[0]!, numbers[0]!];
    await clock.warp(total, step);
    return 'warped\n';
  });
}
