/** Port descriptions, statistics and numbers as each version has them. */
import { portFromOf10, portToOf10 } from '@ovs-node/flow/fields';
import { OFPP } from '@ovs-node/flow/ports';
import { fail, refuse } from '../errors.js';
import type { ErrorName } from '../error-table.js';
import type { Reader, Writer } from '../wire.js';
import { type PortCounters, putPortCounters, readPortCounters } from './port-counters.js';
import { items } from './multipart-items.js';
import { propertyName, putProperty, readProperty, unknownProperty } from './property.js';
import { type BodyRow, bodies, emptyBody } from './row.js';
import {
  PC,
  type PhyPort,
  type PortStats,
  PS,
  type ReplyOf,
  type RequestOf,
  UNKNOWN_DURATION,
} from './types.js';

/** Reads a port number: 16 bits in OpenFlow 1.0, 32 later. */
export function readPortNo(r: Reader, version: number, error: ErrorName = 'OFPBAC_BAD_OUT_PORT'): number {
  if (version === 1) return portFromOf10(r.u16());
  return checkPortNo(r, r.u32(), error);
}

/** A 32-bit port number, which is one of 16 bits or reserved, or fails with `error`. */
export function checkPortNo(r: Reader, port: number, error: ErrorName = 'OFPBAC_BAD_OUT_PORT'): number {
  if (port >= 0xff00 && port < 0xffffff00) refuse(r, error, 'port_range', port);
  return port;
}

/** Writes a port number. */
export function putPortNo(w: Writer, port: number, version: number): void {
  if (version === 1) w.u16(portToOf10(port));
  else w.u32(port);
}

/** Features as OpenFlow 1.0 has them: without 40G to 1T, its bits from COPPER on are 4 lower. */
export function featuresTo10(f: number): number {
  return (f & 0x7f) | ((f >> 4) & 0xf80);
}
/** The inverse of `featuresTo10`. */
export function featuresFrom10(f: number): number {
  return (f & 0x7f) | ((f & 0xf80) << 4);
}

/** Features that OpenFlow 1.1 and later have. */
export const FEATURES_11 = 0xffff;
/** Bits of a port's configuration that OpenFlow 1.1 and later have. */
export const CONFIG_11 = PC.PORT_DOWN | PC.NO_RECV | PC.NO_FWD | PC.NO_PACKET_IN;

/** The speed, in kbps, of the fastest of some features. */
export function featuresSpeed(f: number): number {
  const steps: readonly [bits: number, kbps: number][] = [
    [0x200, 1000000000],
    [0x100, 100000000],
    [0x080, 40000000],
    [0x040, 10000000],
    [0x030, 1000000],
    [0x00c, 100000],
    [0x003, 10000],
  ];
  return steps.find(([bits]) => (f & bits) !== 0)?.[1] ?? 0;
}

/** Writes a port description. */
export function putPhyPort(w: Writer, p: PhyPort, version: number): void {
  const start = w.length;
  if (version === 1) {
    w.u16(portToOf10(p.portNo)).mac(p.hwAddr).string(p.name, 16);
    w.u32(p.config & 0x7f).u32(p.state & (PS.LINK_DOWN | PS.STP_MASK));
    for (const f of [p.curr, p.advertised, p.supported, p.peer]) w.u32(featuresTo10(f));
    return;
  }
  w.u32(p.portNo);
  if (version >= 5) w.u16(0).zeros(2);
  else w.zeros(4);
  w.mac(p.hwAddr).zeros(2).string(p.name, 16);
  w.u32(p.config & CONFIG_11).u32(p.state & 7);
  const features = (): void => {
    w.u32(p.curr).u32(p.advertised).u32(p.supported).u32(p.peer).u32(p.currSpeed).u32(p.maxSpeed);
  };
  if (version < 5) return features();
  putProperty(w, 'port', 'ethernet', () => {
    w.zeros(4);
    features();
  });
  w.setU16(start + 4, w.length - start);
}

