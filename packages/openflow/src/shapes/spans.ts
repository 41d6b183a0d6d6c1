/**
 * Where the values of a flow are on the wire: in flow-mods and in the entries of flow statistics, in their matches and
 * actions. A span is listed only when nothing but its own digits in the text depends on its value, within the bounds
 * given: not the Ethernet type (which says how the rest is printed) and not the VLAN's (which other checks look at),
 * but addresses, ports, registers. What is not listed has to be the same in all flows of a shape.
 */
import { u16, u32 } from '@ovs-node/flow/views/bytes';
import type { Field } from '@ovs-node/flow/field-types';
import { guard, OfError } from '../errors.js';
import { Reader } from '../wire.js';
import { readFieldHeader } from '../match/headers.js';
import { NX_VENDOR } from '../messages/wire-forms.js';
import type { Span, SpanRule } from './slot.js';

/** Numbers from here on are names of reserved ports. */
const PORT_MAX = 0xfeff;
const TABLE_MAX = 254;

/** Fields whose value is free, by name; those of addresses are by their format. */
const FREE_NUMBERS = new Set([
  'tun_id',
  'metadata',
  'pkt_mark',
  'ct_zone',
  'ct_mark',
  'ct_label',
  'tcp_src',
  'tcp_dst',
  'udp_src',
  'udp_dst',
  'sctp_src',
  'sctp_dst',
  ...Array.from({ length: 16 }, (_, i) => `reg${i}`),
  ...Array.from({ length: 8 }, (_, i) => `xreg${i}`),
  ...Array.from({ length: 4 }, (_, i) => `xxreg${i}`),
]);
const ADDRESSES: readonly string[] = ['ipv4', 'ipv6', 'ethernet'];

/** Whether nothing depends on the value of a field but the value itself. */
export function isFree(f: Field): boolean {
  return f.option === undefined && (ADDRESSES.includes(f.format) || FREE_NUMBERS.has(f.name));
}

/** What is known of a message's slots, and what ties them to one another. */
export interface WireSpans {
  readonly spans: readonly Span[];
  /** Offset of the table that a goto_table must be beyond, and of the table that it names; -1: there is none. */
  readonly table: number;
  readonly gotoTable: number;
  /** Offset of the seconds of a duration and of an age that is not printed when it is the same; -1: there are none. */
  readonly seconds: number;
  readonly hardAge: number;
}

class SpanList {
  readonly spans: Span[] = [];
  table = -1;
  gotoTable = -1;
  seconds = -1;
  hardAge = -1;
  private readonly bytes: Uint8Array;
  private readonly version: number;

  constructor(bytes: Uint8Array, version: number) {
    this.bytes = bytes;
    this.version = version;
  }

  number(at: number, bytes: number, low = 0, high = 2 ** (8 * bytes) - 1): void {
    this.spans.push({ at, bytes, low, high });
  }

  wide(at: number, bytes: number, rule?: SpanRule): void {
    this.spans.push({ at, bytes, low: 0, high: 0, ...(rule && { rule }) });
  }

  /** A priority, printed when it is not the default. */
  priority(at: number): void {
    const v = u16(this.bytes, at);
    if (v < 0x8000) this.number(at, 2, 0, 0x7fff);
    else if (v > 0x8000) this.number(at, 2, 0x8001);
  }

  /** A port, of two bytes or four. */
  port(at: number, bytes: number): void {
    this.number(at, bytes, 0, PORT_MAX);
  }

  /** The fields of a match, at `bytes[from..to)`. */
  fields(from: number, to: number): void {
    const r = new Reader(this.bytes, from, to);
    while (r.left >= 4) {
      const h = readFieldHeader(r);
      if (h.field) this.value(h.field, r.pos, h.masked, true);
      r.skip(h.length);
    }
  }

  /** The value of a field with its mask behind it, in a match or in an action that sets it. */
  private value(f: Field, at: number, masked: boolean, inMatch: boolean): void {
    const mask = masked ? { mask: this.bytes.slice(at + f.bytes, at + 2 * f.bytes) } : {};
    if (f.name === 'in_port' || f.name === 'in_port_oxm') {
      this.port(at, f.bytes);
    } else if (inMatch && (f.name === 'vlan_vid' || f.name === 'vlan_tci')) {
      // Of a tag that is there; the priority beside it stays as it is.
      const v = u16(this.bytes, at);
      if ((v & 0x1000) !== 0) this.spans.push({ at, bytes: 2, low: v & 0xf000, high: v | 0x0fff, ...mask });
    } else if (isFree(f)) {
      const high = f.bytes > 4 ? 0 : 2 ** (8 * f.bytes) - 1;
      this.spans.push({ at, bytes: f.bytes, low: 0, high, ...mask });
    }
  }

