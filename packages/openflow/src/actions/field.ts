/** Actions on any field: set_field and load (one meaning, two wires), move, push, pop. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { fieldByName, fieldProtocols, isValidValue, mustField, wireMask } from '@ovs-node/flow/fields';
import { byteLength } from '@ovs-node/flow/tun-metadata';
import { fail, refuse } from '../errors.js';
import {
  isLengthOf,
  isShortHeader,
  putFieldHeader,
  putFieldName,
  readFieldBytes,
  readFieldHeader,
  readFieldName,
} from '../match/headers.js';
import { unknownHeaderError } from '../match/unknown-headers.js';
import { formatFieldValue, fullMask, misfit, ones, parseFieldValue } from './field-value.js';
import { altHex, scanInt } from '@ovs-node/flow/int-text';
import type { Reader, Writer } from '../wire.js';
import {
  type ActionRows,
  type FormatContext,
  nx,
  NX_VENDOR,
  ONF_VENDOR,
  padded,
  type ParseContext,
  std,
  type WireForm,
} from './row.js';
import {
  checkSubfield,
  checkWritable,
  fieldByAnyName,
  formatSubfield,
  parseSubfield,
  parseSubfieldPrefix,
  putOfsNbits,
  putSubfieldHeader,
  splitOfsNbits,
  wholeField,
} from './subfield.js';
import { splitArrow } from './text-values.js';
import type { Action, ActionOf, Subfield } from './types.js';

type SetField = ActionOf<'set_field'>;

/** A run of at most 64 one bits of a mask, from the least significant: what one NXAST_REG_LOAD can set. */
interface LoadSegment {
  readonly subfield: Subfield;
  readonly value: bigint;
}

/** What loads it takes to say a set-field. */
export function loadSegments(a: SetField): LoadSegment[] {
  const f = mustField(a.field);
  if (f.bits <= 64 && a.mask === fullMask(f)) return [{ subfield: wholeField(f), value: a.value }];
  if (a.mask > 0xffffffffn) return wideSegments(a, f.bits);
  // One run of ones within 32 bits: the other common case.
  const mask = Number(a.mask);
  if (mask === 0) return [];
  const ofs = 31 - Math.clz32(mask & -mask);
  const run = mask >>> ofs;
  if ((run & (run + 1)) !== 0) return wideSegments(a, f.bits);
  const value = (Number(BigInt.asUintN(32, a.value)) >>> ofs) & run;
  return [{ subfield: { field: a.field, ofs, nBits: 32 - Math.clz32(run) }, value: BigInt(value >>> 0) }];
}

function wideSegments(a: SetField, width: number): LoadSegment[] {
  const out: LoadSegment[] = [];
  let ofs = 0;
  while (ofs < width) {
    if (((a.mask >> BigInt(ofs)) & 1n) === 0n) {
      ofs++;
      continue;
    }
    let n = 1;
    while (n < 64 && ofs + n < width && ((a.mask >> BigInt(ofs + n)) & 1n) === 1n) n++;
    out.push({
      subfield: { field: a.field, ofs, nBits: n },
      value: (a.value >> BigInt(ofs)) & ((1n << BigInt(n)) - 1n),
    });
    ofs += n;
  }
  return out;
}

/** The set-field that loads `value` into a subfield. */
export function loadAction(s: Subfield, value: bigint, form: SetField['form']): SetField {
  const f = mustField(s.field);
  if (s.ofs === 0 && s.nBits === f.bits) {
    return { type: 'set_field', field: s.field, value, mask: ones(f.bits), form };
  }
  const ofs = BigInt(s.ofs);
  return { type: 'set_field', field: s.field, value: value << ofs, mask: ones(s.nBits) << ofs, form };
}

/** Whether a set-field sets its whole field. */
export function isWhole(a: SetField): boolean {
  return a.mask === fullMask(mustField(a.field));
}

/** Whether NXAST_REG_LOAD can name the field: it has room for four bytes of header, and the field has one length. */
function isLoadable(a: SetField): boolean {
  const f = mustField(a.field);
  return f.option === undefined && isShortHeader(f);
}

