/**
 * Memory with an address: what the kernel reads and writes by pointer.
 *
 * `Memory` is a mapping seen as bytes and as 32-bit words. `addressOf` finds the address of any view of a mapping,
 * so that a port can send a frame from wherever it lies without a copy, and sees which frames lie in the JavaScript
 * heap (whose addresses change) and have to be copied first.
 *
 * Anonymous mappings are never unmapped: a view of unmapped memory is a crash waiting for its reader. They are
 * pooled by size and handed out again. Rings of packet sockets are pages of their socket and cannot be pooled;
 * `PacketRing` says how it unmaps them.
 */

import type { Libc } from './libc.js';
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from './linux.js';

/** What maps memory: the C library, or what stands for it on Windows. */
export type Mapper = Pick<Libc, 'mmap' | 'view'>;

const addresses = new WeakMap<ArrayBufferLike, number>();

export class Memory {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly halves: Uint16Array;

  /** Over `buffer`, the memory at `address`; its length is a multiple of 4. */
  constructor(address: number, buffer: ArrayBuffer) {
    this.address = address;
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.halves = new Uint16Array(buffer);
    addresses.set(buffer, address);
  }

  /** Store an address or a `size_t` (below 2^53) at byte `offset` (a multiple of 4), little end first. */
  putPointer(offset: number, value: number): void {
    this.words[offset >>> 2] = value >>> 0;
    this.words[(offset >>> 2) + 1] = Math.floor(value / 0x1_0000_0000);
  }
}

/** The address of the first byte of `view`, or -1 when it is not in a `Memory`. */
export function addressOf(view: Uint8Array): number {
  const base = addresses.get(view.buffer);
  return base === undefined ? -1 : base + view.byteOffset;
}

const pool = new Map<number, Memory[]>();

/** At least `length` bytes of memory (zeroed when new, not when reused), or undefined when there is none left. */
export function acquireMemory(libc: Mapper, length: number): Memory | undefined {
  const rounded = (length + 0xfff) & ~0xfff;
  const reused = pool.get(rounded)?.pop();
  if (reused !== undefined) return reused;
  const address = libc.mmap(0, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address === -1) return undefined;
  return new Memory(address, libc.view(address, rounded));
}

/** Give memory of `acquireMemory` back; the caller keeps no view of it. */
export function releaseMemory(memory: Memory): void {
  const list = pool.get(memory.bytes.byteLength);
  if (list === undefined) pool.set(memory.bytes.byteLength, [memory]);
  else list.push(memory);
}
