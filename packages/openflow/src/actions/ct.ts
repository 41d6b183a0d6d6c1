/** Connection tracking: ct, nat (inside of ct), ct_clear. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { fail, refuse } from '../errors.js';
import { readFieldName } from '../match/headers.js';
import { formatIp4, formatIp6 as formatIpv6, parseIp6 as readIpv6 } from '@ovs-node/flow/addr-text';
import { parseKeyValues } from '@ovs-node/flow/key-value';
import { readNumber } from '../text/numbers.js';
import { formatTable, readTable } from '../text/tables.js';
import {
  decodeActionList,
  encodeActionList,
  formatActionList,
  parseActionList,
  roomOfList,
} from './nested.js';
import { type ActionRows, type FormatContext, nx, type ParseContext } from './row.js';
import {
  checkSubfield,
  formatSubfield,
  parseSubfield,
  putOfsNbits,
  putSubfieldHeader,
  splitOfsNbits,
} from './subfield.js';
import type { Action, ActionOf, NatSpec } from './types.js';

const CT_COMMIT = 1;
const CT_FORCE = 2;
const NAT = { SRC: 1, DST: 2, PERSISTENT: 4, HASH: 8, RANDOM: 16 } as const;
const RANGE = { IPV4_MIN: 1, IPV4_MAX: 2, IPV6_MIN: 4, IPV6_MAX: 8, PROTO_MIN: 16, PROTO_MAX: 32 } as const;
const NO_TABLE = 255;

export const ALGS: Readonly<Record<string, number>> = { ftp: 21, tftp: 69 };

function parseCt(arg: string, c: ParseContext): Action {
  let commit = false;
  let force = false;
  let zone: ActionOf<'ct'>['zone'] = 0;
  let recircTable = NO_TABLE;
  let alg = 0;
  let nat: Action | undefined;
  let exec: Action[] = [];
  for (const { key, value } of parseKeyValues(arg)) {
    switch (key) {
      case 'commit':
        commit = true;
        break;
      case 'force':
        force = true;
        break;
      case 'table': {
        const table = readTable(value, c.tables);
        if (table === undefined) throw new FlowSyntaxError(`unknown table ${value}`);
        if (table === NO_TABLE) throw new FlowSyntaxError(`invalid table 0x${table.toString(16)}`);
        recircTable = table;
        break;
      }
      case 'zone': {
        const n = readNumber(value);
        if (n !== undefined && n >= 0n && n <= 0xffffn) zone = Number(n);
        else {
          zone = parseSubfield(value);
        }
        break;
      }
      case 'alg': {
        const port = ALGS[value];
        if (port === undefined) throw new FlowSyntaxError(`invalid conntrack helper "${value}"`);
        alg = port;
        break;
      }
      case 'nat':
        nat = parseNat(value);
        break;
      case 'exec':
        exec = parseActionList(value, c, 'ct');
        break;
      default:
        throw new FlowSyntaxError(`invalid argument to "ct" action: \`${key}'`);
    }
  }
  if (force && !commit) throw new FlowSyntaxError('"force" flag requires "commit" flag.');
  return { type: 'ct', commit, force, zone, recircTable, alg, actions: nat ? [nat, ...exec] : exec };
}

/** What scanf("%hhu") and the like make of digits: of a number too large, the lowest bits. */
const wrapped = (bits: number, digits: string): bigint => BigInt.asUintN(bits, BigInt(digits));

/** The address that `take` finds: dotted numbers, or IPv6 with or without brackets; undefined when it is none. */
function takeAddress(
  take: (pattern: RegExp) => RegExpExecArray | undefined,
): { family: 4 | 6; value: bigint } | undefined {
  const dotted = take(/^([-+]?\d+)\.([-+]?\d+)\.([-+]?\d+)\.([-+]?\d+)/);
  if (dotted) {
    const value = dotted.slice(1).reduce((sum, digits) => (sum << 8n) | wrapped(8, digits), 0n);
    return { family: 4, value };
  }
  const m = take(/^\[([0-9a-fA-F:.]+)\]/) ?? take(/^([0-9a-fA-F:.]+)/);
  const value = m && readIpv6(m[1]);
  return value === undefined ? undefined : { family: 6, value };
}

