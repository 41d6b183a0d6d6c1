/**
 * Checks an action list as a flow's or a packet's actions and compiles it.
 *
 * The checks are those of the Linux datapath: exact payload lengths, no unknown action, a field set only when the
 * flow's key says that the packet has it, no value bit outside of the mask, and so on. What this datapath does not
 * have yet (NAT to an address, helpers, timeout policies, tunnels) is refused in words, never ignored.
 */
import {
  Act,
  ACTION_ATTRS,
  CheckPktLenAttr,
  CtAct,
  SampleAttr,
  UserspaceAttr,
} from '@ovs-node/netlink/action-attrs';
import { NlReader } from '@ovs-node/netlink/attr';
import { attrName, type AttrRow } from '@ovs-node/netlink/attr-table';
import { VLAN_CFI } from '@ovs-node/flow/layout';
import { helperNumber } from '../conntrack/helpers.js';
import { Errno } from '../errno.js';
import { MAX_NESTING, MAX_PORTS } from '../limits.js';
import { Builder, refuse } from './builder.js';
import { compilePopEth, compilePopNsh, compilePushEth, compilePushNsh } from './compile-encap.js';
import { compileSet, compileSetMasked, isMpls, requireEthernet } from './compile-set.js';
import { Op, type Program } from './program.js';

const ETH_HLEN = 14;
const TEB = 0x6558;
/** Flag of add_mpls: the entry goes below the Ethernet header, not before it. */
const BELOW_ETHERNET = 1;

const ROWS = new Map<number, AttrRow>(Object.values(ACTION_ATTRS).map((row) => [row.code, row]));
const FIXED: Readonly<Record<string, number>> = { flag: 0, u32: 4, be16: 2 };

/**
 * Compiles the attribute list `actions`, for packets whose key is `key` as far as it is matched (unmatched bits
 * zero). They may be as many as a message has: Linux has a limit, the peer's userspace datapath none. The program
 * keeps no reference to `actions`. Throws `NetlinkError` with an errno and a reason.
 */
export function compileActions(actions: Uint8Array, key: Uint32Array): Program {
  return compileList(actions, new Builder(key.slice(), 0));
}

function compileList(actions: Uint8Array, b: Builder): Program {
  if (b.depth > MAX_NESTING) refuse(`actions: nested more than ${MAX_NESTING} deep`);
  const r = new NlReader(actions);
  while (r.next()) {
    const row = ROWS.get(r.type);
    if (row === undefined) refuse(`unknown action ${r.type}`);
    const want = FIXED[row.kind] ?? row.len;
    if (want !== undefined && want !== r.length) {
      refuse(`action ${attrName(ACTION_ATTRS, r.type)} has length ${r.length}, expected ${want}`);
    }
    compileOne(b, r);
  }
  if (r.malformed) refuse('actions: trailing bytes or a bad attribute length');
  return b.finish();
}

