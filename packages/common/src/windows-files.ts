/** What files of Windows have in their names and texts, as its editors and shells write them. */

import fs from 'node:fs';
import { outsideLoop } from './end-signals.js';

/** Does a name begin with a drive, `C:\…`, which is no connection method then? */
export function hasDrive(name: string, platform = process.platform): boolean {
  return platform === 'win32' && /^[A-Za-z]:[\\/]/.test(name);
}

/**
 * A text in UTF-8 whose lines end with a newline alone. On Windows it may have come with a mark of its encoding in front,
 * in UTF-16 (`>` of PowerShell 5) or UTF-8 (Notepad), and with carriage returns, which the C library takes away there.
 * Elsewhere it is as it came.
 */
export function plainText(bytes: Buffer, platform = process.platform): Buffer {
  if (platform !== 'win32') return bytes;
  const text = withoutMark(bytes);
  return text.includes('\r\n')
    ? Buffer.from(text.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
    : text;
}

/** All of standard input, which somebody may be typing. @throws the errno error */
export function readInput(): Buffer {
  return outsideLoop(() => fs.readFileSync(0));
}

/** Reads a file (0: standard input) that is such a text. @throws the errno error */
export function readPlainText(file: string | 0): string {
  return plainText(file === 0 ? readInput() : fs.readFileSync(file)).toString('utf8');
}

function withoutMark(bytes: Buffer): Buffer {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return bytes.subarray(3);
  const isLittle = first === 0xff && second === 0xfe;
  if (!isLittle && (first !== 0xfe || second !== 0xff)) return bytes;
  // Half a character at the end is none.
  const words = Buffer.from(bytes.subarray(2, bytes.length & ~1));
  return Buffer.from((isLittle ? words : words.swap16()).toString('utf16le'), 'utf8');
}
