/** Meters as values (OpenFlow 1.3 and later). */
export type MeterCommand = 'add' | 'modify' | 'delete';
/** What a band does to packets beyond its rate. */
export type MeterBandType = 'drop' | 'dscp_remark';

/** Bits of `MeterConfig.flags`: OFPMF13_*. Others are decoded, too; a switch refuses them. */
export const MF = { KBPS: 1, PKTPS: 2, BURST: 4, STATS: 8 } as const;

/** Meter numbers with a meaning of their own. */
export const METER = {
  MAX: 0xffff0000,
  SLOWPATH: 0xfffffffd,
  CONTROLLER: 0xfffffffe,
  ALL: 0xffffffff,
} as const;

/** A rate, and what happens beyond it. */
export interface MeterBand {
  readonly type: MeterBandType;
  /** In the unit that the flags name: kbit/s or packets/s. */
  readonly rate: number;
  /** In the rate's unit without its "per second"; counts with MF.BURST. */
  readonly burstSize: number;
  /** dscp_remark: by how much drop precedence rises; else 0. */
  readonly precLevel: number;
}

/** A meter as it is. */
export interface MeterConfig {
  readonly meterId: number;
  readonly flags: number;
  readonly bands: readonly MeterBand[];
}

/** A change of meters. */
export interface MeterMod {
  readonly command: MeterCommand;
  readonly meter: MeterConfig;
}

/** What a meter has counted. */
export interface MeterStats {
  readonly meterId: number;
  readonly flowCount: number;
  readonly packetInCount: bigint;
  readonly byteInCount: bigint;
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly bands: readonly { readonly packetCount: bigint; readonly byteCount: bigint }[];
}

/** What meters there can be. */
export interface MeterFeatures {
  readonly maxMeters: number;
  /** Bitmap of OFPMBT13_*: bit 1 drop, bit 2 dscp_remark. */
  readonly bandTypes: number;
  /** Flags (`MF`) that are supported. */
  readonly capabilities: number;
  readonly maxBands: number;
  readonly maxColor: number;
}
