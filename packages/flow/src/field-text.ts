import {
  formatIp4,
  formatIp4Masked,
  formatIp6Masked,
  formatMac,
  MAC_ONES,
  type Masked,
  parseIp4Masked,
  parseIp6Masked,
  parseMacMasked,
} from './addr-text.js';
import { FlowSyntaxError } from './errors.js';
import type { Field } from './field-types.js';
import {
  CT_STATE_FLAGS,
  type FlagSet,
  formatFlags,
  formatFlagsMasked,
  parseFlags,
  TCP_FLAGS,
  TUNNEL_FLAGS,
} from './flags-text.js';
import { altHex, scanInt } from './int-text.js';
import { formatPort, OFPP, parsePort, type PortMap } from './ports.js';
import { TUN_METADATA_BYTES } from './tun-metadata.js';

/**
 * Values of fields as text, both ways: what stands after `=` in a match, before `->` in `set_field`, and in
 * `ofproto/trace`. Messages are the peer's.
 *
 * Masks here are as wide as the field's bytes on the wire (0xff.. is exact), as ovs-fields(7) has it: bits of a
 * value that the field does not have are passed on and dropped where the value is put into a key.
 */

const ONES = Array.from({ length: TUN_METADATA_BYTES + 1 }, (_, bytes) => (1n << BigInt(bytes * 8)) - 1n);
const ones = (bytes: number): bigint => ONES[bytes]!;

/** A flag set per format. */
const FLAG_SETS: Partial<Record<Field['format'], FlagSet>> = {
  ct_state: CT_STATE_FLAGS,
  tcp_flags: TCP_FLAGS,
  tnl_flags: TUNNEL_FLAGS,
};

const FRAGS: Record<string, Masked> = {
  no: { value: 0n, mask: 3n },
  yes: { value: 1n, mask: 1n },
  first: { value: 1n, mask: 3n },
  later: { value: 3n, mask: 3n },
  not_later: { value: 0n, mask: 2n },
};

/**
 * Reads a value, with a mask where the field takes one; `*` is a wildcard (mask 0).
 * Throws FlowSyntaxError with the peer's words.
 */
export function parseFieldValue(f: Field, text: string, ports?: PortMap): Masked {
  if (text === '*') return { value: 0n, mask: 0n };
  const r = parseByFormat(f, text, ports);
  if (!f.maskable && r.mask !== 0n && r.mask !== ones(f.bytes)) {
    throw new FlowSyntaxError(`${text}: invalid mask for field ${f.name}`);
  }
  return r;
}

function parseByFormat(f: Field, s: string, ports: PortMap | undefined): Masked {
  switch (f.format) {
    case 'decimal':
    case 'hexadecimal':
      return parseInteger(f, s);
    case 'ethernet':
      return parseMacMasked(s);
    case 'ipv4':
      return parseIp4Masked(s);
    case 'ipv6':
      return parseIp6Masked(s);
    case 'port': {
      const port = parsePort(s, ports);
      if (port === undefined) throw new FlowSyntaxError(`${s}: invalid or unknown port for ${f.name}`);
      return { value: BigInt(port & 0xffff), mask: 0xffffn };
    }
    case 'port_oxm': {
      const port = parsePort(s, ports);
      if (port === undefined) throw new FlowSyntaxError(`${s}: port value out of range for ${f.name}`);
      return { value: BigInt(port), mask: 0xffffffffn };
    }
    case 'frag': {
      const word = s.toLowerCase();
      const frag = Object.hasOwn(FRAGS, word) ? FRAGS[word]! : undefined;
      if (frag !== undefined) return frag.mask === 3n ? { value: frag.value, mask: 0xffn } : frag;
      throw new FlowSyntaxError(
        `${s}: unknown fragment type (valid types are "no", "yes", "first", "later", "not_later"`,
      );
    }
    case 'packet_type':
      return parsePacketType(s);
    case 'ct_state':
    case 'tcp_flags':
    case 'tnl_flags': {
      const set = FLAG_SETS[f.format]!;
      const { value, mask } = parseFlags(set, s);
      // A mask of all flags that there are is not one of all bits.
      return { value: BigInt(value), mask: mask === undefined ? ones(f.bytes) : BigInt(mask) };
    }
  }
}

function parseInteger(f: Field, s: string): Masked {
  const value = scanInt(s, f.bytes);
  const slash = s[value.end] === '/';
  if (value.error !== undefined || (value.end < s.length && !slash))
    throw badInteger(f, s, 'value', value.error);
  if (!slash) return { value: value.value, mask: ones(f.bytes) };
  const mask = scanInt(s, f.bytes, value.end + 1);
  if (mask.error !== undefined || mask.end < s.length) throw badInteger(f, s, 'mask', mask.error);
  return { value: value.value, mask: mask.value };
}

