/**
 * `ofproto/trace`: what would happen to a packet, step by step (ovs-vswitchd(8)). Text is the peer's.
 */
import { CT, ETH_TYPE_NONE, type FlowKey, KEY_WORDS, W } from '@ovs-node/flow/layout';
import { CT_STATE_FLAGS, formatFlags } from '@ovs-node/flow/flags-text';
import { formatFlow } from '@ovs-node/flow/flow-text';
import { Match } from '@ovs-node/flow/match';
import { formatMatch } from '@ovs-node/flow/match-text';
import { OFPP, type PortMap } from '@ovs-node/flow/ports';
import type { TunMetadata } from '@ovs-node/flow/tun-metadata';
import { Act } from '@ovs-node/netlink/action-attrs';
import { NlReader, NlWriter } from '@ovs-node/netlink/attr';
import { hasTunnel } from '@ovs-node/netlink/key';
import type { Action } from '@ovs-node/openflow/actions/types';
import type { Ofproto } from './ofproto.js';
import { LONG_KEY_WORDS } from './tlv-table.js';
import { ODPP_NONE } from './types.js';
import { Slow } from './user-cookie.js';
import { XLATE_ERRORS } from './xlate/context.js';
import { fixVlanType } from './xlate/header.js';
import { type Remark, renderRemarks } from './xlate/trace-node.js';
import { translate } from './xlate/xlate.js';

export interface TraceOptions {
  /** `ct_state` of each packet that comes back from connection tracking, in order; then `trk|new`. */
  readonly ctNext: readonly number[];
  /** Actions instead of the flow tables. */
  readonly actions?: readonly Action[];
  /** Names of ports instead of numbers. */
  readonly ports?: PortMap;
  /** A packet was given: side effects take place, and it goes through the datapath, but for what sends it to ports. */
  readonly packet?: Uint8Array;
  readonly formatActions: (actions: Uint8Array) => string;
  readonly now: number;
}

/** Packets that come round which are traced. A flow that always recirculates would be traced for ever. */
const MAX_RECIRCULATED = 1024;

interface Recirculated {
  readonly id: number;
  readonly flow: FlowKey;
}

const SLOW_REASONS: readonly (readonly [number, string])[] = [
  [Slow.ACTION, 'Uses action(s) not supported by datapath'],
];

/**
 * Traces a flow through a bridge, and what comes back from connection tracking.
 * @param flow OpenFlow key; not changed.
 * @returns the text without a final newline.
 */
export function trace(ofproto: Ofproto, flow: FlowKey, options: TraceOptions): string {
  const out: string[] = [];
  const queue: Recirculated[] = [];
  const held: number[] = [];
  const ctNext = options.ctNext.slice();
  const bridges = [...ofproto.backer.ofprotos()];
  if (options.ports) for (const bridge of bridges) bridge.traceNames = bridge.portMap;
  try {
    const first = Uint32Array.from(flow);
    fixVlanType(first);
    let hasFailed = traceOne(ofproto, first, first, options, queue, held, out);
    let traced = 0;
    for (let next = queue.shift(); next; next = queue.shift()) {
      if (++traced > MAX_RECIRCULATED) {
        out.push('', `The packet comes round more than ${MAX_RECIRCULATED} times: the rest is not traced.`);
        break;
      }
      const state = ctNext.shift();
      const line = '='.repeat(79);
      const how =
        state === undefined
          ? 'default ct_state=trk|new (use --ct-next to customize)'
          : `ct_state=${formatFlags(CT_STATE_FLAGS, state)}`;
      // A failure ends its line, and the line between comes all the same.
      if (hasFailed) out.push('');
      out.push('', line, `recirc(0x${next.id.toString(16)}) - resume conntrack with ${how}`, line, '');
      next.flow[W.CT_STATE] = state ?? CT.TRK | CT.NEW;
      hasFailed = traceOne(ofproto, next.flow, first, options, queue, held, out);
    }
  } finally {
    for (const bridge of bridges) bridge.traceNames = undefined;
    // With a packet, controllers are yet to be told of what the numbers stand for.
    if (options.packet) ofproto.backer.releaseLater(held);
    else for (const id of held) ofproto.backer.recirc.release(id);
  }
  return out.join('\n');
}

/**
 * @param came the packet as it came in: so it goes to the datapath each time, as by the peer.
 * @returns whether the translation failed.
 */
