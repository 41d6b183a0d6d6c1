/** Messages made up from the tables, for tests that compare with the peer: one maker per row. */
import { EXPERIMENTERS } from '@ovs-node/flow/experimenters';
import { Match } from '@ovs-node/flow/match';
import { parseMatch } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import type { Action } from '../actions/types.js';
import { parseActions } from '../actions/text.js';
import { ERRORS, type ErrorName } from '../error-table.js';
import { errorNumbers, OfError } from '../errors.js';
import { encodeMessage } from '../messages/codec.js';
import { BUNDLE_CONTROLS } from '../messages/bundle.js';
import {
  BUCKET,
  type Bucket,
  type GroupDesc,
  type GroupMod,
  type GroupType,
} from '../messages/group-types.js';
import { METER, MF, type MeterConfig } from '../messages/meter-types.js';
import { tableFeatures } from '../messages/table-features.js';
import type {
  AsyncConfig,
  AsyncMasks,
  FlowFilter,
  FlowRemoved,
  FlowStats,
  FlowUpdate,
  IpfixStats,
  MultipartReply,
  MultipartRequest,
  MultipartType,
  OfMessage,
  OfMessageType,
  PacketIn,
  PhyPort,
  PortStats,
  QueueConfig,
  TableDesc,
  TableFeatures,
  TableStats,
  Vacancy,
} from '../messages/types.js';
import { GROUP_ALL, GROUP_ANY, NO_BUFFER } from '../messages/types.js';
import type { Random } from './random.js';
import { ACTIONS, ACTIONS_11, INSTRUCTIONS, MATCHES, MORE_ACTIONS, PLAIN_MATCHES } from './texts.js';

const PORTS = [1, 2, 7, 300, 0xfeff, OFPP.LOCAL, OFPP.CONTROLLER, OFPP.ANY, OFPP.ALL, OFPP.IN_PORT];
/** Hardware addresses that dummy devices get, one after the other. */
const DUMMY_ADDRESSES = [1n, 2n, 3n, 4n].map((n) => 0xaa55aa550000n + n);
const NAMES = ['', 'eth0', 'br-int', 'a b', 'fifteen-letters'];

export class Maker {
  readonly r: Random;
  readonly version: number;
  constructor(r: Random, version: number) {
    this.r = r;
    this.version = version;
  }

  match(): Match {
    return parseMatch(this.r.pick(this.version <= 2 ? PLAIN_MATCHES : MATCHES));
  }
  actions(): readonly Action[] {
    const few = this.version === 1 ? ACTIONS : ACTIONS_11;
    return parseActions(this.r.pick(this.r.chance(0.5) ? few : MORE_ACTIONS));
  }
  flowActions(): readonly Action[] {
    return this.r.chance(0.1) ? parseActions(this.r.pick(INSTRUCTIONS)) : this.actions();
  }
  port(): number {
    return this.r.chance(0.1) ? this.r.below(0xff00) : this.r.pick(PORTS);
  }
  group(): number {
    return this.r.pick([0, 1, 5, 0xffffff00, GROUP_ALL, GROUP_ANY, this.r.u32()]);
  }
  /** One of few mostly, so that messages meet in one. */
  bundleId(): number {
    return this.r.pick([1, 1, 2, this.r.bits(32)]);
  }
  duration(): { durationSec: number; durationNsec: number } {
    return { durationSec: this.r.bits(32), durationNsec: this.r.pick([0, 1000000, 5, 999999999, 500000000]) };
  }

  phyPort(): PhyPort {
    const { r } = this;
    return {
      portNo: this.port(),
      hwAddr: r.u64() & 0xffffffffffffn,
      name: r.pick(NAMES),
      config: r.some(0x7f),
      state: r.some(0x307),
      curr: r.some(0xffff),
      advertised: r.some(0xffff),
      supported: r.some(0xffff),
      peer: r.some(0xffff),
      currSpeed: r.bits(32),
      maxSpeed: r.bits(32),
    };
  }

