/**
 * Writes a new log without holding up the event loop: text is made in slices of a few milliseconds, files are written
 * and synced by the thread pool.
 *
 * A record's header has the length and the SHA-1 of its body, so a body is complete in memory, as bytes, before it is
 * written.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { recordHeader } from './log-reader.js';

/** So long one slice of work may take, ms. */
const SLICE_MS = 4;
/** Characters of text that become one buffer. */
const BUFFER_TEXT = 1 << 18;

const open = promisify(fs.open);
const close = promisify(fs.close);
const fdatasync = promisify(fs.fdatasync);

function writev(fd: number, buffers: readonly Buffer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(fd, buffers, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
}

export class LogWriter {
  readonly #file: string;
  #fd: number | undefined;
  readonly #wanted: () => boolean;

  private constructor(file: string, fd: number, wanted: () => boolean) {
    this.#file = file;
    this.#fd = fd;
    this.#wanted = wanted;
  }

  /** Creates `file`, replacing one left over. Everything rejects once `wanted` says false. */
  static async create(file: string, wanted: () => boolean): Promise<LogWriter> {
    fs.rmSync(file, { force: true });
    return new LogWriter(file, await open(file, 'wx+', 0o640), wanted);
  }

  #check(): void {
    if (!this.#wanted()) throw new Error('abandoned');
  }

  /** Writes bytes at the end. */
  async write(buffers: readonly Buffer[]): Promise<void> {
    let rest = buffers;
    while (rest.length > 0) {
      this.#check();
      // Some systems take no more than 1024 buffers at once.
      const now = rest.slice(0, 1024);
      rest = rest.slice(1024);
      const length = now.reduce((sum, { length: n }) => sum + n, 0);
      const written = await writev(this.#fd!, now);
      if (written < length) rest = [Buffer.concat(now).subarray(written), ...rest];
    }
    this.#check();
  }

  /** Writes one record, whose text comes in parts. */
  async writeRecord(parts: Iterable<string>): Promise<void> {
    const hash = createHash('sha1');
    const body: Buffer[] = [];
    let length = 0;
    let text = '';
    const flush = (): void => {
      const bytes = Buffer.from(text);
      hash.update(bytes);
      body.push(bytes);
      length += bytes.length;
      text = '';
    };
    let began = performance.now();
    let rows = 0;
    for (const part of parts) {
      text += part;
      if (text.length >= BUFFER_TEXT) flush();
      if ((++rows & 63) !== 0 || performance.now() - began < SLICE_MS) continue;
      await nextTurn();
      this.#check();
      began = performance.now();
    }
    text += '\n';
    flush();
    await this.write([recordHeader(length, hash.digest('hex')), ...body]);
  }

  /** Resolves when everything written is on the disk. */
  async sync(): Promise<void> {
    await fdatasync(this.#fd!);
    this.#check();
  }

  /** Hands over the file descriptor, which is at the end of the file. */
  release(): number {
    this.#check();
    const fd = this.#fd!;
    this.#fd = undefined;
    return fd;
  }

  /** Closes and removes the file, unless it was handed over. */
  async abandon(): Promise<void> {
    if (this.#fd === undefined) return;
    await close(this.#fd);
    this.#fd = undefined;
    fs.rmSync(this.#file, { force: true });
  }
}
