/** Meter messages: meter-mod, and the statistics, configuration and features of meters (OpenFlow 1.3 and later). */
import { fail, refuse } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import {
  MF,
  type MeterBand,
  type MeterBandType,
  type MeterCommand,
  type MeterConfig,
  type MeterStats,
} from './meter-types.js';
import { items } from './multipart-items.js';
import { type BodyRow, bodies, emptyBody, form, type MessageRows } from './row.js';
import type { MultipartType, ReplyOf, RequestOf } from './types.js';

const BANDS: Readonly<Record<number, MeterBandType>> = { 1: 'drop', 2: 'dscp_remark' };
const COMMANDS: readonly MeterCommand[] = ['add', 'modify', 'delete'];
const BAND_LENGTH = 16;

function putBand(w: Writer, b: MeterBand): void {
  w.u16(b.type === 'drop' ? 1 : 2).u16(BAND_LENGTH);
  w.u32(b.rate).u32(b.burstSize).u8(b.precLevel).zeros(3);
}

function readBands(r: Reader): MeterBand[] {
  const out: MeterBand[] = [];
  while (r.left >= BAND_LENGTH) {
    const number = r.u16();
    const length = r.u16();
    // Both known bands are as long, an experimenter's no shorter.
    if (length < BAND_LENGTH || length - 4 > r.left || length % 8 !== 0)
      fail('OFPBRC_BAD_LEN', `band of ${length} bytes`);
    const type = BANDS[number];
    if (length !== BAND_LENGTH) fail('OFPBRC_BAD_LEN', `band of ${length} bytes`);
    if (type === undefined) fail('OFPMMFC_BAD_BAND', `meter band ${number}`);
    const [rate, burstSize, level] = [r.u32(), r.u32(), r.u8()];
    r.skip(3);
    out.push({ type, rate, burstSize, precLevel: type === 'dscp_remark' ? level : 0 });
  }
  if (r.left > 0) fail('OFPBRC_BAD_LEN', `${r.left} bytes after the last band`);
  return out;
}

export const METER_MESSAGES: MessageRows<'meter_mod'> = {
  meter_mod: {
    forms: [
      form(
        'OFPT13_METER_MOD',
        (w, { meterMod: { command, meter } }) => {
          w.u16(COMMANDS.indexOf(command)).u16(meter.flags).u32(meter.meterId);
          for (const b of meter.bands) putBand(w, b);
        },
        (r) => {
          const number = r.u16();
          const command = COMMANDS[number];
          const flags = r.u16();
          const meterId = r.u32();
          if (command === undefined) fail('OFPMMFC_BAD_COMMAND', `meter command ${number}`);
          let bands: MeterBand[] = [];
          if (command === 'delete') {
            // What it says beyond the meter does not matter.
            r.skip(r.left);
            return { type: 'meter_mod', meterMod: { command, meter: { meterId, flags: 0, bands } } };
          }
          if ((flags & MF.KBPS) !== 0 && (flags & MF.PKTPS) !== 0) {
            fail('OFPMMFC_BAD_FLAGS', `meter flags ${flags}`);
          }
          bands = readBands(r);
          return { type: 'meter_mod', meterMod: { command, meter: { meterId, flags, bands } } };
        },
      ),
    ],
  },
};

function putStats(w: Writer, s: MeterStats): void {
  w.u32(s.meterId)
    .u16(40 + 16 * s.bands.length)
    .zeros(6)
    .u32(s.flowCount);
  w.u64(s.packetInCount).u64(s.byteInCount).u32(s.durationSec).u32(s.durationNsec);
  for (const b of s.bands) w.u64(b.packetCount).u64(b.byteCount);
}

