/** ovs_vport: NEW, DEL, GET, SET, and the events of multicast group 101. */
import { NetlinkError, NlWriter } from '@ovs-node/netlink/attr';
import type { AttrValues } from '@ovs-node/netlink/attr-table';
import { Family, FamilyVersion, McGroup, VPORT_ATTRS, VportCmd } from '@ovs-node/netlink/families';
import { beginMessage, endMessage, NlFlag } from '@ovs-node/netlink/messages';
import type { Datapath } from '../datapath.js';
import { Errno } from '../errno.js';
import type { Dump } from '../handle.js';
import type { Vport } from '../vport.js';
import { ListDump, type Request } from './request.js';

type Attrs = AttrValues<typeof VPORT_ATTRS>;

/** The PIDs that say "no upcalls" are dropped: they are zero. */
function pidsOf(attrs: Attrs): Uint32Array {
  return Uint32Array.from((attrs.UPCALL_PID ?? []).filter((pid) => pid !== 0));
}

/** By name on any datapath (the request's when it names one), else by number. Throws ENODEV, EINVAL, EFBIG. */
function find(request: Request, attrs: Attrs): Vport {
  if (attrs.NAME !== undefined) {
    for (const dp of request.core.byIndex.values()) {
      if (request.msg.dpIfindex !== 0 && request.msg.dpIfindex !== dp.index) continue;
      const vport = dp.vportByName(attrs.NAME);
      if (vport !== null) return vport;
    }
    throw new NetlinkError(Errno.ENODEV, `no port "${attrs.NAME}"`);
  }
  if (attrs.PORT_NO === undefined) throw new NetlinkError(Errno.EINVAL, 'a port is named by NAME or PORT_NO');
  const vport = request.datapath().vport(attrs.PORT_NO);
  if (vport === null) throw new NetlinkError(Errno.ENODEV, `no port ${attrs.PORT_NO}`);
  return vport;
}

function put(w: NlWriter, vport: Vport, flags: number, seq: number, pid: number, cmd: number): void {
  const dp = vport.datapath;
  const mark = beginMessage(w, Family.VPORT, flags, seq, pid, cmd, FamilyVersion.VPORT, dp.index);
  w.putU32(VPORT_ATTRS.PORT_NO.code, vport.portNo);
  w.putU32(VPORT_ATTRS.TYPE.code, vport.type);
  w.putString(VPORT_ATTRS.NAME.code, vport.name);
  w.putU32(VPORT_ATTRS.IFINDEX.code, vport.provider.ifindex);
  const { stats } = vport;
  const nest = w.startNested(VPORT_ATTRS.STATS.code);
  w.rawU64n(stats.rxPackets);
  w.rawU64n(stats.txPackets);
  w.rawU64n(stats.rxBytes);
  w.rawU64n(stats.txBytes);
  w.rawU64n(stats.rxErrors);
  w.rawU64n(stats.txErrors);
  w.rawU64n(stats.rxDropped);
  w.rawU64n(stats.txDropped);
  w.endNested(nest);
  const pids = w.startNested(VPORT_ATTRS.UPCALL_PID.code);
  if (vport.upcallPids.length === 0) w.rawU32(0);
  for (const upcallPid of vport.upcallPids) w.rawU32(upcallPid);
  w.endNested(pids);
  if (vport.options !== null) w.putBytes(VPORT_ATTRS.OPTIONS.code, vport.options);
  endMessage(w, mark);
}

function sameBytes(a: Uint8Array, b: Uint8Array | null): boolean {
  return Buffer.compare(a, b ?? new Uint8Array(0)) === 0;
}

/** Tells those who joined the group that a port was made (NEW), changed (SET) or deleted (DEL). */
export function vportEvent(dp: Datapath, vport: Vport, cmd: number): void {
  if (!dp.core.hasListeners(McGroup.VPORT)) return;
  const w = new NlWriter(256);
  put(w, vport, 0, 0, 0, cmd);
  dp.core.multicast(McGroup.VPORT, w.bytes());
}

/** Adds a port: NAME, TYPE and UPCALL_PID required, PORT_NO and OPTIONS optional. */
export function vportNew(request: Request): void {
  const attrs = request.attrs(VPORT_ATTRS);
  if (
    attrs.NAME === undefined ||
    attrs.NAME === '' ||
    attrs.TYPE === undefined ||
    attrs.UPCALL_PID === undefined
  ) {
    throw new NetlinkError(Errno.EINVAL, 'a port needs NAME, TYPE and UPCALL_PID');
  }
  const dp = request.datapath();
  const vport = dp.addVport({
    type: attrs.TYPE,
    name: attrs.NAME,
    portNo: attrs.PORT_NO ?? null,
    options: attrs.OPTIONS === undefined ? null : attrs.OPTIONS.slice(),
    upcallPids: pidsOf(attrs),
  });
  if (typeof vport === 'number') throw new NetlinkError(vport, `cannot add port "${attrs.NAME}"`);
  put(request.w, vport, 0, request.msg.seq, request.handle.pid, VportCmd.NEW);
  vportEvent(dp, vport, VportCmd.NEW);
}

/** Deletes a port; the local one cannot be. */
export function vportDel(request: Request): void {
  const vport = find(request, request.attrs(VPORT_ATTRS));
  if (vport.portNo === 0) throw new NetlinkError(Errno.EINVAL, 'the local port cannot be deleted');
  put(request.w, vport, 0, request.msg.seq, request.handle.pid, VportCmd.DEL);
  vport.datapath.delVport(vport);
  vportEvent(vport.datapath, vport, VportCmd.DEL);
}

/** One port, or a dump of a datapath's. */
export function vportGet(request: Request): Dump | void {
  const { seq } = request.msg;
  const { pid } = request.handle;
  if (request.isDump) {
    const all = request.datapath().ports.filter((vport) => vport !== null);
    return new ListDump(request, all, (w, vport) => {
      if (vport.datapath.vport(vport.portNo) === vport) put(w, vport, NlFlag.MULTI, seq, pid, VportCmd.NEW);
    });
  }
  put(request.w, find(request, request.attrs(VPORT_ATTRS)), 0, seq, pid, VportCmd.NEW);
}

/** Changes a port's upcall PIDs, and its options where its provider can. Its type must be the same when given. */
export function vportSet(request: Request): void {
  const attrs = request.attrs(VPORT_ATTRS);
  const vport = find(request, attrs);
  if (attrs.TYPE !== undefined && attrs.TYPE !== vport.type) {
    throw new NetlinkError(
      Errno.EINVAL,
      `port "${vport.name}" has type ${vport.type}, which cannot be changed`,
    );
  }
  if (attrs.OPTIONS !== undefined && !sameBytes(attrs.OPTIONS, vport.options)) {
    const options = attrs.OPTIONS.slice();
    const errno = vport.provider.setOptions?.(options) ?? Errno.EOPNOTSUPP;
    if (errno !== 0) throw new NetlinkError(errno, `the options of port "${vport.name}" cannot be changed`);
    vport.options = options;
  }
  if (attrs.UPCALL_PID !== undefined) vport.upcallPids = pidsOf(attrs);
  put(request.w, vport, 0, request.msg.seq, request.handle.pid, VportCmd.NEW);
  vportEvent(vport.datapath, vport, VportCmd.SET);
}