  portStats(): PortStats {
    const { r } = this;
    return {
      portNo: this.port(),
      rxPackets: r.u64(),
      txPackets: r.u64(),
      rxBytes: r.u64(),
      txBytes: r.u64(),
      rxDropped: r.u64(),
      txDropped: r.u64(),
      rxErrors: r.u64(),
      txErrors: r.u64(),
      rxFrameErr: r.u64(),
      rxOverErr: r.u64(),
      rxCrcErr: r.u64(),
      collisions: r.u64(),
      ...this.duration(),
    };
  }

  bucket(type: GroupType, i: number): Bucket {
    const { r } = this;
    const watch = type === 'fast_failover' || (type === 'select' && r.chance(0.3));
    const byPort = r.chance(0.5);
    return {
      weight: type === 'select' ? r.bits(16) : 0,
      watchPort: watch && byPort ? this.port() : OFPP.ANY,
      watchGroup: watch && (!byPort || r.chance(0.3)) ? r.u32() : GROUP_ANY,
      bucketId: r.chance(0.8) ? i : r.below(BUCKET.MAX),
      actions: this.actions(),
    };
  }

  groupDesc(): GroupDesc {
    const { r } = this;
    const groupType = r.pick(['all', 'select', 'indirect', 'fast_failover'] as const);
    const buckets =
      groupType === 'indirect' ? [this.bucket(groupType, 0)] : r.many(3, (i) => this.bucket(groupType, i));
    const selection =
      groupType === 'select' && r.chance(0.4)
        ? {
            method: r.pick(['hash', 'dp_hash']),
            param: r.u64(),
            fields: r.pick([
              [],
              [{ field: 'ip_src', mask: 0xffffffffn }],
              [
                { field: 'eth_src', mask: 0xff00n },
                { field: 'tcp_dst', mask: 0xffffn },
              ],
            ]),
          }
        : undefined;
    return { groupType, groupId: this.group(), buckets, selection };
  }

  groupMod(): GroupMod {
    const { r } = this;
    const desc = this.groupDesc();
    const is15 = this.version === 1 || this.version >= 6;
    const command = r.pick(
      is15
        ? (['add', 'modify', 'delete', 'insert_bucket', 'remove_bucket', 'add_or_modify'] as const)
        : (['add', 'modify', 'delete', 'add_or_modify'] as const),
    );
    const bucketCommand = command === 'insert_bucket' || command === 'remove_bucket';
    return {
      ...desc,
      command,
      commandBucketId: bucketCommand ? r.pick([0, 5, BUCKET.FIRST, BUCKET.LAST, BUCKET.ALL]) : BUCKET.ALL,
    };
  }

  meter(): MeterConfig {
    const { r } = this;
    return {
      meterId: r.pick([1, 5, METER.MAX, METER.SLOWPATH, METER.CONTROLLER, METER.ALL, r.u32()]),
      flags: r.pick([MF.KBPS, MF.PKTPS]) | r.some(MF.BURST | MF.STATS),
      bands: r.many(3, () => {
        const type = r.pick(['drop', 'dscp_remark'] as const);
        const precLevel = type === 'drop' ? 0 : r.bits(8);
        return { type, rate: r.bits(32), burstSize: r.bits(32), precLevel };
      }),
    };
  }

  vacancy(): Vacancy {
    const [a, b] = [this.r.below(101), this.r.below(101)];
    return { down: Math.min(a, b), up: Math.max(a, b), vacancy: this.r.below(101) };
  }
  tableDesc(): TableDesc {
    const { r } = this;
    return {
      tableId: r.bits(8),
      eviction: r.chance(0.5),
      evictionFlags: r.chance(0.5) ? r.some(7) : undefined,
      vacancyEvents: r.chance(0.5),
      vacancy: this.vacancy(),
    };
  }

