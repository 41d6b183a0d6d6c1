/**
 * The loop's inside: all ports of one core, one `scan` of them, and waiting for the next frame.
 *
 *     scan:  beginBatch -> receive of every ready port -> endBatch (flushes outputs) -> release of the same ports
 *
 * Which ports are ready: those whose ring is in memory are always looked at (10 ns); those that need a system call
 * when `poll` said so and then until they run dry. So that the latter and the wake-up descriptor are not starved by
 * a busy ring, every `POLL_EVERY` scans that moved frames poll without waiting.
 *
 * The loop does not decide how to wait; `driver.ts` does. It works the same without system calls (no libc): then
 * there is nothing to scan, and event-driven ports call in by themselves.
 */

import type { DatapathCore } from '../core/core.js';
import type { LogLevel, Port, PortHost } from '../ports/provider.js';
import type { Libc } from '../sys/libc.js';
import { EFD_CLOEXEC, EFD_NONBLOCK, POLLERR, POLLHUP, POLLIN } from '../sys/linux.js';
import { acquireMemory, type Memory } from '../sys/memory.js';

const POLL_EVERY = 16;
const REFRESH_MS = 1000;
/** `struct pollfd`: fd 4, events 2, revents 2. */
const POLLFD = 8;
const MAX_POLLED = 4096;
/** Arenas of the core take turns: one that a frame in work still lies in is not handed out again soon. */
const ARENAS = 4;

export class PortLoop implements PortHost {
  /** Set right after construction; the core needs the port factory, which needs the loop. */
  core!: DatapathCore;
  readonly ports = new Set<Port>();
  /** Called when ports came, went or changed: the driver may be waiting for others. */
  onChanged: () => void = () => {};
  /** Called after batches that may have completed reads of upcalls or events. */
  afterBatch: () => void = () => {};
  /** Called once a second, with the time in ms. */
  onRefresh: (now: number) => void = () => {};
  /** Something asked for attention: the wake-up descriptor was readable. Cleared by the driver. */
  woken = false;
  /** Descriptor that wakes `wait` when something is written to it, -1 without system calls. */
  readonly wakeFd: number;
  readonly now: () => number;
  readonly log: (level: LogLevel, text: string) => void;
  readonly #libc: Libc | undefined;
  readonly #pollSet: Memory | undefined;
  readonly #scratch: Memory | undefined;
  #polled: Port[] = [];
  #hot: boolean[] = [];
  #closed = false;
  #stale = true;
  #sincePoll = 0;
  #nextRefresh = 0;
  #nextTick = 0;
  readonly #arenas: Uint8Array[] = [];
  #arena = 0;

  /** `now` gives monotonic milliseconds; `libc` undefined: no polled ports. */
  constructor(libc: Libc | undefined, now: () => number, log: (level: LogLevel, text: string) => void) {
    this.#libc = libc;
    this.now = now;
    this.log = log;
    this.#pollSet = libc && acquireMemory(libc, MAX_POLLED * POLLFD);
    this.#scratch = libc && acquireMemory(libc, 8);
    this.wakeFd = libc === undefined ? -1 : libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  }

  /** Whether there is anything that `wait` would wait for but a wake-up. */
  get hasPolled(): boolean {
    for (const port of this.ports) if (port.fd >= 0) return true;
    return false;
  }

  /** Whether a port needs the event loop to turn. */
  get needsEvents(): boolean {
    for (const port of this.ports) if (port.needsEvents) return true;
    return false;
  }

  add(port: Port): void {
    this.ports.add(port);
    this.changed();
  }

  remove(port: Port): void {
    this.ports.delete(port);
    this.changed();
  }

  changed(): void {
    this.#stale = true;
    this.onChanged();
  }

  /** End a `wait` in progress, now or the next one. From another thread: write 8 bytes to `wakeFd` instead. */
  wake(): void {
    const scratch = this.#scratch!;
    scratch.words[0] = 1;
    scratch.words[1] = 0;
    this.#libc!.write(this.wakeFd, scratch.address, 8);
  }

  beginBatch(): void {
    this.core.beginBatch(this.now());
  }

  endBatch(): void {
    this.core.endBatch();
    this.afterBatch();
  }

  memory(size: number): Uint8Array {
    const memory = this.#libc && acquireMemory(this.#libc, size);
    return memory === undefined ? new Uint8Array(size) : memory.bytes.subarray(0, size);
  }