function compileOne(b: Builder, r: NlReader): void {
  switch (r.type) {
    case Act.OUTPUT: {
      const port = r.u32();
      if (port >= MAX_PORTS) refuse(`output: port number ${port} is too large`);
      b.code.push(Op.OUTPUT, port);
      return;
    }
    case Act.USERSPACE:
      return compileUserspace(b, r);
    case Act.SET:
      return compileSet(b, r);
    case Act.SET_MASKED:
      return compileSetMasked(b, r);
    case Act.PUSH_VLAN: {
      requireEthernet(b, 'push_vlan');
      const tpid = r.be16(0);
      const tci = r.be16(2);
      if (tpid !== 0x8100 && tpid !== 0x88a8)
        refuse(`push_vlan: 0x${tpid.toString(16)} is no VLAN Ethernet type`);
      if ((tci & VLAN_CFI) === 0) refuse('push_vlan: the CFI bit of the TCI must be set');
      b.code.push(Op.PUSH_VLAN, (tpid << 16) | tci | 0);
      return;
    }
    case Act.POP_VLAN:
      requireEthernet(b, 'pop_vlan');
      b.code.push(Op.POP_VLAN);
      return;
    case Act.PUSH_MPLS:
    case Act.ADD_MPLS: {
      const type = r.be16(4);
      if (!isMpls(type)) refuse(`push_mpls: 0x${type.toString(16)} is no MPLS Ethernet type`);
      const isBefore = r.type === Act.ADD_MPLS && (r.bytes()[6] & BELOW_ETHERNET) === 0;
      b.code.push(isBefore ? Op.ADD_MPLS : Op.PUSH_MPLS, r.be32(0) | 0, type);
      b.setEthType(type);
      if (isBefore || b.packetType !== 0) b.packetType = 0x10000 | type;
      return;
    }
    case Act.POP_MPLS: {
      if (!isMpls(b.ethType)) refuse('pop_mpls: the flow does not match MPLS');
      const type = r.be16(0);
      b.code.push(Op.POP_MPLS, type);
      // What it really is that comes up is not known before the headers are read again.
      b.setEthType(isMpls(type) ? type : 0);
      if (b.packetType !== 0) b.packetType = type === TEB ? 0 : 0x10000 | type;
      return;
    }
    case Act.PUSH_ETH:
      return compilePushEth(b, r);
    case Act.POP_ETH:
      return compilePopEth(b);
    case Act.PUSH_NSH:
      return compilePushNsh(b, r);
    case Act.POP_NSH:
      return compilePopNsh(b);
    case Act.RECIRC:
      // `hash` may be among the actions that follow.
      if (b.isTupleChanged) b.keepTuple();
      b.code.push(Op.RECIRC, r.u32() | 0);
      return;
    case Act.HASH: {
      const algorithm = r.u32(0);
      if (algorithm > 1) refuse(`hash: unknown algorithm ${algorithm}`);
      if (algorithm === 0) b.keepTuple();
      b.code.push(Op.HASH, algorithm, r.u32(4) | 0);
      return;
    }
    case Act.CT:
      return compileCt(b, r);
    case Act.CT_CLEAR:
      b.code.push(Op.CT_CLEAR);
      return;
    case Act.TRUNC: {
      const max = r.u32();
      if (max < ETH_HLEN) refuse(`trunc: ${max} bytes are less than an Ethernet header`);
      b.code.push(Op.TRUNC, max > 0x7fffffff ? 0x7fffffff : max);
      return;
    }
    case Act.DROP:
      b.code.push(Op.DROP, r.u32() | 0);
      return;
    case Act.CLONE:
      b.code.push(Op.CLONE, nest(b, r.bytes()));
      return;
    case Act.METER:
      b.code.push(Op.METER, r.u32() | 0);
      return;
    case Act.SAMPLE:
      return compileSample(b, r);
    case Act.CHECK_PKT_LEN:
      return compileCheckPktLen(b, r);
    default:
      refuse(`action ${attrName(ACTION_ATTRS, r.type)} is not supported by this datapath`);
  }
}

function nest(b: Builder, actions: Uint8Array): number {
  const inner = new Builder(b.key.slice(), b.depth + 1, b.flowType);
  inner.isTupleChanged = b.isTupleChanged;
  const program = compileList(actions, inner);
  if (program.code[0] === Op.TUPLE) b.keepTuple();
  b.nested.push(program);
  return b.nested.length - 1;
}

function compileUserspace(b: Builder, r: NlReader): void {
  const inner = r.enter(new NlReader());
  let pid: number | null = null;
  let userdata: Uint8Array | null = null;
  let withActions = false;
  let egressPort: number | null = null;
  while (inner.next()) {
    switch (inner.type) {
      case UserspaceAttr.PID:
        if (inner.length !== 4) refuse('userspace: bad length of the PID');
        pid = inner.u32();
        break;
      case UserspaceAttr.USERDATA:
        userdata = inner.bytes().slice();
        break;
      case UserspaceAttr.EGRESS_TUN_PORT:
        if (inner.length !== 4) refuse('userspace: bad length of the tunnel port');
        egressPort = inner.u32();
        break;
      case UserspaceAttr.ACTIONS:
        withActions = true;
        break;
      default:
        refuse(`userspace: unknown attribute ${inner.type}`);
    }
  }
  if (inner.malformed) refuse('userspace: malformed attributes');
  if (pid === null || pid === 0) refuse('userspace: a nonzero PID is required');
  b.code.push(Op.USERSPACE, b.userspace.length);
  b.userspace.push({ pid, userdata, withActions, egressPort });
}

