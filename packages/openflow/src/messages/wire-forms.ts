/**
 * Every form that a message has on the wire, one row each: the versions that have it, its number, and which lengths
 * of its body are possible. From the rows derive the name that is printed, the recognition of a header, and the first
 * check of each message: a length that its form cannot have is OFPBRC_BAD_LEN before anything else is looked at.
 *
 * The body is what follows the header: 8 bytes, 16 of a vendor's message; for statistics also their own header (4
 * bytes in OpenFlow 1.0, 8 later, and vendor and subtype where there are).
 *
 * A key is a class (OFPT message, OFPST statistics; NX Nicira's, ONF the Open Networking Foundation's), a number where
 * several forms share a name, and the name.
 */
import { EXPERIMENTERS } from '@ovs-node/flow/experimenters';

export const NX_VENDOR = EXPERIMENTERS.nicira;
export const ONF_VENDOR = EXPERIMENTERS.onf;

/** `to` of a form that versions to come will have, too: those that the standard promises never to change. */
const ALL = 255;

/** [first version, last version, number, fixed bytes of the body, size of what may be repeated after them]. */
type Row = readonly [from: number, to: number, code: number, base: number, step: number];

export const WIRE_FORMS = {
  OFPT_HELLO: [1, ALL, 0, 0, 1],
  OFPT_ERROR: [1, ALL, 1, 4, 1],
  OFPT_ECHO_REQUEST: [1, ALL, 2, 0, 1],
  OFPT_ECHO_REPLY: [1, ALL, 3, 0, 1],
  OFPT_FEATURES_REQUEST: [1, 6, 5, 0, 0],
  OFPT10_FEATURES_REPLY: [1, 1, 6, 24, 48],
  OFPT11_FEATURES_REPLY: [2, 3, 6, 24, 64],
  OFPT13_FEATURES_REPLY: [4, 6, 6, 24, 0],
  OFPT_GET_CONFIG_REQUEST: [1, 6, 7, 0, 0],
  OFPT_GET_CONFIG_REPLY: [1, 6, 8, 4, 0],
  OFPT_SET_CONFIG: [1, 6, 9, 4, 0],
  OFPT10_PACKET_IN: [1, 1, 10, 10, 1],
  OFPT11_PACKET_IN: [2, 2, 10, 16, 1],
  OFPT12_PACKET_IN: [3, 3, 10, 8, 1],
  OFPT13_PACKET_IN: [4, 6, 10, 16, 1],
  NXT_PACKET_IN: [1, 6, 17, 24, 1],
  NXT_PACKET_IN2: [1, 6, 30, 0, 8],
  OFPT10_FLOW_REMOVED: [1, 1, 11, 80, 0],
  OFPT11_FLOW_REMOVED: [2, 5, 11, 40, 8],
  OFPT15_FLOW_REMOVED: [6, 6, 11, 16, 8],
  NXT_FLOW_REMOVED: [1, 6, 14, 40, 8],
  OFPT10_PORT_STATUS: [1, 1, 12, 56, 0],
  OFPT11_PORT_STATUS: [2, 4, 12, 72, 0],
  OFPT14_PORT_STATUS: [5, 6, 12, 48, 8],
  OFPT10_PACKET_OUT: [1, 1, 13, 8, 1],
  OFPT11_PACKET_OUT: [2, 5, 13, 16, 1],
  OFPT15_PACKET_OUT: [6, 6, 13, 8, 1],
  OFPT10_FLOW_MOD: [1, 1, 14, 64, 8],
  OFPT11_FLOW_MOD: [2, 6, 14, 40, 8],
  NXT_FLOW_MOD: [1, 6, 13, 32, 8],
  NXT_GROUP_MOD: [1, 1, 31, 16, 8],
  OFPT11_GROUP_MOD: [2, 5, 15, 8, 8],
  OFPT15_GROUP_MOD: [6, 6, 15, 16, 8],
  OFPT10_PORT_MOD: [1, 1, 15, 24, 0],
  OFPT11_PORT_MOD: [2, 4, 16, 32, 0],
  OFPT14_PORT_MOD: [5, 6, 16, 24, 8],
  OFPT11_TABLE_MOD: [2, 4, 17, 8, 0],
  OFPT14_TABLE_MOD: [5, 6, 17, 8, 8],
  OFPT10_BARRIER_REQUEST: [1, 1, 18, 0, 0],
  OFPT11_BARRIER_REQUEST: [2, 6, 20, 0, 0],
  OFPT10_BARRIER_REPLY: [1, 1, 19, 0, 0],
  OFPT11_BARRIER_REPLY: [2, 6, 21, 0, 0],
  OFPT10_QUEUE_GET_CONFIG_REQUEST: [1, 1, 20, 4, 0],
  OFPT11_QUEUE_GET_CONFIG_REQUEST: [2, 4, 22, 8, 0],
  OFPT10_QUEUE_GET_CONFIG_REPLY: [1, 1, 21, 8, 8],
  OFPT11_QUEUE_GET_CONFIG_REPLY: [2, 4, 23, 8, 8],
  OFPT12_ROLE_REQUEST: [3, 6, 24, 16, 0],
  NXT_ROLE_REQUEST: [1, 6, 10, 4, 0],
  OFPT12_ROLE_REPLY: [3, 6, 25, 16, 0],
  NXT_ROLE_REPLY: [1, 6, 11, 4, 0],
  OFPT13_GET_ASYNC_REQUEST: [4, 4, 26, 0, 0],
  OFPT14_GET_ASYNC_REQUEST: [5, 6, 26, 0, 0],
  OFPT13_GET_ASYNC_REPLY: [4, 4, 27, 24, 0],
  OFPT14_GET_ASYNC_REPLY: [5, 6, 27, 0, 8],
  OFPT13_SET_ASYNC: [4, 4, 28, 24, 0],
  NXT_SET_ASYNC_CONFIG: [1, 6, 19, 24, 0],
  NXT_SET_ASYNC_CONFIG2: [1, 4, 27, 0, 8],
  OFPT14_SET_ASYNC: [5, 6, 28, 0, 8],
  OFPT13_METER_MOD: [4, 6, 29, 8, 8],
  ONFT13_ROLE_STATUS: [4, 4, 1911, 16, 8],
  OFPT14_ROLE_STATUS: [5, 6, 30, 16, 8],
  OFPT14_TABLE_STATUS: [5, 6, 31, 8, 8],
  NXT_REQUESTFORWARD: [1, 3, 132, 8, 8],
  ONFT13_REQUESTFORWARD: [4, 4, 2350, 8, 8],
  OFPT14_REQUESTFORWARD: [5, 6, 32, 8, 8],
  OFPT14_BUNDLE_CONTROL: [5, 6, 33, 8, 8],
  ONFT13_BUNDLE_CONTROL: [4, 4, 2300, 8, 8],
  OFPT14_BUNDLE_ADD_MESSAGE: [5, 6, 34, 8, 1],
  ONFT13_BUNDLE_ADD_MESSAGE: [4, 4, 2301, 8, 1],
  ONFT13_FLOW_MONITOR_CANCEL: [4, 4, 1870, 4, 0],
  NXT_FLOW_MONITOR_CANCEL: [1, 3, 21, 4, 0],
  ONFT13_FLOW_MONITOR_PAUSED: [4, 4, 1871, 0, 0],
  NXT_FLOW_MONITOR_PAUSED: [1, 3, 22, 0, 0],
  ONFT13_FLOW_MONITOR_RESUMED: [4, 4, 1872, 0, 0],
  NXT_FLOW_MONITOR_RESUMED: [1, 3, 23, 0, 0],
  NXT_SET_FLOW_FORMAT: [1, 1, 12, 4, 0],
  NXT_FLOW_MOD_TABLE_ID: [1, 6, 15, 8, 0],
  NXT_SET_PACKET_IN_FORMAT: [1, 6, 16, 4, 0],
  NXT_FLOW_AGE: [1, 6, 18, 0, 0],
  NXT_SET_CONTROLLER_ID: [1, 6, 20, 8, 0],
  NXT_TLV_TABLE_MOD: [1, 6, 24, 8, 8],
  NXT_TLV_TABLE_REQUEST: [1, 6, 25, 0, 0],
  NXT_TLV_TABLE_REPLY: [1, 6, 26, 16, 8],
  NXT_RESUME: [1, 6, 28, 0, 8],
  NXT_CT_FLUSH_ZONE: [1, 6, 29, 8, 0],
  NXT_CT_FLUSH: [1, 6, 32, 8, 8],

  OFPST_DESC_REQUEST: [1, 6, 0, 0, 0],
  OFPST_DESC_REPLY: [1, 6, 0, 1056, 0],
  OFPST10_FLOW_REQUEST: [1, 1, 1, 44, 0],
  OFPST11_FLOW_REQUEST: [2, 6, 1, 32, 8],
  NXST_FLOW_REQUEST: [1, 1, 0, 8, 8],
  OFPST10_FLOW_REPLY: [1, 1, 1, 0, 1],
  OFPST11_FLOW_REPLY: [2, 3, 1, 0, 1],
  OFPST13_FLOW_REPLY: [4, 5, 1, 0, 1],
  OFPST15_FLOW_REPLY: [6, 6, 1, 0, 1],
  NXST_FLOW_REPLY: [1, 1, 0, 0, 1],
  OFPST10_AGGREGATE_REQUEST: [1, 1, 2, 44, 0],
  OFPST11_AGGREGATE_REQUEST: [2, 5, 2, 32, 8],
  OFPST15_AGGREGATE_REQUEST: [6, 6, 2, 32, 8],
  NXST_AGGREGATE_REQUEST: [1, 1, 1, 8, 8],
  OFPST_AGGREGATE_REPLY: [1, 5, 2, 24, 0],
  OFPST15_AGGREGATE_REPLY: [6, 6, 2, 0, 1],
  NXST_AGGREGATE_REPLY: [1, 1, 1, 24, 0],
  OFPST_TABLE_REQUEST: [1, 6, 3, 0, 0],
  OFPST10_TABLE_REPLY: [1, 1, 3, 0, 64],
  OFPST11_TABLE_REPLY: [2, 2, 3, 0, 88],
  OFPST12_TABLE_REPLY: [3, 3, 3, 0, 128],
  OFPST13_TABLE_REPLY: [4, 6, 3, 0, 24],
  OFPST10_PORT_REQUEST: [1, 1, 4, 8, 0],
  OFPST11_PORT_REQUEST: [2, 6, 4, 8, 0],
  OFPST10_PORT_REPLY: [1, 1, 4, 0, 104],
  OFPST11_PORT_REPLY: [2, 3, 4, 0, 104],
  OFPST13_PORT_REPLY: [4, 4, 4, 0, 112],
  OFPST14_PORT_REPLY: [5, 6, 4, 0, 8],
  OFPST10_QUEUE_REQUEST: [1, 1, 5, 8, 0],
  OFPST11_QUEUE_REQUEST: [2, 6, 5, 8, 0],
  OFPST10_QUEUE_REPLY: [1, 1, 5, 0, 32],
  OFPST11_QUEUE_REPLY: [2, 3, 5, 0, 32],
  OFPST13_QUEUE_REPLY: [4, 4, 5, 0, 40],
  OFPST14_QUEUE_REPLY: [5, 6, 5, 0, 8],
  NXST_GROUP_REQUEST: [1, 1, 7, 8, 0],
  OFPST11_GROUP_REQUEST: [2, 6, 6, 8, 0],
  NXST_GROUP_REPLY: [1, 1, 7, 0, 8],
  OFPST11_GROUP_REPLY: [2, 3, 6, 0, 8],
  OFPST13_GROUP_REPLY: [4, 6, 6, 0, 8],
  NXST_GROUP_DESC_REQUEST: [1, 1, 8, 8, 0],
  OFPST11_GROUP_DESC_REQUEST: [2, 5, 7, 0, 0],
  OFPST15_GROUP_DESC_REQUEST: [6, 6, 7, 8, 0],
  NXST_GROUP_DESC_REPLY: [1, 1, 8, 0, 8],
  OFPST11_GROUP_DESC_REPLY: [2, 6, 7, 0, 8],
  NXST_GROUP_FEATURES_REQUEST: [1, 2, 9, 0, 0],
  OFPST12_GROUP_FEATURES_REQUEST: [3, 6, 8, 0, 0],
  NXST_GROUP_FEATURES_REPLY: [1, 2, 9, 40, 0],
  OFPST12_GROUP_FEATURES_REPLY: [3, 6, 8, 40, 0],
  OFPST13_METER_REQUEST: [4, 6, 9, 8, 0],
  OFPST13_METER_REPLY: [4, 6, 9, 0, 8],
  OFPST13_METER_CONFIG_REQUEST: [4, 6, 10, 8, 0],
  OFPST13_METER_CONFIG_REPLY: [4, 6, 10, 0, 8],
  OFPST13_METER_FEATURES_REQUEST: [4, 6, 11, 0, 0],
  OFPST13_METER_FEATURES_REPLY: [4, 6, 11, 16, 0],
  OFPST13_TABLE_FEATURES_REQUEST: [4, 6, 12, 0, 8],
  OFPST13_TABLE_FEATURES_REPLY: [4, 6, 12, 64, 8],
  OFPST14_TABLE_DESC_REQUEST: [5, 6, 14, 0, 0],
  OFPST14_TABLE_DESC_REPLY: [5, 6, 14, 8, 8],
  OFPST10_PORT_DESC_REQUEST: [1, 5, 13, 0, 0],
  OFPST15_PORT_DESC_REQUEST: [6, 6, 13, 8, 0],
  OFPST10_PORT_DESC_REPLY: [1, 1, 13, 0, 48],
  OFPST11_PORT_DESC_REPLY: [2, 4, 13, 0, 64],
  OFPST14_PORT_DESC_REPLY: [5, 6, 13, 0, 8],
  OFPST14_QUEUE_DESC_REQUEST: [5, 6, 15, 8, 0],
  OFPST14_QUEUE_DESC_REPLY: [5, 6, 15, 0, 8],
  OFPST14_FLOW_MONITOR_REQUEST: [5, 6, 16, 0, 8],
  ONFST13_FLOW_MONITOR_REQUEST: [4, 4, 1870, 0, 8],
  NXST_FLOW_MONITOR_REQUEST: [1, 3, 2, 0, 8],
  OFPST14_FLOW_MONITOR_REPLY: [5, 6, 16, 0, 8],
  ONFST13_FLOW_MONITOR_REPLY: [4, 4, 1870, 0, 8],
  NXST_FLOW_MONITOR_REPLY: [1, 3, 2, 0, 8],
  NXST_IPFIX_BRIDGE_REQUEST: [1, 6, 3, 0, 0],
  NXST_IPFIX_BRIDGE_REPLY: [1, 6, 3, 88, 0],
  NXST_IPFIX_FLOW_REQUEST: [1, 6, 4, 0, 0],
  NXST_IPFIX_FLOW_REPLY: [1, 6, 4, 0, 88],
} as const satisfies Readonly<Record<string, Row>>;

