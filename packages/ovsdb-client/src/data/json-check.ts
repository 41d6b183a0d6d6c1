/**
 * What is wrong with a JSON text, and where, in the words of the peer's tools. `JSON.parse` reads JSON faster and
 * says it differently in each version of the engine; this reader builds nothing, and serves texts that a user typed.
 *
 * It is a lexer over bytes that feeds a parser of token kinds. The place of an error is the number of bytes before
 * the token was complete: of a string its closing quote, of a number or keyword the byte behind it. At the end of the
 * input a number or keyword is completed by a space, which counts.
 */
import { type Json, parseJson } from './json.js';

const MAX_DEPTH = 1000;

type Token = '{' | '}' | '[' | ']' | ',' | ':' | 'string' | 'value';

class JsonProblem extends Error {}

/** Reads JSON that a user typed, an object or an array. @throws SyntaxError in the peer's words. */
export function parseTypedJson(text: string): Json {
  const wrong = jsonSyntaxError(text);
  if (wrong !== undefined) throw new SyntaxError(wrong);
  return parseJson(text);
}

/** The first error of a text that must be an object or an array, or undefined when it is one. */
export function jsonSyntaxError(text: string): string | undefined {
  const bytes = Buffer.from(text);
  const lexer = new Lexer(bytes);
  try {
    lexer.run();
    return undefined;
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    const before = bytes.subarray(0, lexer.at);
    const line = before.filter((byte) => byte === 0x0a).length;
    const column = lexer.at - (before.lastIndexOf(0x0a) + 1);
    return `line ${line}, column ${column}, byte ${lexer.at}: ${error.message}`;
  }
}

class Lexer {
  /** Bytes consumed: where an error is. */
  at = 0;
  readonly #bytes: Buffer;
  readonly #grammar = new Grammar();

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  run(): void {
    const bytes = this.#bytes;
    while (this.at < bytes.length) {
      const c = String.fromCharCode(bytes[this.at]!);
      if (c === '"') this.#string();
      else if (/[a-z]/.test(c)) this.#word(/[a-z]/, keywordProblem);
      else if (/[-0-9]/.test(c)) this.#word(/[-+0-9.eE]/, numberProblem);
      else {
        if ('{}[],:'.includes(c)) this.#grammar.take(c as Token);
        else if (!' \t\n\r'.includes(c)) throw new JsonProblem(`invalid character ${characterName(c)}`);
        this.at++;
      }
    }
    this.#grammar.end();
  }