  tableStats(i: number): TableStats {
    const { r } = this;
    return {
      tableId: i,
      name: r.chance(0.3) ? r.pick(NAMES) : '',
      maxEntries: r.pick([0, 1000000]),
      activeCount: r.below(2),
      lookupCount: BigInt(r.below(2)),
      matchedCount: 0n,
      wildcards: r.pick([0x3fffff, 0, 0x3fffff, r.u32()]),
      ...(r.chance(0.4) && this.version > 1
        ? {
            bitmaps: {
              match: r.u64() & 0xffffffffn,
              wildcards: r.u64() & 0xffffffffn,
              writeActions: r.u32(),
              applyActions: r.u32(),
              writeSetFields: r.u64(),
              applySetFields: r.u64(),
              metadataMatch: r.u64(),
              metadataWrite: r.u64(),
              instructions: r.u32(),
              config: r.below(3),
            },
          }
        : {}),
    };
  }

  tableFeatures(i: number): TableFeatures {
    const { r, version } = this;
    const t = tableFeatures(
      r.chance(0.5) ? 3 : 200,
      210,
      r.pick(['', '', 'tab']),
      r.pick([5, 5, 0]),
      version,
    );
    const config = r.chance(0.3) ? r.some(12) : 0;
    // Some properties of table-miss flows go missing, some lists are cut.
    const properties = t.properties
      .filter((p) => p.type % 2 === 0 || r.chance(0.7))
      .map((p) => {
        if (p.type === 2 || p.type === 3)
          return r.chance(0.5) ? p : { ...p, body: p.body.subarray(0, r.below(9)) };
        if (p.type < 8 && r.chance(0.3)) return { ...p, body: p.body.subarray(0, 4 * r.below(6)) };
        if (p.type >= 8 && r.chance(0.2)) return { ...p, body: new Uint8Array(0) };
        return p;
      });
    if (r.chance(0.2)) {
      // An experimenter's, whose types mean what they mean to it.
      const { type, body } = r.pick(t.properties);
      properties.splice(r.below(properties.length + 1), 0, {
        type: r.chance(0.7) ? type : r.below(20),
        experimenter: r.pick(Object.values(EXPERIMENTERS)),
        body: r.chance(0.7) ? body : new Uint8Array(0),
      });
    }
    return { ...t, tableId: i, config, properties: r.chance(0.1) ? [] : properties };
  }

  queueConfig(): QueueConfig {
    const { r } = this;
    const rate = (): number | undefined =>
      r.chance(0.4) ? undefined : r.pick([0, 1, 999, 1000, 1001, 65534]);
    return { portNo: this.port(), queueId: r.bits(32), minRate: rate(), maxRate: rate() };
  }

  flowStats(): FlowStats {
    const { r } = this;
    return {
      match: this.match(),
      tableId: r.bits(8),
      priority: r.pick([0, 1, 32768, 65535]),
      cookie: r.u64(),
      idleTimeout: r.bits(16),
      hardTimeout: r.bits(16),
      importance: r.bits(16),
      flags: r.some(this.version >= 4 ? 31 : 0),
      ...this.duration(),
      idleAge: r.pick([-1, 0, 5, 65534]),
      hardAge: r.pick([-1, 0, 5, 65534]),
      packetCount: r.u64(),
      byteCount: r.u64(),
      actions: this.flowActions(),
    };
  }

  filter(): FlowFilter {
    const { r } = this;
    return {
      match: this.match(),
      tableId: r.pick([0, 3, 255]),
      cookie: 0n,
      cookieMask: this.version > 1 && r.chance(0.3) ? r.u64() : 0n,
      outPort: this.port(),
      outGroup: this.version > 1 ? this.group() : GROUP_ANY,
    };
  }

  flowRemoved(): FlowRemoved {
    const { r } = this;
    return {
      match: this.match(),
      cookie: r.u64(),
      priority: r.bits(16),
      reason: r.pick(['idle', 'hard', 'delete', 'group_delete', 'meter_delete', 'eviction']),
      tableId: r.pick([0, 5, 254]),
      ...this.duration(),
      idleTimeout: r.bits(16),
      hardTimeout: r.bits(16),
      packetCount: r.u64(),
      byteCount: r.u64(),
    };
  }

