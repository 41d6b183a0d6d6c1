/** ovs_flow: NEW, SET, DEL, GET. Flows are known by UFID or, when made without one, by their unmasked key. */
import { DP_WORDS, newKey, W } from '@ovs-node/flow/layout';
import { NetlinkError, type NlWriter } from '@ovs-node/netlink/attr';
import type { AttrValues } from '@ovs-node/netlink/attr-table';
import { Family, FamilyVersion, FLOW_ATTRS, FlowCmd, UfidFlag } from '@ovs-node/netlink/families';
import { decodeMask, encodeKey, encodeMask, exactMask, keyOf } from '@ovs-node/netlink/key';
import { beginMessage, endMessage, NlFlag } from '@ovs-node/netlink/messages';
import { compileActions } from '../actions/compile.js';
import type { Program } from '../actions/program.js';
import type { Datapath } from '../datapath.js';
import { Errno } from '../errno.js';
import { Flow } from '../flow-table/flow.js';
import { keyId, ufidId } from '../flow-table/flow-table.js';
import type { Dump } from '../handle.js';
import { ListDump, type Request } from './request.js';

type Attrs = AttrValues<typeof FLOW_ATTRS>;

/** A request's key and mask as words; `key` is not masked. Throws `NetlinkError`. */
function matchOf(attrs: Attrs, isTyped: boolean): { key: Uint32Array; mask: Uint32Array } {
  if (attrs.KEY === undefined) throw new NetlinkError(Errno.EINVAL, 'flow key is missing');
  const key = keyOf(attrs.KEY);
  const mask = newKey();
  if (attrs.MASK === undefined) exactMask(key, mask);
  else decodeMask(attrs.MASK, 0, attrs.MASK.length, key, mask);
  // Where it is not said, packets with and without Ethernet header are told apart all the same.
  if (!isTyped) mask[W.PACKET_TYPE] = 0xffffffff;
  return { key: key.slice(0, DP_WORDS), mask: mask.slice(0, DP_WORDS) };
}

function masked(key: Uint32Array, mask: Uint32Array): Uint32Array {
  return key.map((word, i) => word & mask[i]);
}

/** The identity that a request gives: UFID, or else the key. Throws `NetlinkError`. */
function idOf(attrs: Attrs): string {
  const ufid = attrs.UFID;
  if (ufid !== undefined && ufid.length > 0) return ufidId(ufid);
  if (attrs.KEY === undefined) throw new NetlinkError(Errno.EINVAL, 'flow needs a UFID or a key');
  return keyId(keyOf(attrs.KEY));
}

function find(dp: Datapath, attrs: Attrs): Flow {
  const flow = dp.flows.get(idOf(attrs));
  if (flow === undefined) throw new NetlinkError(Errno.ENOENT, 'no such flow');
  return flow;
}

/** Appends one flow as the message of `cmd`. `omit` are `UfidFlag` bits; a flow without UFID keeps its key. */
function put(
  w: NlWriter,
  dp: Datapath,
  flow: Flow,
  omit: number,
  flags: number,
  seq: number,
  pid: number,
  cmd: number,
): void {
  const mark = beginMessage(w, Family.FLOW, flags, seq, pid, cmd, FamilyVersion.FLOW, dp.index);
  const encoding = dp.core.keyEncoding;
  if (flow.ufid !== null) w.putBytes(FLOW_ATTRS.UFID.code, flow.ufid);
  if (flow.ufid === null || (omit & UfidFlag.OMIT_KEY) === 0) {
    const nest = w.startNested(FLOW_ATTRS.KEY.code);
    encodeKey(w, flow.key, encoding);
    w.endNested(nest);
  }
  if ((omit & UfidFlag.OMIT_MASK) === 0) {
    const nest = w.startNested(FLOW_ATTRS.MASK.code);
    encodeMask(w, flow.key, flow.mask, encoding);
    w.endNested(nest);
  }
  if (flow.packets > 0) {
    const stats = w.startNested(FLOW_ATTRS.STATS.code);
    w.rawU64n(flow.packets);
    w.rawU64n(flow.bytes);
    w.endNested(stats);
    w.putU64n(FLOW_ATTRS.USED.code, Math.floor(flow.used));
    if ((flow.tcpFlags & 0xff) !== 0) w.putU8(FLOW_ATTRS.TCP_FLAGS.code, flow.tcpFlags & 0xff);
  }
  if ((omit & UfidFlag.OMIT_ACTIONS) === 0) w.putBytes(FLOW_ATTRS.ACTIONS.code, flow.actions);
  endMessage(w, mark);
}