type NatRange = Pick<NatSpec, 'addr' | 'port'>;

function parseNat(arg: string): Action {
  const flags = { persistent: false, hash: false, random: false };
  const dirs = new Set<'src' | 'dst'>();
  let range: NatRange = {};
  for (const { key, value } of parseKeyValues(arg)) {
    if (key === 'src' || key === 'dst') {
      dirs.add(key);
      range = parseNatRange(value, range);
    } else if (key === 'persistent' || key === 'hash' || key === 'random') {
      flags[key] = true;
    } else {
      throw new FlowSyntaxError(`invalid key "${key}" in "nat" argument`);
    }
  }
  if (dirs.size > 1) throw new FlowSyntaxError(`May only specify one of "src" or "dst".`);
  const [dir] = dirs;
  if (dir === undefined && (flags.persistent || flags.hash || flags.random)) {
    throw new FlowSyntaxError('Flags allowed only with "src" or "dst".');
  }
  if (flags.hash && flags.random) throw new FlowSyntaxError('Both "hash" and "random" are not allowed.');
  return { type: 'nat', nat: { ...flags, ...(dir === undefined ? {} : { dir }), ...range } };
}

/**
 * Reads `10.0.0.1-10.0.0.9:80-90`. What it does not say of that stays as `before`, from an earlier range of the same
 * action, has it.
 */
function parseNatRange(text: string, before: NatRange): NatRange {
  let at = 0;
  /** Takes what `pattern` finds at the current place. */
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    const m = pattern.exec(text.slice(at));
    if (!m) return undefined;
    at += m[0].length;
    return m;
  };
  const garbage = (): FlowSyntaxError =>
    new FlowSyntaxError(`garbage (${text.slice(at)}) after nat range "${text}" (pos: ${at})`);
  const invalid = (): FlowSyntaxError => new FlowSyntaxError(`invalid nat range "${text}"`);
  const { addr: earlier, ...rest } = before;
  const min = takeAddress(take);
  // What only looks like an address is taken for none.
  if (!min) {
    if (at < text.length) throw garbage();
    return rest;
  }
  let addr = {
    family: min.family,
    min: min.value,
    max: earlier?.family === min.family ? earlier.max : 0n,
  };
  if (take(/^-/)) {
    const max = takeAddress(take);
    if (!max || max.family !== min.family || max.value < min.value) throw invalid();
    addr = { ...addr, max: max.value };
  }
  let port = rest.port ?? { min: 0, max: 0 };
  if (take(/^:/)) {
    const number = (): number => {
      const m = take(/^[-+]?\d+/);
      if (!m) throw invalid();
      return Number(wrapped(16, m[0]));
    };
    port = { ...port, min: number() };
    if (take(/^-/)) {
      port = { ...port, max: number() };
      if (port.max < port.min) throw invalid();
    }
  }
  if (at < text.length) throw garbage();
  return { addr, port };
}

function formatNat(n: NatSpec): string {
  if (n.dir === undefined) return 'nat';
  let out: string = n.dir;
  if (n.addr) {
    const { family, min, max } = n.addr;
    const text = (v: bigint): string => (family === 4 ? formatIp4(Number(v)) : formatIpv6(v));
    const wrap = (s: string): string => (family === 6 && n.port && n.port.min !== 0 ? `[${s}]` : s);
    out += `=${wrap(text(min))}`;
    if (max !== 0n && max !== min) out += `-${wrap(text(max))}`;
    if (n.port && n.port.min !== 0) {
      out += `:${n.port.min}`;
      if (n.port.max !== 0 && n.port.max !== n.port.min) out += `-${n.port.max}`;
    }
  }
  // Without an address, the peer shows no flags.
  if (!n.addr) return `nat(${out})`;
  if (n.persistent) out += ',persistent';
  if (n.hash) out += ',hash';
  if (n.random) out += ',random';
  return `nat(${out})`;
}