  flowUpdate(): FlowUpdate {
    const { r } = this;
    if (r.chance(0.2)) return { event: 'abbrev', xid: r.u32() };
    if (this.version >= 5 && r.chance(0.2)) return { event: r.pick(['paused', 'resumed'] as const) };
    const event = r.pick(
      this.version >= 5
        ? (['initial', 'added', 'removed', 'modified'] as const)
        : (['added', 'removed', 'modified'] as const),
    );
    return {
      event,
      reason: r.pick(['idle', 'hard', 'delete', 'group_delete', 'eviction']),
      idleTimeout: r.bits(16),
      hardTimeout: r.bits(16),
      tableId: r.bits(8),
      priority: r.bits(16),
      cookie: r.u64(),
      match: this.match(),
      actions: r.chance(0.6) ? this.actions() : [],
    };
  }

  packet(): Uint8Array {
    const { r } = this;
    const frames = [
      // TCP over IPv4, ARP, ICMP; the rest is noise.
      'ffffffffffff00112233445508004500002800010000400666cd0a0000010a0000020050005100000001000000025010ffff00000000',
      'ffffffffffff0011223344550806000108000604000100112233445501020304000000000000' + '01020305',
      '0a0b0c0d0e0f00112233445508004500001c0001000040016bd30a0000010a0000020800f7ff00000000',
    ];
    if (r.chance(0.2)) return r.bytes(r.below(40));
    return new Uint8Array(Buffer.from(r.pick(frames), 'hex'));
  }

  packetIn(): PacketIn {
    const { r } = this;
    const packet = this.packet();
    return {
      bufferId: r.chance(0.6) ? NO_BUFFER : r.bits(32),
      totalLen: r.chance(0.6) ? packet.length : packet.length + r.below(50),
      reason: r.below(this.version >= 5 ? 6 : 3),
      tableId: r.bits(8),
      cookie: r.u64(),
      match: r.chance(0.6) ? parseMatch('in_port=3') : this.match(),
      packet,
    };
  }

  async(all: boolean): AsyncConfig {
    const { r } = this;
    const masks = (): AsyncMasks => {
      const m: Record<string, number> = {};
      for (const [key, known] of [
        ['packetIn', 0x3f],
        ['portStatus', 7],
        ['flowRemoved', 0x3f],
      ] as const) {
        if (!all || r.chance(0.8)) m[key] = r.some(known);
      }
      for (const [key, known] of all
        ? ([
            ['roleStatus', 7],
            ['tableStatus', 0x18],
            ['requestForward', 3],
          ] as const)
        : []) {
        if (r.chance(0.6)) m[key] = r.some(known);
      }
      return m;
    };
    return { primary: masks(), secondary: masks() };
  }

  error(): OfError {
    const { r, version } = this;
    const names = (Object.keys(ERRORS) as ErrorName[]).filter((n) => errorNumbers(n, version) !== undefined);
    const name = r.pick(names);
    const data = name.startsWith('OFPHFC')
      ? new TextEncoder().encode(r.pick(['no good', 'tab\there', 'odd \u0001 byte']))
      : r.pick([
          new Uint8Array(0),
          r.bytes(r.below(30)),
          encodeMessage({ type: 'features_request' }, version, 5),
        ]);
    return new OfError(name, '', data);
  }

  request(type: MultipartType): MultipartRequest | undefined {
    const { r, version } = this;
    switch (type) {
      case 'flow':
      case 'aggregate':
        return { type, filter: this.filter() };
      case 'port':
      case 'port_desc':
        return { type, portNo: this.port() };
      case 'queue':
      case 'queue_desc':
        return { type, portNo: this.port(), queueId: r.pick([0, 7, 0xffffffff]) };
      case 'group':
      case 'group_desc':
        return { type, group: this.group() };
      case 'meter':
      case 'meter_config':
        return { type, meter: this.meter().meterId };
      case 'table_features':
        return { type, tables: version < 4 ? [] : r.many(3, (i) => this.tableFeatures(i)) };
      case 'flow_monitor':
        return {
          type,
          monitors: r.many(2, () => ({
            id: r.bits(32),
            command: version >= 5 ? r.pick(['add', 'modify', 'delete'] as const) : ('add' as const),
            flags: r.some(0x5f) | (r.chance(0.8) ? 2 : 0),
            outPort: this.port(),
            outGroup: this.group(),
            tableId: r.bits(8),
            match: this.match(),
          })),
        };
      default:
        return { type };
    }
  }

