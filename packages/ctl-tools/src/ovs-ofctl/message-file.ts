/** A file of OpenFlow messages one after the other, read a block at a time. */
import fs from 'node:fs';
import { byteTextPath } from '@ovs-node/common/byte-text';
import { errnoName, FatalError, isOfDirectory, strerror } from '@ovs-node/common/errors';

/** Twice what the longest message takes. */
const BLOCK = 1 << 17;
const HEADER = 8;

export class MessageFile {
  /** The message is `bytes[at..at + length)`; good until the next. */
  readonly bytes = Buffer.allocUnsafe(BLOCK);
  at = 0;
  length = 0;
  /** What was read lies in `bytes[..end)`. */
  private end = 0;
  private readonly name: string;
  private readonly fd: number;

  /** @param name byte text (`-`: standard input). @throws FatalError when it cannot be opened */
  constructor(name: string) {
    this.name = name;
    try {
      this.fd = name === '-' ? 0 : fs.openSync(byteTextPath(name), 'r');
    } catch (e) {
      throw this.failure(e);
    }
  }

  /** Goes to the next message. @returns whether there is one. @throws FatalError when it is not whole, or cannot be read */
  next(): boolean {
    this.at += this.length;
    this.length = 0;
    const left = this.has(HEADER);
    if (left === 0) return false;
    if (left < HEADER) throw this.cut();
    const length = (this.bytes[this.at + 2] << 8) | this.bytes[this.at + 3];
    if (length < HEADER)
      throw new FatalError(`${this.name}: ${length}-byte message is too short for OpenFlow`);
    if (this.has(length) < length) throw this.cut();
    this.length = length;
    return true;
  }

  close(): void {
    if (this.fd !== 0) fs.closeSync(this.fd);
  }

  /** Reads until there are `n` bytes from `at` on, or no more. @returns how many there are. */
  private has(n: number): number {
    const { bytes } = this;
    if (this.end - this.at < n) {
      bytes.copyWithin(0, this.at, this.end);
      this.end -= this.at;
      this.at = 0;
      for (let got = 1; got > 0 && this.end < n; this.end += got) got = this.read();
    }
    return this.end - this.at;
  }

  private read(): number {
    try {
      return fs.readSync(this.fd, this.bytes, this.end, BLOCK - this.end, null);
    } catch (e) {
      if (isOfDirectory(e)) return 0;
      throw this.failure(e);
    }
  }

  private failure(e: unknown): FatalError {
    return new FatalError(`${this.name}: open (${strerror(errnoName(e))})`);
  }

  private cut(): FatalError {
    return new FatalError(`${this.name}: unexpected end of file mid-message`);
  }
}