function formatCt(a: ActionOf<'ct'>, c: FormatContext): string {
  const parts: string[] = [];
  if (a.commit) parts.push('commit');
  if (a.force) parts.push('force');
  if (a.recircTable !== NO_TABLE) parts.push(`table=${formatTable(a.recircTable, c.tables)}`);
  if (typeof a.zone !== 'number') parts.push(`zone=${formatSubfield(a.zone)}`);
  else if (a.zone !== 0) parts.push(`zone=${a.zone}`);
  let rest = a.actions;
  const first = rest[0];
  if (first?.type === 'nat') {
    parts.push(formatNat(first.nat));
    rest = rest.slice(1);
  }
  if (rest.length > 0) parts.push(`exec(${formatActionList(rest, c)})`);
  if (a.alg !== 0) {
    const name = Object.entries(ALGS).find(([, port]) => port === a.alg)?.[0];
    parts.push(`alg=${name ?? a.alg}`);
  }
  return `ct(${parts.join(',')})`;
}

/** The ends of ranges that are sent: zeros are not, which are "any" and "no other than the lower end". */
function rangeEnds({ addr, port }: NatSpec): { bit: number; value: bigint; bytes: number }[] {
  if (!addr) return [];
  const isIpv4 = addr.family === 4;
  const bytes = isIpv4 ? 4 : 16;
  const all = [
    { bit: isIpv4 ? RANGE.IPV4_MIN : RANGE.IPV6_MIN, value: addr.min, bytes },
    { bit: isIpv4 ? RANGE.IPV4_MAX : RANGE.IPV6_MAX, value: addr.max, bytes },
    { bit: RANGE.PROTO_MIN, value: BigInt(port?.min ?? 0), bytes: 2 },
    { bit: RANGE.PROTO_MAX, value: BigInt(port?.max ?? 0), bytes: 2 },
  ];
  return all.filter(({ value }) => value !== 0n);
}

/** Whether `a` is a nat without arguments, the one action that needs no commit. */
const isBareNat = (a: Action): boolean =>
  a.type === 'nat' &&
  a.nat.dir === undefined &&
  !(a.nat.persistent || a.nat.hash || a.nat.random) &&
  a.nat.addr === undefined;

