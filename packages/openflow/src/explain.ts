/**
 * What is wrong with bytes that are decoded, for people to read: beyond the error that goes back to the sender. One row
 * of `EXPLANATIONS` each, with the module of the log and the level under which the peer's programs tell it.
 *
 * Codecs write no log. A `Reader` may carry an `Explain`, which is told where decoding stumbles; who has none pays
 * nothing, nor does a good message. `explainToLog` (explain-log.ts) is what programs give.
 */
import { altHex } from '@ovs-node/flow/int-text';
import type { ErrorName } from './error-table.js';
import { hexDumpPlain } from './text/hex-dump.js';
import { versionName } from './version.js';
import { PROPERTIES, type PropertyHolder } from './messages/property-table.js';

/** Levels in use: information, warnings, and what is of interest only to those who debug. */
export type ExplanationLevel = 'warn' | 'info' | 'dbg';

/** How many explanations that count together are told at once; of a module's, as many as `MODULE_BURST`. */
const LIMITS = {
  unlimited: Infinity,
  'bundle action': 5,
  'unknown message': 1,
  'unknown vendor': 1,
  property: 5,
  'bundled kind': 5,
} as const;

type LimitName = keyof typeof LIMITS;

const MODULE_BURST = 5;

interface Row<A extends readonly never[]> {
  readonly module: string | ((...args: A) => string);
  readonly level: ExplanationLevel | ((...args: A) => ExplanationLevel);
  /** What this counts together with, if not with what the module tells. */
  readonly limit?: LimitName;
  /** Counts as two. */
  readonly twice?: true;
  readonly text: (...args: A) => string;
}

const row =
  (module: string, level: ExplanationLevel = 'warn', limit?: LimitName) =>
  <A extends readonly unknown[]>(text: (...args: A) => string) =>
    limit === undefined ? { module, level, text } : { module, level, limit, text };

const msgs = row('ofp_msgs');
const actions = row('ofp_actions');
const subfields = row('meta_flow');
const flows = row('ofp_flow');
const groups = row('ofp_group');
const tables = row('ofp_table');
const packets = row('ofp_packet');
const tlvTable = row('ofp_match');
const fields = row('nx_match', 'dbg');
const stats = row('ox_stat', 'dbg');
const bundleActions = row('ofp_actions', 'warn', 'bundle action');
const bundles = row('bundle');

/** What an action does with a part of a field. */
export type SubfieldRole = 'source' | 'destination';

/** The header of a field or of a statistic, as numbers. */
export interface TlvNumbers {
  readonly experimenter: number;
  readonly cls: number;
  readonly code: number;
  readonly masked: boolean;
  /** Bytes that follow, without the experimenter's number. */
  readonly length: number;
}

const EXPERIMENTER_CLASS = 0xffff;

/** All bytes after the first four of a header. */
const bytesOf = (h: TlvNumbers): number => h.length + (h.cls === EXPERIMENTER_CLASS ? 4 : 0);

const tlvName = (h: TlvNumbers): string =>
  `${altHex(h.experimenter)}:${h.cls}:${h.code}:${h.masked ? 1 : 0}:${bytesOf(h)}`;

/** Lists of items in statistics, and the module that reads them. */
const LISTS = {
  'OFPST_FLOW reply': 'ofp_flow',
  'NXST_FLOW reply': 'ofp_flow',
  'OFPST_GROUP reply reply': 'ofp_group',
  'NXST_GROUP reply reply': 'ofp_group',
  'OFPST11_GROUP_DESC reply': 'ofp_group',
  'OFPMP_METER reply': 'ofp_meter',
  'OFPMP_METER_CONFIG reply': 'ofp_meter',
  'NXST_FLOW_MONITOR request': 'ofp_monitor',
  'ONFST_FLOW_MONITOR request': 'ofp_monitor',
  'OFPST_FLOW_MONITOR request': 'ofp_monitor',
  'NXST_FLOW_MONITOR reply': 'ofp_monitor',
  'ONFST_FLOW_MONITOR reply': 'ofp_monitor',
  'OFPST_FLOW_MONITOR reply': 'ofp_monitor',
  'OFP14_TABLE_DESC reply': 'ofp_table',
} as const;

export type ListName = keyof typeof LISTS;

