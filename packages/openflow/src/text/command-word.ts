/**
 * The word that says what a line of a file is for: `add`, `delete_strict`, `flow`. As with the peer it may be cut
 * short, down to nothing at all, and a comma ends it as well as a blank does: `del,tcp`.
 */
const BLANKS = ' \t\r\n';
const ENDS = `,${BLANKS}`;

export interface CommandWord<T extends string> {
  /** The word as it is written. */
  readonly written: string;
  /** The first of the words that begins like it; undefined when none does. */
  readonly word: T | undefined;
  /** Where it begins, and where the rest of the line does. */
  readonly start: number;
  readonly end: number;
}

/** Looks for one of `words` at the begin of `text[from..to)`. */
export function readCommandWord<T extends string>(
  words: readonly T[],
  text: string,
  from = 0,
  to = text.length,
): CommandWord<T> {
  let start = from;
  while (start < to && BLANKS.includes(text[start])) start++;
  let end = start;
  while (end < to && !ENDS.includes(text[end])) end++;
  const written = text.slice(start, end);
  return { written, word: words.find((word) => word.startsWith(written)), start, end };
}
