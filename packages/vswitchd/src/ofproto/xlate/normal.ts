/**
 * The NORMAL action: a learning switch with VLANs (ovs-vswitchd.conf.db(5), Port, "VLAN Configuration").
 *
 * A packet belongs to a VLAN by its tag and the mode of the port it came in on; it goes to the port on which the
 * destination was heard in that VLAN, or to all ports of the VLAN. The tag on the way out depends on the mode of the
 * port it leaves by.
 */
import { formatMac } from '@ovs-node/flow/addr-text';
import { VLAN_CFI, VLAN_VID, W } from '@ovs-node/flow/layout';
import { OFPP } from '@ovs-node/flow/ports';
import { PACKET_TYPE } from '@ovs-node/openflow/actions/packet-type';
import type { Bundle } from '../ports.js';
import type { InBundle, XlateContext } from './context.js';
import { ETH_ARP, ethDst, ethSrc, ethType, ipProto, isVlanType, maskEthDst, maskEthSrc } from './header.js';

const BROADCAST = 0xffffffffffffn;
const PCP_MASK = 0xe000;
const TPID_8021Q = 0x8100;

/** Two VLAN tags as values, outer first; no tag: all 0. */
interface Tags {
  tpid: [number, number];
  vid: [number, number];
  pcp: [number, number];
}

type OutputTo = (ctx: XlateContext, ofport: number, isLast: boolean) => void;

export function normalAction(ctx: XlateContext, output: OutputTo): void {
  const { flow, wc, ofproto } = ctx;
  maskEthSrc(wc);
  maskEthDst(wc);
  wc[W.VLAN0]! |= VLAN_VID | VLAN_CFI;

  const inBundle = inputBundle(ctx);
  if (!inBundle) {
    ctx.reportError(`received packet on unknown port ${flow[W.IN_PORT]!}`);
    ctx.report('warn', 'no input bundle, dropping');
    return;
  }
  if (isVlanType(ethType(flow)) && (flow[W.VLAN0]! & VLAN_CFI) === 0) {
    ctx.report('warn', 'partial VLAN tag, dropping');
    return;
  }
  const inTags = extractTags(flow);
  if (inBundle !== 'none' && !inputVlanAllowed(ctx, inTags.vid[0], inBundle)) {
    ctx.report('warn', 'disallowed VLAN VID for this input port, dropping');
    return;
  }
  const tags = inBundle === 'none' ? inTags : translateInput(inBundle, inTags);
  const vlan = tags.vid[0];
  const dst = ethDst(flow);
  if (inBundle !== 'none' && !ofproto.settings.forwardBpdu && isReserved(dst)) {
    ctx.report('detail', 'packet has reserved destination MAC, dropping');
    return;
  }

  const isGratArp = isGratuitousArp(flow, wc);
  if (inBundle !== 'none') {
    const { effects, cache, now } = ctx.input;
    const mac = ethSrc(flow);
    const inPort = flow[W.IN_PORT]!;
    const isEthernet = flow[W.PACKET_TYPE] === PACKET_TYPE.ETHERNET;
    const learned = effects && isEthernet ? ofproto.learnMac(inPort, mac, vlan, isGratArp, now) : undefined;
    if (learned && ctx.trace !== undefined) {
      ctx.report('detail', `learned that ${formatMac(mac)} is on port ${learned.name} in VLAN ${vlan}`);
    }
    cache?.push({ type: 'learn-mac', ofproto, inPort, mac, vlan, isGratArp });
  }

  const known = ofproto.macTable.lookup(dst, vlan, ctx.input.now);
  if (!known) {
    ctx.report('detail', 'no learned MAC for destination, flooding');
    for (const bundle of ofproto.bundles.values()) {
      if (bundle !== inBundle && includesVlan(ctx, bundle, tags) && bundle.floodable) {
        outputNormal(ctx, bundle, tags, output);
      }
    }
  } else if (known !== inBundle) {
    ctx.report('detail', 'forwarding to learned port');
    outputNormal(ctx, known, tags, output);
  } else {
    ctx.report('detail', 'learned port is input port, dropping');
  }
}

