/** ovs_datapath: NEW, DEL, GET, SET. */
import { MAX_VLANS } from '@ovs-node/flow/extract';
import { NetlinkError, type NlWriter } from '@ovs-node/netlink/attr';
import { DP_ATTRS, DpCmd, DpFeature, Family, FamilyVersion } from '@ovs-node/netlink/families';
import { beginMessage, endMessage, NlFlag } from '@ovs-node/netlink/messages';
import type { DatapathCore } from '../core.js';
import type { Datapath } from '../datapath.js';
import { Errno } from '../errno.js';
import type { Dump } from '../handle.js';
import { ListDump, type Request } from './request.js';

const FEATURES = DpFeature.UNALIGNED | DpFeature.VPORT_PIDS | DpFeature.DISPATCH_UPCALL_PER_CPU;

type Attrs = ReturnType<typeof attrsOf>;

function attrsOf(request: Request) {
  return request.attrs(DP_ATTRS);
}

/** By name when there is one, else by number. Throws ENODEV. */
function find(request: Request, attrs: Attrs): Datapath {
  if (attrs.NAME === undefined) return request.datapath();
  const dp = request.core.byName.get(attrs.NAME);
  if (dp === undefined) throw new NetlinkError(Errno.ENODEV, `no datapath "${attrs.NAME}"`);
  return dp;
}

function check(attrs: Attrs): void {
  const features = attrs.USER_FEATURES ?? 0;
  if ((features & ~FEATURES) !== 0) {
    throw new NetlinkError(
      Errno.EOPNOTSUPP,
      `datapath features 0x${(features & ~FEATURES).toString(16)} are not supported`,
    );
  }
  const limit = attrs.VLAN_LIMIT ?? 0;
  if (limit > MAX_VLANS)
    throw new NetlinkError(Errno.EINVAL, `${limit} VLAN tags are more than can be parsed`);
}

function apply(core: DatapathCore, dp: Datapath, attrs: Attrs): void {
  if (attrs.USER_FEATURES !== undefined) dp.userFeatures = attrs.USER_FEATURES;
  if (attrs.PER_CPU_PIDS !== undefined) dp.perCpuPids = Uint32Array.from(attrs.PER_CPU_PIDS);
  if (attrs.VLAN_LIMIT !== undefined) core.limitVlans(attrs.VLAN_LIMIT);
}

function put(w: NlWriter, dp: Datapath, flags: number, seq: number, pid: number, cmd: number): void {
  const mark = beginMessage(w, Family.DATAPATH, flags, seq, pid, cmd, FamilyVersion.DATAPATH, dp.index);
  w.putString(DP_ATTRS.NAME.code, dp.name);
  const { flows, drops } = dp;
  const stats = w.startNested(DP_ATTRS.STATS.code);
  w.rawU64n(flows.hits);
  w.rawU64n(flows.misses);
  w.rawU64n(drops.noHandler + drops.upcallLost + drops.upcallTooLong);
  w.rawU64n(flows.size);
  w.endNested(stats);
  const mega = w.startNested(DP_ATTRS.MEGAFLOW_STATS.code);
  w.rawU64n(flows.maskHits);
  w.rawU32(flows.maskCount);
  w.rawU32(0);
  w.rawU64n(flows.cacheHits);
  w.rawU64n(0);
  w.endNested(mega);
  w.putU32(DP_ATTRS.USER_FEATURES.code, dp.userFeatures);
  endMessage(w, mark);
}

/** Makes a datapath: NAME required, UPCALL_PID (of its local port), USER_FEATURES, PER_CPU_PIDS. */
export function dpNew(request: Request): void {
  const attrs = attrsOf(request);
  if (attrs.NAME === undefined || attrs.NAME === '')
    throw new NetlinkError(Errno.EINVAL, 'a datapath needs a name');
  check(attrs);
  const pids = attrs.UPCALL_PID === undefined || attrs.UPCALL_PID === 0 ? [] : [attrs.UPCALL_PID];
  const dp = request.core.addDatapath(attrs.NAME, Uint32Array.from(pids));
  if (typeof dp === 'number') throw new NetlinkError(dp, `cannot make datapath "${attrs.NAME}"`);
  apply(request.core, dp, attrs);
  put(request.w, dp, 0, request.msg.seq, request.handle.pid, DpCmd.NEW);
}

/** Deletes a datapath with its ports, flows and connections. */
export function dpDel(request: Request): void {
  const dp = find(request, attrsOf(request));
  put(request.w, dp, 0, request.msg.seq, request.handle.pid, DpCmd.DEL);
  request.core.delDatapath(dp);
}

/** One datapath, or a dump of all. */
export function dpGet(request: Request): Dump | void {
  const { seq } = request.msg;
  const { pid } = request.handle;
  if (request.isDump) {
    const all = [...request.core.byIndex.values()];
    return new ListDump(request, all, (w, dp) => put(w, dp, NlFlag.MULTI, seq, pid, DpCmd.NEW));
  }
  put(request.w, find(request, attrsOf(request)), 0, seq, pid, DpCmd.NEW);
}

/** Changes features, upcall PIDs and the number of VLAN tags that are parsed. */
export function dpSet(request: Request): void {
  const attrs = attrsOf(request);
  const dp = find(request, attrs);
  check(attrs);
  apply(request.core, dp, attrs);
  put(request.w, dp, 0, request.msg.seq, request.handle.pid, DpCmd.NEW);
}
