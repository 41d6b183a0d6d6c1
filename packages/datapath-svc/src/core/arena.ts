/**
 * Memory for frames that the core has to copy: a frame modified after an output queued it, one built by EXECUTE, a
 * clone. Allocation is a bump of a pointer; everything is given back at once when the batch ends and the ports have
 * sent. When the arena is full in the middle of a batch, the ports are flushed and a new one is taken, because a
 * frame being worked on may still live in the old one.
 */
export const ARENA_BYTES = 4 * 1024 * 1024;

export class Arena {
  /** The memory that `alloc` gave an offset into last. */
  buffer: Uint8Array;
  private top = 0;
  private readonly allocate: (size: number) => Uint8Array;
  private readonly flush: () => void;

  constructor(allocate: (size: number) => Uint8Array, flush: () => void) {
    this.allocate = allocate;
    this.flush = flush;
    this.buffer = allocate(ARENA_BYTES);
  }

  /** Room for `size` bytes, at the returned offset of `buffer` (read that after the call), 64-byte aligned. */
  alloc(size: number): number {
    if (this.top + size > this.buffer.length) {
      this.flush();
      this.buffer = this.allocate(Math.max(ARENA_BYTES, size));
      this.top = 0;
    }
    const at = this.top;
    this.top = (at + size + 63) & ~63;
    return at;
  }

  /** Gives everything back. Only when no port holds queued frames. */
  reset(): void {
    this.top = 0;
  }
}