/** The bundle of the port that the packet came in on; 'none' for a packet that came from a controller. */
function inputBundle(ctx: XlateContext): InBundle {
  const inPort = ctx.flow[W.IN_PORT]!;
  if (inPort === OFPP.CONTROLLER || inPort === OFPP.ANY) return 'none';
  return ctx.ofproto.port(inPort)?.bundle;
}

function extractTags(flow: Uint32Array): Tags {
  const tags: Tags = { tpid: [0, 0], vid: [0, 0], pcp: [0, 0] };
  for (let i = 0; i < 2; i++) {
    const tag = flow[W.VLAN0 + i]!;
    if ((tag & VLAN_CFI) === 0 || !isVlanType(tag >>> 16)) break;
    tags.tpid[i as 0 | 1] = tag >>> 16;
    tags.vid[i as 0 | 1] = tag & VLAN_VID;
    tags.pcp[i as 0 | 1] = tag & PCP_MASK;
  }
  return tags;
}

function trunks(bundle: Bundle, vlan: number): boolean {
  return bundle.trunks === undefined || bundle.trunks[vlan] === 1;
}

function admitsCustomer(bundle: Bundle, vlan: number): boolean {
  return bundle.customerVlans === undefined || bundle.customerVlans[vlan] === 1;
}

function inputVlanAllowed(ctx: XlateContext, vid: number, bundle: Bundle): boolean {
  switch (bundle.spec.vlanMode) {
    case 'access':
      if (vid === 0) return true;
      ctx.reportError(
        `dropping VLAN ${vid} tagged packet received on port ${bundle.name} configured as VLAN ${bundle.spec.vlan} access port`,
      );
      return false;
    case 'native-tagged':
    case 'native-untagged':
      if (vid === 0) return true;
      break;
    case 'dot1q-tunnel':
      if (admitsCustomer(bundle, vid)) return true;
      ctx.reportError(
        `dropping VLAN ${vid} packet received on dot1q-tunnel port ${bundle.name} that excludes this VLAN`,
      );
      return false;
    case 'trunk':
  }
  if (trunks(bundle, vid)) return true;
  ctx.reportError(
    `dropping VLAN ${vid} packet received on port ${bundle.name} not configured for trunking VLAN ${vid}`,
  );
  return false;
}

/** The packet's tags inside the switch. */
function translateInput(bundle: Bundle, tags: Tags): Tags {
  const { vlan } = bundle.spec;
  switch (bundle.spec.vlanMode) {
    case 'access':
      return { tpid: [tags.tpid[0] || TPID_8021Q, 0], vid: [vlan, 0], pcp: [tags.pcp[0], 0] };
    case 'native-tagged':
    case 'native-untagged':
      if (tags.vid[0] !== 0) return tags;
      return { tpid: [tags.tpid[0] || TPID_8021Q, tags.tpid[1]], vid: [vlan, tags.vid[1]], pcp: tags.pcp };
    case 'dot1q-tunnel':
      return {
        tpid: [bundle.spec.tunnelType, tags.tpid[0]],
        vid: [vlan, tags.vid[0]],
        pcp: [0, tags.pcp[0]],
      };
    case 'trunk':
      return tags;
  }
}

/** The packet's tags on the wire of a port. */
function translateOutput(bundle: Bundle, tags: Tags): Tags {
  switch (bundle.spec.vlanMode) {
    case 'access':
      return { tpid: [0, 0], vid: [0, 0], pcp: [0, 0] };
    case 'native-untagged':
      return tags.vid[0] === bundle.spec.vlan ? popTag(tags) : tags;
    case 'dot1q-tunnel':
      return popTag(tags);
    case 'trunk':
    case 'native-tagged':
      return tags;
  }
}