function readStats(r: Reader): MeterStats {
  if (r.left < 40) refuse(r, 'OFPBRC_BAD_LEN', 'leftover', 'OFPMP_METER reply', r.left);
  const meterId = r.u32();
  const length = r.u16();
  if (length < 40 || length - 6 > r.left) fail('OFPBRC_BAD_LEN', `meter statistics of ${length} bytes`);
  const b = r.sub(length - 6);
  b.skip(6);
  const flowCount = b.u32();
  const [packetInCount, byteInCount, durationSec, durationNsec] = [b.u64(), b.u64(), b.u32(), b.u32()];
  const bands: { packetCount: bigint; byteCount: bigint }[] = [];
  if (b.left % 16 !== 0) fail('OFPBRC_BAD_LEN', `${b.left} bytes of bands`);
  while (b.left > 0) bands.push({ packetCount: b.u64(), byteCount: b.u64() });
  return { meterId, flowCount, packetInCount, byteInCount, durationSec, durationNsec, bands };
}

function putConfig(w: Writer, c: MeterConfig): void {
  w.u16(8 + BAND_LENGTH * c.bands.length)
    .u16(c.flags)
    .u32(c.meterId);
  for (const b of c.bands) putBand(w, b);
}

function readConfig(r: Reader): MeterConfig {
  if (r.left < 8) refuse(r, 'OFPBRC_BAD_LEN', 'leftover', 'OFPMP_METER_CONFIG reply', r.left);
  const length = r.u16();
  if (length < 8 || length - 2 > r.left) fail('OFPBRC_BAD_LEN', `meter of ${length} bytes`);
  const b = r.sub(length - 2);
  const [flags, meterId] = [b.u16(), b.u32()];
  return { meterId, flags, bands: readBands(b) };
}

type MeterBodies = Extract<MultipartType, 'meter' | 'meter_config' | 'meter_features'>;

const readMeterId = (r: Reader): number => {
  const meter = r.u32();
  r.skip(4);
  return meter;
};

export const METER_BODIES: { readonly [T in MeterBodies]: BodyRow<RequestOf<T>, ReplyOf<T>> } = {
  meter: {
    request: bodies<RequestOf<'meter'>>(
      ['OFPST13_METER_REQUEST'],
      (w, q) => w.u32(q.meter).zeros(4),
      (r) => ({ type: 'meter', meter: readMeterId(r) }),
    ),
    reply: bodies<ReplyOf<'meter'>>(
      ['OFPST13_METER_REPLY'],
      (w, p) => w.items(p.meters, (s) => putStats(w, s)),
      (r) =>
        items(
          r,
          () => readStats(r),
          (meters) => ({ type: 'meter', meters }),
        ),
    ),
  },
  meter_config: {
    request: bodies<RequestOf<'meter_config'>>(
      ['OFPST13_METER_CONFIG_REQUEST'],
      (w, q) => w.u32(q.meter).zeros(4),
      (r) => ({ type: 'meter_config', meter: readMeterId(r) }),
    ),
    reply: bodies<ReplyOf<'meter_config'>>(
      ['OFPST13_METER_CONFIG_REPLY'],
      (w, p) => w.items(p.meters, (c) => putConfig(w, c)),
      (r) =>
        items(
          r,
          () => readConfig(r),
          (meters) => ({ type: 'meter_config', meters }),
        ),
    ),
  },
  meter_features: {
    request: emptyBody<RequestOf<'meter_features'>>(['OFPST13_METER_FEATURES_REQUEST'], {
      type: 'meter_features',
    }),
    reply: bodies<ReplyOf<'meter_features'>>(
      ['OFPST13_METER_FEATURES_REPLY'],
      (w, { features: f }) =>
        w.u32(f.maxMeters).u32(f.bandTypes).u32(f.capabilities).u8(f.maxBands).u8(f.maxColor).zeros(2),
      (r) => {
        const features = {
          maxMeters: r.u32(),
          bandTypes: r.u32(),
          capabilities: r.u32(),
          maxBands: r.u8(),
          maxColor: r.u8(),
        };
        r.skip(2);
        return { type: 'meter_features', features };
      },
    ),
  },
};