function compileSample(b: Builder, r: NlReader): void {
  const inner = r.enter(new NlReader());
  let probability: number | null = null;
  let actions: Uint8Array | null = null;
  while (inner.next()) {
    if (inner.type === SampleAttr.PROBABILITY && inner.length === 4) probability = inner.u32();
    else if (inner.type === SampleAttr.ACTIONS) actions = inner.bytes();
    else refuse(`sample: bad attribute ${inner.type}`);
  }
  if (inner.malformed || probability === null || actions === null)
    refuse('sample: probability and actions are required');
  b.code.push(Op.SAMPLE, probability | 0, nest(b, actions));
}

function compileCheckPktLen(b: Builder, r: NlReader): void {
  const inner = r.enter(new NlReader());
  let length: number | null = null;
  let greater: Uint8Array | null = null;
  let notGreater: Uint8Array | null = null;
  while (inner.next()) {
    if (inner.type === CheckPktLenAttr.PKT_LEN && inner.length === 2) length = inner.u16();
    else if (inner.type === CheckPktLenAttr.ACTIONS_IF_GREATER) greater = inner.bytes();
    else if (inner.type === CheckPktLenAttr.ACTIONS_IF_LESS_EQUAL) notGreater = inner.bytes();
    else refuse(`check_pkt_len: bad attribute ${inner.type}`);
  }
  if (inner.malformed || length === null || greater === null || notGreater === null) {
    refuse('check_pkt_len: a length and both action lists are required');
  }
  b.code.push(Op.CHECK_PKT_LEN, length, nest(b, greater), nest(b, notGreater));
}

function compileCt(b: Builder, r: NlReader): void {
  // As in Linux: a packet that is labelled by now is tracked as an invalid one.
  const type = b.flowType;
  if (type !== 0x0800 && type !== 0x86dd) refuse('ct: the flow does not match IPv4 or IPv6');
  const inner = r.enter(new NlReader());
  let commit = false;
  let force = false;
  let nat = false;
  let zone = 0;
  let helper = 0;
  let markValue = 0;
  let markMask = 0;
  let label: Uint32Array | null = null;
  let labelMask: Uint32Array | null = null;
  while (inner.next()) {
    switch (inner.type) {
      case CtAct.COMMIT:
        commit = true;
        break;
      case CtAct.FORCE_COMMIT:
        commit = force = true;
        break;
      case CtAct.ZONE:
        if (inner.length !== 2) refuse('ct: bad length of the zone');
        zone = inner.u16();
        break;
      case CtAct.MARK:
        if (inner.length !== 8) refuse('ct: bad length of the mark');
        markValue = inner.u32(0);
        markMask = inner.u32(4);
        if (markMask === 0) refuse('ct: the mask of the mark is zero');
        break;
      case CtAct.LABELS: {
        if (inner.length !== 32) refuse('ct: bad length of the labels');
        label = new Uint32Array(4);
        labelMask = new Uint32Array(4);
        for (let i = 0; i < 4; i++) {
          label[i] = inner.be32(4 * i);
          labelMask[i] = inner.be32(16 + 4 * i);
        }
        if (labelMask.every((word) => word === 0)) refuse('ct: the mask of the labels is zero');
        break;
      }
      case CtAct.EVENTMASK:
        if (inner.length !== 4) refuse('ct: bad length of the event mask');
        break;
      case CtAct.NAT:
        // Without an address it is for connections that have been translated, of which there are none.
        nat = true;
        if (inner.length !== 0) refuse('ct: nat is not supported by this datapath yet', Errno.EOPNOTSUPP);
        break;
      case CtAct.HELPER:
        helper = helperNumber(inner.string());
        if (helper < 0) refuse('ct: unknown helper');
        break;
      case CtAct.TIMEOUT:
        refuse('ct: timeout policies are not supported by this datapath yet', Errno.EOPNOTSUPP);
        break;
      default:
        refuse(`ct: unknown attribute ${inner.type}`);
    }
  }
  if (inner.malformed) refuse('ct: malformed attributes');
  if (!commit && markMask !== 0) refuse('ct: setting the mark requires commit');
  if (!commit && labelMask !== null) refuse('ct: setting the labels requires commit');
  b.code.push(Op.CT, b.ct.length);
  b.ct.push({ commit, force, nat, zone, helper, markValue, markMask, label, labelMask });
}
