/** What an ovs_win_netdev message says of a port's device. */
import { decodeAttrs } from '@ovs-node/netlink/attr-table';
import { readDeviceDetails } from '@ovs-node/netlink/device-details';
import { WIN_NETDEV_ATTRS, WIN_NETDEV_RUNNING } from '@ovs-node/netlink/families';
import type { MsgReader } from '@ovs-node/netlink/messages';
import type { NetdevInfo } from './provider.js';

/** Decodes the message at which `msg` stands. Throws `NetlinkError` when it is malformed. */
export function netdevOf(msg: MsgReader): { name: string; info: NetdevInfo } {
  const a = decodeAttrs(WIN_NETDEV_ATTRS, msg.buf, msg.attrs, msg.end);
  const flags = a.IF_FLAGS ?? 0;
  const details = readDeviceDetails(a);
  return {
    name: a.NAME ?? '',
    info: {
      // The bytes of the message are lent.
      mac: a.MAC_ADDR?.slice() ?? new Uint8Array(6),
      mtu: a.MTU ?? 0,
      up: (flags & 1) !== 0,
      carrier: (flags & WIN_NETDEV_RUNNING) !== 0,
      promisc: (flags & 2) !== 0,
      ...(details && { details }),
    },
  };
}