function traceOne(
  ofproto: Ofproto,
  flow: FlowKey,
  came: FlowKey,
  options: TraceOptions,
  queue: Recirculated[],
  held: number[],
  out: string[],
): boolean {
  const remarks: Remark[] = [];
  const text = (key: FlowKey): string => formatFlow(key, options.ports, tunnelOptions(ofproto, key));
  out.push(`Flow: ${text(flow)}`);
  const result = translate({
    ofproto,
    flow,
    // With a packet, stations are learned; nothing is counted.
    effects: options.packet
      ? { packets: 0, bytes: 0, used: options.now, tcpFlags: flow[W.ETH_TYPE]! & 0xfff }
      : undefined,
    cache: undefined,
    trace: remarks,
    ...(options.actions ? { actions: options.actions } : {}),
    now: options.now,
    hasPacket: options.packet !== undefined,
    onRecirc: (id, at, zone) => {
      const copy = Uint32Array.from(at);
      copy[W.RECIRC_ID] = id;
      copy[W.CT_ZONE] = (zone << 16) | (copy[W.CT_ZONE]! & 0xffff);
      copy[W.ACTSET_OUTPUT] = 0;
      queue.push({ id, flow: copy });
    },
  });
  held.push(...result.recircIds);
  renderRemarks(remarks, 0, out);
  const initial = new Uint32Array(LONG_KEY_WORDS);
  initial.set(flow);
  initial[W.ACTSET_OUTPUT] = OFPP.UNSET;
  const final = result.finalFlow ?? initial;
  const same = initial.every((word, i) => word === final[i]);
  out.push('', `Final flow: ${same ? 'unchanged' : text(final)}`);
  const match = new Match(flow.slice(0, KEY_WORDS), result.wc.slice(0, KEY_WORDS));
  match.tunMetadata = tunnelOptions(ofproto, flow, result.wc);
  for (let w = 0; w < match.key.length; w++) match.key[w]! &= match.mask[w]!;
  out.push(`Megaflow: ${formatMatch(match, { ports: options.ports })}`);
  out.push(`Datapath actions: ${options.formatActions(result.actions)}`);
  if (result.error) {
    out.push(`Translation failed (${XLATE_ERRORS[result.error]}), packet is dropped.`);
  } else if (result.slow !== 0) {
    out.push('This flow is handled by the userspace slow path because it:');
    for (const [bit, text] of SLOW_REASONS) if ((result.slow & bit) !== 0) out.push(`  - ${text}.`);
  }
  if (result.error === undefined && options.packet) execute(ofproto, options.packet, came, result.actions);
  return result.error !== undefined;
}

/** Has the datapath do to a packet what it would: tell controllers and collectors, meter it, track its connection. */
function execute(ofproto: Ofproto, packet: Uint8Array, flow: FlowKey, actions: Uint8Array): void {
  const key = flow.slice(0, KEY_WORDS);
  key[W.IN_PORT] = ofproto.port(flow[W.IN_PORT]!)?.dpPort ?? ODPP_NONE;
  // A flow that says nothing of the type makes a frame without one.
  if (key[W.PACKET_TYPE] === 0 && key[W.ETH_TYPE]! >>> 16 < ETH_TYPE_NONE)
    key[W.ETH_TYPE] = ((ETH_TYPE_NONE << 16) | (key[W.ETH_TYPE]! & 0xffff)) >>> 0;
  const kept = new NlWriter(actions.length);
  keepEffects(actions, kept);
  ofproto.backer.executeActions(packet, key, kept.bytes());
}

/** Actions without those that send the packet on. Of those within others only those of a clone are left out, as by the peer. */
function keepEffects(actions: Uint8Array, to: NlWriter): void {
  const reader = new NlReader(actions);
  while (reader.next()) {
    if (reader.type === Act.CLONE) {
      const nest = to.startNested(Act.CLONE);
      keepEffects(reader.bytes(), to);
      to.endNested(nest);
    } else if (reader.type !== Act.OUTPUT && reader.type !== Act.RECIRC) {
      to.putBytes(reader.type, reader.bytes());
    }
  }
}

/** The options of the packet's tunnel, and of them only what a mask has; a packet without a tunnel has none. */
function tunnelOptions(ofproto: Ofproto, key: FlowKey, mask?: FlowKey): readonly TunMetadata[] | undefined {
  return hasTunnel(key) ? ofproto.tables.tlv.options(key, mask) : undefined;
}
