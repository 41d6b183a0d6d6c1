/**
 * Looks a word up where it stands in a text, without a string being made of it. Open addressing over a hash of the
 * characters, a quarter full at most; filled once, when the first word is looked up: many programs never do.
 */
export class WordTable<T> {
  private readonly words: Iterable<readonly [name: string, value: T]>;
  private names: (string | undefined)[] = [];
  private values: (T | undefined)[] = [];
  private mask = 0;

  /** @param words borrowed; read at the first `find`. */
  constructor(words: Iterable<readonly [name: string, value: T]>) {
    this.words = words;
  }

  private fill(): void {
    const list = [...this.words];
    let size = 16;
    while (size < list.length * 4) size *= 2;
    this.mask = size - 1;
    this.names = Array.from<undefined>({ length: size });
    this.values = Array.from<undefined>({ length: size });
    for (const [name, value] of list) {
      let at = slot(hashOf(name, 0, name.length)) & this.mask;
      while (this.names[at] !== undefined && this.names[at] !== name) at = (at + 1) & this.mask;
      this.names[at] = name;
      this.values[at] = value;
    }
  }

  /** The value of the word that is `text[from..to)`, whose hash may be known already, or undefined. */
  find(text: string, from = 0, to = text.length, hash = hashOf(text, from, to)): T | undefined {
    if (this.mask === 0) this.fill();
    let at = slot(hash) & this.mask;
    for (;;) {
      const name = this.names[at];
      if (name === undefined) return undefined;
      if (name.length === to - from && same(text, from, name)) return this.values[at];
      at = (at + 1) & this.mask;
    }
  }
}

function same(text: string, from: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if (text.charCodeAt(from + i) !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** The hash of a word with one more character; that of no characters is 0. */
export function addToHash(hash: number, c: number): number {
  return (Math.imul(hash, 31) + c) | 0;
}

function hashOf(text: string, from: number, to: number): number {
  let hash = 0;
  for (let i = from; i < to; i++) hash = addToHash(hash, text.charCodeAt(i));
  return hash;
}

function slot(hash: number): number {
  return hash ^ (hash >>> 7);
}