/** OpenFlow 1.0 and 1.1 actions that set one field; set-field of these fields becomes them there. */
function legacy(a: SetField, version: number): readonly Action[] | undefined {
  const n = Number(a.value & 0xffffffffn);
  switch (a.field) {
    case 'eth_src':
    case 'eth_dst':
      return [{ type: a.field === 'eth_src' ? 'set_eth_src' : 'set_eth_dst', mac: a.value }];
    case 'ip_src':
    case 'ip_dst':
      return [{ type: a.field === 'ip_src' ? 'set_ipv4_src' : 'set_ipv4_dst', ip: n }];
    case 'tcp_src':
    case 'udp_src':
      return [{ type: 'set_l4_src_port', port: n }];
    case 'tcp_dst':
    case 'udp_dst':
      return [{ type: 'set_l4_dst_port', port: n }];
    case 'nw_tos':
      return [{ type: 'set_ip_dscp', dscp: n >> 2 }];
    case 'ip_dscp':
      return [{ type: 'set_ip_dscp', dscp: n }];
    case 'nw_ecn':
      return version === 1 ? undefined : [{ type: 'set_ip_ecn', ecn: n }];
    case 'vlan_vid':
      return [{ type: 'set_vlan_vid', vid: n & 0xfff, pushIfNeeded: version === 1, hasVlan: true }];
    case 'vlan_pcp':
      return [{ type: 'set_vlan_pcp', pcp: n & 7, pushIfNeeded: version === 1, hasVlan: true }];
    case 'vlan_tci':
      if ((n & 0x1000) === 0) return [{ type: 'strip_vlan' }];
      return [
        ...(version === 1 || a.hasVlan === true ? [] : [{ type: 'push_vlan', ethertype: 0x8100 } as const]),
        { type: 'set_vlan_vid', vid: n & 0xfff, pushIfNeeded: version === 1, hasVlan: true },
        { type: 'set_vlan_pcp', pcp: n >> 13, pushIfNeeded: version === 1, hasVlan: true },
      ];
    default:
      return undefined;
  }
}

function translateSet(a: SetField, version: number): readonly Action[] | undefined {
  if (version >= 6) return a.form === 'set_field' ? undefined : [{ ...a, form: 'set_field' }];
  // These have no masks: like the peer, one is forgotten there.
  if (a.form === 'set_field' && version < 3) {
    const actions = legacy(a, version);
    if (actions) return actions;
  }
  if (a.form === 'set_field' && version >= 3 && isWhole(a)) return undefined;
  if (a.form === 'load2' || !isLoadable(a)) return undefined;
  const segments = loadSegments(a);
  if (segments.length === 1) return a.form === 'load' ? undefined : [{ ...a, form: 'load' }];
  return segments.map((s) => loadAction(s.subfield, s.value, 'load'));
}

/** Without this bit there is no VLAN (OFPVID_PRESENT of OpenFlow 1.2 and later). */
const VID_PRESENT = 0x1000n;

/** Refuses values that a standard set-field may not set: one that would take a VLAN away among them. */
function checkSet(r: Reader, a: SetField): SetField {
  const f = mustField(a.field);
  const noVlan = a.field === 'vlan_vid' && (a.value & VID_PRESENT) === 0n;
  // OpenFlow 1.5, section 7.2.4.
  if (f.format === 'port_oxm') fail('OFPBAC_BAD_SET_ARGUMENT', `set-field of ${f.name}`);
  if (noVlan || !isValidValue(f, a.value)) {
    const text = formatFieldValue(f, a.value);
    refuse(r, 'OFPBAC_BAD_SET_ARGUMENT', 'set_field_value', f.name, text);
  }
  return a;
}

/** Reads the TLV of a set-field, and its padding. */
function readSetField(r: Reader, mayMask: boolean, form: SetField['form']): SetField {
  const h = readFieldHeader(r);
  const f = h.field;
  const bytes = h.masked ? h.length >> 1 : h.length;
  if (!f || !isLengthOf(h, f)) {
    r.explain?.('unknown_field', h);
    return fail(unknownHeaderError(h), `no field ${h.cls}:${h.code} of ${h.length} bytes to set`);
  }
  if (h.length > r.left) refuse(r, 'OFPBMC_BAD_LEN', 'long_field', h, r.left);
  const full = fullMask(f);
  const value = readFieldBytes(r, f, bytes);
  const mask = h.masked ? readFieldBytes(r, f, bytes) : full;
  r.skip(h.masked ? h.length - 2 * bytes : 0);
  if (h.masked && (value & ~mask) !== 0n) {
    refuse(r, 'OFPBMC_BAD_WILDCARDS', 'wildcarded_bits', h);
  }
  if (h.masked && !mayMask) refuse(r, 'OFPBAC_BAD_SET_MASK', 'no_mask_here', h);
  r.zeros(r.left, 'OFPBAC_BAD_SET_ARGUMENT');
  if (!f.writable) refuse(r, 'OFPBAC_BAD_SET_ARGUMENT', 'set_field_read_only', f.name);
  const fit = f.option === undefined ? undefined : r.tunnelOptionBits?.(f.option);
  if (fit !== undefined) {
    // A value that is too long for the option loses its end.
    const cut = BigInt(Math.max(0, 8 * bytes - fit));
    const mapped = ones(fit);
    const left = h.masked ? mask >> cut : mapped;
    return {
      type: 'set_field',
      field: f.name,
      value: value >> cut,
      mask: left === mapped ? full : left,
      form,
    };
  }
  return { type: 'set_field', field: f.name, value: value & mask, mask: mask & full, form };
}