  #word(kind: RegExp, problem: (word: string) => string | undefined): void {
    const start = this.at;
    while (this.at < this.#bytes.length && kind.test(String.fromCharCode(this.#bytes[this.at]!))) this.at++;
    const wrong = problem(this.#bytes.toString('latin1', start, this.at));
    if (wrong !== undefined) throw new JsonProblem(wrong);
    this.#grammar.take('value');
    if (this.at === this.#bytes.length) this.at++;
  }

  #string(): void {
    const start = ++this.at;
    for (; this.at < this.#bytes.length; this.at++) {
      const c = this.#bytes[this.at]!;
      if (c < 0x20) {
        throw new JsonProblem(
          `U+${c.toString(16).toUpperCase().padStart(4, '0')} must be escaped in quoted string`,
        );
      }
      if (c === 0x5c) this.at++;
      else if (c === 0x22) {
        const wrong = escapeProblem(this.#bytes.toString('latin1', start, this.at));
        if (wrong !== undefined) throw new JsonProblem(wrong);
        this.#grammar.take('string');
        this.at++;
        return;
      }
    }
    this.at = this.#bytes.length;
    throw new JsonProblem('unexpected end of input in quoted string');
  }
}

function characterName(c: string): string {
  const code = c.charCodeAt(0);
  return code > 0x20 && code < 0x7f ? `'${c}'` : `U+${code.toString(16).padStart(4, '0')}`;
}

function keywordProblem(word: string): string | undefined {
  return ['true', 'false', 'null'].includes(word) ? undefined : `invalid keyword '${word}'`;
}

function numberProblem(word: string): string | undefined {
  const rest = word.replace(/^-/, '');
  if (!/^[0-9]/.test(rest)) return "'-' must be followed by digit";
  if (/^0[0-9]/.test(rest)) return 'leading zeros not allowed';
  if (/^[0-9]+\.(?![0-9])/.test(rest)) return 'decimal point must be followed by digit';
  if (/^[0-9]+(\.[0-9]+)?[eE](?![-+]?[0-9])/.test(rest)) return 'exponent must contain at least one digit';
  if (!/^[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/.test(rest)) return 'syntax error in number';
  return Number.isFinite(Number(word)) ? undefined : 'number outside valid range';
}

/** What is wrong with the escapes of a string's body. */
function escapeProblem(body: string): string | undefined {
  for (let i = 0; i < body.length; i++) {
    if (body[i] !== '\\') continue;
    i++;
    if (body[i] !== 'u') {
      if (!'"\\/bfnrt'.includes(body[i]!)) return `bad escape \\${body[i]}`;
      continue;
    }
    const digits = body.slice(i + 1, i + 5);
    if (digits.length < 4) return 'quoted string ends within \\u escape';
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) return 'malformed \\u escape';
    const code = Number.parseInt(digits, 16);
    if (code === 0) return 'null bytes not supported in quoted strings';
    i += 4;
    if (code < 0xd800 || code > 0xdbff) continue;
    const second = /^\\u([0-9a-fA-F]{4})/.exec(body.slice(i + 1))?.[1];
    if (second === undefined) return 'malformed escaped surrogate pair';
    if (!/^d[c-f]/i.test(second)) return 'second half of escaped surrogate pair is not trailing surrogate';
    i += 6;
  }
  return undefined;
}

type State =
  'start' | 'first name' | 'name' | 'colon' | 'member' | 'next' | 'first element' | 'element' | 'end';

/** What may follow: the parser's state, and the open brackets. */
class Grammar {
  #state: State = 'start';
  readonly #open: ('{' | '[')[] = [];

  take(token: Token): void {
    switch (this.#state) {
      case 'start':
        if (token !== '{' && token !== '[') throw new JsonProblem('syntax error at beginning of input');
        return this.#push(token);
      case 'first name':
      case 'name':
        if (token === '}' && this.#state === 'first name') return this.#pop();
        if (token !== 'string') throw new JsonProblem('syntax error parsing object expecting string');
        this.#state = 'colon';
        return;
      case 'colon':
        if (token !== ':') throw new JsonProblem("syntax error parsing object expecting ':'");
        this.#state = 'member';
        return;
      case 'first element':
        if (token === ']') return this.#pop();
        return this.#value(token);
      case 'member':
      case 'element':
        return this.#value(token);
      case 'next':
        return this.#next(token);
      case 'end':
        throw new JsonProblem('trailing garbage at end of input');
    }
  }

  end(): void {
    if (this.#state === 'start') throw new JsonProblem('empty input stream');
    if (this.#state !== 'end') throw new JsonProblem('unexpected end of input');
  }

  #value(token: Token): void {
    if (token === '{' || token === '[') return this.#push(token);
    if (token !== 'string' && token !== 'value') throw new JsonProblem('syntax error expecting value');
    this.#state = 'next';
  }

  #next(token: Token): void {
    const isObject = this.#open.at(-1) === '{';
    const close = isObject ? '}' : ']';
    if (token === close) return this.#pop();
    if (token !== ',') throw new JsonProblem(`syntax error expecting '${close}' or ','`);
    this.#state = isObject ? 'name' : 'element';
  }

  #push(token: '{' | '['): void {
    if (this.#open.length === MAX_DEPTH)
      throw new JsonProblem(`input exceeds maximum nesting depth ${MAX_DEPTH}`);
    this.#open.push(token);
    this.#state = token === '{' ? 'first name' : 'first element';
  }

  #pop(): void {
    this.#open.pop();
    this.#state = this.#open.length === 0 ? 'end' : 'next';
  }
}
