/**
 * Every property, one row each: what has it, its number, its length where that is always the same. Writers name a row and
 * readers are given the row that was found, so numbers and lengths are here only; what is in a property stands where its
 * holder is written and read. The documentation (docs/openflow-fields.md) and the check that each row has fixtures
 * (test/rows.test.ts) derive from the rows, too.
 *
 * Not here: experimenters' properties in which nothing is said that anyone here understands; the versions of OFPT_HELLO,
 * whose elements are no properties; encap's, which are of another form (actions/packet-type.ts).
 */
import { EXPERIMENTERS } from '@ovs-node/flow/experimenters';

export interface PropertyRow {
  /** Type; of an experimenter's property the experimenter's own. */
  readonly type: number;
  readonly experimenter: number | undefined;
  /** Bytes with the header, without padding; undefined: it varies, or is not checked. */
  readonly length: number | undefined;
  readonly doc: string;
}

/** What has properties. */
interface Holder {
  /** As it is called in logs, and the module of the log. */
  readonly module: string;
  /** What holds them, and in which versions. */
  readonly doc: string;
  readonly rows: Readonly<Record<string, PropertyRow>>;
}

const row = (type: number, length: number | undefined, doc: string, experimenter?: number): PropertyRow => ({
  type,
  experimenter,
  length,
  doc,
});

/** Kinds of asynchronous messages, in the order in which they are sent. */
export const ASYNC_KEYS = [
  'packetIn',
  'portStatus',
  'flowRemoved',
  'roleStatus',
  'tableStatus',
  'requestForward',
] as const;

/** Both roles' masks of a kind of asynchronous messages. */
const asyncRows = <K extends string>(keys: readonly K[]) =>
  Object.fromEntries(
    keys.flatMap((key, i) => [
      [`${key}.secondary`, row(2 * i, 8, `Reasons for which a secondary controller hears of ${key}.`)],
      [`${key}.primary`, row(2 * i + 1, 8, `Reasons for which other controllers hear of ${key}.`)],
    ]),
  ) as Readonly<Record<`${K}.${'primary' | 'secondary'}`, PropertyRow>>;

const FOR_MISS = 'The same of table-miss flows, where it differs.';

