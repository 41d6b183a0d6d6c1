/** ovs_win_control: what a handle is and what it subscribes to. */
import { NetlinkError } from '@ovs-node/netlink/attr';
import {
  McGroup,
  FamilyVersion,
  SOCK_PROP_ATTRS,
  WIN_CONTROL_ATTRS,
  WinControlCmd,
} from '@ovs-node/netlink/families';
import { endMessage } from '@ovs-node/netlink/messages';
import { Errno } from '../errno.js';
import type { Request } from './request.js';

/** WIN_PEND_REQ and WIN_PEND_PACKET_REQ: nothing to do, since READ_EVENT and READ_PACKET pend by themselves. */
export function pend(request: Request): void {
  request.attrs(WIN_CONTROL_ATTRS);
}

const GROUPS: ReadonlySet<number> = new Set(Object.values(McGroup));

/** Joins (MCAST_JOIN not 0) or leaves a multicast group. */
export function mcSubscribe(request: Request): void {
  const attrs = request.attrs(WIN_CONTROL_ATTRS);
  if (attrs.MCAST_GRP === undefined || attrs.MCAST_JOIN === undefined) {
    throw new NetlinkError(Errno.EINVAL, 'a subscription needs MCAST_GRP and MCAST_JOIN');
  }
  const group = attrs.MCAST_GRP;
  if (!GROUPS.has(group)) throw new NetlinkError(Errno.EINVAL, `no multicast group ${group}`);
  if (attrs.MCAST_JOIN !== 0) request.handle.groups.add(group);
  else request.handle.groups.delete(group);
}

/** Makes upcalls to this handle's PID be queued for it, or no longer. */
export function packetSubscribe(request: Request): void {
  const attrs = request.attrs(WIN_CONTROL_ATTRS);
  if (attrs.PACKET_SUBSCRIBE === undefined || attrs.PACKET_PID === undefined) {
    throw new NetlinkError(Errno.EINVAL, 'a packet subscription needs PACKET_SUBSCRIBE and PACKET_PID');
  }
  if (attrs.PACKET_PID !== request.handle.pid) {
    throw new NetlinkError(
      Errno.EINVAL,
      `PID ${attrs.PACKET_PID} is not this handle's (${request.handle.pid})`,
    );
  }
  request.handle.packetSubscribed = attrs.PACKET_SUBSCRIBE !== 0;
  if (!request.handle.packetSubscribed) request.handle.upcalls.clear();
}

/** Answers with the handle's PID. */
export function sockProp(request: Request): void {
  const { w } = request;
  const attrs = request.attrs(SOCK_PROP_ATTRS);
  const mark = request.begin(w, WinControlCmd.SOCK_PROP, FamilyVersion.WIN_CONTROL, request.msg.dpIfindex);
  w.putU32(SOCK_PROP_ATTRS.SOCK_PROTO.code, attrs.SOCK_PROTO ?? 0);
  w.putU32(SOCK_PROP_ATTRS.SOCK_PID.code, request.handle.pid);
  endMessage(w, mark);
}
