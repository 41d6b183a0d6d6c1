/** Files and texts that commands read: lines, bytes in hexadecimal; text and bytes as they print them. */
import fs from 'node:fs';
import { byteTextPath } from '@ovs-node/common/byte-text';
import { errnoName, FatalError, strerror } from '@ovs-node/common/errors';
import { ByteText } from '@ovs-node/openflow/shapes/byte-text';
import { MessagePrinter } from '@ovs-node/openflow/shapes/message-printer';
import type { PrintOptions } from '@ovs-node/openflow/text/message';

/** The bytes of a file, whose name is byte text (`-`: standard input). @throws the errno error */
export function readFileOrInput(file: string): Buffer {
  return fs.readFileSync(file === '-' ? 0 : byteTextPath(file));
}

/** The text of a file (`-`: standard input). @throws FatalError */
export function readText(file: string, failure: string): string {
  try {
    return readFileOrInput(file).toString('latin1');
  } catch (e) {
    throw new FatalError(`${file}: ${failure} (${strerror(errnoName(e))})`);
  }
}

/**
 * Calls `each` for the lines of a text that say something, without comments, as parts of the whole: strings cut from
 * others are slow to go through.
 */
export function forEachLine(
  text: string,
  each: (text: string, from: number, to: number, number: number) => void,
): void {
  let comment = -1;
  for (let from = 0, next = 0, number = 1; from < text.length; from = next, number++) {
    let to = text.indexOf('\n', from);
    if (to < 0) to = text.length;
    next = to + 1;
    if (comment < from) comment = text.indexOf('#', from);
    if (comment < 0) comment = text.length;
    if (comment < to) to = comment;
    let end = to;
    while (end > from && isBlank(text.charCodeAt(end - 1))) end--;
    if (end > from) each(text, from, to, number);
  }
}

/** A carriage return is none: a line that has nothing else says something. */
function isBlank(c: number): boolean {
  return c === 32 || c === 9;
}

/** The lines of standard input that say something, without comments. @throws FatalError */
export function inputLinesThatSay(): string[] {
  const lines: string[] = [];
  forEachLine(readText('-', 'open'), (text, from, to) => lines.push(text.slice(from, to)));
  return lines;
}

/** The lines of standard input, as they are. */
export function inputLines(): string[] {
  const lines = readFileOrInput('-').toString('latin1').split('\n');
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

  flush(): void {
    if (this.text.length > 0) process.stdout.write(this.text.take());
  }
}
