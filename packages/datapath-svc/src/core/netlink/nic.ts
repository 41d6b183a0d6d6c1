/** ovs_win_netdev: NIC_GET, which NICs of the host are connected to the switch, and the events of group 110. */
import { NlWriter } from '@ovs-node/netlink/attr';
import { Family, FamilyVersion, McGroup, WIN_NETDEV_ATTRS, WinNetdevCmd } from '@ovs-node/netlink/families';
import { beginMessage, endMessage, NlFlag } from '@ovs-node/netlink/messages';
import type { DatapathCore } from '../core.js';
import type { Dump } from '../handle.js';
import { ListDump, type Request } from './request.js';

function put(w: NlWriter, name: string, cmd: number, flags: number, seq: number, pid: number): void {
  const mark = beginMessage(w, Family.WIN_NETDEV, flags, seq, pid, cmd, FamilyVersion.WIN_NETDEV, 0);
  w.putString(WIN_NETDEV_ATTRS.NAME.code, name);
  endMessage(w, mark);
}

/** A dump of the OVS-port-names of connected NICs. */
export function nicGet(request: Request): Dump {
  const { seq } = request.msg;
  const { pid } = request.handle;
  return new ListDump(request, [...(request.core.ports.nics?.() ?? [])], (w, name) =>
    put(w, name, WinNetdevCmd.NIC_NEW, NlFlag.MULTI, seq, pid),
  );
}

/** Tells the handles that joined the group that a NIC connected or left. */
export function nicEvent(core: DatapathCore, name: string, isConnected: boolean): void {
  const w = new NlWriter(64);
  put(w, name, isConnected ? WinNetdevCmd.NIC_NEW : WinNetdevCmd.NIC_DEL, 0, 0, 0);
  core.beginBatch(core.now);
  core.multicast(McGroup.NIC, w.bytes());
  core.endBatch();
}
