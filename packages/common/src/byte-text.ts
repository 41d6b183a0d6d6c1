/**
 * Byte text: strings that have a character, U+0000 to U+00FF, for each byte. A program that repeats what it is given, and
 * need not understand all of it, keeps words, files and names as such strings, so that bytes which are no UTF-8 come out
 * as they went in. `ovs-ofctl` does; programs that share text with a database or over JSON have Unicode.
 */
import fs from 'node:fs';

const BEYOND_ASCII = /[^\0-\x7f]/;

/** The bytes that `text` is in UTF-8. */
export function toByteText(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** Unicode again; what is no UTF-8 becomes U+FFFD. */
export function fromByteText(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}

/** A file's name for Node.js's `fs`, which takes bytes on the systems that have them. */
export function byteTextPath(name: string): string | Buffer {
  if (!BEYOND_ASCII.test(name)) return name;
  return process.platform === 'win32' ? fromByteText(name) : Buffer.from(name, 'latin1');
}

/**
 * The words at the end of this process's command line as they were given. Node.js has read them as UTF-8, and what they
 * were otherwise is known to Linux alone.
 *
 * @param words the last of `process.argv`.
 */
export function commandLineWords(words: readonly string[]): string[] {
  if (!words.some((word) => BEYOND_ASCII.test(word))) return [...words];
  const given = process.platform === 'linux' ? wordsOfProcess() : [];
  const last = given.slice(given.length - words.length);
  const isSame = last.length === words.length && last.every((word, i) => fromByteText(word) === words[i]);
  return isSame ? last : words.map(toByteText);
}

function wordsOfProcess(): string[] {
  try {
    return fs.readFileSync('/proc/self/cmdline', 'latin1').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** Has what is written to standard output and standard error as a string be byte text, or Unicode again. */
export function writeByteText(on: boolean): void {
  const encoding = on ? 'latin1' : 'utf8';
  process.stdout.setDefaultEncoding(encoding);
  process.stderr.setDefaultEncoding(encoding);
}
