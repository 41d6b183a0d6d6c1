/**
 * OXS: statistics of flows as TLVs (OpenFlow 1.5, section 7.2.4): two reserved bytes, the length without padding, then
 * fields with the header of OXM (class 0x8002), padding to 8 bytes.
 */
import { fail, refuse } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import { UNKNOWN_COUNT, UNKNOWN_DURATION } from './types.js';

const BASIC = 0x8002;
/** A class whose fields begin with the experimenter. */
const EXPERIMENTER = 0xffff;
const FIELD = { DURATION: 0, IDLE_TIME: 1, FLOW_COUNT: 3, PACKET_COUNT: 4, BYTE_COUNT: 5 } as const;
/** Bytes of each field's value. */
const SIZE: Readonly<Record<number, number>> = { 0: 8, 1: 8, 3: 4, 4: 8, 5: 8 };
const UNKNOWN_FLOWS = 0xffffffff;

/** What is unknown is all ones, an idle age -1; on the wire it is left out. */
export interface FlowStatFields {
  readonly durationSec: number;
  readonly durationNsec: number;
  /** Seconds; the nanoseconds that the wire has are always 0. */
  readonly idleAge: number;
  readonly flowCount: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
}

export const UNKNOWN_STATS: FlowStatFields = {
  durationSec: UNKNOWN_DURATION,
  durationNsec: UNKNOWN_DURATION,
  idleAge: -1,
  flowCount: UNKNOWN_FLOWS,
  packetCount: UNKNOWN_COUNT,
  byteCount: UNKNOWN_COUNT,
};

/** Writes the fields that are known. */
export function putOxs(w: Writer, s: Partial<FlowStatFields>): void {
  const start = w.length;
  w.u16(0).u16(0);
  const header = (field: number): Writer =>
    w
      .u16(BASIC)
      .u8(field << 1)
      .u8(SIZE[field]);
  if (s.durationSec !== undefined && s.durationSec !== UNKNOWN_DURATION) {
    header(FIELD.DURATION)
      .u32(s.durationSec)
      .u32(s.durationNsec ?? 0);
  }
  if (s.idleAge !== undefined && s.idleAge >= 0) header(FIELD.IDLE_TIME).u32(s.idleAge).u32(0);
  if (s.packetCount !== undefined && s.packetCount !== UNKNOWN_COUNT)
    header(FIELD.PACKET_COUNT).u64(s.packetCount);
  if (s.byteCount !== undefined && s.byteCount !== UNKNOWN_COUNT) header(FIELD.BYTE_COUNT).u64(s.byteCount);
  if (s.flowCount !== undefined && s.flowCount !== UNKNOWN_FLOWS) header(FIELD.FLOW_COUNT).u32(s.flowCount);
  w.setU16(start + 2, w.length - start);
  w.pad(8, start);
}

/** Reads the fields with their padding; unknown fields are passed over. */
export function readOxs(r: Reader): FlowStatFields {
  const detail = 'statistics of a flow';
  if (r.left < 4) fail('OFPBMC_BAD_LEN', detail);
  r.skip(2);
  const length = r.u16();
  const padded = (length + 7) & ~7;
  if (length < 4) fail('OFPBMC_BAD_LEN', detail);
  if (padded - 4 > r.left) refuse(r, 'OFPBMC_BAD_LEN', 'long_stats', length, r.left + 4);
  const all = r.sub(padded - 4);
  const b = all.sub(length - 4);
  const s: { -readonly [K in keyof FlowStatFields]: FlowStatFields[K] } = { ...UNKNOWN_STATS };
  const from = b.pos;
  const bad = (start: number): never =>
    refuse(r, 'OFPBMC_BAD_LEN', 'stat_error', start - from, 'OFPBMC_BAD_LEN');
  while (b.left > 0) {
    const start = b.pos;
    if (b.left < 4) {
      r.explain?.('partial_stat', b.left);
      bad(start);
    }
    const [cls, field, size] = [b.u16(), b.u8(), b.u8()];
    if (cls === EXPERIMENTER && size < 4 && b.left >= 4) {
      r.explain?.('short_stat', b.peekU32(), cls, field >> 1, size);
      bad(start);
    }
    if (size > b.left || (cls === EXPERIMENTER && size < 4)) bad(start);
    const v = b.sub(size);
    // A size that is not the field's makes it another one.
    if (cls !== BASIC || (field & 1) !== 0 || size !== SIZE[field >> 1]) continue;
    switch (field >> 1) {
      case FIELD.DURATION:
        s.durationSec = v.u32();
        s.durationNsec = v.u32();
        break;
      case FIELD.IDLE_TIME:
        s.idleAge = Math.max(v.i32(), -1);
        break;
      case FIELD.FLOW_COUNT:
        s.flowCount = v.u32();
        break;
      case FIELD.PACKET_COUNT:
        s.packetCount = v.u64();
        break;
      case FIELD.BYTE_COUNT:
        s.byteCount = v.u64();
        break;
    }
  }
  return s;
}
