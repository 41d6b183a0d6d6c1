/**
 * Reads OVSDB log files (ovsdb(5), "Standalone Database Format").
 *
 *     OVSDB JSON <bytes> <sha1>\n     header line: length of what follows, its SHA-1 in hex
 *     <one line of JSON>\n            <bytes> long, the newline counted
 *
 * Records follow each other without gaps; the first is the schema, each other one a transaction. A reader never
 * writes: it tells the place up to which the file is good and the error behind it, and the writer cuts there.
 */
import { createHash, hash } from 'node:crypto';
import fs from 'node:fs';
import { errnoName, strerror } from '@ovs-node/common/errors';
import { ERROR_TAGS, OvsdbError } from 'ovsdb-client/data/error';
import { type Json, parseJson } from 'ovsdb-client/data/json';

export const MAGIC_STANDALONE = 'JSON';
export const MAGIC_CLUSTERED = 'CLUSTER';

/** A header line has at most this many bytes: magic, a length, a SHA-1. */
const MAX_HEADER = 128;
const CHUNK = 1 << 20;

/** An I/O error of a file in the words of the peer's tools: `FILE: WHAT (strerror)`. */
export function ioError(what: string, error: unknown): OvsdbError {
  return new OvsdbError(ERROR_TAGS.io, `${what} (${strerror(errnoName(error))})`);
}

export interface LogRecord {
  readonly json: Json;
  /** Place of the record's header in the file. */
  readonly offset: number;
  /** Bytes of JSON, the newline included. */
  readonly length: number;
}

/** Reads the records of one log from its start; owns the file descriptor until `close`. */
export class LogReader {
  readonly name: string;
  readonly magic: string;
  readonly fd: number;
  #buffer: Buffer = Buffer.alloc(CHUNK);
  /** Valid bytes of `#buffer`, and the place in the file of its first byte. */
  #filled = 0;
  #base = 0;
  #at = 0;
  /** Place behind the last good record. */
  goodEnd = 0;
  #failed: OvsdbError | undefined;

  private constructor(name: string, fd: number) {
    this.name = name;
    this.fd = fd;
    this.magic = this.#readMagic();
  }

  /**
   * Opens `file`; `name` stands for it in errors. Throws `OvsdbError`: `I/O error` when it cannot be opened,
   * `ovsdb error` when it is not a log.
   */
  static open(file: string, flags: string = 'r', name: string = file): LogReader {
    let fd: number;
    try {
      fd = fs.openSync(file, flags);
    } catch (error) {
      throw ioError(`${name}: open failed`, error);
    }
    try {
      return new LogReader(name, fd);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  #readMagic(): string {
    const line = this.#headerLine();
    if (line === undefined) throw new OvsdbError(ERROR_TAGS.ovsdb, `${this.name}: cannot identify file type`);
    this.#at = 0;
    const header = parseHeader(line);
    if (header === undefined) throw new OvsdbError(ERROR_TAGS.ovsdb, `${this.name}: unexpected file format`);
    return header.magic;
  }

  /** Makes at least `need` bytes at `#at` available if the file has them; tells how many there are. */
  #fill(need: number): number {
    let available = this.#filled - this.#at;
    if (available >= need) return available;
    if (need > this.#buffer.length || this.#at > 0) {
      const target = need > this.#buffer.length ? Buffer.alloc(need + CHUNK) : this.#buffer;
      this.#buffer.copy(target, 0, this.#at, this.#filled);
      this.#buffer = target;
      this.#base += this.#at;
      this.#filled = available;
      this.#at = 0;
    }
    while (available < need) {
      let n: number;
      try {
        const room = this.#buffer.length - this.#filled;
        n = fs.readSync(this.fd, this.#buffer, this.#filled, room, this.#base + this.#filled);
      } catch (error) {
        throw ioError(`${this.name}: read failed`, error);
      }
      if (n === 0) break;
      this.#filled += n;
      available += n;
    }
    return available;
  }

  /** The header line at `#at` without its newline, which it steps over; undefined at the end of the file. */
  #headerLine(): string | undefined {
    const available = this.#fill(MAX_HEADER);
    if (available === 0) return undefined;
    const end = this.#buffer.indexOf(10, this.#at);
    const limit = this.#at + Math.min(available, MAX_HEADER);
    if (end < 0 || end >= limit) {
      const line = this.#buffer.toString('latin1', this.#at, limit);
      this.#at = limit;
      return line;
    }
    const line = this.#buffer.toString('latin1', this.#at, end);
    this.#at = end + 1;
    return line;
  }

  /** The next record; undefined at the end. Throws `OvsdbError` at the first bad record, and again ever after. */
  next(): LogRecord | undefined {
    if (this.#failed !== undefined) throw this.#failed;
    try {
      return this.#next();
    } catch (error) {
      if (error instanceof OvsdbError) this.#failed = error;
      throw error;
    }
  }

  #next(): LogRecord | undefined {
    const offset = this.#base + this.#at;
    const line = this.#headerLine();
    if (line === undefined) return undefined;
    const header = parseHeader(line);
    if (header === undefined || header.magic !== this.magic) {
      throw this.#syntax(`parse error at offset ${offset} in header line "${line}"`);
    }
    const { length } = header;
    const start = this.#base + this.#at;
    if (this.#fill(length) < length) {
      const what = `${this.name}: error reading ${length} bytes starting at offset ${start}`;
      throw new OvsdbError(ERROR_TAGS.io, `${what} (End of file)`);
    }
    const bytes = this.#buffer.subarray(this.#at, this.#at + length);
    this.#at += length;
    const sha1 = createHash('sha1').update(bytes).digest('hex');
    if (sha1 !== header.sha1) {
      const where = `${length} bytes starting at offset ${start}`;
      throw this.#syntax(`${where} have SHA-1 hash ${sha1} but should have hash ${header.sha1}`);
    }
    const json = this.#parse(bytes, length, start);
    this.goodEnd = start + length;
    return { json, offset, length };
  }

  #parse(bytes: Buffer, length: number, start: number): Json {
    const where = `${length} bytes starting at offset ${start}`;
    try {
      const json = parseJson(bytes.toString('utf8'));
      if (typeof json !== 'object' || json === null) throw new SyntaxError('object expected');
      return json;
    } catch (error) {
      throw this.#syntax(`${where} are not valid JSON (${(error as Error).message})`);
    }
  }

  #syntax(details: string): OvsdbError {
    return new OvsdbError(ERROR_TAGS.syntax, `${this.name}: ${details}`);
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}

function parseHeader(line: string): { magic: string; length: number; sha1: string } | undefined {
  const match = /^OVSDB ([A-Z]+) ([0-9]{1,10}) ([0-9a-f]{40})$/.exec(line);
  if (match === null) return undefined;
  return { magic: match[1]!, length: Number(match[2]), sha1: match[3]! };
}

/** The header line of a record whose body has this many bytes and this SHA-1, in hex. */
export function recordHeader(length: number, sha1: string, magic: string = MAGIC_STANDALONE): Buffer {
  return Buffer.from(`OVSDB ${magic} ${length} ${sha1}\n`);
}

/** The bytes of one record. */
export function encodeRecord(json: string, magic: string = MAGIC_STANDALONE): Buffer {
  const body = `${json}\n`;
  // One-shot hash and one buffer: this runs once for each transaction.
  return Buffer.from(`OVSDB ${magic} ${Buffer.byteLength(body)} ${hash('sha1', body)}\n${body}`);
}
