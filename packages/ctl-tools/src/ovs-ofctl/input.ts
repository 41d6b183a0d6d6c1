/** Files and texts that commands read: lines, bytes in hexadecimal; and bytes as they print them. */
import fs from 'node:fs';
import { errnoName, FatalError, strerror } from '@ovs-node/common/errors';

/** The bytes of a file (`-`: standard input). @throws the errno error */
export function readFileOrInput(file: string): Buffer {
  return fs.readFileSync(file === '-' ? 0 : file);
}

export interface NumberedLine {
  readonly line: string;
  readonly number: number;
}

/** The lines of a file (`-`: standard input) that say something, without comments. @throws FatalError */
export function readLines(file: string, failure = 'open'): NumberedLine[] {
  let text: string;
  try {
    text = readFileOrInput(file).toString('utf8');
  } catch (e) {
    throw new FatalError(`${file}: ${failure} (${strerror(errnoName(e))})`);
  }
  const lines: NumberedLine[] = [];
  let number = 0;
  for (const raw of text.split('\n')) {
    number++;
    const hash = raw.indexOf('#');
    const line = (hash < 0 ? raw : raw.slice(0, hash)).trimEnd();
    if (line !== '') lines.push({ line, number });
  }
  return lines;
}

/** The lines of standard input, as they are. */
export function inputLines(): string[] {
  const lines = readFileOrInput('-').toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Bytes in hexadecimal, with blanks between them; undefined when there is anything else. */
export function hexToBytes(text: string): Uint8Array | undefined {
  const digits = text.replace(/\s/g, '');
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) return undefined;
  return new Uint8Array(Buffer.from(digits, 'hex'));
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