export const CT_ACTIONS: ActionRows<'ct' | 'nat' | 'ct_clear'> = {
  ct: {
    wire: [
      nx<ActionOf<'ct'>>(
        35,
        { atLeast: 24 },
        (r, c) => {
          const flags = r.u16();
          const commit = (flags & CT_COMMIT) !== 0;
          const force = (flags & CT_FORCE) !== 0;
          if (force && !commit) fail('OFPBAC_BAD_ARGUMENT', 'force without commit');
          const hasZoneField = r.peekU32() !== 0;
          let zone: ActionOf<'ct'>['zone'];
          if (hasZoneField) {
            const f = readFieldName(r, 'OFPBAC_BAD_SET_TYPE');
            const { ofs, nBits } = splitOfsNbits(r.u16());
            zone = checkSubfield(r, 'source', f, ofs, nBits);
            if (nBits !== 16) refuse(r, 'OFPBAC_BAD_SET_LEN', 'ct_zone_bits', nBits);
          } else {
            r.skip(4);
            zone = r.u16();
          }
          const recircTable = r.u8();
          r.skip(3);
          const alg = r.u16();
          const actions = decodeActionList(r, c, 'ct');
          if (!commit && !actions.every(isBareNat)) refuse(r, 'OFPBAC_BAD_ARGUMENT', 'ct_without_commit');
          const ct = { type: 'ct', commit, force, zone, recircTable, alg, actions } as const;
          const otherFlags = flags & ~(CT_COMMIT | CT_FORCE);
          return otherFlags === 0 ? ct : { ...ct, otherFlags };
        },
        (w, a, version) => {
          w.u16((a.commit ? CT_COMMIT : 0) | (a.force ? CT_FORCE : 0) | (a.otherFlags ?? 0));
          if (typeof a.zone === 'number') w.u32(0).u16(a.zone);
          else {
            putSubfieldHeader(w, a.zone);
            putOfsNbits(w, a.zone);
          }
          w.u8(a.recircTable).zeros(3).u16(a.alg);
          encodeActionList(w, a.actions, version);
        },
      ),
    ],
    parse: { ct: parseCt },
    format: formatCt,
    room: (a) => 32 + roomOfList(a.actions),
  },
  nat: {
    wire: [
      nx(
        36,
        undefined,
        (all) => {
          const r = all.sub(all.left, 'OFPBAC_BAD_ARGUMENT');
          r.skip(2);
          const flags = r.u16();
          const present = r.u16();
          const src = (flags & NAT.SRC) !== 0;
          const dst = (flags & NAT.DST) !== 0;
          const both = (flags & (NAT.HASH | NAT.RANDOM)) === (NAT.HASH | NAT.RANDOM);
          if (flags > 31 || (src && dst) || both) fail('OFPBAC_BAD_ARGUMENT', `flags ${flags}`);
          const has = (bit: number): boolean => (present & bit) !== 0;
          if ((has(RANGE.IPV4_MIN) || has(RANGE.IPV4_MAX)) && (has(RANGE.IPV6_MIN) || has(RANGE.IPV6_MAX))) {
            fail('OFPBAC_BAD_ARGUMENT', 'both address families');
          }
          let spec: NatSpec = {
            ...(src || dst ? { dir: src ? 'src' : 'dst' } : {}),
            persistent: (flags & NAT.PERSISTENT) !== 0,
            hash: (flags & NAT.HASH) !== 0,
            random: (flags & NAT.RANDOM) !== 0,
          };
          for (const [family, minBit, maxBit, bytes] of [
            [4, RANGE.IPV4_MIN, RANGE.IPV4_MAX, 4],
            [6, RANGE.IPV6_MIN, RANGE.IPV6_MAX, 16],
          ] as const) {
            if (has(minBit)) {
              const min = r.big(bytes);
              const max = has(maxBit) ? r.big(bytes) : 0n;
              if (min === 0n || (has(maxBit) && max < min)) fail('OFPBAC_BAD_ARGUMENT', 'range of addresses');
              spec = { ...spec, addr: { family, min, max } };
            } else if (has(maxBit)) fail('OFPBAC_BAD_ARGUMENT', 'maximum without minimum');
          }
          if (has(RANGE.PROTO_MIN)) {
            const min = r.u16();
            const max = has(RANGE.PROTO_MAX) ? r.u16() : 0;
            if (spec.addr === undefined || min === 0 || (has(RANGE.PROTO_MAX) && max < min))
              fail('OFPBAC_BAD_ARGUMENT', 'range of ports');
            spec = { ...spec, port: { min, max } };
          } else if (has(RANGE.PROTO_MAX)) fail('OFPBAC_BAD_ARGUMENT', 'maximum without minimum');
          return { type: 'nat', nat: spec };
        },
        (w, { nat: n }) => {
          let flags = n.dir === 'src' ? NAT.SRC : n.dir === 'dst' ? NAT.DST : 0;
          if (n.persistent) flags |= NAT.PERSISTENT;
          if (n.hash) flags |= NAT.HASH;
          if (n.random) flags |= NAT.RANDOM;
          const ends = rangeEnds(n);
          w.zeros(2)
            .u16(flags)
            .u16(ends.reduce((bits, { bit }) => bits | bit, 0));
          for (const { value, bytes } of ends) w.big(value, bytes);
        },
      ),
    ],
    parse: { nat: parseNat },
    format: (a) => formatNat(a.nat),
    room: 48,
  },
  ct_clear: {
    wire: [
      nx(
        43,
        16,
        () => ({ type: 'ct_clear' }),
        () => undefined,
      ),
    ],
    parse: { ct_clear: () => ({ type: 'ct_clear' }) },
    format: () => 'ct_clear',
  },
};