function popTag(tags: Tags): Tags {
  return { tpid: [tags.tpid[1], 0], vid: [tags.vid[1], 0], pcp: [tags.pcp[1], 0] };
}

function includesVlan(ctx: XlateContext, bundle: Bundle, tags: Tags): boolean {
  switch (bundle.spec.vlanMode) {
    case 'access':
      return tags.vid[0] === bundle.spec.vlan && tags.vid[1] === 0;
    case 'dot1q-tunnel':
      if (tags.vid[0] !== bundle.spec.vlan) return false;
      maskCustomer(ctx, bundle);
      return admitsCustomer(bundle, tags.vid[1]);
    case 'trunk':
    case 'native-tagged':
    case 'native-untagged':
      return trunks(bundle, tags.vid[0]);
  }
}

/** What goes to a port that does not admit every customer depends on the customer. */
function maskCustomer({ wc }: XlateContext, { spec, customerVlans }: Bundle): void {
  if (spec.vlanMode === 'dot1q-tunnel' && customerVlans !== undefined) wc[W.VLAN1] = 0xffffffff;
}

function outputNormal(ctx: XlateContext, bundle: Bundle, tags: Tags, output: OutputTo): void {
  const port = bundle.ports[0];
  if (!port) return;
  const { flow } = ctx;
  maskCustomer(ctx, bundle);
  let out = translateOutput(bundle, tags);
  const { priorityTags } = bundle.spec;
  if (priorityTags !== 'no') {
    out = { ...out, pcp: [flow[W.VLAN0]! & PCP_MASK, out.pcp[1]] };
  }
  const saved0 = flow[W.VLAN0]!;
  const saved1 = flow[W.VLAN1]!;
  for (const i of [0, 1] as const) {
    const tci = out.vid[i] | out.pcp[i];
    // A tag of VLAN 0 without priority says nothing, so only "always" keeps one that came in.
    const tagged = tci !== 0 || (i === 0 && priorityTags === 'always' && out.tpid[0] !== 0);
    flow[W.VLAN0 + i] = tagged ? ((out.tpid[i] || TPID_8021Q) << 16) | VLAN_CFI | tci : 0;
  }
  output(ctx, port.ofport, false);
  flow[W.VLAN0] = saved0;
  flow[W.VLAN1] = saved1;
}

/** An ARP packet that announces its sender to everybody. What it takes to know is un-wildcarded. */
function isGratuitousArp(flow: Uint32Array, wc: Uint32Array): boolean {
  if (ethType(flow) !== ETH_ARP) return false;
  maskEthDst(wc);
  if (ethDst(flow) !== BROADCAST) return false;
  wc[W.NW]! |= 0xff000000;
  const op = ipProto(flow);
  if (op === 2) return true;
  if (op !== 1) return false;
  wc[W.NW_SRC] = 0xffffffff;
  wc[W.NW_DST] = 0xffffffff;
  return flow[W.NW_SRC] === flow[W.NW_DST];
}

/** Addresses of link-local protocols (ovs-vswitchd.conf.db(5), forward-bpdu): address and bits that may vary. */
const RESERVED: readonly (readonly [mac: bigint, mask: bigint])[] = [
  [0x0180c2000000n, 0xfffffffffff0n],
  [0x00e02b000000n, BROADCAST],
  [0x00e02b000004n, BROADCAST],
  [0x00e02b000006n, BROADCAST],
  [0x01000c000000n, BROADCAST],
  [0x01000cccccccn, BROADCAST],
  [0x01000ccdcdcdn, BROADCAST],
  [0x01000cccccc0n, 0xfffffffffff8n],
];

/** Whether NORMAL does not forward to this address unless told to. */
export function isReserved(mac: bigint): boolean {
  return RESERVED.some(([address, mask]) => (mac & mask) === address);
}