  /** The match structure of OpenFlow 1.0: what it leaves out is not printed, and so no slot. */
  match10(at: number): void {
    this.port(at + 4, 2);
    this.wide(at + 6, 6);
    this.wide(at + 12, 6);
    this.number(at + 18, 2, 0, 0x0ffe);
    const wildcards = u32(this.bytes, at);
    this.prefix(at + 28, (wildcards >>> 8) & 63);
    this.prefix(at + 32, (wildcards >>> 14) & 63);
    this.number(at + 36, 2);
    this.number(at + 38, 2);
  }

  /** An IPv4 address of which the lower bits do not count. */
  private prefix(at: number, wild: number): void {
    if (wild >= 32) return;
    const mask = (-1 << wild) >>> 0;
    const bytes = Uint8Array.of(mask >>> 24, mask >>> 16, mask >>> 8, mask);
    this.spans.push({ at, bytes: 4, low: 0, high: 0xffffffff, mask: bytes });
  }

  instructions(from: number, to: number): void {
    for (let at = from; at + 8 <= to;) {
      const [type, length] = [u16(this.bytes, at), u16(this.bytes, at + 2)];
      if (type === 1) {
        this.number(at + 4, 1, 0, TABLE_MAX);
        this.gotoTable = at + 4;
      } else if (type === 2) {
        this.spans.push({ at: at + 8, bytes: 8, low: 0, high: 0, mask: this.bytes.slice(at + 16, at + 24) });
      } else if (type === 3 || type === 4) {
        this.actions(at + 8, at + length);
      } else if (type === 6) {
        this.number(at + 4, 4, 1, 0xffff0000);
      }
      at += Math.max(length, 8);
    }
  }

  actions(from: number, to: number): void {
    for (let at = from; at + 8 <= to;) {
      const [type, length] = [u16(this.bytes, at), u16(this.bytes, at + 2)];
      if (type === 0xffff) {
        if (u32(this.bytes, at + 4) === NX_VENDOR) this.extension(at, length);
      } else if (this.version === 1) {
        this.action10(type, at);
      } else {
        this.action12(type, at, length);
      }
      at += Math.max(length, 8);
    }
  }

  private action10(type: number, at: number): void {
    if (type === 0) this.port(at + 4, 2);
    else if (type === 1) this.number(at + 4, 2, 0, 0x0fff);
    else if (type === 4 || type === 5) this.wide(at + 4, 6);
    else if (type === 6 || type === 7) this.number(at + 4, 4);
    else if (type === 9 || type === 10) this.number(at + 4, 2);
  }

  private action12(type: number, at: number, length: number): void {
    if (type === 0) this.port(at + 4, 4);
    else if (type === 22) this.number(at + 4, 4, 0, 0xfffffeff);
    else if (type === 21) this.number(at + 4, 4);
    else if (type === 25 && this.version >= 3) this.setField(at + 4, at + length);
  }

  private setField(from: number, to: number): void {
    const r = new Reader(this.bytes, from, to);
    const h = readFieldHeader(r);
    if (h.field && h.field.name !== 'in_port' && h.field.name !== 'in_port_oxm')
      this.value(h.field, r.pos, h.masked, false);
  }

  /** An action of Nicira's. */
  private extension(at: number, length: number): void {
    switch (u16(this.bytes, at + 8)) {
      case 1:
        this.port(at + 10, 2);
        return;
      case 14:
        this.port(at + 10, 2);
        this.number(at + 12, 1, 0, TABLE_MAX);
        return;
      case 2:
        this.number(at + 12, 4);
        return;
      case 7: {
        const { field } = readFieldHeader(new Reader(this.bytes, at + 12, at + 16));
        const bits = (u16(this.bytes, at + 10) & 63) + 1;
        if (field && isFree(field))
          this.spans.push({ at: at + 16, bytes: 8, low: 0, high: 0, mask: lowBits(bits) });
        return;
      }
      case 33:
        this.setField(at + 10, at + length);
        return;
      case 35:
        if (u32(this.bytes, at + 12) === 0) this.number(at + 16, 2);
        this.number(at + 18, 1, 0, TABLE_MAX);
        this.actions(at + 24, at + length);
    }
  }
}

