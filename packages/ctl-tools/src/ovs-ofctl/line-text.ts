/**
 * Texts of lines: flows, groups and the like. A file is there as a whole. What comes in its own time, by a pipe or from
 * a terminal, is taken line by line: a wrong one ends the program, whether or not others are to come.
 */
import fs from 'node:fs';
import { byteTextPath } from '@ovs-node/common/byte-text';
import { outsideLoop } from '@ovs-node/common/end-signals';
import { errnoName, FatalError, strerror } from '@ovs-node/common/errors';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { textOf } from './input.js';

/** A text that can be gone through more than once. */
export interface LineText {
  /** Whether all of it is there: to go through it does not wait for anybody. */
  readonly isWhole: boolean;
  /** Its length, or a guess. */
  readonly size: number;
  /** Part `i` of it, byte text of whole lines; undefined behind the last one. @throws FatalError */
  part(i: number): string | undefined;
}

/** Most that is read at once of what comes in time. */
const BLOCK = 1 << 16;
const NEWLINE = 10;

/** What comes over a descriptor. Its parts are kept. */
class ComingText implements LineText {
  readonly isWhole = false;
  readonly size = BLOCK;
  private readonly parts: string[] = [];
  private readonly block = Buffer.allocUnsafe(BLOCK);
  /** What was read of a line that is not whole. */
  private begun: Buffer[] = [];
  private hasEnded = false;
  private readonly fd: number;
  private readonly failed: (e: unknown) => FatalError;

  /** @param failed makes an error of what a read throws */
  constructor(fd: number, failed: (e: unknown) => FatalError) {
    this.fd = fd;
    this.failed = failed;
  }

  part(i: number): string | undefined {
    while (i >= this.parts.length && !this.hasEnded) this.read();
    return this.parts[i];
  }

  private read(): void {
    let length;
    try {
      length = outsideLoop(() => fs.readSync(this.fd, this.block));
    } catch (e) {
      throw this.failed(e);
    }
    this.hasEnded = length === 0;
    const whole = this.hasEnded ? 0 : this.block.lastIndexOf(NEWLINE, length - 1) + 1;
    if (whole > 0 || this.hasEnded) this.take(this.block.subarray(0, whole));
    if (whole < length) this.begun.push(Buffer.from(this.block.subarray(whole, length)));
  }

  /** Makes a part of what has begun and its end. */
  private take(end: Buffer): void {
    const part = Buffer.concat([...this.begun, end]).toString('latin1');
    this.begun = [];
    if (part !== '') this.parts.push(part);
  }
}

/** The descriptor of a file (`-`: standard input) whose text comes in time; undefined when it has none like that. */
function streamOf(file: string): number | undefined {
  // How a text of Windows is encoded is said at its beginning, and is for all of it.
  if (process.platform === 'win32') return undefined;
  const name = byteTextPath(file);
  const stat = file === '-' ? fs.fstatSync(0) : fs.statSync(name);
  if (stat.isFile() || stat.isDirectory()) return undefined;
  return file === '-' ? 0 : fs.openSync(name, 'r');
}

/** The lines of a file (`-`: standard input). `failure`: the words for what is wrong with it. @throws FatalError */
export function readLines(file: string, failure: string): LineText {
  const failed = (e: unknown): FatalError =>
    new FatalError(`${file}: ${failure} (${strerror(errnoName(e))})`);
  try {
    const fd = streamOf(file);
    if (fd !== undefined) return new ComingText(fd, failed);
    const text = textOf(file);
    return { isWhole: true, size: text.length, part: (i) => (i === 0 ? text : undefined) };
  } catch (e) {
    throw failed(e);
  }
}

/** Goes through the lines of a text that say something, without comments. */
export class LineCursor {
  /** Of which lines are parts: strings cut from others are slow to go through. */
  text = '';
  /** The line is `text[from..to)`, and which one, from 1. */
  from = 0;
  to = 0;
  number = 0;
  private readonly lines: LineText;
  private parts = 0;
  private following = 0;
  private comment = -1;
  private nul = -1;

  constructor(lines: LineText) {
    this.lines = lines;
  }

  /** Goes to the next one. @returns whether there is one. @throws FatalError */
  next(): boolean {
    while (this.following < this.text.length || this.nextPart()) {
      const { text } = this;
      const from = this.following;
      let to = text.indexOf('\n', from);
      if (to < 0) to = text.length;
      this.following = to + 1;
      this.number++;
      if (this.comment < from) this.comment = text.indexOf('#', from);
      if (this.comment < 0) this.comment = text.length;
      if (this.comment < to) to = this.comment;
      // To the peer a line ends at a byte of zero.
      if (this.nul < from) this.nul = text.indexOf('\0', from);
      if (this.nul < 0) this.nul = text.length;
      if (this.nul < to) to = this.nul;
      let end = to;
      while (end > from && isBlank(text.charCodeAt(end - 1))) end--;
      if (end === from) continue;
      this.from = from;
      this.to = to;
      return true;
    }
    return false;
  }

  private nextPart(): boolean {
    const text = this.lines.part(this.parts);
    if (text === undefined) return false;
    this.parts++;
    this.text = text;
    this.following = 0;
    this.comment = -1;
    this.nul = -1;
    return true;
  }
}

/** How many lines of a text say something. */
export function countLines(lines: LineText): number {
  let count = 0;
  for (const cursor = new LineCursor(lines); cursor.next();) count++;
  return count;
}

/** Calls `each` for the lines of a text that say something, without comments, as parts of it: `text[from..to)`. */
export function forEachLine(
  lines: LineText,
  each: (text: string, from: number, to: number, number: number) => void,
): void {
  for (const cursor = new LineCursor(lines); cursor.next();)
    each(cursor.text, cursor.from, cursor.to, cursor.number);
}

/** A carriage return is none: a line that has nothing else says something. */
function isBlank(c: number): boolean {
  return c === 32 || c === 9;
}

/** What to throw when a line of a file is wrong: its words with its place. */
export function wrongLine(file: string, number: number, e: unknown): unknown {
  return e instanceof FlowSyntaxError ? new FatalError(`${file}:${number}: ${e.message}`) : e;
}

/** The lines of standard input that say something, without comments, each as it comes. @throws FatalError */
export function* inputLinesThatSay(): Generator<string> {
  for (const cursor = new LineCursor(readLines('-', 'open')); cursor.next();)
    yield cursor.text.slice(cursor.from, cursor.to);
}

/** The lines of standard input as they are, each as it comes. @throws FatalError */
export function* inputLines(): Generator<string> {
  const input = readLines('-', 'open');
  for (let i = 0, part; (part = input.part(i)) !== undefined; i++) {
    const lines = part.split('\n');
    if (lines.at(-1) === '') lines.pop();
    yield* lines;
  }
}