/** Reads a name of at most 15 bytes. */
function readName(r: Reader): string {
  const name = r.sub(16);
  return name.string(15);
}

/** How many bytes a description has since OpenFlow 1.4, without its properties. */
const DESCRIPTION_LENGTH = 40;

/** How many bytes a description has in a fixed place. */
function fixedLength(version: number): number {
  if (version === 1) return 48;
  return version >= 5 ? DESCRIPTION_LENGTH : 64;
}

/**
 * Reads a port description. All of it that has a fixed place is taken before any of it is looked at, as by the peer: of
 * what is refused, its tool quotes what follows.
 */
export function readPhyPort(r: Reader, version: number): PhyPort {
  const b = r.sub(fixedLength(version));
  if (version === 1) {
    const portNo = readPortNo(b, 1);
    const hwAddr = b.mac();
    const name = readName(b);
    const config = b.u32() & 0x7f;
    const state = b.u32() & (PS.LINK_DOWN | PS.STP_MASK);
    const [curr, advertised, supported, peer] = [b.u32(), b.u32(), b.u32(), b.u32()].map(featuresFrom10);
    return {
      portNo,
      hwAddr,
      name,
      config,
      state,
      curr,
      advertised,
      supported,
      peer,
      currSpeed: featuresSpeed(curr),
      maxSpeed: featuresSpeed(supported),
    };
  }
  const number = b.u32();
  const length = b.u16() - DESCRIPTION_LENGTH;
  const hasProperties = version >= 5;
  if (hasProperties && (length < 0 || length > r.left))
    fail('OFPBRC_BAD_LEN', `port with ${length} bytes of properties`);
  const portNo = checkPortNo(r, number);
  b.skip(2);
  const hwAddr = b.mac();
  b.skip(2);
  const name = readName(b);
  const config = b.u32() & CONFIG_11;
  const state = b.u32() & 7;
  const all = hasProperties ? readEthernet(r.sub(length)) : sixWords(b);
  const [curr, advertised, supported, peer] = all.map((f) => f & FEATURES_11);
  const [currSpeed, maxSpeed] = all.slice(4);
  return { portNo, hwAddr, name, config, state, curr, advertised, supported, peer, currSpeed, maxSpeed };
}

/** The four sets of features and the two speeds. */
const sixWords = (r: Reader): number[] => [r.u32(), r.u32(), r.u32(), r.u32(), r.u32(), r.u32()];

/** The same of the properties of a description. */
function readEthernet(body: Reader): number[] {
  let features = [0, 0, 0, 0, 0, 0];
  while (body.left > 0) {
    const p = readProperty(body);
    if (propertyName('port', p) === 'ethernet') {
      p.body.skip(4);
      features = sixWords(p.body);
    } else unknownProperty(p, 'port', true);
  }
  return features;
}

const COUNTERS = [
  'rxPackets',
  'txPackets',
  'rxBytes',
  'txBytes',
  'rxDropped',
  'txDropped',
  'rxErrors',
  'txErrors',
] as const;
const ETHERNET_COUNTERS = ['rxFrameErr', 'rxOverErr', 'rxCrcErr', 'collisions'] as const;
const UNKNOWN = 0xffffffffffffffffn;

/** Writes the statistics of one port. */
export function putPortStats(w: Writer, p: PortStats, version: number): void {
  const start = w.length;
  if (version >= 5) {
    w.u16(0).zeros(2).u32(p.portNo).u32(p.durationSec).u32(p.durationNsec);
    for (const c of COUNTERS) w.u64(p[c]);
    putProperty(w, 'port stats', 'ethernet', () => {
      w.zeros(4);
      for (const c of ETHERNET_COUNTERS) w.u64(p[c]);
    });
    putPortCounters(w, p);
    w.setU16(start, w.length - start);
    return;
  }
  putPortNo(w, p.portNo, version);
  w.zeros(version === 1 ? 6 : 4);
  for (const c of [...COUNTERS, ...ETHERNET_COUNTERS]) w.u64(p[c]);
  if (version === 4) w.u32(p.durationSec).u32(p.durationNsec);
}

