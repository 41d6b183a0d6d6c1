/**
 * Colors in printed flows: ovs-ofctl(8), --color and OVS_COLORS. They are put into text that has been printed without
 * them, which costs those nothing who want none; what gets which color is said in tables of words.
 */

/** What a color is for, by its name in OVS_COLORS. */
export const COLOR_DEFAULTS = {
  /** `actions=` of a flow. */
  ac: '1;31',
  /** `drop`. */
  dr: '34',
  /** `learn(` and its end. */
  le: '31',
  /** Names of fields and parameters. */
  pm: '36',
  /** Words with arguments in parentheses. */
  pr: '35',
  /** Some words of note: `table=`, `output:`. */
  sp: '33',
  /** Words that stand alone. */
  vl: '32',
} as const;

export type ColorName = keyof typeof COLOR_DEFAULTS;
/** SGR parameters (ECMA-48, 8.3.117) by what they are for. */
export type Colors = Readonly<Record<ColorName, string>>;

/** The colors that a value of OVS_COLORS asks for, `ac=1;31:dr=34`; what is no color in it is passed over. */
export function parseColors(text: string): Colors {
  const colors: Record<ColorName, string> = { ...COLOR_DEFAULTS };
  for (const part of text.split(':')) {
    const [name, sgr] = part.split('=', 2);
    // A name without a value gives what printf() makes of that.
    if (Object.hasOwn(colors, name) && /^[0-9;]*$/.test(sgr ?? ''))
      colors[name as ColorName] = sgr ?? '(null)';
  }
  return colors;
}

/** Actions that are written as a word alone, and `exit`. */
const ALONE: Readonly<Record<string, ColorName>> = {
  drop: 'dr',
  exit: 'sp',
  strip_vlan: 'vl',
  pop_vlan: 'vl',
  pop_queue: 'vl',
  dec_mpls_ttl: 'vl',
  ct_clear: 'vl',
  clear_actions: 'vl',
  dec_ttl: 'pr',
  dec_nsh_ttl: 'sp',
  nat: 'pr',
};
/** Actions written `word:value` that are of note; others have the color of parameters. */
const NOTED = new Set(['output', 'group', 'resubmit', 'set_field', 'load', 'move']);
/** Actions whose parameters in parentheses are colored, and words alone among these. */
const PARAMETERS = new Set(['controller', 'fin_timeout', 'sample', 'ct', 'nat', 'learn']);
const FLAGS: Readonly<Record<string, ColorName>> = {
  pause: 'vl',
  commit: 'vl',
  force: 'vl',
  ingress: 'pm',
  egress: 'pm',
  send_flow_rem: 'vl',
  delete_learned: 'vl',
  src: 'pm',
  dst: 'pm',
  persistent: 'vl',
  hash: 'vl',
  random: 'vl',
};
/** Actions that hold actions. */
const NESTED = new Set(['clone', 'write_actions', 'exec']);

/** Puts colors into one text, from its start to its end. */
class Painter {
  private at = 0;
  private out = '';
  private readonly text: string;
  private readonly colors: Colors;
  constructor(text: string, colors: Colors) {
    this.text = text;
    this.colors = colors;
  }

  private get char(): string {
    return this.text[this.at] ?? '';
  }

  private put(n: number, color?: ColorName): void {
    const piece = this.text.slice(this.at, this.at + n);
    this.at += n;
    this.out += color === undefined ? piece : paint(piece, this.colors[color]);
  }