/** Eight bytes with the lower `bits` bits set. */
function lowBits(bits: number): Uint8Array {
  const out = new Uint8Array(8);
  for (let bit = 0; bit < bits; bit++) out[7 - (bit >> 3)] |= 1 << (bit & 7);
  return out;
}

const OFPT10_FLOW_MOD = 14;
const OFPT_VENDOR = 4;
const NXT_FLOW_MOD = 13;

/** The spans of a flow-mod, its header's xid included; undefined for another message, or one with something wrong. */
export function flowModSpans(bytes: Uint8Array): WireSpans | undefined {
  return within(
    bytes,
    guard(() => listFlowMod(bytes)),
  );
}

/** The spans of a message, none where one goes beyond its end: lengths are taken as they are said. */
function within(bytes: Uint8Array, list: WireSpans | OfError | undefined): WireSpans | undefined {
  if (list === undefined || list instanceof OfError) return undefined;
  return list.spans.every((s) => s.at + s.bytes <= bytes.length) ? list : undefined;
}

function listFlowMod(bytes: Uint8Array): WireSpans | undefined {
  const version = bytes[0];
  const list = new SpanList(bytes, version);
  const tail = (cookie: number, table: number, idle: number): void => {
    list.number(4, 4);
    list.wide(cookie, 8, 'plain');
    list.table = table;
    list.number(table, 1, 1, TABLE_MAX);
    list.number(idle, 2, 1);
    list.number(idle + 2, 2, 1);
    list.priority(idle + 4);
  };
  if (version === 1 && bytes[1] === OFPT10_FLOW_MOD) {
    // The table is the upper half of the command.
    tail(48, 56, 58);
    list.match10(8);
    list.actions(72, bytes.length);
  } else if (
    version === 1 &&
    bytes[1] === OFPT_VENDOR &&
    u32(bytes, 8) === NX_VENDOR &&
    u32(bytes, 12) === NXT_FLOW_MOD
  ) {
    tail(16, 24, 26);
    const end = 48 + u16(bytes, 40);
    list.fields(48, end);
    list.actions((end + 7) & ~7, bytes.length);
  } else if (version >= 3 && bytes[1] === OFPT10_FLOW_MOD && u16(bytes, 48) === 1) {
    tail(8, 24, 26);
    const end = 48 + u16(bytes, 50);
    list.fields(52, end);
    list.instructions((end + 7) & ~7, bytes.length);
  } else {
    return undefined;
  }
  return list;
}

/**
 * The spans of an entry of flow statistics in the form of `version`, Nicira's of 1.0 when `nxm`; undefined where
 * shapes know no such entries: OpenFlow 1.0's own, 1.1 and 1.5.
 */
export function flowStatsSpans(entry: Uint8Array, version: number, nxm: boolean): WireSpans | undefined {
  return within(
    entry,
    guard(() => listFlowStats(entry, version, nxm)),
  );
}

function listFlowStats(entry: Uint8Array, version: number, nxm: boolean): WireSpans | undefined {
  if (version === 1 ? !nxm : version < 3 || version > 5) return undefined;
  const list = new SpanList(entry, version);
  list.number(2, 1, 1, TABLE_MAX);
  list.table = 2;
  list.wide(4, 8, 'duration');
  list.priority(12);
  list.number(14, 2, 1);
  list.number(16, 2, 1);
  list.wide(24, 8);
  list.wide(32, 8, 'count');
  list.wide(40, 8, 'count');
  if (nxm) {
    list.seconds = 4;
    list.number(20, 2, 1);
    if (u16(entry, 22) !== 0) list.hardAge = 22;
    const end = 48 + u16(entry, 18);
    list.fields(48, end);
    list.actions((end + 7) & ~7, entry.length);
  } else {
    if (u16(entry, 48) !== 1) return undefined;
    const end = 48 + u16(entry, 50);
    list.fields(52, end);
    list.instructions((end + 7) & ~7, entry.length);
  }
  return list;
}
