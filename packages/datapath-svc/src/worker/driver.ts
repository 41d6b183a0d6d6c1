/**
 * What makes a `PortLoop` go round, in one of two gears, chosen anew each time it would wait:
 *
 * - *blocking*: every port has a descriptor. Scan; after `IDLE_SCANS` empty scans block in `poll`. The event loop
 *   does not turn; who wants something writes to `wakeFd`, and `onWake` fetches it (`receiveMessageOnPort`). About
 *   once a second one turn of the event loop is let through, for what Node.js itself has to do there.
 * - *events*: a port lives on the event loop, or this thread has other things to do (in-process datapaths on the
 *   main thread). While busy, slices of scans between turns of the event loop (`setImmediate`); idle, `poll` on
 *   koffi's thread pool, or nothing at all when no port has a descriptor.
 */

import type { PortLoop } from './port-loop.js';

const IDLE_SCANS = 20;
const MAX_WAIT_MS = 250;
const SLICE_SCANS = 16;
const TURN_MS = 1000;

export class Driver {
  readonly #loop: PortLoop;
  readonly #onWake: () => void;
  readonly #mayBlock: boolean;
  #stopped = false;
  #waiting = false;
  #timer: NodeJS.Timeout | undefined;
  #finished: (() => void) | undefined;

  /** `onWake`: somebody wrote to the loop's `wakeFd`. `mayBlock`: nobody else needs this thread's event loop. */
  constructor(loop: PortLoop, mayBlock: boolean, onWake: () => void) {
    this.#loop = loop;
    this.#mayBlock = mayBlock && loop.wakeFd >= 0;
    this.#onWake = onWake;
    loop.onChanged = () => this.#changed();
  }

  /** Begin; returns at once. */
  start(): void {
    setImmediate(() => this.#turn());
  }

  /** End; resolves when the loop has come to rest. In blocking gear the caller must be `onWake`, or write to `wakeFd`. */
  stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    return new Promise((resolve) => {
      this.#finished = resolve;
      if (!this.#waiting) setImmediate(() => this.#finish());
    });
  }

  /** A port came, went or changed while the loop waits on the event loop: see to it that it is served. */
  #changed(): void {
    if (this.#waiting) this.#loop.wake();
    else if (this.#timer !== undefined && !this.#stopped) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      setImmediate(() => this.#turn());
    }
  }

  #finish(): void {
    this.#finished?.();
    this.#finished = undefined;
  }

  #turn(): void {
    this.#timer = undefined;
    if (this.#stopped) return;
    if (this.#mayBlock && !this.#loop.needsEvents) this.#runBlocking();
    else this.#runSlice();
  }

  #runBlocking(): void {
    const loop = this.#loop;
    const end = loop.now() + TURN_MS;
    let idle = 0;
    let due = 0;
    for (;;) {
      if (loop.scan() > 0) idle = 0;
      else if (++idle >= IDLE_SCANS) {
        loop.wait(Math.min(MAX_WAIT_MS, Math.ceil(loop.housekeep())));
        idle = 0;
      }
      if (loop.woken) {
        loop.woken = false;
        this.#onWake();
        if (this.#stopped) return;
        if (loop.needsEvents) break;
      }
      const now = loop.now();
      if (now >= due) {
        due = now + Math.min(MAX_WAIT_MS, loop.housekeep());
        if (now >= end) break;
      }
    }
    setImmediate(() => this.#turn());
  }

  #runSlice(): void {
    const loop = this.#loop;
    let idle = 0;
    for (let i = 0; i < SLICE_SCANS && idle < 2; i++) idle = loop.scan() > 0 ? 0 : idle + 1;
    const wait = Math.ceil(loop.housekeep());
    if (idle < 2) {
      setImmediate(() => this.#turn());
      return;
    }
    if (!loop.hasPolled && !this.#mayBlock) {
      this.#timer = setTimeout(() => this.#turn(), wait);
      return;
    }
    this.#waiting = true;
    loop.waitAsync(Math.min(MAX_WAIT_MS, wait), () => {
      this.#waiting = false;
      if (loop.woken) {
        loop.woken = false;
        this.#onWake();
      }
      if (this.#stopped) this.#finish();
      else this.#turn();
    });
  }
}
