/**
 * A message around each property, by hand: what stands before it, what is in it, and what must stand beside it for the
 * message to be good, and for its encoding to be these bytes.
 */
import { PROPERTIES, type PropertyHolder, type PropertyName } from '../../src/messages/property-table.js';

type Row = {
  readonly type: number;
  readonly experimenter: number | undefined;
  readonly length: number | undefined;
};

const NICIRA = '00002320';

const hexOf = (n: number, bytes: number): string => n.toString(16).padStart(2 * bytes, '0');
const sizeOf = (hex: string): number => hex.length / 2;
const zeros = (bytes: number): string => '00'.repeat(bytes);

/** A property; `length`: as it says, if not as it is. */
function property(row: Row, body: string, length?: number): string {
  const { type, experimenter } = row;
  const vendor = experimenter === undefined ? '' : `${hexOf(experimenter, 4)}${hexOf(type, 4)}`;
  const said = length ?? 4 + sizeOf(vendor) + sizeOf(body);
  const whole = `${hexOf(vendor === '' ? type : 0xffff, 2)}${hexOf(said, 2)}${vendor}${body}`;
  return whole.padEnd(Math.ceil(whole.length / 16) * 16, '0');
}

function message(version: number, type: number, body: string): string {
  return `${hexOf(version, 1)}${hexOf(type, 1)}${hexOf(8 + sizeOf(body), 2)}00000001${body}`;
}

const extension = (subtype: number, body: string): string =>
  message(4, 4, `${NICIRA}${hexOf(subtype, 4)}${body}`);
const reply = (version: number, kind: number, body: string): string =>
  message(version, 19, `${hexOf(kind, 2)}${zeros(6)}${body}`);
/** An item of a list with its length, which counts from `before` on, where it stands. */
const item = (before: string, after: string): string =>
  `${before}${hexOf(sizeOf(before) + 2 + sizeOf(after), 2)}${after}`;

interface Case<H extends PropertyHolder> {
  /** What is in each, after its header. */
  readonly bodies: Readonly<Record<PropertyName<H>, string>>;
  /** Names of properties that there always are, with what is in them, in the order in which all are sent. */
  readonly beside?: readonly PropertyName<H>[];
  /** The message of these properties; `name`: the one that it is for. */
  readonly around: (properties: string, name: PropertyName<H>) => string;
}

const PACKET = '50540000000a5054000000091234';
/** A group-mod that adds a select group. */
const group = (buckets: string, properties: string): string =>
  message(6, 15, `0000010000000007${hexOf(sizeOf(buckets), 2)}${zeros(2)}ffffffff${buckets}${properties}`);
const flush = (properties: string): string => extension(32, `06${zeros(7)}${properties}`);
const packetIn = (properties: string): string => extension(30, properties);

