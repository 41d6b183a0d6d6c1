/** Bytes of a connection on their way in, cut into messages. */

/** Bytes of a header up to the end of its length field. */
const LENGTH_END = 4;
/** Pieces of a message that are kept apart: one of a single byte takes a hundred. */
const MAX_PIECES = 256;

export interface Intake {
  /** Bytes that wait. */
  readonly size: number;
  /** Adds what has come. */
  add(chunk: Buffer): void;
  /** The length field of the first message; undefined when it has not come yet. */
  firstLength(): number | undefined;
  /** The first `length` bytes, which have come: they wait no more. */
  take(length: number): Buffer;
  /** Forgets all that waits. */
  clear(): void;
}

/** Takes chunks that are its own, and gives messages that are the taker's to keep: parts of the chunks, mostly. */
export class KeptIntake implements Intake {
  size = 0;
  private chunks: Buffer[] = [];
  /** Where the first chunk's bytes begin that wait. */
  private from = 0;

  add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.chunks.length > MAX_PIECES) this.join();
  }

  firstLength(): number | undefined {
    return this.size < LENGTH_END ? undefined : this.joined(LENGTH_END).readUInt16BE(this.from + 2);
  }

  take(length: number): Buffer {
    const message = this.joined(length).subarray(this.from, this.from + length);
    this.from += length;
    this.size -= length;
    if (this.size === 0) this.clear();
    return message;
  }

  clear(): void {
    this.chunks = [];
    this.from = 0;
    this.size = 0;
  }

  /**
   * The chunk with the first `n` bytes. Chunks are joined only when they are needed together, or are many, and all at once,
   * so that a message in small pieces costs little more than one in few.
   */
  private joined(n: number): Buffer {
    if (this.chunks[0].length - this.from < n) this.join();
    return this.chunks[0];
  }

  private join(): void {
    this.chunks[0] = this.chunks[0].subarray(this.from);
    this.chunks = [Buffer.concat(this.chunks)];
    this.from = 0;
  }
}

/** As much as several of the longest messages. */
const BLOCK = 1 << 18;

/**
 * Copies what comes, which can be lent to it, and lends messages in turn: one is good until `release`. All of a long table
 * goes through one block of memory. `npm run bench:openflow`, dump-flows: chunks and messages in buffers of their own
 * took 70 of 430 ms where page faults are dear, most of it to make them.
 */
export class LentIntake implements Intake {
  private block: Buffer | undefined;
  /** The bytes that wait are `block[from..to)`. */
  private from = 0;
  private to = 0;
  /** Whether somebody has a part of the block, which must stay as it is. */
  private isLent = false;

  get size(): number {
    return this.to - this.from;
  }

  add(chunk: Buffer): void {
    const block = this.room(chunk.length);
    block.set(chunk, this.to);
    this.to += chunk.length;
  }

  firstLength(): number | undefined {
    return this.size < LENGTH_END ? undefined : this.block!.readUInt16BE(this.from + 2);
  }

  take(length: number): Buffer {
    const message = this.block!.subarray(this.from, this.from + length);
    this.from += length;
    this.isLent = true;
    return message;
  }

  /** What was lent is given back. */
  release(): void {
    this.isLent = false;
  }

  clear(): void {
    this.block = undefined;
    this.from = 0;
    this.to = 0;
  }

  /** A block with room for `n` bytes at `to`. */
  private room(n: number): Buffer {
    const { block, from, to, size } = this;
    if (block !== undefined && to + n <= block.length) return block;
    let roomy = block;
    if (block === undefined || this.isLent || size + n > block.length) {
      roomy = Buffer.allocUnsafeSlow(Math.max(BLOCK, 2 * (size + n)));
      this.isLent = false;
    }
    if (block !== undefined) roomy!.set(block.subarray(from, to));
    this.block = roomy;
    this.from = 0;
    this.to = size;
    return roomy!;
  }
}
