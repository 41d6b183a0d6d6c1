/** What a device of the host says of itself beyond address, MTU and flags: nests of an ovs_win_netdev message. */
import type { NlWriter } from './attr.js';
import { type AttrTable, type AttrValues, decodeAttrs, encodeAttrs } from './attr-table.js';
import {
  WIN_NETDEV_ATTRS,
  WIN_NETDEV_COUNTER_ATTRS,
  WIN_NETDEV_DRIVER_ATTRS,
  WIN_NETDEV_LINK_ATTRS,
} from './families.js';

/** Members are absent that the device does not say. */
export interface DeviceDetails {
  /** Sets of `PORT_FEATURES` bits. */
  readonly link?: {
    readonly current: number;
    readonly advertised: number;
    readonly supported: number;
    readonly peer: number;
  };
  /** How often the link came or went since the port was made. */
  readonly linkResets: number;
  readonly driver?: { readonly name: string; readonly version: string; readonly firmware: string };
  readonly counters?: DeviceCounters;
}

/** What the device counts that its port does not; exact to 2^53. */
export interface DeviceCounters {
  readonly rxMulticast: number;
  readonly collisions: number;
  readonly rxOverErr: number;
  readonly rxCrcErr: number;
  readonly rxFrameErr: number;
  readonly rxMissed: number;
}

/** Appends the nests to an ovs_win_netdev message. */
export function putDeviceDetails(w: NlWriter, { link, linkResets, driver, counters }: DeviceDetails): void {
  const nest = <T extends AttrTable>(code: number, table: T, values: AttrValues<T>): void =>
    w.nested(code, () => encodeAttrs(w, table, values));
  nest(WIN_NETDEV_ATTRS.LINK.code, WIN_NETDEV_LINK_ATTRS, {
    ...(link && {
      CURRENT: link.current,
      ADVERTISED: link.advertised,
      SUPPORTED: link.supported,
      PEER: link.peer,
    }),
    RESETS: linkResets,
  });
  if (driver !== undefined)
    nest(WIN_NETDEV_ATTRS.DRIVER.code, WIN_NETDEV_DRIVER_ATTRS, {
      NAME: driver.name,
      VERSION: driver.version,
      FIRMWARE: driver.firmware,
    });
  if (counters !== undefined)
    nest(WIN_NETDEV_ATTRS.COUNTERS.code, WIN_NETDEV_COUNTER_ATTRS, {
      RX_MULTICAST: BigInt(counters.rxMulticast),
      COLLISIONS: BigInt(counters.collisions),
      RX_OVER_ERR: BigInt(counters.rxOverErr),
      RX_CRC_ERR: BigInt(counters.rxCrcErr),
      RX_FRAME_ERR: BigInt(counters.rxFrameErr),
      RX_MISSED: BigInt(counters.rxMissed),
    });
}

/** Reads the nests among a message's attributes; undefined when there are none. Throws `NetlinkError` when malformed. */
export function readDeviceDetails(a: AttrValues<typeof WIN_NETDEV_ATTRS>): DeviceDetails | undefined {
  if (a.LINK === undefined) return undefined;
  const link = decodeAttrs(WIN_NETDEV_LINK_ATTRS, a.LINK);
  const driver = a.DRIVER && decodeAttrs(WIN_NETDEV_DRIVER_ATTRS, a.DRIVER);
  const counters = a.COUNTERS && decodeAttrs(WIN_NETDEV_COUNTER_ATTRS, a.COUNTERS);
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
