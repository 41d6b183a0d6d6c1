import { readFileSync } from 'node:fs';

/** Rows of a tab-separated fixture file; each was recorded from the peer (Open vSwitch 3.1). */
export function fixture(name: string): string[][] {
  const text = readFileSync(new URL(`../../test/fixtures/${name}`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
}

/** The text that `f` gives, or `!` and the message of the error it throws. */
export function textOrError(f: () => string): string {
  try {
    return f();
  } catch (e) {
    return `!${(e as Error).message}`;
  }
}