export const PROPERTIES = {
  port: {
    module: 'ofp_port',
    doc: 'descriptions of ports, since 1.4',
    rows: { ethernet: row(0, 32, 'Features of an Ethernet port, now and possible, and its speeds.') },
  },
  port_mod: {
    module: 'ofp_port',
    doc: 'changes of ports, since 1.4',
    rows: { ethernet: row(0, 8, 'Features to advertise.') },
  },
  'port stats': {
    module: 'ofp_port',
    doc: 'statistics of ports, since 1.4',
    rows: {
      ethernet: row(0, 40, 'Errors of frames, overruns, checksums, and collisions.'),
      rfc2819: row(
        1,
        184,
        'The counters of RFC 2819: packets by their size, and what was wrong.',
        EXPERIMENTERS.intel,
      ),
      custom: row(2, undefined, 'Counters that a device has names of its own for.', EXPERIMENTERS.intel),
    },
  },
  'queue desc': {
    module: 'ofp_queue',
    doc: 'descriptions of queues; before 1.4 in a form of its own, of 16 bytes each',
    rows: {
      minRate: row(1, undefined, 'The rate that a queue is sure of, in tenths of a percent.'),
      maxRate: row(2, undefined, 'The rate that a queue has at most, in tenths of a percent.'),
    },
  },
  table_desc: {
    module: 'ofp_table',
    doc: 'descriptions of tables and changes of them, since 1.4',
    rows: {
      eviction: row(2, 8, 'What decides which flow goes when another needs its place.'),
      vacancy: row(3, 8, 'How much room is told of when it comes to be.'),
    },
  },
  'table features': {
    module: 'ofp_table',
    doc: 'features of tables, since 1.3',
    rows: {
      instructions: row(0, undefined, 'Instructions that flows may have.'),
      'instructions.miss': row(1, undefined, FOR_MISS),
      nextTables: row(2, undefined, 'Tables that flows may go on to.'),
      'nextTables.miss': row(3, undefined, FOR_MISS),
      writeActions: row(4, undefined, 'Actions that flows may put into the action set.'),
      'writeActions.miss': row(5, undefined, FOR_MISS),
      applyActions: row(6, undefined, 'Actions that flows may do at once.'),
      'applyActions.miss': row(7, undefined, FOR_MISS),
      match: row(8, undefined, 'Fields that may be matched, and which of them under a mask.'),
      wildcards: row(10, undefined, 'Fields that need not be matched.'),
      writeSetfield: row(12, undefined, 'Fields that the action set may set.'),
      'writeSetfield.miss': row(13, undefined, FOR_MISS),
      applySetfield: row(14, undefined, 'Fields that may be set at once.'),
      'applySetfield.miss': row(15, undefined, FOR_MISS),
    },
  },
  'async config': {
    module: 'ofp_connection',
    doc: 'which asynchronous messages a controller wants, since 1.4 and as Nicira’s extension',
    rows: asyncRows(ASYNC_KEYS),
  },
  'group bucket': {
    module: 'ofp_group',
    doc: 'buckets of groups, since 1.5 and as Nicira’s extension of 1.0',
    rows: {
      weight: row(0, undefined, 'The share of a bucket of a select group.'),
      watchPort: row(1, 8, 'The port whose state the bucket’s is.'),
      watchGroup: row(2, 8, 'The group whose state the bucket’s is.'),
    },
  },
  group: {
    module: 'ofp_group',
    doc: 'groups, since 1.5 and as Nicira’s extension of 1.0',
    rows: {
      selection: row(
        1,
        undefined,
        'How a select group chooses: method, parameter, fields.',
        EXPERIMENTERS.netronome,
      ),
    },
  },
  NX_PACKET_IN2: {
    module: 'ofp_packet',
    doc: 'Nicira’s packet-in of version 2, and NXT_RESUME',
    rows: {
      packet: row(0, undefined, 'The packet, or the beginning of it.'),
      fullLen: row(1, 8, 'How long the packet is, where that is more.'),
      bufferId: row(2, 8, 'Where the switch keeps the packet.'),
      tableId: row(3, undefined, 'The table of the flow that sent it.'),
      cookie: row(4, 16, 'The cookie of the flow that sent it.'),
      reason: row(5, undefined, 'Why it was sent.'),
      metadata: row(6, undefined, 'What goes with the packet, as a match: its port, registers, tunnel.'),
      userdata: row(7, undefined, 'What the action that sent it had to say.'),
      continuation: row(8, undefined, 'How it goes on, to be given back.'),
    },
  },
  continuation: {
    module: 'ofp_packet',
    doc: 'continuations; private to the switch that makes them',
    rows: {
      bridge: row(0x8000, 20, 'The bridge that the packet is in.'),
      stack: row(0x8001, undefined, 'A value on the stack.'),
      mirrors: row(0x8002, 8, 'Mirrors that have had their copy.'),
      conntracked: row(0x8003, undefined, 'Connection tracking has had the packet.'),
      tableId: row(0x8004, undefined, 'The table of the actions that follow.'),
      cookie: row(0x8005, 16, 'The cookie of the actions that follow.'),
      actions: row(0x8006, undefined, 'Actions still to be done.'),
      actionSet: row(0x8007, undefined, 'The action set.'),
      odpPort: row(0x8008, 8, 'The datapath’s port that the packet came in on.'),
      instruction: row(0x80f0, undefined, 'Ours: an instruction of OpenFlow 1.3.'),
    },
  },
  NXAST_RAW_CONTROLLER2: {
    module: 'ofp_actions',
    doc: 'Nicira’s action that sends to controllers, version 2',
    rows: {
      maxLen: row(0, undefined, 'How much of the packet to send.'),
      controllerId: row(1, undefined, 'Which controllers get it.'),
      reason: row(2, undefined, 'The reason to give.'),
      userdata: row(3, undefined, 'What to say along with the packet.'),
      pause: row(4, undefined, 'The packet waits until it is sent back.'),
      meterId: row(5, 8, 'The meter that it goes through.'),
    },
  },
  'ct flush': {
    module: 'ofp_packet',
    doc: 'flushes of connections (NXT_CT_FLUSH)',
    rows: {
      orig: row(0, undefined, 'Addresses and ports of the direction that began.'),
      reply: row(1, undefined, 'Addresses and ports of the other direction.'),
      zone: row(2, undefined, 'The zone.'),
    },
  },
  'ct tuple': {
    module: 'ofp_packet',
    doc: 'a direction of a connection, within `ct flush`',
    rows: {
      src: row(0, undefined, 'Source, an IPv6 address or a mapped IPv4 one.'),
      dst: row(1, undefined, 'Destination, as the source.'),
      srcPort: row(2, undefined, 'Source port.'),
      dstPort: row(3, undefined, 'Destination port.'),
      icmpId: row(4, undefined, 'Identifier of an ICMP message.'),
      icmpType: row(5, undefined, 'Type of an ICMP message.'),
      icmpCode: row(6, undefined, 'Code of an ICMP message.'),
    },
  },
} as const satisfies Readonly<Record<string, Holder>>;

export type PropertyHolder = keyof typeof PROPERTIES;
/** The names of the properties that a holder may have. */
export type PropertyName<H extends PropertyHolder> = keyof (typeof PROPERTIES)[H]['rows'] & string;