function clearStats(flow: Flow): void {
  flow.packets = 0;
  flow.bytes = 0;
  flow.used = 0;
  flow.tcpFlags = 0;
}

/** Answers with the flow when the requester asked for an echo. */
function echo(request: Request, dp: Datapath, flow: Flow, attrs: Attrs, cmd: number): void {
  if ((request.msg.flags & NlFlag.ECHO) === 0) return;
  put(request.w, dp, flow, attrs.UFID_FLAGS ?? 0, 0, request.msg.seq, request.handle.pid, cmd);
}

/**
 * Makes a flow, or changes the actions of the one with the same identity (EEXIST when NLM_F_CREATE or EXCL is set and
 * there is one). KEY and ACTIONS are required; no MASK means an exact match.
 */
export function flowNew(request: Request): void {
  const attrs = request.attrs(FLOW_ATTRS);
  if (attrs.ACTIONS === undefined) throw new NetlinkError(Errno.EINVAL, 'flow actions are missing');
  const dp = request.datapath();
  const { key, mask } = matchOf(attrs, dp.core.keyEncoding.packetType);
  const program = compileActions(attrs.ACTIONS, masked(key, mask));
  const ufid = attrs.UFID !== undefined && attrs.UFID.length > 0 ? attrs.UFID.slice() : null;
  const id = ufid !== null ? ufidId(ufid) : keyId(key);
  const old = dp.flows.get(id);
  if (old !== undefined) {
    if ((request.msg.flags & (NlFlag.CREATE | NlFlag.EXCL)) !== 0)
      throw new NetlinkError(Errno.EEXIST, 'flow exists');
    replace(dp, old, attrs.ACTIONS, program);
    if (attrs.CLEAR === true) clearStats(old);
    echo(request, dp, old, attrs, FlowCmd.NEW);
    return;
  }
  const flow = new Flow(key, mask, ufid, id, attrs.ACTIONS.slice(), program);
  const errno = dp.flows.insert(flow);
  if (errno !== 0)
    throw new NetlinkError(errno, errno === Errno.EEXIST ? 'flow exists' : 'flow table is full');
  echo(request, dp, flow, attrs, FlowCmd.NEW);
}

function replace(dp: Datapath, flow: Flow, actions: Uint8Array, program: Program): void {
  dp.flows.actionBytes += actions.length - flow.actions.length;
  flow.actions = actions.slice();
  flow.program = program;
}

/** Changes the actions of a flow (when ACTIONS is given) and clears its statistics (when CLEAR is). */
export function flowSet(request: Request): void {
  const attrs = request.attrs(FLOW_ATTRS);
  const dp = request.datapath();
  const flow = find(dp, attrs);
  if (attrs.ACTIONS !== undefined) {
    replace(dp, flow, attrs.ACTIONS, compileActions(attrs.ACTIONS, flow.maskedKey()));
  }
  if (attrs.CLEAR === true) clearStats(flow);
  echo(request, dp, flow, attrs, FlowCmd.NEW);
}

/** Deletes a flow and answers with it as it was; without UFID and KEY, deletes all. */
export function flowDel(request: Request): void {
  const attrs = request.attrs(FLOW_ATTRS);
  const dp = request.datapath();
  if (attrs.KEY === undefined && (attrs.UFID === undefined || attrs.UFID.length === 0)) {
    dp.flows.flush();
    return;
  }
  const flow = find(dp, attrs);
  dp.flows.remove(flow);
  put(request.w, dp, flow, attrs.UFID_FLAGS ?? 0, 0, request.msg.seq, request.handle.pid, FlowCmd.DEL);
}

/** One flow, or a dump of all. */
export function flowGet(request: Request): Dump | void {
  const attrs = request.attrs(FLOW_ATTRS);
  const dp = request.datapath();
  const omit = attrs.UFID_FLAGS ?? 0;
  const { seq } = request.msg;
  const { pid } = request.handle;
  if (request.isDump) {
    return new ListDump(request, [...dp.flows.flows()], (w, flow) => {
      if (!flow.dead) put(w, dp, flow, omit, NlFlag.MULTI, seq, pid, FlowCmd.NEW);
    });
  }
  put(request.w, dp, find(dp, attrs), omit, 0, seq, pid, FlowCmd.NEW);
}