function putSetField(w: Writer, a: SetField, version: number): void {
  const f = mustField(a.field);
  const masked = !isWhole(a);
  const bytes = f.option === undefined ? f.bytes : byteLength(masked ? a.value | a.mask : a.value);
  putFieldHeader(w, f, version, masked, bytes);
  w.big(a.value, bytes);
  if (masked) w.big(a.mask, bytes);
}

function parseSetField(arg: string, c: ParseContext): Action {
  const { value: text, field: name } = splitArrow(arg);
  const f = fieldByName(name);
  if (!f) throw new FlowSyntaxError(`${name} is not a valid OXM field name`);
  if (!f.writable) throw new FlowSyntaxError(`${name} is read-only`);
  const { value, mask } = parseFieldValue(f, text, c.ports);
  const full = fullMask(f);
  if (!isValidValue(f, value)) throw new FlowSyntaxError(`${text} is not a valid value for field ${name}`);
  c.usable &= fieldProtocols(f, wireMask(f));
  // The peer sends bits outside of the mask as they are, which it then refuses to read.
  return { type: 'set_field', field: f.name, value: value & full, mask: mask & full, form: 'set_field' };
}

function parseLoad(arg: string): Action {
  const { value: text, field } = splitArrow(arg);
  const dst = parseSubfield(field);
  // What follows a number is not looked at.
  const f = mustField(dst.field);
  const { value, error } = scanInt(text, f.bytes);
  if (error !== undefined) {
    throw new FlowSyntaxError(`${arg}: cannot parse integer value`);
  }
  if (value > ones(dst.nBits)) {
    throw misfit(arg, f, value, dst.nBits);
  }
  return loadAction(dst, value, 'load');
}

function formatSet(a: SetField, c: FormatContext): string {
  if (a.form === 'load' && isShortHeader(mustField(a.field))) {
    return loadSegments(a)
      .map((s) => `load:${altHex(s.value)}->${formatSubfield(s.subfield)}`)
      .join(',');
  }
  const f = mustField(a.field);
  return `set_field:${formatFieldValue(f, a.value, a.mask, c.ports)}->${f.name}`;
}

/** Reads `SRC->DST`, two subfields of one width. */
export function parseMove(arg: string): ActionOf<'move'> {
  const { subfield: src, rest } = parseSubfieldPrefix(arg);
  if (!rest.startsWith('->')) throw new FlowSyntaxError(`${arg}: missing \`->' following source`);
  const dst = parseSubfield(rest.slice(2));
  if (src.nBits !== dst.nBits) {
    throw new FlowSyntaxError(
      `${arg}: source field is ${src.nBits} bits wide but destination is ${dst.nBits} bits wide`,
    );
  }
  return { type: 'move', src, dst };
}

/** A form with bytes of padding after its offsets, and before its first number. */
function moveForm(copyPad: number, before = 0): Pick<WireForm<ActionOf<'move'>>, 'decode' | 'encode'> {
  return {
    decode: (r) => {
      r.skip(before);
      const nBits = r.u16();
      const srcOfs = r.u16();
      const dstOfs = r.u16();
      r.skip(copyPad);
      // Both are looked up before the bits of either are looked at.
      const [from, to] = [readFieldName(r), readFieldName(r)];
      r.zeros(r.left, 'NXBRC_MUST_BE_ZERO');
      const src = checkSubfield(r, 'source', from, srcOfs, nBits);
      const dst = checkSubfield(r, 'destination', to, dstOfs, nBits);
      checkWritable(r, to);
      return copyPad > 0 ? { type: 'move', src, dst, isCopy: true } : { type: 'move', src, dst };
    },
    encode: (w, a, version) => {
      w.zeros(before).u16(a.src.nBits).u16(a.src.ofs).u16(a.dst.ofs).zeros(copyPad);
      putFieldName(w, mustField(a.src.field), copyPad > 0 ? version : 0);
      putFieldName(w, mustField(a.dst.field), copyPad > 0 ? version : 0);
    },
  };
}

