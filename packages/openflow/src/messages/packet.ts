/** Packet-in in its formats, packet-out, and the Nicira messages that set a connection up. */
import type { Field } from '@ovs-node/flow/field-types';
import { fieldPlace } from '@ovs-node/flow/field-words';
import { Match } from '@ovs-node/flow/match';
import { W } from '@ovs-node/flow/layout';
import { OFPP } from '@ovs-node/flow/ports';
import { putActions, readActions } from '../actions/codec.js';
import { fail, refuse } from '../errors.js';
import { putOxmMatch, putNxMatch, readFields, readNxMatch, readOxmMatch, putFields } from '../match/nxm.js';
import type { Reader, Writer } from '../wire.js';
import { checkContinuation } from './continuation.js';
import { putPortNo, readPortNo } from './port.js';
import { propertyName, putProperty, readProperty, unknownProperty } from './property.js';
import { form, forms, type MessageRows } from './row.js';
import {
  COOKIE_NONE,
  type FlowFormat,
  type MessageOf,
  NO_BUFFER,
  type PacketIn,
  type PacketInFormat,
  PR,
} from './types.js';
import type { PropertyName } from './property-table.js';

/** A match on an input port alone. */
export function portMatch(port: number): Match {
  const m = new Match();
  m.key[W.IN_PORT] = port >>> 0;
  m.mask[W.IN_PORT] = 0xffffffff;
  return m;
}

/** The input port of packet metadata. */
export function matchPort(m: Match): number {
  return m.mask[W.IN_PORT] === 0 ? OFPP.ANY : m.key[W.IN_PORT];
}

/** A reason in the numbers of `version`: those that it does not know become the nearest. */
function reasonToWire(reason: number, version: number): number {
  if (reason === PR.EXPLICIT_MISS) return version >= 4 ? PR.NO_MATCH : PR.ACTION;
  if (reason === PR.IMPLICIT_MISS) return PR.NO_MATCH;
  if (version < 5 && reason > PR.INVALID_TTL) return PR.ACTION;
  return reason;
}

function putPacketIn2(w: Writer, p: PacketIn, version: number): void {
  const property = (name: PropertyName<'NX_PACKET_IN2'>, put: () => void): void =>
    putProperty(w, 'NX_PACKET_IN2', name, put);
  property('packet', () => w.bytes(p.packet));
  if (p.totalLen !== p.packet.length) property('fullLen', () => w.u32(p.totalLen));
  if (p.bufferId !== NO_BUFFER) property('bufferId', () => w.u32(p.bufferId));
  property('tableId', () => w.u8(p.tableId));
  if (p.cookie !== COOKIE_NONE) property('cookie', () => w.zeros(4).u64(p.cookie));
  property('reason', () => w.u8(reasonToWire(p.reason, version)));
  property('metadata', () => putFields(w, p.match, version));
  if (p.continuation) property('continuation', () => w.zeros(4).bytes(p.continuation!));
  if (p.userdata && p.userdata.length > 0) property('userdata', () => w.bytes(p.userdata!));
}

/** `loose`: what is not known is passed over. */
function readPacketIn2(r: Reader, loose = false): PacketIn {
  let packet = new Uint8Array(0);
  let totalLen = 0;
  let p: Omit<PacketIn, 'packet' | 'totalLen'> = {
    bufferId: NO_BUFFER,
    reason: PR.NO_MATCH,
    tableId: 0,
    cookie: COOKIE_NONE,
    match: new Match(),
  };
  while (r.left > 0) {
    const property = readProperty(r);
    const { body: b } = property;
    switch (propertyName('NX_PACKET_IN2', property)) {
      case 'packet':
        packet = b.rest() as Uint8Array<ArrayBuffer>;
        break;
      case 'fullLen':
        totalLen = b.u32();
        break;
      case 'bufferId':
        p = { ...p, bufferId: b.u32() };
        break;
      case 'tableId':
        p = { ...p, tableId: b.u8() };
        break;
      case 'cookie':
        b.skip(4);
        p = { ...p, cookie: b.u64() };
        break;
      case 'reason':
        p = { ...p, reason: b.u8() };
        break;
      case 'metadata':
        p = { ...p, match: readFields(b, { strict: !loose }).match };
        break;
      case 'userdata':
        p = { ...p, userdata: b.rest() };
        break;
      case 'continuation':
        b.skip(4);
        p = { ...p, continuation: b.rest() };
        break;
      case undefined:
        unknownProperty(property, 'NX_PACKET_IN2', loose);
    }
  }
  if (packet.length === 0) refuse(r, 'OFPBRC_BAD_LEN', 'no_packet');
  // 0 is as good as none.
  if (totalLen > 0 && totalLen < packet.length) refuse(r, 'OFPBRC_BAD_LEN', 'full_length');
  return { ...p, packet, totalLen: totalLen === 0 ? packet.length : totalLen };
}

const FLOW_FORMATS: ReadonlyMap<number, FlowFormat> = new Map([
  [0, 'openflow10'],
  [2, 'nxm'],
]);

