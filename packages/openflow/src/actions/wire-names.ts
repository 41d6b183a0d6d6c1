/** The names of actions on the wire, as logs have them: of the standard, of Nicira's extension, of the ONF's. */
import { NX_VENDOR } from './row.js';

const words = (text: string): readonly string[] => text.split(/\s+/);

/** OpenFlow 1.0's, by type. */
const OF10 =
  words(`OUTPUT SET_VLAN_VID SET_VLAN_PCP STRIP_VLAN SET_DL_SRC SET_DL_DST SET_NW_SRC SET_NW_DST SET_NW_TOS
  SET_TP_SRC SET_TP_DST ENQUEUE`);

/** Those of later versions, by type; `-` where the peer has none. */
const OF11 =
  words(`OUTPUT SET_VLAN_VID SET_VLAN_PCP SET_DL_SRC SET_DL_DST SET_NW_SRC SET_NW_DST SET_NW_TOS SET_NW_ECN
  SET_TP_SRC SET_TP_DST - - SET_MPLS_LABEL SET_MPLS_TC SET_MPLS_TTL DEC_MPLS_TTL PUSH_VLAN POP_VLAN PUSH_MPLS POP_MPLS
  SET_QUEUE GROUP SET_NW_TTL DEC_NW_TTL SET_FIELD - - COPY_FIELD METER`);

/** Nicira's, by subtype; what OpenFlow has made its own since has the name that it has there. */
const NX: Readonly<Record<number, string>> = {
  1: 'NXAST_RESUBMIT',
  2: 'NXAST_SET_TUNNEL',
  4: 'OFPAT_SET_QUEUE',
  5: 'NXAST_POP_QUEUE',
  6: 'NXAST_REG_MOVE',
  7: 'NXAST_REG_LOAD',
  8: 'NXAST_NOTE',
  9: 'NXAST_SET_TUNNEL64',
  10: 'NXAST_MULTIPATH',
  12: 'NXAST_BUNDLE',
  13: 'NXAST_BUNDLE_LOAD',
  14: 'NXAST_RESUBMIT_TABLE',
  15: 'NXAST_OUTPUT_REG',
  16: 'NXAST_LEARN',
  17: 'NXAST_EXIT',
  18: 'OFPAT_DEC_NW_TTL',
  19: 'NXAST_FIN_TIMEOUT',
  20: 'NXAST_CONTROLLER',
  21: 'NXAST_DEC_TTL_CNT_IDS',
  22: 'NXAST_WRITE_METADATA',
  23: 'OFPAT_PUSH_MPLS',
  24: 'OFPAT_POP_MPLS',
  25: 'OFPAT_SET_MPLS_TTL',
  26: 'OFPAT_DEC_MPLS_TTL',
  27: 'NXAST_STACK_PUSH',
  28: 'NXAST_STACK_POP',
  29: 'NXAST_SAMPLE',
  30: 'OFPAT_SET_MPLS_LABEL',
  31: 'OFPAT_SET_MPLS_TC',
  32: 'NXAST_OUTPUT_REG2',
  33: 'NXAST_REG_LOAD2',
  34: 'NXAST_CONJUNCTION',
  35: 'NXAST_CT',
  36: 'NXAST_NAT',
  37: 'NXAST_CONTROLLER2',
  38: 'NXAST_SAMPLE2',
  39: 'NXAST_OUTPUT_TRUNC',
  40: 'OFPAT_GROUP',
  41: 'NXAST_SAMPLE3',
  42: 'NXAST_CLONE',
  43: 'NXAST_CT_CLEAR',
  44: 'NXAST_RESUBMIT_TABLE_CT',
  45: 'NXAST_LEARN2',
  46: 'NXAST_ENCAP',
  47: 'NXAST_DECAP',
  48: 'NXAST_DEC_NSH_TTL',
  49: 'NXAST_CHECK_PKT_LARGER',
  50: 'NXAST_DELETE_FIELD',
  254: 'NXAST_DEBUG_SLOW',
  255: 'NXAST_DEBUG_RECIRC',
};

/** The name of an action that a version has. */
export function actionWireName(version: number, vendor: number, code: number): string {
  if (vendor === 0) return `OFPAT_${(version === 1 ? OF10 : OF11)[code]}`;
  return vendor === NX_VENDOR ? NX[code] : 'ONFACT_COPY_FIELD';
}

const OF12 = 3;

/** Standard types that OpenFlow 1.2 gave up for set-field. */
const DEPRECATED: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15]);

/** Whether set-field says in `version` what an action says. */
export function isDeprecated(version: number, vendor: number, code: number): boolean {
  return version >= OF12 && vendor === 0 && DEPRECATED.has(code);
}
