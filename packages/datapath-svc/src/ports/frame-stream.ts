/**
 * QEMU's framing of `-netdev stream` (and of `-netdev socket`): each Ethernet frame is preceded by its length, four
 * bytes, big end first. `FrameParser` cuts a byte stream that arrives in pieces into frames.
 */

/** Bytes of the length before a frame. */
export const LENGTH_PREFIX = 4;

export class FrameParser {
  /** Bytes of the frame being received that are in `memory` already; -1 while its length is being received. */
  #have = -1;
  #need = 0;
  #prefix = 0;
  #prefixBytes = 0;
  readonly #maxFrame: number;

  constructor(maxFrame: number) {
    this.#maxFrame = maxFrame;
  }

  /** Length of the frame that the last `feed` completed. */
  length = 0;
  /** True when the stream announced a frame that is empty or too long: it cannot be trusted any more. */
  broken = false;

  /**
   * Take bytes of `chunk` from `from` on, up to the end of one frame, whose bytes go to `memory` from `at` on (room
   * for the longest frame). Returns where it stopped in `chunk`; a frame is complete when `length` is not 0. The
   * part of a frame that is in `memory` must be there, at the same `at`, with the next call.
   */
  feed(chunk: Uint8Array, from: number, memory: Uint8Array, at: number): number {
    this.length = 0;
    let pos = from;
    while (this.#have < 0) {
      if (pos === chunk.length) return pos;
      this.#prefix = this.#prefix * 256 + chunk[pos++]!;
      if (++this.#prefixBytes < LENGTH_PREFIX) continue;
      this.#need = this.#prefix;
      this.#prefix = 0;
      this.#prefixBytes = 0;
      if (this.#need === 0 || this.#need > this.#maxFrame) {
        this.broken = true;
        return chunk.length;
      }
      this.#have = 0;
    }
    const take = Math.min(this.#need - this.#have, chunk.length - pos);
    memory.set(chunk.subarray(pos, pos + take), at + this.#have);
    this.#have += take;
    if (this.#have === this.#need) {
      this.length = this.#need;
      this.#have = -1;
    }
    return pos + take;
  }

  /** Bytes of an unfinished frame that are in memory. */
  get partial(): number {
    return Math.max(0, this.#have);
  }
}
