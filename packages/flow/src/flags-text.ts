import { FlowSyntaxError } from './errors.js';
import { scanWrapped } from './int-text.js';

/** Fields that are sets of named bits: `ct_state`, `tcp_flags`, `tun_flags` (ovs-fields(7)). */

/** The bits of one such field, lowest first. */
export interface FlagSet {
  /** In messages: "unknown ct_state flag(s)". */
  readonly what: string;
  /** Name of bit i; '' for a bit without one, which is written `[hex]` where `numeric` allows it. */
  readonly names: readonly string[];
  /** The bits that may be set. */
  readonly allowed: number;
  /** Names of the bits after those, which no text may set. */
  readonly internal?: readonly string[];
}

export const CT_STATE_FLAGS: FlagSet = {
  what: 'ct_state',
  names: ['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat'],
  allowed: 0xff,
};
export const TCP_FLAGS: FlagSet = {
  what: 'TCP',
  names: ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ns', '[200]', '[400]', '[800]'],
  allowed: 0xfff,
};
export const TUNNEL_FLAGS: FlagSet = {
  what: 'tunnel',
  names: ['oam'],
  internal: ['df', 'csum', 'key'],
  allowed: 1,
};

const low32 = (value: bigint): number => Number(BigInt.asUintN(32, value));

/**
 * `+name-name…` (masked), `name|name…` (exact), where a number may stand for names, or a number, `/` and a mask. Throws
 * FlowSyntaxError. `mask` is undefined when the text asks for an exact match.
 */
export function parseFlags(set: FlagSet, text: string): { value: number; mask: number | undefined } {
  const bad = (what: string): FlowSyntaxError => new FlowSyntaxError(`${what}: unknown ${set.what} flag(s)`);
  // Numbers count modulo 2^32, and what follows the digits of a mask is not looked at: so the peer reads it.
  const first = scanWrapped(text);
  const second = first && text[first.end] === '/' ? scanWrapped(text, first.end + 1) : undefined;
  if (first && second) {
    const [value, mask] = [low32(first.value), low32(second.value)];
    if (((value | mask) & ~set.allowed) !== 0) throw bad(text);
    return { value, mask };
  }
  if (text.startsWith('+') || text.startsWith('-')) {
    let value = 0;
    let mask = 0;
    let i = 0;
    while (i < text.length) {
      const sign = text[i];
      if (sign !== '+' && sign !== '-') throw bad(text);
      let end = i + 1;
      while (end < text.length && text[end] !== '+' && text[end] !== '-') end++;
      const name = text.slice(i + 1, end);
      const bit = set.names.indexOf(name);
      if (bit < 0) throw bad(text.slice(i + 1));
      if ((mask & (1 << bit)) !== 0) {
        throw new FlowSyntaxError(`${text.slice(i + 1)}: Each ${set.what} flag can be specified only once`);
      }
      mask |= 1 << bit;
      if (sign === '+') value |= 1 << bit;
      i = end;
    }
    return { value, mask };
  }
  let value = 0;
  for (let i = 0; i < text.length;) {
    const number = scanWrapped(text, i);
    let end: number;
    if (number) {
      if ((low32(number.value) & ~set.allowed) !== 0) throw bad(text);
      value |= low32(number.value);
      ({ end } = number);
    } else {
      end = text.indexOf('|', i);
      if (end < 0) end = text.length;
      const bit = set.names.indexOf(text.slice(i, end));
      if (bit < 0) throw bad(text);
      value |= 1 << bit;
    }
    i = text[end] === '|' ? end + 1 : end;
  }
  return { value, mask: undefined };
}

/** `a|b`, what has no name as a number behind; `0` when none is set. */
export function formatFlags(set: FlagSet, value: number): string {
  let out = '';
  let left = value;
  const names = set.internal === undefined ? set.names : [...set.names, ...set.internal];
  for (let i = 0; i < names.length; i++) {
    if ((value & (1 << i)) === 0) continue;
    out += (out === '' ? '' : '|') + names[i]!;
    left &= ~(1 << i);
  }
  if (left !== 0) out += `${out === '' ? '' : '|'}0x${(left >>> 0).toString(16)}`;
  return out === '' ? '0' : out;
}

/** `+a-b`, in the order of the bits; `[Unknown]` for one without a name. */
export function formatFlagsMasked(set: FlagSet, value: number, mask: number): string {
  let out = '';
  for (let i = 0; mask >>> i !== 0 && i < 32; i++) {
    if ((mask & (1 << i)) !== 0)
      out += ((value & (1 << i)) !== 0 ? '+' : '-') + (set.names[i] ?? '[Unknown]');
  }
  return out;
}