function stackAction<T extends 'push' | 'pop'>(type: T, code: number) {
  return {
    wire: [
      nx<ActionOf<'push'>>(
        code,
        24,
        (r) => {
          const ofs = r.u16();
          const f = readFieldName(r);
          const nBits = r.u16();
          r.zeros(r.left, 'NXBRC_MUST_BE_ZERO');
          const subfield = checkSubfield(r, type === 'pop' ? 'destination' : 'source', f, ofs, nBits);
          if (type === 'pop') checkWritable(r, f);
          return { type, subfield };
        },
        (w, a) => {
          const start = w.length - 10;
          w.u16(a.subfield.ofs);
          putSubfieldHeader(w, a.subfield);
          w.u16(a.subfield.nBits);
          if (w.length - start < 24) w.zeros(24 - (w.length - start));
        },
      ),
    ],
    parse: {
      [type]: (arg: string): Action => {
        const { subfield, rest } = parseSubfieldPrefix(arg);
        if (rest !== '') throw new FlowSyntaxError(`${rest}: trailing garbage following push or pop`);
        return { type, subfield };
      },
    },
    format: (a: ActionOf<'push'>) => `${type}:${formatSubfield(a.subfield)}`,
    room: 24,
  };
}

/** A Nicira form that OpenFlow 1.5 has none of. */
const upTo14 = (...form: Parameters<typeof nx<SetField>>): WireForm<SetField> => ({ ...nx(...form), to: 5 });

export const FIELD_ACTIONS: ActionRows<'set_field' | 'move' | 'push' | 'pop' | 'delete_field'> = {
  delete_field: {
    wire: [
      nx(
        50,
        24,
        (r) => {
          const f = readFieldName(r);
          return { type: 'delete_field', field: f.name };
        },
        (w, a) => {
          const start = w.length - 10;
          putFieldName(w, mustField(a.field), 0);
          w.zeros(24 - (w.length - start));
        },
      ),
    ],
    parse: {
      delete_field: (arg) => {
        const f = fieldByAnyName(arg);
        if (!f) throw new FlowSyntaxError(`unknown field \`${arg}'`);
        return { type: 'delete_field', field: f.name };
      },
    },
    format: (a) => `delete_field:${a.field}`,
    room: 16,
  },
  set_field: {
    wire: [
      {
        ...std<SetField>(
          3,
          5,
          25,
          undefined,
          (r) => checkSet(r, readSetField(r, false, 'set_field')),
          putSetField,
          (a) => a.form === 'set_field' && isWhole(a),
        ),
      },
      std(6, 6, 25, undefined, (r) => checkSet(r, readSetField(r, true, 'set_field')), putSetField),
      upTo14(
        7,
        24,
        (r) => {
          const { ofs, nBits } = splitOfsNbits(r.u16());
          const f = readFieldName(r, 'OFPBAC_BAD_SET_TYPE');
          const dst = checkSubfield(r, 'destination', f, ofs, nBits);
          checkWritable(r, f);
          const value = r.u64();
          if (value > ones(nBits)) fail('OFPBAC_BAD_ARGUMENT', `value wider than ${nBits} bits`);
          return loadAction(dst, value, 'load');
        },
        (w, a) => {
          const segment = loadSegments(a)[0];
          putOfsNbits(w, segment.subfield);
          putSubfieldHeader(w, segment.subfield);
          w.u64(segment.value);
        },
        (a) => a.form !== 'load2' && isLoadable(a),
      ),
      upTo14(
        33,
        undefined,
        (r) => readSetField(r, true, 'load2'),
        (w, a) => putSetField(w, a, 0),
      ),
    ],
    translate: translateSet,
    parse: { set_field: parseSetField, load: parseLoad },
    format: formatSet,
    // With a mask, also where there is none to tell of.
    room: (a) => 16 + 2 * padded(mustField(a.field).bytes),
  },
  move: {
    wire: [
      { from: 6, to: 6, vendor: 0, code: 28, minLength: 16, ...moveForm(2) },
      {
        from: 4,
        to: 5,
        vendor: ONF_VENDOR,
        code: 3200,
        minLength: 24,
        // Sent as it came, to OpenFlow 1.3 only: not every switch has it.
        when: ({ isCopy }, version) => isCopy === true && version === 4,
        ...moveForm(2, 2),
      },
      { from: 1, to: 5, vendor: NX_VENDOR, code: 6, minLength: 16, ...moveForm(0) },
    ],
    parse: {
      move: (arg) => parseMove(arg),
    },
    format: (a) => `move:${formatSubfield(a.src)}->${formatSubfield(a.dst)}`,
    room: 40,
  },
  push: stackAction('push', 27) as unknown as ActionRows<'push'>['push'],
  pop: stackAction('pop', 28) as unknown as ActionRows<'pop'>['pop'],
};
