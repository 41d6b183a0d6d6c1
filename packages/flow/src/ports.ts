/** Names of the ports of one bridge, where flow text may use them instead of numbers. */
export interface PortMap {
  /** The OpenFlow port of a name, or undefined when there is none or the name is not unique. */
  nameToNumber(name: string): number | undefined;
  /** The name to print for an OpenFlow port, or undefined to print the number. */
  numberToName(port: number): string | undefined;
}

/** OpenFlow 1.1+ reserved port numbers, by the names that flow text uses. */
export const OFPP = {
  MAX: 0xff00,
  UNSET: 0xfffffff7,
  IN_PORT: 0xfffffff8,
  TABLE: 0xfffffff9,
  NORMAL: 0xfffffffa,
  FLOOD: 0xfffffffb,
  ALL: 0xfffffffc,
  CONTROLLER: 0xfffffffd,
  LOCAL: 0xfffffffe,
  ANY: 0xffffffff,
} as const;
