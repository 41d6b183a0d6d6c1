/** Files and texts that commands read: lines, bytes in hexadecimal; text and bytes as they print them. */
import fs from 'node:fs';
import { byteTextPath } from '@ovs-node/common/byte-text';
import { errnoName, FatalError, isOfDirectory, strerror } from '@ovs-node/common/errors';
import { plainText } from '@ovs-node/common/windows-files';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { ByteText } from '@ovs-node/openflow/shapes/byte-text';
import { MessagePrinter } from '@ovs-node/openflow/shapes/message-printer';
import type { PrintOptions } from '@ovs-node/openflow/text/message';

/** The bytes of a file, whose name is byte text (`-`: standard input); of a directory none. @throws the errno error */
export function readFileOrInput(file: string): Buffer {
  try {
    return fs.readFileSync(file === '-' ? 0 : byteTextPath(file));
  } catch (e) {
    if (isOfDirectory(e)) return Buffer.alloc(0);
    throw e;
  }
}

/** The text of a file (`-`: standard input), as byte text. @throws the errno error */
export function textOf(file: string): string {
  return plainText(readFileOrInput(file)).toString('latin1');
}

/** The same. @throws FatalError */
export function readText(file: string, failure: string): string {
  try {
    return textOf(file);
  } catch (e) {
    throw new FatalError(`${file}: ${failure} (${strerror(errnoName(e))})`);
  }
}

/** Goes through the lines of a text that say something, without comments. */
export class LineCursor {
  readonly text: string;
  /** The line is `text[from..to)`, and which one, from 1. */
  from = 0;
  to = 0;
  number = 0;
  private following = 0;
  private comment = -1;
  private nul = -1;

  /** @param text what lines are parts of: strings cut from others are slow to go through. */
  constructor(text: string) {
    this.text = text;
  }

  /** Goes to the next one. @returns whether there is one. */
  next(): boolean {
    const { text } = this;
    while (this.following < text.length) {
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
}

/** How many lines of a text say something. */
export function countLines(text: string): number {
  let count = 0;
  for (const cursor = new LineCursor(text); cursor.next();) count++;
  return count;
}

/** Calls `each` for the lines of a text that say something, without comments, as parts of the whole. */
export function forEachLine(
  text: string,
  each: (text: string, from: number, to: number, number: number) => void,
): void {
  for (const cursor = new LineCursor(text); cursor.next();) each(text, cursor.from, cursor.to, cursor.number);
}

/** A carriage return is none: a line that has nothing else says something. */
function isBlank(c: number): boolean {
  return c === 32 || c === 9;
}

/** What to throw when a line of a file is wrong: its words with its place. */
export function wrongLine(file: string, number: number, e: unknown): unknown {
  return e instanceof FlowSyntaxError ? new FatalError(`${file}:${number}: ${e.message}`) : e;
}

/** The lines of standard input that say something, without comments. @throws FatalError */
export function inputLinesThatSay(): string[] {
  const lines: string[] = [];
  forEachLine(readText('-', 'open'), (text, from, to) => lines.push(text.slice(from, to)));
  return lines;
}

/** The lines of standard input, as they are. */
export function inputLines(): string[] {
  const lines = textOf('-').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Bytes in hexadecimal, with blanks and dots between them; undefined when there is anything else. */
export function hexToBytes(text: string): Uint8Array | undefined {
  if (!/^[ .\t\r\n]*(?:[0-9a-fA-F]{2}[ .\t\r\n]*)*$/.test(text)) return undefined;
  const digits = text.replace(/[ .\t\r\n]/g, '');
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

/** The bytes of a packet in hexadecimal, between which only blanks are allowed. */
export function packetToBytes(text: string): Uint8Array | undefined {
  return text.includes('.') ? undefined : hexToBytes(text);
}

/** Bytes, 16 a line behind their offset, without the characters they stand for. */
export function plainHexDump(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 16) {
    out += at.toString(16).padStart(8, '0').concat(' ');
    for (let i = at; i < Math.min(at + 16, bytes.length); i++) {
      out += `${i === at + 8 ? '-' : ' '}${bytes[i].toString(16).padStart(2, '0')}`;
    }
    out += '\n';
  }
  return out;
}

const OUTPUT_PIECE = 1 << 16;

/** Text for standard output, written in pieces big enough that their number does not count. */
export class TextOutput {
  private text = '';

  add(text: string): void {
    this.text += text;
    if (this.text.length >= OUTPUT_PIECE) this.flush();
  }

  flush(): void {
    if (this.text !== '') process.stdout.write(this.text);
    this.text = '';
  }
}

/** Messages for standard output, as text. */
export class MessageOutput {
  private readonly text = new ByteText(2 * OUTPUT_PIECE);
  private readonly printer: MessagePrinter;

  constructor(options: PrintOptions) {
    this.printer = new MessagePrinter(options);
  }

  /** Text between messages. */
  add(text: string): void {
    this.text.add(text);
  }

  /** Prints the message in `bytes[at..at + length)`. */
  print(bytes: Uint8Array, at = 0, length = bytes.length): void {
    this.printer.print(bytes, at, length, this.text);
    if (this.text.length >= OUTPUT_PIECE) this.flush();
  }

  /**
   * Writes what there is. Mostly the system has it by then, and the next text takes its place: a buffer for each piece
   * of a long table is memory to be mapped in (`npm run bench:openflow`, dump-flows: a fifth of the tool's page faults).
   */
  flush(): void {
    const { text } = this;
    if (text.length === 0) return;
    process.stdout.write(text.borrow());
    if (process.stdout.writableLength === 0) text.clear();
    else text.take();
  }
}
