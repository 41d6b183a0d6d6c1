/** ovs_win_netdev: GET, what a port is as a network device. */
import { NetlinkError, type NlWriter } from '@ovs-node/netlink/attr';
import { putDeviceDetails } from '@ovs-node/netlink/device-details';
import {
  Family,
  FamilyVersion,
  WIN_NETDEV_ATTRS,
  WIN_NETDEV_RUNNING,
  WinNetdevCmd,
} from '@ovs-node/netlink/families';
import { beginMessage, endMessage, NlFlag } from '@ovs-node/netlink/messages';
import { Errno } from '../errno.js';
import type { Dump } from '../handle.js';
import type { Vport } from '../vport.js';
import { ListDump, type Request } from './request.js';

function put(w: NlWriter, vport: Vport, flags: number, seq: number, pid: number): void {
  const { index } = vport.datapath;
  const mark = beginMessage(
    w,
    Family.WIN_NETDEV,
    flags,
    seq,
    pid,
    WinNetdevCmd.GET,
    FamilyVersion.WIN_NETDEV,
    index,
  );
  w.putU32(WIN_NETDEV_ATTRS.PORT_NO.code, vport.portNo);
  w.putU32(WIN_NETDEV_ATTRS.TYPE.code, vport.type);
  w.putString(WIN_NETDEV_ATTRS.NAME.code, vport.name);
  w.putBytes(WIN_NETDEV_ATTRS.MAC_ADDR.code, vport.provider.mac);
  w.putU32(WIN_NETDEV_ATTRS.MTU.code, vport.provider.mtu);
  const running = vport.provider.carrier === false ? 0 : WIN_NETDEV_RUNNING;
  w.putU32(WIN_NETDEV_ATTRS.IF_FLAGS.code, vport.provider.flags | running);
  const details = vport.provider.details?.();
  if (details !== undefined) putDeviceDetails(w, details);
  endMessage(w, mark);
}

/** The port called NAME, on the request's datapath or (number 0) any; or a dump of all. */
export function netdevGet(request: Request): Dump | void {
  const { seq, dpIfindex } = request.msg;
  const { pid } = request.handle;
  const attrs = request.attrs(WIN_NETDEV_ATTRS);
  const all: Vport[] = [];
  for (const dp of request.core.byIndex.values()) {
    if (dpIfindex !== 0 && dpIfindex !== dp.index) continue;
    for (const vport of dp.ports) if (vport !== null) all.push(vport);
  }
  if (request.isDump) return new ListDump(request, all, (w, vport) => put(w, vport, NlFlag.MULTI, seq, pid));
  const vport = all.find((v) =>
    attrs.NAME !== undefined ? v.name === attrs.NAME : v.portNo === attrs.PORT_NO,
  );
  if (vport === undefined)
    throw new NetlinkError(Errno.ENODEV, `no port "${attrs.NAME ?? attrs.PORT_NO ?? ''}"`);
  put(request.w, vport, 0, seq, pid);
}

/** Brings the device of a port up or down. */
export function netdevSet(request: Request): void {
  const attrs = request.attrs(WIN_NETDEV_ATTRS);
  if (attrs.PORT_NO === undefined || attrs.IF_FLAGS === undefined)
    throw new NetlinkError(Errno.EINVAL, 'a change of a device needs PORT_NO and IF_FLAGS');
  const vport = request.datapath().vport(attrs.PORT_NO);
  if (vport === null) throw new NetlinkError(Errno.ENODEV, `no port ${attrs.PORT_NO}`);
  const errno = vport.provider.setUp?.((attrs.IF_FLAGS & 1) !== 0) ?? Errno.EOPNOTSUPP;
  if (errno !== 0) throw new NetlinkError(errno, `${vport.name}: cannot be brought up or down`);
}
