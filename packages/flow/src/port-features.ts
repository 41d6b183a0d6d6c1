/** What a link can do: bits of OpenFlow's `ofp_port_features` (OpenFlow 1.3, section 7.2.1), which OpenFlow 1.0 has in other places. */
export const PORT_FEATURES = {
  HD_10MB: 1 << 0,
  FD_10MB: 1 << 1,
  HD_100MB: 1 << 2,
  FD_100MB: 1 << 3,
  HD_1GB: 1 << 4,
  FD_1GB: 1 << 5,
  FD_10GB: 1 << 6,
  FD_40GB: 1 << 7,
  FD_100GB: 1 << 8,
  FD_1TB: 1 << 9,
  OTHER: 1 << 10,
  COPPER: 1 << 11,
  FIBER: 1 << 12,
  AUTONEG: 1 << 13,
  PAUSE: 1 << 14,
  PAUSE_ASYM: 1 << 15,
} as const;
