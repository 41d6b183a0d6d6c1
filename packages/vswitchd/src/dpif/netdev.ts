/** What an ovs_win_netdev message says of a port's device. */
import { type AttrTable, type AttrValues, decodeAttrs } from '@ovs-node/netlink/attr-table';
import {
  WIN_NETDEV_ATTRS,
  WIN_NETDEV_COUNTER_ATTRS,
  WIN_NETDEV_DRIVER_ATTRS,
  WIN_NETDEV_LINK_ATTRS,
  WIN_NETDEV_RUNNING,
} from '@ovs-node/netlink/families';
import type { MsgReader } from '@ovs-node/netlink/messages';
import type { DeviceDetails, NetdevInfo } from './provider.js';

/** Decodes the message at which `msg` stands. Throws `NetlinkError` when it is malformed. */
export function netdevOf(msg: MsgReader): { name: string; info: NetdevInfo } {
  const a = decodeAttrs(WIN_NETDEV_ATTRS, msg.buf, msg.attrs, msg.end);
  const flags = a.IF_FLAGS ?? 0;
  const details = detailsOf(a);
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

function nest<T extends AttrTable>(table: T, bytes: Uint8Array | undefined): AttrValues<T> | undefined {
  return bytes && decodeAttrs(table, bytes);
}

function detailsOf(a: AttrValues<typeof WIN_NETDEV_ATTRS>): DeviceDetails | undefined {
  const link = nest(WIN_NETDEV_LINK_ATTRS, a.LINK);
  if (link === undefined) return undefined;
  const driver = nest(WIN_NETDEV_DRIVER_ATTRS, a.DRIVER);
  const counters = nest(WIN_NETDEV_COUNTER_ATTRS, a.COUNTERS);
  return {
    linkResets: link.RESETS ?? 0,
    ...(link.CURRENT !== undefined && {
      link: {
        current: link.CURRENT,
        advertised: link.ADVERTISED ?? 0,
        supported: link.SUPPORTED ?? 0,
        peer: link.PEER ?? 0,
      },
    }),
    ...(driver && {
      driver: { name: driver.NAME ?? '', version: driver.VERSION ?? '', firmware: driver.FIRMWARE ?? '' },
    }),
    ...(counters && {
      counters: {
        rxMulticast: Number(counters.RX_MULTICAST ?? 0n),
        collisions: Number(counters.COLLISIONS ?? 0n),
        rxOverErr: Number(counters.RX_OVER_ERR ?? 0n),
        rxCrcErr: Number(counters.RX_CRC_ERR ?? 0n),
        rxFrameErr: Number(counters.RX_FRAME_ERR ?? 0n),
        rxMissed: Number(counters.RX_MISSED ?? 0n),
      },
    }),
  };
}