export type WireFormKey = keyof typeof WIRE_FORMS;

/** A row, with what its key says. */
export interface WireForm {
  readonly key: WireFormKey;
  readonly from: number;
  readonly to: number;
  readonly code: number;
  readonly base: number;
  readonly step: number;
  /** 0 for a standard form. */
  readonly vendor: number;
  /** Statistics: which way; undefined for other messages. */
  readonly stats: 'request' | 'reply' | undefined;
  /** As printed, such as `OFPST_FLOW reply`. */
  readonly name: string;
}

function makeForm(key: WireFormKey): WireForm {
  const [from, to, code, base, step] = WIRE_FORMS[key];
  const isStats = /^(OFPST|NXST|ONFST)/.test(key);
  const stats = isStats ? (key.endsWith('_REPLY') ? 'reply' : 'request') : undefined;
  const plain = key.replace(/^([A-Z]+)\d+_/, '$1_');
  const name = isStats
    ? plain.replace(/_(REQUEST|REPLY)$/, (_, way: string) => ` ${way.toLowerCase()}`)
    : plain;
  const vendor = key.startsWith('NX') ? NX_VENDOR : key.startsWith('ONF') ? ONF_VENDOR : 0;
  return { key, from, to, code, base, step, vendor, stats, name };
}

const byKey = new Map<WireFormKey, WireForm>();
/** By `numbers`; a Map with numbers for keys is as quick as it gets. */
const byNumbers = new Map<number, WireForm>();
for (const key of Object.keys(WIRE_FORMS) as WireFormKey[]) {
  const form = makeForm(key);
  byKey.set(key, form);
  for (let v = form.from; v <= Math.min(form.to, 6); v++)
    byNumbers.set(numbers(v, form.vendor, form.code, form.stats), form);
}

/** One number for all that identifies a form; a safe integer. */
function numbers(version: number, vendor: number, code: number, stats: WireForm['stats']): number {
  const kind = vendor === 0 ? 0 : vendor === NX_VENDOR ? 1 : 2;
  const way = stats === undefined ? 0 : stats === 'request' ? 1 : 2;
  return code * 128 + version * 9 + kind * 3 + way;
}

/** The form of a key. */
export function wireForm(key: WireFormKey): WireForm {
  return byKey.get(key)!;
}

/** The form with these numbers in `version`, which may be one to come for the messages that never change. */
export function findWireForm(
  version: number,
  vendor: number,
  code: number,
  stats: WireForm['stats'],
): WireForm | undefined {
  const form = byNumbers.get(numbers(Math.min(version, 6), vendor, code, stats));
  return form && version >= form.from && version <= form.to ? form : undefined;
}

/** Whether a form can have a body of `length` bytes. */
export function fitsWireForm(form: WireForm, length: number): boolean {
  const over = length - form.base;
  return over === 0 || (over > 0 && form.step > 0 && over % form.step === 0);
}