const inList = <A extends readonly unknown[]>(text: (list: ListName, ...args: A) => string) => ({
  module: (list: ListName) => LISTS[list],
  level: 'warn' as const,
  text,
});

const unsupportedFields = (fields: number): string => `unsupported fields ${fields}`;
const unsupportedAlgorithm = (algorithm: number): string => `unsupported algorithm ${algorithm}`;

/** The numbers that say what kind a message is. */
export interface MessageNumbers {
  readonly version: number;
  readonly type: number;
  /** Of statistics. */
  readonly stat: number | undefined;
  readonly vendor: number;
  /** A vendor's. */
  readonly subtype: number;
}

export const EXPLANATIONS = {
  // Framing.
  unknown_vendor: row(
    'ofp_msgs',
    'warn',
    'unknown vendor',
  )((vendor: number) => `OpenFlow message has unknown vendor ${altHex(vendor)}`),
  unknown_message: row(
    'ofp_msgs',
    'warn',
    'unknown message',
  )(({ version, type, stat, vendor, subtype }: MessageNumbers) => {
    const stats = stat === undefined ? '' : `, stat ${stat}`;
    const vendors = vendor === 0 ? '' : `, vendor 0x${vendor.toString(16)}, subtype ${subtype}`;
    return `unknown OpenFlow message (version ${version}, type ${type}${stats}${vendors})`;
  }),
  message_length: msgs((name: string, length: number, least: number, step: number) => {
    let wanted = `expected length ${least}`;
    if (step === 1) wanted = `expected length at least ${least} bytes`;
    if (step > 1) wanted = `must be exactly ${least} bytes or longer by an integer multiple of ${step} bytes`;
    return `received ${name} with incorrect length ${length} (${wanted})`;
  }),

  // Actions and instructions.
  port_range: row('ofp_port')(
    (port: number) =>
      `port ${port} is outside the supported range 0 through 65279 or 0xffffff00 through 0xffffffff`,
  ),
  bad_action: actions(
    (offset: number, error: ErrorName, list: Uint8Array) =>
      `bad action at offset ${offset} (${error}):\n${hexDumpPlain(list)}`,
  ),
  action_vendor: actions((vendor: number) => `OpenFlow action has unknown vendor ${altHex(vendor)}`),
  unknown_action: actions(
    (version: number, vendor: number, type: number) =>
      `unknown ${versionName(version)} action for vendor ${altHex(vendor)} and type ${type}`,
  ),
  deprecated_action: row(
    'ofp_actions',
    'info',
  )((name: string, version: number) => `${name} is deprecated in ${versionName(version)} (use Set-Field)`),
  long_action: actions(
    (name: string, length: number, left: number) =>
      `OpenFlow action ${name} length ${length} exceeds action buffer length ${left}`,
  ),
  action_length: actions(
    (name: string, length: number, least: number, most: number) =>
      `OpenFlow action ${name} length ${length} not in valid range [${least},${most}]`,
  ),
  odd_action: actions(
    (name: string, length: number) => `OpenFlow action ${name} length ${length} is not a multiple of 8`,
  ),
  odd_list: actions(
    (what: 'actions' | 'instructions', length: number) =>
      `OpenFlow message ${what} length ${length} is not a multiple of 8`,
  ),
  long_list: actions(
    (what: 'actions' | 'instructions', length: number, left: number) =>
      `OpenFlow message ${what} length ${length} exceeds remaining message length (${left})`,
  ),
  bad_instruction: actions((offset: number) => `bad instruction format at offset ${offset}`),
  action_set: actions(() => 'disallowed action in action set'),
  misplaced_action: row('ofp_actions', 'warn', 'unlimited')((problem: string) => problem),
  ct_without_commit: actions(
    () => 'CT action requires commit flag if actions other than NAT without arguments are specified.',
  ),
  ct_zone_bits: actions((nBits: number) => `zone n_bits ${nBits} not within valid range [16..16]`),
  many_ids: actions(
    (room: number, n: number) =>
      `Nicira action dec_ttl_cnt_ids only has ${room} bytes allocated for controller ids.  ${2 * n} bytes are required for ${n} controllers.`,
  ),
  many_members: bundleActions(
    (name: string, room: number, n: number) =>
      `Nicira action ${name} only has ${room} bytes allocated for members.  ${2 * n} bytes are required for ${n} members.`,
  ),
  too_many_members: bundleActions(() => 'too many members'),
  member_type: bundleActions((type: number) => `unsupported member type ${type}`),
  reserved_nonzero: bundleActions(() => 'reserved field is nonzero'),
  bundle_reserved: bundleActions(() => 'bundle action has nonzero reserved fields'),
  bundle_load_bits: bundleActions(() => 'bundle_load action requires at least 16 bit destination.'),
  bundle_fields: bundleActions(unsupportedFields),
  bundle_algorithm: bundleActions(unsupportedAlgorithm),
  multipath_fields: actions(unsupportedFields),
  multipath_algorithm: actions(unsupportedAlgorithm),
  multipath_bits: actions(
    (nBits: number, nLinks: number) => `multipath action requires at least ${nBits} bits for ${nLinks} links`,
  ),
  sample_direction: actions((direction: number) => `invalid sample direction ${direction}`),
  set_field_value: actions(
    (field: string, value: string) => `Invalid value for set field ${field}: ${value}`,
  ),
  set_field_prerequisites: actions((field: string) => `set_field ${field} lacks correct prerequisites`),
  set_field_read_only: actions((field: string) => `destination field ${field} is not writable`),
  controller_member: bundles(() => 'unsupported controller member'),
  bundle_member: bundles((port: number) => `invalid member ${port & 0xffff}`),
  // Parts of fields that actions name.
  no_bits: subfields((role: SubfieldRole, field: string) => `zero bit ${role} field ${field}`),
  bit_offset: subfields(
    (role: SubfieldRole, field: string, width: number, ofs: number) =>
      `bit offset ${ofs} exceeds ${width}-bit width of ${role} field ${field}`,
  ),
  bit_range: subfields(
    (role: SubfieldRole, field: string, width: number, ofs: number, nBits: number) =>
      `bit offset ${ofs} and width ${nBits} exceeds ${width}-bit width of ${role} field ${field}`,
  ),
  no_prerequisites: subfields(
    (role: SubfieldRole, field: string) => `${role} field ${field} lacks correct prerequisites`,
  ),
  read_only: subfields((field: string) => `destination field ${field} is not writable`),
  // Properties.
  unknown_property: {
    module: (holder: PropertyHolder) => PROPERTIES[holder].module,
    level: (_holder: PropertyHolder, _type: number, _experimenter: number | undefined, loose: boolean) =>
      loose ? 'dbg' : 'warn',
    limit: 'property',
    text: (holder: PropertyHolder, type: number, experimenter: number | undefined, _loose: boolean) =>
      experimenter === undefined
        ? `unknown ${holder} property type ${type}`
        : `unknown ${holder} property type for exp_id 0x${experimenter.toString(16)}, exp_type ${type | 0}`,
  }, // Fields.
  unknown_field: fields((h: TlvNumbers) => `OXM header ${tlvName(h)} is unknown`),
  partial_field: fields((left: number) => `encountered partial (${left}-byte) OXM entry`),
  short_field: row('nx_match')(
    (h: TlvNumbers) => `OXM header ${tlvName(h)} has invalid length ${bytesOf(h)} (minimum is 8)`,
  ),
  long_field: fields(
    (h: TlvNumbers, left: number) =>
      `OXM header ${tlvName(h)} calls for ${h.length}-byte payload but only ${left} bytes follow OXM header`,
  ),
  wildcarded_bits: {
    module: 'nx_match',
    level: 'warn',
    twice: true,
    text: (h: TlvNumbers) =>
      `Rejecting NXM/OXM entry ${tlvName(h)} with 1-bits in value for bits wildcarded by the mask.`,
  },
  no_mask_here: fields(
    (h: TlvNumbers) => `OXM header ${tlvName(h)} includes mask but masked OXMs are not allowed here`,
  ),
  field_value: fields((field: string) => `bad value for field ${field}`),
  field_mask: fields((field: string) => `bad mask for field ${field}`),
  field_error: fields(
    (offset: number, list: 'match' | 'field array', error: ErrorName) =>
      `error parsing OXM at offset ${offset} within ${list} (${error})`,
  ),
  long_match: fields(
    (kind: 'nx_match' | 'oxm', length: number, most: number) =>
      `${kind} length ${length}, rounded up to a multiple of 8, is longer than space in message (max length ${most})`,
  ),
  array_field: fields(() => 'error pulling field array field'),
  array_duplicate: fields((field: string) => `duplicate field array field '${field}'`),
  array_mask: fields((field: string) => `bad mask in field array field '${field}'`),
  long_stats: stats(
    (length: number, most: number) =>
      `oxs length ${length}, rounded up to a multiple of 8, is longer than space in message (max length ${most})`,
  ),
  partial_stat: stats((left: number) => `encountered partial (${left}-byte) OXS entry`),
  short_stat: row('ox_stat')(
    (vendor: number, cls: number, field: number, length: number) =>
      `OXS header ${altHex(vendor)}:${cls}:${field}:${length} has invalid length ${length} (minimum is 8)`,
  ),
  stat_error: stats(
    (offset: number, error: ErrorName) => `error parsing OXS at offset ${offset} within match (${error})`,
  ),
  // Items of statistics.
  leftover: inList((list: ListName, left: number) => `${list} has ${left} leftover bytes at end`),
  claimed_length: inList((list: ListName, length: number) => `${list} claims invalid length ${length}`),
  table_without_extension: flows(
    () => 'flow_mod has explicit table_id but flow_mod_table_id extension is not enabled',
  ),
  flow_match_length: flows(
    (matchLength: number, length: number) =>
      `NXST_FLOW reply with match_len=${matchLength} claims invalid length ${length}`,
  ),
  flow_match: flows(() => 'OFPST_FLOW reply bad match'),
  flow_stats: flows(() => 'OXS OFPST_FLOW reply bad stats'),
  flow_instructions: flows(() => 'OFPST_FLOW reply bad instructions'),
  monitor_flags: row('ofp_monitor')(
    (name: string, flags: number) => `${name}_FLOW_MONITOR has bad flags ${altHex(flags)}`,
  ),
  monitor_event: row('ofp_monitor')((event: number) => `NXST_FLOW_MONITOR reply has bad event ${event}`),
  // Groups.
  bucket_list: groups(
    (length: number) => `OFPST11_GROUP_DESC reply claims invalid bucket list length ${length}`,
  ),
  buckets_end: groups((left: number) => `buckets end with ${left} leftover bytes`),
  bucket_length: groups((length: number) => `OpenFlow message bucket length ${length} is not valid`),
  long_bucket: groups(
    (length: number, left: number) =>
      `OpenFlow message bucket length ${length} exceeds remaining buckets data size ${left}`,
  ),
  bucket_actions: groups(
    (length: number, left: number) =>
      `OpenFlow message bucket actions length ${length} exceeds remaining bucket data size ${left}`,
  ),
  bucket_id: groups((id: number) => `bucket id (${id}) is out of range`),
  same_bucket: groups(() => 'Duplicate bucket id'),
  command_bucket: groups((id: number) => `group command bucket id (${id}) is out of range`),
  selection_type: groups(() => 'ntr selection method property is only allowed for select groups'),
  selection_command: groups(
    () => 'ntr selection method property is only allowed for add and delete group modifications',
  ),
  selection_length: groups((length: number) => `ntr selection method property length ${length} is not valid`),
  selection_end: groups(() => 'ntr selection method is not null terminated'),
  selection_method: groups((method: string) => `ntr selection method '${method}' is not supported`),
  selection_no_fields: groups((method: string) => `ntr selection method ${method} does not support fields`),
  selection_fields: groups(() => 'ntr selection method fields are invalid'),
  // Tables.
  vacancy_order: tables(() => 'Value of vacancy_down is greater than vacancy_up'),
  vacancy_percent: tables(() => 'Vacancy threshold percentage should not be greater than 100'),
  vacancy_set: tables(() => 'Vacancy value should be zero for table-mod messages'),
  table_miss: tables((config: number) => `bad table miss config ${config | 0}`),
  missing_properties: tables(
    (n: number, type: number) =>
      `table features message missing ${n} required properties, including property ${type}`,
  ),
  tlv_command: tlvTable((command: number) => `tlv table mod command (${command}) is out of range`),
  tlv_length: tlvTable((length: number) => `tlv table option length (${length}) is not a valid option size`),
  tlv_index: tlvTable(
    (index: number, most: number) => `tlv table field index (${index}) is too large (max ${most})`,
  ),
  // Queues and connections.
  queue_property: row('ofp_queue', 'info')((type: number) => `unknown queue property ${type}`),
  async_mask: {
    module: () => 'ofp_connection',
    level: (_value: number, _name: string, _known: number, loose: boolean) => (loose ? 'dbg' : 'warn'),
    text: (value: number, name: string, known: number, _loose: boolean) =>
      `bad value ${altHex(value)} for ${name} (allowed mask ${altHex(known)})`,
  },
  hello_version_0: row('ofp_util')(() => 'peer claims to support invalid OpenFlow version 0x00'),
  hello_no_version: row('ofp_util')(
    () => 'peer does not support any OpenFlow version (between 0x01 and 0x1f)',
  ),
  bundled_unparsable: row('ofp_bundle')(
    (error: ErrorName) => `OFPT14_BUNDLE_ADD_MESSAGE contained message is unparsable (${error})`,
  ),
  bundled_kind: row(
    'ofp_bundle',
    'warn',
    'bundled kind',
  )((name: string) => `${name} message not allowed inside OFPT14_BUNDLE_ADD_MESSAGE`),
  // Packets.
  no_packet: packets(() => 'NXT_PACKET_IN2 lacks packet'),
  full_length: packets(() => 'NXT_PACKET_IN2 claimed full_len < len'),
  in_port: packets((port: number) => `packet-out has bad input port ${altHex(port)}`),
  invalid_packet: row(
    'flow',
    'dbg',
  )(
    (check: string, port: number, packet: Uint8Array) =>
      `invalid packet for ${check}: port ${port}, size ${packet.length}\n${hexDumpPlain(packet).trimEnd()}`,
  ),
  packet_in_format: packets(
    (format: number) => `NXT_SET_PACKET_IN_FORMAT message specified invalid packet-in format ${format}`,
  ),
  flow_format: row('ofp_protocol')(
    (format: number) => `NXT_SET_FLOW_FORMAT message specified invalid flow format ${format}`,
  ),
  stack_item: packets((length: number) => `NXCPT_STACK property has bad length ${length}`),
  frozen_actions: packets((length: number) => `actions property has bad length ${length}`),
} as const satisfies Readonly<Record<string, Row<never>>>;

