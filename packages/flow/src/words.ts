/** The words of a text, one after the other, as C's strtok() finds them: what separates may change from word to word. */
export class Words {
  private rest: string;
  constructor(text: string) {
    this.rest = text;
  }

  /** The next word, or undefined at the end. */
  next(separators = ', \t\r\n'): string | undefined {
    let from = 0;
    while (from < this.rest.length && separators.includes(this.rest[from]!)) from++;
    let to = from;
    while (to < this.rest.length && !separators.includes(this.rest[to]!)) to++;
    const word = this.rest.slice(from, to);
    this.rest = this.rest.slice(to + 1);
    return word === '' ? undefined : word;
  }
}