  /** `CoreOptions.allocArena`: memory that ports can send from. */
  allocArena(size: number): Uint8Array {
    const at = this.#arena;
    this.#arena = (at + 1) % ARENAS;
    const known = this.#arenas[at];
    if (known !== undefined && known.length >= size) return known;
    return (this.#arenas[at] = this.memory(size));
  }

  /** One look at all ready ports; returns how many frames came. */
  scan(): number {
    if (this.#stale) this.#rebuild();
    const ports = this.#polled;
    const hot = this.#hot;
    const core = this.core;
    let frames = 0;
    core.beginBatch(this.now());
    for (let i = 0; i < ports.length; i++) {
      if (!hot[i]) continue;
      const got = ports[i]!.receive();
      frames += got;
      if (got === 0 && !ports[i]!.cheap) hot[i] = false;
    }
    core.endBatch();
    if (frames > 0) {
      for (let i = 0; i < ports.length; i++) ports[i]!.release();
      this.afterBatch();
      if (++this.#sincePoll >= POLL_EVERY) this.wait(0);
    }
    return frames;
  }

  /** Housekeeping that is due; returns the milliseconds until it wants to be called again. */
  housekeep(): number {
    const now = this.now();
    if (now >= this.#nextRefresh) {
      this.#nextRefresh = now + REFRESH_MS;
      // In a batch, because its end hands over the events of what changed.
      this.core.beginBatch(now);
      for (const port of this.ports) port.refresh(now);
      this.core.endBatch();
      this.onRefresh(now);
    }
    if (now >= this.#nextTick) this.#nextTick = now + this.core.tick(now);
    this.afterBatch();
    return Math.max(0, Math.min(this.#nextRefresh, this.#nextTick) - now);
  }

  /** Wait in the kernel, at most `timeoutMs`, until a polled port has frames or `wakeFd` is written to. */
  wait(timeoutMs: number): void {
    const count = this.#arm();
    if (count === 0) return;
    this.#disarm(this.#libc!.poll(this.#pollSet!.address, count, timeoutMs));
  }

  /** The same, without blocking this thread; `done` comes on the event loop. */
  waitAsync(timeoutMs: number, done: () => void): void {
    const count = this.#arm();
    this.#libc!.pollAsync(this.#pollSet!.address, count, timeoutMs, (error, ready) => {
      this.#disarm(error === null ? ready : 0);
      done();
    });
  }

  /** Close what the loop itself opened. The core is closed before. */
  close(): void {
    if (this.#closed) return;
    // Once: the number may be another descriptor's by the time of a second call.
    this.#closed = true;
    if (this.wakeFd >= 0) this.#libc!.close(this.wakeFd);
  }

  #rebuild(): void {
    this.#stale = false;
    this.#polled = [...this.ports].filter((port) => port.fd >= 0).slice(0, MAX_POLLED - 1);
    // All are read once: frames may have come before anybody polled.
    this.#hot = this.#polled.map(() => true);
  }

  /** Fill the poll set; returns its length. */
  #arm(): number {
    this.#sincePoll = 0;
    if (this.#stale) this.#rebuild();
    const set = this.#pollSet;
    if (set === undefined) return 0;
    const words = set.words;
    words[0] = this.wakeFd;
    words[1] = POLLIN;
    const ports = this.#polled;
    for (let i = 0; i < ports.length; i++) {
      words[2 * i + 2] = ports[i]!.fd;
      words[2 * i + 3] = POLLIN;
    }
    return ports.length + 1;
  }

  #disarm(ready: number): void {
    if (ready <= 0) return;
    const words = this.#pollSet!.words;
    if (words[1]! >>> 16 !== 0) {
      this.woken = true;
      this.#libc!.read(this.wakeFd, this.#scratch!.address, 8);
    }
    // A port may have come or gone while an asynchronous wait was under way.
    if (this.#stale) return;
    const ports = this.#polled;
    this.core.beginBatch(this.now());
    for (let i = 0; i < ports.length; i++) {
      const events = words[2 * i + 3]! >>> 16;
      if (events === 0) continue;
      if ((events & (POLLERR | POLLHUP)) !== 0) ports[i]!.fault();
      if ((events & POLLIN) !== 0) this.#hot[i] = true;
    }
    this.endBatch();
  }
}