export type ExplanationKey = keyof typeof EXPLANATIONS;
/** What a row's text is made of. */
export type ExplanationArgs<K extends ExplanationKey> = Parameters<(typeof EXPLANATIONS)[K]['text']>;

/** Is told what is wrong with bytes; what it is given is lent, for as long as the bytes are. */
export type Explain = <K extends ExplanationKey>(key: K, ...args: ExplanationArgs<K>) => void;

/** The words of an explanation. */
export function explanationText<K extends ExplanationKey>(key: K, ...args: ExplanationArgs<K>): string {
  return (EXPLANATIONS[key].text as (...all: ExplanationArgs<K>) => string)(...args);
}

/** Where an explanation is told, and how often. */
export interface ExplanationKind {
  readonly module: string;
  readonly level: ExplanationLevel;
  /** What it counts together with, of which `burst` are told at once. */
  readonly limit: string;
  readonly burst: number;
  /** As how many it counts. */
  readonly weight: 1 | 2;
}

export function explanationKind<K extends ExplanationKey>(
  key: K,
  ...args: ExplanationArgs<K>
): ExplanationKind {
  const row = EXPLANATIONS[key] as unknown as Row<never>;
  const of = <T>(value: T | ((...all: never) => T)): T =>
    typeof value === 'function' ? (value as (...all: ExplanationArgs<K>) => T)(...args) : value;
  const module = of(row.module);
  const level = of(row.level);
  const { limit } = row;
  const burst = limit === undefined ? MODULE_BURST : LIMITS[limit];
  return { module, level, limit: limit ?? module, burst, weight: row.twice ? 2 : 1 };
}

/** An `Explain` that keeps what it is told until it is clear whether `explain` is to be told: by `tell`. */
export function explainLater(explain: Explain): { readonly explain: Explain; readonly tell: () => void } {
  const kept: (() => void)[] = [];
  return {
    explain: (key, ...args) => void kept.push(() => explain(key, ...args)),
    tell: () => {
      for (const each of kept) each();
    },
  };
}