  /** Passes over `pattern`, which is there or not; how long it is. */
  private length(pattern: RegExp): number {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0].length ?? 0;
  }

  private putPlain(pattern: RegExp): void {
    this.put(this.length(pattern));
  }

  /** A value: to the next comma or closing parenthesis outside of parentheses and quotes. */
  private value(): void {
    let depth = 0;
    let end = this.at;
    let quoted = false;
    for (; end < this.text.length; end++) {
      const c = this.text[end];
      if (c === '"') quoted = !quoted;
      if (quoted) continue;
      if (depth === 0 && (c === ',' || c === ')')) break;
      if (c === '(') depth++;
      if (c === ')') depth--;
    }
    this.put(end - this.at);
  }

  actions(): string {
    this.list();
    this.put(this.text.length - this.at);
    return this.out;
  }

  private list(): void {
    while (this.at < this.text.length && this.char !== ')') {
      this.action();
      if (this.char !== ',') return;
      this.put(1);
    }
  }

  private action(): void {
    const n = this.length(/[a-z_0-9]+/y);
    const word = this.text.slice(this.at, this.at + n);
    const behind = this.text[this.at + n] ?? '';
    if (word === 'check_pkt_larger') {
      this.put(n + 1, 'pm');
      this.value();
      this.put(1);
      this.value();
    } else if (word === 'output' && behind === '(') {
      this.put(n, 'sp');
      this.value();
    } else if (behind === '(') {
      this.call(word, n);
    } else if (behind === ':' && word !== '') {
      this.put(n + 1, NOTED.has(word) ? 'sp' : 'pm');
      this.arrow(NOTED.has(word));
    } else if (Object.hasOwn(ALONE, word) && (behind === ',' || behind === ')' || behind === '')) {
      this.put(n, ALONE[word]);
    } else {
      // A port by its name.
      this.value();
    }
  }

  /** A value, or two with an arrow between. */
  private arrow(isNoted: boolean): void {
    const n = this.length(/[^,()]*?->/y);
    if (isNoted && n > 0) {
      this.put(n - 2);
      this.put(2, 'sp');
    }
    this.value();
  }

  /** `word(…)`. */
  private call(word: string, n: number): void {
    const own = Object.hasOwn(ALONE, word);
    const color = word === 'learn' ? 'le' : 'pr';
    if (own) {
      this.put(n, color);
      this.put(1, color);
    } else {
      this.put(n + 1, color);
    }
    if (NESTED.has(word)) this.list();
    else if (word === 'encap') this.properties();
    else if (word === 'bundle' || word === 'bundle_load') this.members();
    else if (PARAMETERS.has(word)) this.parameters(word);
    else this.arguments();
    if (this.char !== ')') return;
    if (word === 'exec') {
      // The comma behind belongs to it, and stays at the end, where the peer does not find it to take it away.
      this.at += this.text[this.at + 1] === ',' ? 2 : 1;
      this.out += paint('),', this.colors.pr);
    } else this.put(1, color);
  }

  /** Plain values with commas between. */
  private arguments(): void {
    this.value();
    while (this.char === ',') {
      this.put(1);
      this.value();
    }
  }

  private members(): void {
    this.putPlain(/(?:(?!members:)[^)])*/y);
    this.put(this.length(/members:/y), 'pm');
    this.arguments();
  }

  private properties(): void {
    this.putPlain(/[a-z_]*/y);
    if (this.char !== '(') return;
    this.put(1, 'pr');
    this.arguments();
    if (this.text[this.at] === ')') this.put(1, 'pr');
  }

  private parameters(word: string): void {
    while (this.at < this.text.length && this.char !== ')') {
      if (word === 'learn') this.learned();
      else this.parameter();
      if (this.char === ',') this.separator(word);
    }
  }

  /** The comma between parameters, which in learn belongs to some of the words behind it. */
  private separator(word: string): void {
    const n = word === 'learn' ? this.length(/,(?:priority|fin_hard_timeout)=/y) : 0;
    if (n === 0) this.put(1);
    else this.put(n, this.text.startsWith(',priority', this.at) ? 'sp' : 'pm');
    if (n > 0) {
      this.value();
      if (this.char === ',') this.separator(word);
    }
  }

  private parameter(): void {
    const n = this.length(/[a-z_]+/y);
    const word = this.text.slice(this.at, this.at + n);
    const behind = this.text[this.at + n] ?? '';
    if (behind === '(' || word === 'nat') {
      if (behind === '(') this.call(word, n);
      else this.put(n, 'pr');
    } else if (word === 'src' || word === 'dst') {
      this.put(n, 'pm');
      if (behind === '=') this.put(1, 'pm');
      this.value();
    } else if (behind === '=') {
      this.put(n + 1, word === 'table' ? 'sp' : 'pm');
      this.value();
    } else if (Object.hasOwn(FLAGS, word)) {
      this.put(n, FLAGS[word]);
    } else {
      this.value();
    }
  }

  /** A parameter of learn, or what the new flow has. */
  private learned(): void {
    const n = this.length(/[A-Za-z0-9_]+(?:\[[^\]]*\])?/y);
    const word = this.text.slice(this.at, this.at + n);
    const behind = this.text[this.at + n] ?? '';
    if (word === 'load' || word === 'output') {
      this.put(n + 1, 'sp');
      this.arrow(true);
    } else if (Object.hasOwn(FLAGS, word)) {
      this.put(n, FLAGS[word]);
    } else if (behind !== '=') {
      this.put(n, 'pm');
    } else if (word.includes('[') && !/^=(?:0x)?[0-9a-f]*(?=[,)]|$)/.test(this.text.slice(this.at + n))) {
      this.put(n, 'pm');
      this.put(1, 'pm');
      this.value();
    } else {
      this.put(n + 1, word === 'table' ? 'sp' : 'pm');
      this.value();
    }
  }

  /** `name=value,word,…`: a match, or what a flow's statistics say in front of it. */
  fields(plain: ReadonlySet<string>): string {
    while (this.at < this.text.length) {
      this.putPlain(/[, ]+/y);
      const n = this.length(/[A-Za-z0-9_]+/y);
      const word = this.text.slice(this.at, this.at + n);
      if (this.text[this.at + n] === '=') {
        const isPlain = plain.has(word) || word.startsWith('tun_metadata');
        const color = isPlain ? undefined : word === 'priority' || word === 'table' ? 'sp' : 'pm';
        // The sign of equality of this one has no color.
        this.put(word === 'conj_id' ? n : n + 1, color);
        this.value();
      } else {
        if (n === 0) this.put(1);
        else this.put(n, plain.has(word) || word.startsWith('tun_metadata') ? undefined : 'vl');
      }
    }
    return this.out;
  }
}

function paint(text: string, sgr: string): string {
  return `\u001b[${sgr}m\u001b[K${text}\u001b[m\u001b[K`;
}

/** `text` in a color. */
export function colored(text: string, name: ColorName, colors: Colors): string {
  return paint(text, colors[name]);
}

/** Printed actions with colors. */
export function colorActions(text: string, colors: Colors): string {
  return new Painter(text, colors).actions();
}

/** Fields that are printed without a color. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set([
  'packet_type',
  'eth',
  'tun_gbp_flags',
  'tun_tos',
  'tun_ttl',
  'tun_erspan_ver',
  'tun_erspan_idx',
  'tun_erspan_dir',
  'tun_erspan_hwid',
  'gtpu_flags',
  'gtpu_msgtype',
]);

/** A printed match with colors. */
export function colorMatch(text: string, colors: Colors): string {
  return new Painter(text, colors).fields(PLAIN_FIELDS);
}

const FLOW_FLAGS: ReadonlySet<string> = new Set([
  'send_flow_rem',
  'check_overlap',
  'reset_counts',
  'no_packet_counts',
  'no_byte_counts',
]);

/** What stands in front of the match of a printed flow, with colors. */
export function colorStatistics(text: string, colors: Colors): string {
  return new Painter(text, colors).fields(FLOW_FLAGS);
}