const FORMATS: readonly PacketInFormat[] = ['standard', 'nxt_packet_in', 'nxt_packet_in2'];

/** Words of keys that hold what goes with a packet through the tables, and not what is in it. */
const PIPELINE_WORDS: ReadonlySet<number> = new Set([
  W.IN_PORT,
  W.PACKET_TYPE,
  ...Array.from({ length: W.METADATA - W.TUN_ID + 2 }, (_, i) => W.TUN_ID + i),
  ...Array.from({ length: 16 }, (_, i) => W.REG + i),
]);

/** Refuses a field of the packet where there may be only metadata to send it with. */
function checkPipelineField(f: Field): void {
  if (f.option === undefined && !PIPELINE_WORDS.has(fieldPlace(f).word))
    fail('OFPBRC_PIPELINE_FIELDS_ONLY', `field ${f.name}`);
}

/** Fails when no packet can come from a port. */
function checkInPort(r: Reader, port: number): void {
  const ok = port < OFPP.MAX || port === OFPP.LOCAL || port === OFPP.ANY || port === OFPP.CONTROLLER;
  if (!ok) refuse(r, 'OFPBRC_BAD_PORT', 'in_port', port & 0xffff);
}

type PacketInMessage = MessageOf<'packet_in'>;
type PacketOutMessage = MessageOf<'packet_out'>;

export const PACKET_MESSAGES: MessageRows<
  | 'packet_in'
  | 'packet_out'
  | 'resume'
  | 'set_flow_format'
  | 'flow_mod_table_id'
  | 'set_packet_in_format'
  | 'flow_age'
  | 'set_controller_id'