  reply(type: MultipartType): MultipartReply {
    const { r } = this;
    switch (type) {
      case 'desc':
        return {
          type,
          desc: {
            mfr: 'Nicira, Inc.',
            hw: 'x',
            sw: r.pick(['', '3.1.0']),
            serial: 'None',
            dp: r.pick(NAMES),
          },
        };
      case 'flow':
        return { type, flows: r.many(3, () => this.flowStats()) };
      case 'aggregate':
        return { type, stats: { packetCount: r.u64(), byteCount: r.u64(), flowCount: r.bits(32) } };
      case 'table':
        return { type, tables: r.many(8, (i) => this.tableStats(i)) };
      case 'port':
        return { type, ports: r.many(3, () => this.portStats()) };
      case 'port_desc':
        return { type, ports: r.many(4, () => this.phyPort()) };
      case 'queue':
        return {
          type,
          queues: r.many(3, () => ({
            portNo: this.port(),
            queueId: r.bits(32),
            txBytes: r.u64(),
            txPackets: r.u64(),
            txErrors: r.u64(),
            ...this.duration(),
          })),
        };
      case 'queue_desc':
        return { type, queues: r.many(3, () => this.queueConfig()) };
      case 'group':
        return {
          type,
          groups: r.many(3, () => ({
            groupId: this.group(),
            refCount: r.bits(32),
            packetCount: r.u64(),
            byteCount: r.u64(),
            ...this.duration(),
            buckets: r.many(3, () => ({ packetCount: r.u64(), byteCount: r.u64() })),
          })),
        };
      case 'group_desc':
        return { type, groups: r.many(3, () => this.groupDesc()) };
      case 'group_features':
        return {
          type,
          features: {
            types: r.some(15),
            capabilities: r.some(15),
            maxGroups: [0, 1, 2, 3].map(() => r.bits(32)),
            actions: [0, 1, 2, 3].map(() => r.bits(32)),
          },
        };
      case 'meter':
        return {
          type,
          meters: r.many(3, () => ({
            meterId: this.meter().meterId,
            flowCount: r.bits(32),
            packetInCount: r.u64(),
            byteInCount: r.u64(),
            ...this.duration(),
            bands: r.many(3, () => ({ packetCount: r.u64(), byteCount: r.u64() })),
          })),
        };
      case 'meter_config':
        return { type, meters: r.many(3, () => this.meter()) };
      case 'meter_features':
        return {
          type,
          features: {
            maxMeters: r.bits(32),
            bandTypes: r.pick([0, 2, 4, 6, r.u32()]),
            capabilities: r.pick([0, 15, 1, r.u32()]),
            maxBands: r.bits(8),
            maxColor: r.bits(8),
          },
        };
      case 'table_features':
        return { type, tables: [0, ...r.many(4, (i) => i + 1)].map((i) => this.tableFeatures(i)) };
      case 'table_desc':
        return { type, tables: [0, ...r.many(2, (i) => i)].map(() => this.tableDesc()) };
      case 'flow_monitor':
        return { type, updates: r.many(3, () => this.flowUpdate()) };
      case 'ipfix_bridge':
      case 'ipfix_flow': {
        const one = (): IpfixStats => ({
          collectorSetId: r.bits(32),
          totalFlows: r.u64(),
          currentFlows: r.u64(),
          packets: r.u64(),
          ipv4Packets: r.u64(),
          ipv6Packets: r.u64(),
          errorPackets: r.u64(),
          ipv4ErrorPackets: r.u64(),
          ipv6ErrorPackets: r.u64(),
          txPackets: r.u64(),
          txErrors: r.u64(),
        });
        return { type, exporters: type === 'ipfix_bridge' ? [one()] : r.many(3, one) };
      }
    }
  }