export const CASES: { readonly [H in PropertyHolder]: Case<H> } = {
  port: {
    bodies: { ethernet: `${zeros(4)}00000840000000010000000200000004000186a0000f4240` },
    around: (properties) =>
      reply(
        5,
        13,
        item('00000001', `0000aabbccddeeff0000${hexOf(0x6d31, 2)}${zeros(14)}${zeros(8)}${properties}`),
      ),
  },
  port_mod: {
    bodies: { ethernet: '00002820' },
    around: (properties) => message(5, 16, `0000000100000000aabbccddeeff0000${zeros(8)}${properties}`),
  },
  'port stats': {
    bodies: {
      ethernet: `${zeros(4)}${[1, 2, 3, 4].map((n) => hexOf(n, 8)).join('')}`,
      rfc2819: `${zeros(4)}${Array.from({ length: 21 }, (_, i) => hexOf(i + 1, 8)).join('')}`,
      custom: `00000001${hexOf(3, 1)}${Buffer.from('abc').toString('hex')}${hexOf(9, 8)}`,
    },
    beside: ['ethernet', 'rfc2819'],
    around: (properties) =>
      reply(5, 4, item('', `0000${hexOf(1, 4)}${zeros(8)}${hexOf(5, 8)}${zeros(56)}${properties}`)),
  },
  'queue desc': {
    bodies: { minRate: '00640000', maxRate: '01f40000' },
    around: (properties) => reply(5, 15, item('0000000100000007', `${zeros(6)}${properties}`)),
  },
  table_desc: {
    bodies: { eviction: '00000001', vacancy: '14500a00' },
    around: (properties, name) =>
      reply(5, 14, item('', `0300${name === 'vacancy' ? '00000008' : '00000004'}${properties}`)),
  },
  'table features': {
    bodies: {
      instructions: '00010004',
      'instructions.miss': '00020004',
      nextTables: '0405',
      'nextTables.miss': '06',
      writeActions: '00000004',
      'writeActions.miss': '00160004',
      applyActions: '00000004',
      'applyActions.miss': 'ffff000800002320',
      match: '80000004',
      wildcards: '80000004',
      writeSetfield: '80000606',
      'writeSetfield.miss': '80000806',
      applySetfield: '80000606',
      'applySetfield.miss': '80000806',
    },
    beside: [
      'instructions',
      'nextTables',
      'writeActions',
      'applyActions',
      'match',
      'wildcards',
      'writeSetfield',
      'applySetfield',
    ],
    around: (properties) => {
      const entry = item(
        '',
        `0300${zeros(4)}${hexOf(0x74, 1)}${zeros(31)}${zeros(16)}${zeros(4)}000000ff${properties}`,
      );
      return reply(4, 12, entry);
    },
  },
  'async config': {
    bodies: {
      'packetIn.secondary': '00000001',
      'packetIn.primary': '00000003',
      'portStatus.secondary': '00000001',
      'portStatus.primary': '00000002',
      'flowRemoved.secondary': '00000001',
      'flowRemoved.primary': '00000008',
      'roleStatus.secondary': '00000001',
      'roleStatus.primary': '00000002',
      'tableStatus.secondary': '00000008',
      'tableStatus.primary': '00000010',
      'requestForward.secondary': '00000001',
      'requestForward.primary': '00000002',
    },
    around: (properties) => message(5, 28, properties),
  },
  'group bucket': {
    bodies: { weight: '00050000', watchPort: '00000002', watchGroup: '00000003' },
    beside: ['weight'],
    around: (properties) => group(item('', `000000000009${properties}`), ''),
  },
  group: {
    bodies: {
      selection: `${zeros(4)}${Buffer.from('hash').toString('hex')}${zeros(12)}${hexOf(7, 8)}80001604ffff0000`,
    },
    around: (properties) => group('', properties),
  },
  NX_PACKET_IN2: {
    bodies: {
      packet: PACKET,
      fullLen: '00000064',
      bufferId: '00000005',
      tableId: '03',
      cookie: `${zeros(4)}0000000000000007`,
      reason: '01',
      metadata: '8000000400000001',
      continuation: `${zeros(4)}${property(PROPERTIES.continuation.rows.bridge, zeros(16))}`,
      userdata: '0102',
    },
    beside: ['packet', 'tableId', 'reason', 'metadata'],
    around: packetIn,
  },
  continuation: {
    bodies: {
      bridge: '31'.repeat(16),
      stack: '0102',
      mirrors: '00000003',
      conntracked: '',
      tableId: '05',
      cookie: `${zeros(4)}0000000000000008`,
      actions: `${zeros(4)}00000010000000020000${zeros(6)}`,
      actionSet: `${zeros(4)}00000010000000030000${zeros(6)}`,
      odpPort: '00000001',
      instruction: `${zeros(4)}0001000805000000`,
    },
    beside: ['bridge'],
    around: (properties) => {
      const { rows } = PROPERTIES.NX_PACKET_IN2;
      const { bodies } = CASES.NX_PACKET_IN2;
      const beside = (['packet', 'tableId', 'reason', 'metadata'] as const).map((name) =>
        property(rows[name], bodies[name]),
      );
      return packetIn(`${beside.join('')}${property(rows.continuation, `${zeros(4)}${properties}`)}`);
    },
  },
  NXAST_RAW_CONTROLLER2: {
    bodies: {
      maxLen: '00800000',
      controllerId: '00070000',
      reason: '02',
      userdata: '010203',
      pause: '',
      meterId: '00000005',
    },
    around: (properties) => {
      const action = item('ffff', `${NICIRA}0025${zeros(6)}${properties}`);
      return message(4, 13, `fffffffffffffffd${hexOf(sizeOf(action), 2)}${zeros(6)}${action}`);
    },
  },
  'ct flush': {
    bodies: {
      orig: `${zeros(4)}${property(PROPERTIES['ct tuple'].rows.srcPort, '00500000')}`,
      reply: `${zeros(4)}${property(PROPERTIES['ct tuple'].rows.dstPort, '00510000')}`,
      zone: '00050000',
    },
    around: flush,
  },
  'ct tuple': {
    bodies: {
      src: `${zeros(10)}ffff0a000001`,
      dst: '20010db8000000000000000000000001',
      srcPort: '00500000',
      dstPort: '00510000',
      icmpId: '00090000',
      icmpType: '08',
      icmpCode: '01',
    },
    around: (properties, name) => {
      const tuple = property(PROPERTIES['ct flush'].rows.orig, `${zeros(4)}${properties}`);
      return name.startsWith('icmp') ? extension(32, `01${zeros(7)}${tuple}`) : flush(tuple);
    },
  },
};

/** Of ICMP all three are sent. */
const ICMP: readonly string[] = ['icmpId', 'icmpType', 'icmpCode'];

/** The good and the bad message of a property, in hexadecimal. */
export function propertyMessages(
  holder: PropertyHolder,
  name: string,
): { readonly good: string; readonly bad: string } {
  const rows: Readonly<Record<string, Row>> = PROPERTIES[holder].rows;
  const {
    bodies,
    beside = [],
    around,
  } = CASES[holder] as unknown as Case<'continuation'> as {
    readonly bodies: Readonly<Record<string, string>>;
    readonly beside?: readonly string[];
    readonly around: (properties: string, name: string) => string;
  };
  const there = ICMP.includes(name) ? ICMP : beside;
  const whole = (own: string): string =>
    Object.keys(bodies)
      .filter((each) => each === name || there.includes(each))
      .map((each) => (each === name ? own : property(rows[each]!, bodies[each]!)))
      .join('');
  const row = rows[name]!;
  const body = bodies[name]!;
  // Four bytes more than it always has; or none of those of its own header.
  const spoilt = row.length === undefined ? property(row, body, 3) : property(row, `${body}${zeros(4)}`);
  return { good: around(whole(property(row, body)), name), bad: around(whole(spoilt), name) };
}

/** Every row, as `holder name`. */
export const PROPERTY_ROWS: readonly (readonly [PropertyHolder, string])[] = Object.entries(
  PROPERTIES,
).flatMap(([holder, { rows }]) => Object.keys(rows).map((name) => [holder as PropertyHolder, name] as const));
