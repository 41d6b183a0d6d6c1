/**
 * Where a port puts frames that the kernel copies to it, or that it copies itself, for the time of one batch: one
 * mapping, filled from the bottom, emptied at once when the batch is over. Every frame has headroom before it.
 */

import { HEADROOM } from '../../core/vport.js';
import type { Libc } from '../../sys/libc.js';
import { acquireMemory, type Memory, releaseMemory } from '../../sys/memory.js';
import { MAX_FRAME } from '../provider.js';

/** A whole batch of giants. */
const SIZE = 4.5 * 1024 * 1024;
/** Room before a frame: the core's headroom and an offload header that the kernel writes first. */
const BEFORE = HEADROOM + 32;

export class FrameStore {
  readonly memory: Memory;
  #top = 0;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** A store, or undefined when there is no memory. Pages cost nothing before they are used. */
  static create(libc: Libc): FrameStore | undefined {
    const memory = acquireMemory(libc, SIZE);
    return memory === undefined ? undefined : new FrameStore(memory);
  }

  /** Where the next frame may start (16-byte aligned, with MAX_FRAME bytes of room), or -1 when the store is full. */
  room(): number {
    const at = this.#top + BEFORE;
    return at + MAX_FRAME > SIZE ? -1 : at;
  }

  /** Keep the frame that ends at `end`. */
  keep(end: number): void {
    this.#top = (end + 15) & ~15;
  }

  /** Copy the frame `buf[start, end)` in; its address, or -1 when it is too long or there is no room. */
  put(buf: Uint8Array, start: number, end: number): number {
    const at = this.room();
    if (at < 0 || end - start > MAX_FRAME) return -1;
    this.memory.bytes.set(buf.subarray(start, end), at);
    this.keep(at + end - start);
    return this.memory.address + at;
  }

  /** Forget all frames. */
  reset(): void {
    this.#top = 0;
  }

  close(): void {
    releaseMemory(this.memory);
  }
}
