/**
 * What a device says of its link and its driver, by the ethtool ioctls (linux/ethtool.h): `struct ethtool_cmd`, 44
 * bytes, and `struct ethtool_drvinfo`, 196 bytes, both in host order.
 *
 *     ethtool_cmd:     0 cmd  4 supported  8 advertising  12 speed (u16)  14 duplex  15 port  18 autoneg
 *                      28 speed, upper half (u16)  32 lp_advertising
 *     ethtool_drvinfo: 0 cmd  4 driver[32]  36 version[32]  68 fw_version[32]
 */

import { PORT_FEATURES as F } from '@ovs-node/flow/port-features';
import type { DeviceDetails } from '@ovs-node/netlink/device-details';

export const ETHTOOL_CMD_LENGTH = 44;
export const ETHTOOL_DRVINFO_LENGTH = 196;

/** `SUPPORTED_*` and `ADVERTISED_*` bits, which have the same places. */
const MODES: readonly (readonly [bit: number, feature: number])[] = [
  [0, F.HD_10MB],
  [1, F.FD_10MB],
  [2, F.HD_100MB],
  [3, F.FD_100MB],
  [4, F.HD_1GB],
  [5, F.FD_1GB],
  [6, F.AUTONEG],
  [7, F.COPPER],
  [10, F.FIBER],
  [12, F.FD_10GB],
  [13, F.PAUSE],
  [14, F.PAUSE_ASYM],
  // Backplane: 1000base-KX, 10Gbase-KX4, 10Gbase-KR, 10Gbase-R with FEC, 40Gbase-KR4.
  [17, F.FD_1GB],
  [18, F.FD_10GB],
  [19, F.FD_10GB],
  [20, F.FD_10GB],
  [23, F.FD_40GB],
  // 40Gbase-CR4, -SR4, -LR4.
  [24, F.FD_40GB],
  [25, F.FD_40GB],
  [26, F.FD_40GB],
];

/** Megabits per second to the features at half and at full duplex. */
const SPEEDS: Readonly<Record<number, readonly [half: number, full: number]>> = {
  10: [F.HD_10MB, F.FD_10MB],
  100: [F.HD_100MB, F.FD_100MB],
  1000: [F.HD_1GB, F.FD_1GB],
  10_000: [F.FD_10GB, F.FD_10GB],
  40_000: [F.FD_40GB, F.FD_40GB],
  100_000: [F.FD_100GB, F.FD_100GB],
  1_000_000: [F.FD_1TB, F.FD_1TB],
};
const SPEED_UNKNOWN = 0xffffffff;
const DUPLEX_FULL = 1;
const PORT_TP = 0;
const PORT_FIBRE = 3;

export type LinkFeatures = NonNullable<DeviceDetails['link']>;
export type DriverInfo = NonNullable<DeviceDetails['driver']>;

function modes(bits: number): number {
  let features = 0;
  for (const [bit, feature] of MODES) if ((bits & (1 << bit)) !== 0) features |= feature;
  return features;
}

/** The features in an answered `struct ethtool_cmd`. */
export function linkFeatures(bytes: Uint8Array): LinkFeatures {
  const view = new DataView(bytes.buffer, bytes.byteOffset, ETHTOOL_CMD_LENGTH);
  const speed = ((view.getUint16(28, true) << 16) | view.getUint16(12, true)) >>> 0;
  let current = 0;
  if (speed !== 0 && speed !== 0xffff && speed !== SPEED_UNKNOWN)
    current = SPEEDS[speed]?.[view.getUint8(14) === DUPLEX_FULL ? 1 : 0] ?? F.OTHER;
  const port = view.getUint8(15);
  if (port === PORT_TP) current |= F.COPPER;
  else if (port === PORT_FIBRE) current |= F.FIBER;
  if (view.getUint8(18) !== 0) current |= F.AUTONEG;
  return {
    current,
    advertised: modes(view.getUint32(8, true)),
    supported: modes(view.getUint32(4, true)),
    peer: modes(view.getUint32(32, true)),
  };
}

/** The names in an answered `struct ethtool_drvinfo`. */
export function driverInfo(bytes: Uint8Array): DriverInfo {
  const text = (at: number): string => {
    const field = Buffer.from(bytes.subarray(at, at + 32));
    const end = field.indexOf(0);
    return field.toString('utf8', 0, end < 0 ? field.length : end);
  };
  return { name: text(4), version: text(36), firmware: text(68) };
}
