/**
 * The syntax under all flow, action and packet-out text: `key`, `key=value`, `key:value` and `key(value)`, apart by
 * commas or white space, where a value may hold balanced parentheses and `key(value)->rest` is one value.
 */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

const SPACE = ', \t\r\n';
const KEY_END = ':=(, \t\r\n';

function valueEnd(text: string, at: number, delimiters: string): number {
  let i = at;
  let level = 0;
  for (; i < text.length; i++) {
    const c = text[i];
    if (level === 0 && delimiters.includes(c)) break;
    if (c === '(') level++;
    else if (c === ')' && level > 0) level--;
  }
  return i;
}

/** The pairs of `text`, in order. An unfinished parenthesis extends to the end. */
export function parseKeyValues(text: string): KeyValue[] {
  const out: KeyValue[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && SPACE.includes(text[at])) at++;
    if (at >= text.length) return out;
    let end = at;
    while (end < text.length && !KEY_END.includes(text[end])) end++;
    const key = text.slice(at, end);
    const delimiter = text[end];
    at = end + 1;
    if (delimiter !== ':' && delimiter !== '=' && delimiter !== '(') {
      out.push({ key, value: '' });
      continue;
    }
    end = valueEnd(text, at, delimiter === '(' ? ')' : SPACE);
    if (delimiter === '(' && text.startsWith(')->', end)) end = valueEnd(text, end, SPACE);
    out.push({ key, value: text.slice(at, end) });
    at = end + 1;
  }
}