function badInteger(f: Field, s: string, what: string, error: string | undefined): FlowSyntaxError {
  return new FlowSyntaxError(
    error === 'range'
      ? `${s}: ${what} too large for ${f.bytes}-byte field ${f.name}`
      : `${s}: bad syntax for ${f.name} ${what}`,
  );
}

/** `(ns,type)`: 16 bits each. */
function parsePacketType(s: string): Masked {
  const bad = (at: string, what: string): FlowSyntaxError =>
    new FlowSyntaxError(`${at}: bad syntax for packet type ${what}`);
  if (!s.startsWith('(')) throw bad(s, "missing '('");
  const ns = scanInt(s, 2, 1);
  if (ns.error !== undefined) throw bad(s.slice(1), 'ns');
  if (s[ns.end] !== ',') throw bad(s.slice(1), "missing ','");
  const rest = ns.end + 1;
  const type = scanInt(s, 2, rest);
  if (type.error !== undefined) throw bad(s.slice(rest), 'ns_type');
  if (s[type.end] !== ')') throw bad(s.slice(rest), "missing ')'");
  return { value: (ns.value << 16n) | type.value, mask: 0xffffffffn };
}

/**
 * Prints a value with its mask, as `set_field` and the like do: nothing after the value when the mask is exact
 * (all ones in the field's width), `ANY` when it is 0.
 */
export function formatFieldValue(
  f: Field,
  value: bigint,
  mask: bigint = ones(f.bytes),
  ports?: PortMap,
): string {
  const wire = ones(f.bytes);
  if ((mask & wire) === 0n) return 'ANY';
  const exact = (mask & wire) === wire;
  switch (f.format) {
    case 'port':
      if (!exact) return decimal(value, mask);
      return formatPort(value >= 0xff00n ? Number(value) | 0xffff0000 : Number(value), ports);
    case 'port_oxm': {
      if (!exact) return decimal(value, mask);
      const port = Number(value);
      return formatPort(port < 0xff00 || port >= OFPP.MAX ? port : OFPP.ANY, ports);
    }
    case 'decimal':
      return exact ? value.toString() : decimal(value, mask);
    case 'hexadecimal':
      return exact ? altHex(value) : `${altHex(value)}/${altHex(mask)}`;
    case 'ethernet':
      return mask === MAC_ONES ? formatMac(value) : `${formatMac(value)}/${formatMac(mask)}`;
    case 'ipv4':
      return exact ? formatIp4(Number(value)) : formatIp4Masked(Number(value), Number(mask));
    case 'ipv6':
      return formatIp6Masked(value, mask);
    case 'frag':
      return formatFrag(Number(value), exact ? 3 : Number(mask));
    case 'packet_type':
      // The peer says the name as well.
      return value === 0n ? 'eth' : `packet_type=${formatPacketType(Number(value))}`;
    case 'ct_state':
      return formatFlagsMasked(CT_STATE_FLAGS, Number(value), Number(mask));
    case 'tcp_flags':
    case 'tnl_flags': {
      const set = FLAG_SETS[f.format]!;
      const flags = Number(mask) & set.allowed;
      if (flags === set.allowed) return formatFlags(set, Number(value));
      return flags === 0 ? '0/0' : formatFlagsMasked(set, Number(value), flags);
    }
  }
}

const decimal = (value: bigint, mask: bigint): string => `${value}/${altHex(mask)}`;

/** The word for a fragment match, `<error>` for a combination that has none. */
export function formatFrag(value: number, mask: number): string {
  for (const [name, r] of Object.entries(FRAGS)) {
    if (Number(r.mask) === (mask & 3) && Number(r.value) === (value & mask & 3)) return name;
  }
  return '<error>';
}

/** What a match asks for of fragments: each bit for itself has a word, too. */
export function formatMatchFrag(value: number, mask: number): string {
  if (mask === 1) return (value & 1) === 0 ? 'no' : 'yes';
  if (mask === 2) return (value & 2) === 0 ? 'not_later' : 'later';
  return formatFrag(value, mask);
}

/** `(ns,type)`: a type of two digits and more is hexadecimal. */
export function formatPacketType(value: number): string {
  const type = value & 0xffff;
  const ns = value >>> 16;
  const short = (n: number): string => (n < 10 ? String(n) : `0x${n.toString(16)}`);
  return `(${short(ns)},${short(type)})`;
}