  /** A message of a type that is not multipart. */
  message(type: Exclude<OfMessageType, 'multipart_request' | 'multipart_reply'>): OfMessage {
    const { r, version } = this;
    switch (type) {
      case 'hello':
        return { type, versions: r.pick([2, 0x12, 0x7e, r.u32()]) };
      case 'error':
        return { type, error: this.error() };
      case 'echo_request':
      case 'echo_reply':
        return { type, data: r.bytes(r.below(40)) };
      case 'features_reply':
        return {
          type,
          features: {
            datapathId: r.u64(),
            nBuffers: r.bits(32),
            nTables: r.bits(8),
            auxiliaryId: r.pick([0, 3]),
            capabilities: r.u32(),
            actions: r.pick([0, 0xfff, r.u32()]),
            ports: r.many(3, () => this.phyPort()),
          },
        };
      case 'get_config_reply':
      case 'set_config':
        return {
          type,
          config: {
            frag: r.pick(['normal', 'drop', 'reassemble', 'nx-match']),
            invalidTtlToController: r.chance(0.5),
            missSendLen: r.bits(16),
          },
        };
      case 'packet_in': {
        const format = r.pick(['standard', 'nxt_packet_in', 'nxt_packet_in2'] as const);
        const packetIn = this.packetIn();
        if (format !== 'nxt_packet_in2') return { type, format, packetIn };
        const userdata = r.chance(0.5) ? { userdata: r.bytes(r.below(9)) } : {};
        return { type, format, packetIn: { ...packetIn, ...userdata } };
      }
      case 'resume':
        return { type, packetIn: this.packetIn() };
      case 'packet_out':
        return {
          type,
          packetOut: {
            bufferId: r.chance(0.7) ? NO_BUFFER : r.bits(32),
            match: parseMatch(`in_port=${r.pick(['1', 'LOCAL', 'CONTROLLER', 'ANY'])}`),
            actions: this.actions(),
            packet: this.packet(),
          },
        };
      case 'flow_mod': {
        const command = r.pick(['add', 'modify', 'modify_strict', 'delete', 'delete_strict'] as const);
        return {
          type,
          format: r.pick(['nxm', 'openflow10'] as const),
          withTableId: r.chance(0.5),
          flowMod: {
            command,
            match: this.match(),
            priority: r.pick([0, 32768, 65535]),
            cookie: r.u64(),
            cookieMask: command === 'add' || r.chance(0.6) ? 0n : r.u64(),
            newCookie: r.u64(),
            modifyCookie: false,
            tableId: r.pick([0, 3, 254]),
            idleTimeout: r.bits(16),
            hardTimeout: r.bits(16),
            importance: r.bits(16),
            bufferId: r.chance(0.7) ? NO_BUFFER : r.bits(32),
            outPort: this.port(),
            outGroup: this.group(),
            flags: r.some(version === 1 ? 0x23 : version === 2 ? 3 : version === 3 ? 7 : 31),
            actions: this.flowActions(),
          },
        };
      }
      case 'flow_removed':
        return { type, removed: this.flowRemoved(), format: r.pick(['nxm', 'openflow10'] as const) };
      case 'port_status':
        return { type, reason: r.pick(['add', 'delete', 'modify']), port: this.phyPort() };
      case 'port_mod':
        return {
          type,
          portMod: {
            portNo: this.port(),
            hwAddr: r.chance(0.6) ? r.pick(DUMMY_ADDRESSES) : r.u64() & 0xffffffffffffn,
            config: r.some(0x7f),
            mask: r.some(0x7f),
            advertise: r.pick([0, r.some(0xffff)]),
          },
        };
      case 'table_mod':
        return {
          type,
          tableMod: {
            ...this.tableDesc(),
            vacancy: { ...this.vacancy(), vacancy: 0 },
            miss: r.pick(['default', 'controller', 'continue', 'drop']),
          },
        };
      case 'group_mod':
        return { type, groupMod: this.groupMod() };
      case 'meter_mod':
        return { type, meterMod: { command: r.pick(['add', 'modify', 'delete']), meter: this.meter() } };
      case 'queue_get_config_request':
        return { type, portNo: this.port() };
      case 'queue_get_config_reply':
        return { type, portNo: this.port(), queues: r.many(3, () => this.queueConfig()) };
      case 'role_request':
      case 'role_reply':
        return {
          type,
          role: r.pick(
            version < 3 ? ['equal', 'primary', 'secondary'] : ['nochange', 'equal', 'primary', 'secondary'],
          ),
          generationId: r.chance(0.5) ? r.u64() : undefined,
        };
      case 'role_status':
        return {
          type,
          role: r.pick(['equal', 'primary', 'secondary']),
          reason: r.pick(['primary_request', 'config', 'experimenter']),
          generationId: r.u64(),
        };
      case 'table_status':
        return { type, reason: r.pick(['vacancy_down', 'vacancy_up']), desc: this.tableDesc() };
      case 'requestforward':
        return {
          type,
          message: encodeMessage({ type: 'group_mod', groupMod: this.groupMod() }, version, r.u32()),
        };
      case 'bundle_control':
        return { type, bundleId: this.bundleId(), control: r.pick(BUNDLE_CONTROLS), flags: r.some(3) };
      case 'bundle_add': {
        const inner = this.message(r.pick(['flow_mod', 'group_mod', 'port_mod', 'packet_out'] as const));
        return {
          type,
          bundleId: this.bundleId(),
          flags: r.some(3),
          message: encodeMessage(inner, version, XID),
        };
      }
      case 'flow_monitor_cancel':
        return { type, id: r.bits(32) };
      case 'get_async_reply':
      case 'set_async':
        return { type, config: this.async(version >= 5 || (type === 'set_async' && r.chance(0.5))) };
      case 'set_flow_format':
        return { type, format: r.pick(['openflow10', 'nxm']) };
      case 'flow_mod_table_id':
        return { type, enable: r.chance(0.5) };
      case 'set_packet_in_format':
        return { type, format: r.pick(['standard', 'nxt_packet_in', 'nxt_packet_in2']) };
      case 'set_controller_id':
        return { type, controllerId: r.bits(16) };
      case 'tlv_table_mod':
      case 'tlv_table_reply': {
        const mappings = r.many(4, () => ({
          optionClass: r.bits(16),
          optionType: r.bits(8),
          optionLen: 4 * (1 + r.below(31)),
          index: r.below(64),
        }));
        if (type === 'tlv_table_mod') return { type, command: r.pick(['add', 'delete', 'clear']), mappings };
        return { type, maxOptionSpace: r.bits(32), maxFields: r.pick([64, 64, r.bits(16)]), mappings };
      }
      case 'ct_flush_zone':
        return { type, zone: r.bits(16) };
      case 'ct_flush': {
        const v4 = r.chance(0.5);
        const address = (): bigint =>
          r.chance(0.4) ? 0n : v4 ? 0xffff00000000n | BigInt(r.u32()) : (r.u64() << 64n) | r.u64();
        const tuple = () => ({
          src: address(),
          dst: address(),
          srcPort: r.pick([0, r.bits(16)]),
          dstPort: r.pick([0, r.bits(16)]),
          icmpType: r.pick([0, r.bits(8)]),
          icmpCode: r.pick([0, r.bits(8)]),
        });
        const flush = {
          ipProto: r.pick([0, 1, 6, 17, 58, 132]),
          zone: r.chance(0.5) ? r.bits(16) : undefined,
          orig: tuple(),
          reply: tuple(),
        };
        return { type, flush };
      }
      default:
        return { type };
    }
  }
}

/** The xid of generated messages, which messages in bundles have to share. */
export const XID = 0x12345678;
