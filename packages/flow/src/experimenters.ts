/** Numbers of who has extended OpenFlow (experimenter ids, once vendor ids; openflow-common.h), one for each. */
export const EXPERIMENTERS = {
  /** Nicira, whose extensions are those of Open vSwitch. */
  nicira: 0x2320,
  /** The Open Networking Foundation. */
  onf: 0x4f4e4600,
  /** The fields of network service headers. */
  nsh: 0x5ad650,
  /** Netronome: selection methods of groups. */
  netronome: 0x154d,
  /** Netronome by mistake: in messages of old switches; understood, not sent. */
  netronomeCompat: 0x1540,
  /** Intel: counters of ports. */
  intel: 0xaa01,
} as const;