> = {
  packet_in: {
    forms: [
      form(
        'NXT_PACKET_IN2',
        (w, m, version) => putPacketIn2(w, m.packetIn, version),
        (r, version, options) => {
          const packetIn = readPacketIn2(r, true);
          if (options.loose) checkContinuation(packetIn.continuation, version, r.explain);
          return { type: 'packet_in', format: 'nxt_packet_in2', packetIn };
        },
        (m) => m.format === 'nxt_packet_in2',
      ),
      form(
        'NXT_PACKET_IN',
        (w, { packetIn: p }, version) => {
          w.u32(p.bufferId)
            .u16(p.totalLen)
            .u8(reasonToWire(p.reason, version))
            .u8(p.tableId)
            .u64(p.cookie)
            .u16(0)
            .zeros(6);
          const at = w.length - 8;
          w.setU16(at, putNxMatch(w, p.match));
          w.zeros(2).bytes(p.packet);
        },
        (r) => {
          const [bufferId, totalLen, reason, tableId, cookie, length] = [
            r.u32(),
            r.u16(),
            r.u8(),
            r.u8(),
            r.u64(),
            r.u16(),
          ];
          r.skip(6);
          const { match } = readNxMatch(r, length, { strict: false });
          r.skip(2);
          const packetIn = { bufferId, totalLen, reason, tableId, cookie, match, packet: r.rest() };
          return { type: 'packet_in', format: 'nxt_packet_in', packetIn };
        },
        (m) => m.format === 'nxt_packet_in',
      ),
      form(
        'OFPT10_PACKET_IN',
        (w, { packetIn: p }) => {
          w.u32(p.bufferId).u16(p.totalLen);
          putPortNo(w, matchPort(p.match), 1);
          w.u8(reasonToWire(p.reason, 1)).zeros(1).bytes(p.packet);
        },
        (r) => {
          const [bufferId, totalLen] = [r.u32(), r.u16()];
          const match = portMatch(readPortNo(r, 1));
          const reason = r.u8();
          r.skip(1);
          const packetIn = {
            bufferId,
            totalLen,
            reason,
            tableId: 0,
            cookie: COOKIE_NONE,
            match,
            packet: r.rest(),
          };
          return { type: 'packet_in', format: 'standard', packetIn };
        },
      ),
      form(
        'OFPT11_PACKET_IN',
        (w, { packetIn: p }) => {
          const port = matchPort(p.match);
          w.u32(p.bufferId)
            .u32(port)
            .u32(port)
            .u16(p.totalLen)
            .u8(reasonToWire(p.reason, 2))
            .u8(p.tableId)
            .bytes(p.packet);
        },
        (r) => {
          const bufferId = r.u32();
          const match = portMatch(readPortNo(r, 2));
          r.skip(4);
          const [totalLen, reason, tableId] = [r.u16(), r.u8(), r.u8()];
          const packetIn = {
            bufferId,
            totalLen,
            reason,
            tableId,
            cookie: COOKIE_NONE,
            match,
            packet: r.rest(),
          };
          return { type: 'packet_in', format: 'standard', packetIn };
        },
      ),
      ...forms<PacketInMessage>(
        ['OFPT12_PACKET_IN', 'OFPT13_PACKET_IN'],
        (w, { packetIn: p }, version) => {
          w.u32(p.bufferId).u16(p.totalLen).u8(reasonToWire(p.reason, version)).u8(p.tableId);
          if (version >= 4) w.u64(p.cookie);
          putOxmMatch(w, p.match, version);
          w.zeros(2).bytes(p.packet);
        },
        (r, version) => {
          const [bufferId, totalLen, reason, tableId] = [r.u32(), r.u16(), r.u8(), r.u8()];
          const cookie = version >= 4 ? r.u64() : COOKIE_NONE;
          const match = readOxmMatch(r, false);
          r.skip(2);
          const packetIn = { bufferId, totalLen, reason, tableId, cookie, match, packet: r.rest() };
          return { type: 'packet_in', format: 'standard', packetIn };
        },
      ),
    ],
  },
  packet_out: {
    forms: [
      ...forms<PacketOutMessage>(
        ['OFPT10_PACKET_OUT', 'OFPT11_PACKET_OUT'],
        (w, { packetOut: p }, version) => {
          w.u32(p.bufferId);
          putPortNo(w, matchPort(p.match), version);
          const at = w.length;
          w.u16(0);
          if (version > 1) w.zeros(6);
          const start = w.length;
          putActions(w, p.actions, version);
          w.setU16(at, w.length - start);
          if (p.bufferId === NO_BUFFER) w.bytes(p.packet);
        },
        (r, version) => {
          const bufferId = r.u32();
          const port = readPortNo(r, version);
          const length = r.u16();
          if (version > 1) r.skip(6);
          const actions = readActions(r, version, length);
          checkInPort(r, port);
          const packet = bufferId === NO_BUFFER ? r.rest() : new Uint8Array(0);
          return { type: 'packet_out', packetOut: { bufferId, match: portMatch(port), actions, packet } };
        },
      ),
      form(
        'OFPT15_PACKET_OUT',
        (w, { packetOut: p }, version) => {
          w.u32(p.bufferId).u16(0).zeros(2);
          const at = w.length - 4;
          putOxmMatch(w, p.match, version);
          const start = w.length;
          putActions(w, p.actions, version);
          w.setU16(at, w.length - start);
          if (p.bufferId === NO_BUFFER) w.bytes(p.packet);
        },
        (r, version) => {
          const bufferId = r.u32();
          const length = r.u16();
          r.skip(2);
          const match = readOxmMatch(r, false, checkPipelineField);
          if (match.mask[W.IN_PORT] === 0) fail('OFPBRC_BAD_PORT', 'no input port');
          const actions = readActions(r, version, length);
          checkInPort(r, matchPort(match));
          const packet = bufferId === NO_BUFFER ? r.rest() : new Uint8Array(0);
          return { type: 'packet_out', packetOut: { bufferId, match, actions, packet } };
        },
      ),
    ],
  },
  resume: {
    forms: [
      form(
        'NXT_RESUME',
        (w, m, version) => putPacketIn2(w, m.packetIn, version),
        (r, version, options) => {
          const packetIn = readPacketIn2(r, options.loose);
          checkContinuation(packetIn.continuation, version, r.explain);
          return { type: 'resume', packetIn };
        },
      ),
    ],
  },
  set_flow_format: {
    forms: [
      form(
        'NXT_SET_FLOW_FORMAT',
        (w, m) => w.u32(m.format === 'nxm' ? 2 : 0),
        (r, _version, options) => {
          const n = r.u32();
          const format = FLOW_FORMATS.get(n);
          if (format === undefined) {
            r.explain?.('flow_format', n);
            if (!options.loose) fail('OFPBRC_EPERM', `flow format ${n}`);
          }
          return { type: 'set_flow_format', format: format ?? 'unknown' };
        },
      ),
    ],
  },
  flow_mod_table_id: {
    forms: [
      form(
        'NXT_FLOW_MOD_TABLE_ID',
        (w, m) => w.u8(m.enable ? 1 : 0).zeros(7),
        (r) => {
          const enable = r.u8();
          r.skip(7);
          return { type: 'flow_mod_table_id', enable: enable !== 0 };
        },
      ),
    ],
  },
  set_packet_in_format: {
    forms: [
      form(
        'NXT_SET_PACKET_IN_FORMAT',
        (w, m) => w.u32(FORMATS.indexOf(m.format)),
        (r) => {
          const n = r.u32();
          return {
            type: 'set_packet_in_format',
            format: FORMATS[n] ?? refuse(r, 'OFPBRC_EPERM', 'packet_in_format', n),
          };
        },
      ),
    ],
  },
  flow_age: {
    forms: [
      form(
        'NXT_FLOW_AGE',
        () => undefined,
        () => ({ type: 'flow_age' }),
      ),
    ],
  },
  set_controller_id: {
    forms: [
      form(
        'NXT_SET_CONTROLLER_ID',
        (w, m) => w.zeros(6).u16(m.controllerId),
        (r, _version, options) => {
          if (options.loose) r.skip(6);
          else r.zeros(6, 'NXBRC_MUST_BE_ZERO');
          return { type: 'set_controller_id', controllerId: r.u16() };
        },
      ),
    ],
  },
};