/** Reads the statistics of one port. */
export function readPortStats(r: Reader, version: number): PortStats {
  type Counters = Record<(typeof COUNTERS)[number] | (typeof ETHERNET_COUNTERS)[number], bigint>;
  const c: Partial<Counters> = {};
  let durationSec = UNKNOWN_DURATION;
  let durationNsec = UNKNOWN_DURATION;
  let portNo: number;
  let counters: PortCounters = {};
  if (version >= 5) {
    const length = r.u16();
    if (length < 80) fail('OFPBRC_BAD_LEN', `port statistics of ${length} bytes`);
    const body = r.sub(length - 2);
    body.skip(2);
    portNo = readPortNo(body, version);
    durationSec = body.u32();
    durationNsec = body.u32();
    for (const name of COUNTERS) c[name] = body.u64();
    for (const name of ETHERNET_COUNTERS) c[name] = UNKNOWN;
    while (body.left > 0) {
      const p = readProperty(body);
      const property = propertyName('port stats', p);
      if (property === undefined) unknownProperty(p, 'port stats', true);
      else if (property === 'ethernet') {
        p.body.skip(4);
        for (const name of ETHERNET_COUNTERS) c[name] = p.body.u64();
      } else counters = { ...counters, ...readPortCounters(property, p.body) };
    }
  } else {
    portNo = readPortNo(r, version);
    r.skip(version === 1 ? 6 : 4);
    for (const name of [...COUNTERS, ...ETHERNET_COUNTERS]) c[name] = r.u64();
    if (version === 4) {
      durationSec = r.u32();
      durationNsec = r.u32();
    }
  }
  return { portNo, durationSec, durationNsec, ...(c as Counters), ...counters };
}

export const PORT_BODIES: {
  readonly [T in 'port' | 'port_desc']: BodyRow<RequestOf<T>, ReplyOf<T>>;
} = {
  port: {
    request: bodies<RequestOf<'port'>>(
      ['OFPST10_PORT_REQUEST', 'OFPST11_PORT_REQUEST'],
      (w, q, version) => {
        putPortNo(w, q.portNo, version);
        w.zeros(version === 1 ? 6 : 4);
      },
      (r, version) => {
        const portNo = readPortNo(r, version);
        r.skip(version === 1 ? 6 : 4);
        return { type: 'port', portNo };
      },
    ),
    reply: bodies<ReplyOf<'port'>>(
      ['OFPST10_PORT_REPLY', 'OFPST11_PORT_REPLY', 'OFPST13_PORT_REPLY', 'OFPST14_PORT_REPLY'],
      (w, p, version) => w.items(p.ports, (s) => putPortStats(w, s, version)),
      (r, version) =>
        items(
          r,
          () => readPortStats(r, version),
          (ports) => ({ type: 'port', ports }),
        ),
    ),
  },
  port_desc: {
    request: [
      ...emptyBody<RequestOf<'port_desc'>>(['OFPST10_PORT_DESC_REQUEST'], {
        type: 'port_desc',
        portNo: OFPP.ANY,
      }),
      ...bodies<RequestOf<'port_desc'>>(
        ['OFPST15_PORT_DESC_REQUEST'],
        (w, q) => w.u32(q.portNo).zeros(4),
        (r, version) => {
          const portNo = readPortNo(r, version);
          r.skip(4);
          return { type: 'port_desc', portNo };
        },
      ),
    ],
    reply: bodies<ReplyOf<'port_desc'>>(
      ['OFPST10_PORT_DESC_REPLY', 'OFPST11_PORT_DESC_REPLY', 'OFPST14_PORT_DESC_REPLY'],
      (w, p, version) => w.items(p.ports, (port) => putPhyPort(w, port, version)),
      (r, version) =>
        items(
          r,
          () => readPhyPort(r, version),
          (ports) => ({ type: 'port_desc', ports }),
        ),
    ),
  },
};
