/**
 * A frame as it goes onto a wire that knows no offloads: `FrameFinisher` turns what the core sends, a frame and its
 * `PacketMeta`, into one or more finished frames.
 *
 *     if (finisher.begin(buf, start, end, meta)) while (finisher.next()) use(finisher.bytes, finisher.start, finisher.end)
 *
 * An ordinary frame is passed through where it lies. Otherwise frames are built, one at a time, in memory of the
 * finisher's own: the core's bytes may be queued at other ports too, and are never written to.
 */

import type { PacketMeta } from '../core/packet-meta.js';
import { completeChecksum } from './checksum.js';
import { Segmenter } from './segment.js';

const Step = { DONE: 0, PASS: 1, SEGMENT: 2 } as const;

export class FrameFinisher {
  /** The frame that the last `next` made: `bytes[start, end)`, valid until the next call. */
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  #state: number = Step.DONE;
  #own: Uint8Array = EMPTY;
  readonly #segmenter = new Segmenter();

  /** False when `meta` asks for something that cannot be done to this frame; then there is no `next`. */
  begin(buf: Uint8Array, start: number, end: number, meta: PacketMeta): boolean {
    this.#state = Step.DONE;
    if (meta.gsoType !== 0) {
      if (!this.#segmenter.begin(buf, start, end, meta)) return false;
      this.#need(this.#segmenter.maxLength);
      this.#state = Step.SEGMENT;
      return true;
    }
    this.bytes = buf;
    this.start = start;
    this.end = end;
    if (meta.csumStart >= 0) {
      const length = end - start;
      const field = meta.csumStart + meta.csumOffset;
      if (field + 2 > length) return false;
      this.#need(length);
      this.#own.set(buf.subarray(start, end));
      completeChecksum(this.#own, meta.csumStart, length, field);
      this.bytes = this.#own;
      this.start = 0;
      this.end = length;
    }
    this.#state = Step.PASS;
    return true;
  }

  /** Make the next frame; false when there is none. */
  next(): boolean {
    if (this.#state === Step.PASS) {
      this.#state = Step.DONE;
      return true;
    }
    if (this.#state !== Step.SEGMENT) return false;
    const length = this.#segmenter.next(this.#own, 0);
    if (length === 0) {
      this.#state = Step.DONE;
      return false;
    }
    this.bytes = this.#own;
    this.start = 0;
    this.end = length;
    return true;
  }

  #need(length: number): void {
    if (this.#own.length < length) this.#own = new Uint8Array(Math.max(2048, length));
  }
}

const EMPTY = new Uint8Array(0);
