/** Group messages: group-mod, and the statistics, descriptions and features of groups. */
import { mustField, wireMask } from '@ovs-node/flow/fields';
import { byteLength } from '@ovs-node/flow/tun-metadata';
import { OFPP } from '@ovs-node/flow/ports';
import { putActions, readActions } from '../actions/codec.js';
import { DecodeFailure, told, fail, refuse } from '../errors.js';
import { isLengthOf, putFieldHeader, readFieldHeader } from '../match/headers.js';
import { checkWildcards } from '../match/nxm.js';
import { Reader, type Writer } from '../wire.js';
import {
  BUCKET,
  type Bucket,
  type GroupCommand,
  type GroupFeatures,
  type GroupMod,
  type GroupStats,
  type GroupType,
  type ReceivedGroupDesc,
  type SelectionMethod,
} from './group-types.js';
import { checkPortNo, readPortNo } from './port.js';
import { propertyName, putProperty, readProperty, unknownProperty } from './property.js';
import { type BodyRow, bodies, emptyBody, form, forms, type MessageRows } from './row.js';
import { items } from './multipart-items.js';
import { GROUP_ALL, GROUP_ANY, type ReplyOf, type RequestOf, UNKNOWN_DURATION } from './types.js';
import { EXPERIMENTERS } from '@ovs-node/flow/experimenters';

export const GROUP_TYPES: readonly GroupType[] = ['all', 'select', 'indirect', 'fast_failover'];
const COMMANDS: Readonly<Record<number, GroupCommand>> = {
  0: 'add',
  1: 'modify',
  2: 'delete',
  3: 'insert_bucket',
  5: 'remove_bucket',
  0x8000: 'add_or_modify',
};
const COMMAND_NUMBERS: Readonly<Record<GroupCommand, number>> = {
  add: 0,
  modify: 1,
  delete: 2,
  insert_bucket: 3,
  remove_bucket: 5,
  add_or_modify: 0x8000,
};

const METHODS = ['hash', 'dp_hash'];

/** Whether a version has the forms of OpenFlow 1.5: it does, and so does the extension of 1.0. */
export const is15 = (version: number): boolean => version === 1 || version >= 6;

function putBucket(w: Writer, b: Bucket, type: ReceivedGroupDesc['groupType'], version: number): void {
  const start = w.length;
  if (is15(version)) {
    w.u16(0).u16(0).u32(b.bucketId);
    putActions(w, b.actions, version);
    w.setU16(start + 2, w.length - start - 8);
    // What puts buckets into a group does not say of which type it is.
    if (type === 'select' || b.weight !== 0)
      putProperty(w, 'group bucket', 'weight', () => w.u16(b.weight).zeros(2));
    if (b.watchPort !== OFPP.ANY) putProperty(w, 'group bucket', 'watchPort', () => w.u32(b.watchPort));
    if (b.watchGroup !== GROUP_ANY) putProperty(w, 'group bucket', 'watchGroup', () => w.u32(b.watchGroup));
  } else {
    w.u16(0).u16(b.weight).u32(b.watchPort).u32(b.watchGroup).zeros(4);
    putActions(w, b.actions, version);
  }
  w.setU16(start, w.length - start);
}

/** A reader of what follows the length of a bucket, which is `least` bytes at least. */
function readerOfBucket(r: Reader, least: number): Reader {
  const { left } = r;
  // The peer looks beyond the end of the list for the header, but not beyond the end of the message.
  const { buf, pos } = r;
  if ((least === 8 ? buf.length - pos : left) < least) refuse(r, 'OFPGMFC_BAD_BUCKET', 'buckets_end', left);
  const length = (buf[pos] << 8) | buf[pos + 1];
  if (length < least) refuse(r, 'OFPGMFC_BAD_BUCKET', 'bucket_length', length);
  if (length > left) refuse(r, 'OFPGMFC_BAD_BUCKET', 'long_bucket', length, left);
  r.skip(2);
  return r.sub(length - 2);
}

function readBucket11(r: Reader, version: number, bucketId: number): Bucket {
  const b = readerOfBucket(r, 16);
  const weight = b.u16();
  const watch = b.copy();
  b.skip(12);
  const actions = readActions(b, version);
  const watchPort = readPortNo(watch, version, 'OFPGMFC_BAD_WATCH');
  return { weight, watchPort, watchGroup: watch.u32(), bucketId, actions };
}

function readBucket15(r: Reader, version: number, type: GroupType | undefined): Bucket {
  const b = readerOfBucket(r, 8);
  const actionsLength = b.u16();
  const bucketId = b.u32();
  if (actionsLength > b.left) refuse(b, 'OFPGMFC_BAD_BUCKET', 'bucket_actions', actionsLength, b.left);
  const actions = readActions(b, version, actionsLength);
  let weight = type === 'select' ? 1 : 0;
  let watchPort: number = OFPP.ANY;
  let watchGroup = GROUP_ANY;
  while (b.left > 0) {
    const p = readProperty(b);
    const name = propertyName('group bucket', p);
    if (name === undefined) unknownProperty(p, 'group bucket', false);
    else if (name === 'weight') weight = p.body.u16();
    else if (name === 'watchPort') watchPort = p.body.u32();
    else watchGroup = p.body.u32();
  }
  checkPortNo(b, watchPort, 'OFPGMFC_BAD_WATCH');
  if (bucketId > BUCKET.MAX) refuse(b, 'OFPGMFC_BAD_BUCKET', 'bucket_id', bucketId);
  return { weight, watchPort, watchGroup, bucketId, actions };
}

function readBuckets(r: Reader, version: number, type: GroupType | undefined): Bucket[] {
  const out: Bucket[] = [];
  const ids = new Set<number>();
  while (r.left > 0) {
    const b = is15(version) ? readBucket15(r, version, type) : readBucket11(r, version, out.length);
    out.push(b);
    ids.add(b.bucketId);
  }
  if (ids.size < out.length) refuse(r, 'OFPGMFC_BAD_BUCKET', 'same_bucket');
  return out;
}

function putSelection(w: Writer, s: SelectionMethod | undefined, version: number): void {
  if (!s) return;
  putProperty(w, 'group', 'selection', () => {
    w.zeros(4).string(s.method, 16).u64(s.param);
    for (const { field, mask } of s.fields) {
      const f = mustField(field);
      const bytes = f.option === undefined ? f.bytes : byteLength(mask);
      putFieldHeader(w, f, version, false, bytes);
      w.big(mask, bytes);
    }
  });
}

interface SelectionField {
  readonly field: string;
  readonly mask: bigint;
  readonly id: number;
}

/** Reads fields with the bits of them that count. */
function readFieldArray(r: Reader, out: SelectionField[]): void {
  const from = r.pos;
  let start = from;
  /** Said of what is wrong, unless something better was. */
  let why: (() => void) | undefined = () => r.explain?.('array_field');
  try {
    for (; r.left > 0; start = r.pos) {
      const h = readFieldHeader(r);
      const f = h.field && isLengthOf(h, h.field) ? h.field : undefined;
      if (!f) r.explain?.('unknown_field', h);
      if (h.length > r.left) refuse(r, 'OFPBMC_BAD_LEN', 'long_field', h, r.left);
      if (h.masked) {
        checkWildcards(r, h);
        refuse(r, 'OFPBMC_BAD_MASK', 'no_mask_here', h);
      }
      if (!f) return fail('OFPBMC_BAD_FIELD', `field ${h.cls}:${h.code}`);
      const mask = r.big(h.length);
      why = undefined;
      if (out.some((x) => x.field === f.name)) refuse(r, 'OFPBMC_DUP_FIELD', 'array_duplicate', f.name);
      if (!f.maskable && mask !== 0n && mask !== wireMask(f))
        refuse(r, 'OFPBMC_BAD_MASK', 'array_mask', f.name);
      out.push({ field: f.name, mask, id: f.id });
      why = () => r.explain?.('array_field');
    }
  } catch (e) {
    why?.();
    if (e instanceof DecodeFailure) r.explain?.('field_error', start - from, 'field array', e.error.name!);
    throw e;
  }
}

/** Reads the properties of a group; `command` undefined: of a description. */
function readSelection(
  r: Reader,
  type: GroupType | undefined,
  command: GroupCommand | 'unknown' | undefined,
): SelectionMethod | undefined {
  let selection: SelectionMethod | undefined;
  while (r.left > 0) {
    const p = readProperty(r);
    const isOld = p.experimenter === EXPERIMENTERS.netronomeCompat;
    const known = propertyName('group', isOld ? { ...p, experimenter: EXPERIMENTERS.netronome } : p);
    if (known === undefined) unknownProperty(p, 'group', false);
    if (type === undefined) fail('OFPGMFC_BAD_TYPE', 'group type');
    if (type !== 'select') refuse(r, 'OFPBPC_BAD_VALUE', 'selection_type');
    if (command === 'unknown') fail('OFPGMFC_BAD_COMMAND', 'group command');
    if (command !== undefined && !['add', 'modify', 'add_or_modify'].includes(command)) {
      refuse(r, 'OFPBPC_BAD_VALUE', 'selection_command');
    }
    const b = p.body;
    if (b.left < 28) refuse(r, 'OFPBPC_BAD_LEN', 'selection_length', p.length);
    b.skip(4);
    const name = b.bytes(16);
    const end = name.indexOf(0);
    if (end < 0) refuse(r, 'OFPBPC_BAD_VALUE', 'selection_end');
    const method = new TextDecoder('latin1').decode(name.subarray(0, end));
    if (!METHODS.includes(method)) refuse(r, 'OFPBPC_BAD_VALUE', 'selection_method', method);
    const param = b.u64();
    if (method === 'dp_hash' && b.left > 0) refuse(r, 'OFPBPC_BAD_VALUE', 'selection_no_fields', method);
    const fields: SelectionField[] = [];
    // What is too short for a field is another error than a short selection method.
    const list = b.sub(b.left, 'OFPBMC_BAD_LEN');
    try {
      readFieldArray(list, fields);
    } catch (e) {
      throw told(r, e, 'selection_fields');
    }
    fields.sort((x, y) => x.id - y.id);
    selection = { method, param, fields: fields.map(({ field, mask }) => ({ field, mask })) };
  }
  return selection;
}

/** The number of a type; of an unknown one the first that has none. */
function groupTypeNumber(type: ReceivedGroupDesc['groupType']): number {
  return type === 'unknown' ? GROUP_TYPES.length : GROUP_TYPES.indexOf(type);
}

function groupType(n: number): GroupType | undefined {
  return GROUP_TYPES[n];
}

/** What no group-mod may say, in the order in which it is found. */
function checkGroupMod(
  command: GroupCommand | undefined,
  type: GroupType | undefined,
  buckets: readonly Bucket[],
): void {
  if (type === undefined) fail('OFPGMFC_BAD_TYPE', 'group type');
  if (type === 'indirect' && command !== 'delete' && buckets.length !== 1) {
    fail('OFPGMFC_INVALID_GROUP', `indirect group of ${buckets.length} buckets`);
  }
  if (command === 'remove_bucket' && buckets.length > 0) {
    fail('OFPGMFC_BAD_BUCKET', 'buckets where one is removed');
  }
  if (command === undefined) fail('OFPGMFC_BAD_COMMAND', 'group command');
  for (const b of buckets) {
    // Of buckets put into a group, the peer does not look at the weight.
    if (b.weight !== 0 && type !== 'select' && command !== 'insert_bucket')
      fail('OFPGMFC_INVALID_GROUP', `weight in a group of type ${type}`);
    const watched = b.watchPort !== OFPP.ANY || b.watchGroup !== GROUP_ANY;
    if (watched && (type === 'all' || type === 'indirect')) {
      fail('OFPGMFC_WATCH_UNSUPPORTED', `watching in a group of type ${type}`);
    }
    if (!watched && type === 'fast_failover') fail('OFPGMFC_INVALID_GROUP', 'bucket that watches nothing');
  }
}

function readGroupMod15(r: Reader, version: number): GroupMod {
  const command = COMMANDS[r.u16()];
  const type = groupType(r.u8());
  r.skip(1);
  const groupId = r.u32();
  const bucketsLength = r.u16();
  r.skip(2);
  const commandBucketId = r.u32();
  const bad = (): never => refuse(r, 'OFPGMFC_BAD_BUCKET', 'command_bucket', commandBucketId);
  const ends = commandBucketId === BUCKET.FIRST || commandBucketId === BUCKET.LAST;
  if (command === 'remove_bucket' || command === 'insert_bucket') {
    const isAll = commandBucketId === BUCKET.ALL && command === 'remove_bucket';
    if (commandBucketId > BUCKET.MAX && !ends && !isAll) bad();
  } else if (commandBucketId !== BUCKET.ALL) bad();
  if (bucketsLength > r.left) fail('OFPBRC_BAD_LEN', `${bucketsLength} bytes of buckets`);
  const buckets = readBuckets(r.sub(bucketsLength), version, type);
  const selection = readSelection(r, type, command ?? 'unknown');
  checkGroupMod(command, type, buckets);
  return { command: command!, groupType: type!, groupId, commandBucketId, buckets, selection };
}

/** In the forms without bucket ids, inserting and removing cannot be said. */
const hasCommand11 = (m: { groupMod: GroupMod }): boolean =>
  m.groupMod.command !== 'insert_bucket' && m.groupMod.command !== 'remove_bucket';

function putGroupMod15(w: Writer, { groupMod: g }: { groupMod: GroupMod }, version: number): void {
  w.u16(COMMAND_NUMBERS[g.command]).u8(GROUP_TYPES.indexOf(g.groupType)).zeros(1).u32(g.groupId);
  const at = w.length;
  w.u16(0).zeros(2).u32(g.commandBucketId);
  const start = w.length;
  for (const b of g.buckets) putBucket(w, b, g.groupType, version);
  w.setU16(at, w.length - start);
  putSelection(w, g.selection, version);
}

export const GROUP_MESSAGES: MessageRows<'group_mod'> = {
  group_mod: {
    forms: [
      form(
        'OFPT11_GROUP_MOD',
        (w, { groupMod: g }, version) => {
          w.u16(COMMAND_NUMBERS[g.command]).u8(GROUP_TYPES.indexOf(g.groupType)).zeros(1).u32(g.groupId);
          for (const b of g.buckets) putBucket(w, b, g.groupType, version);
        },
        (r, version) => {
          const command = COMMANDS[r.u16()];
          const type = groupType(r.u8());
          r.skip(1);
          const groupId = r.u32();
          const buckets = readBuckets(r, version, type);
          if (command === 'delete' && version >= 4 && buckets.length > 0) {
            fail('OFPGMFC_INVALID_GROUP', 'buckets in a deletion');
          }
          checkGroupMod(command, type, buckets);
          const groupMod = {
            command: command!,
            groupType: type!,
            groupId,
            commandBucketId: BUCKET.ALL,
            buckets,
            selection: undefined,
          };
          return { type: 'group_mod', groupMod };
        },
        hasCommand11,
      ),
      ...forms<{ groupMod: GroupMod }>(
        ['OFPT15_GROUP_MOD', 'NXT_GROUP_MOD'],
        putGroupMod15,
        (r, version) => ({
          type: 'group_mod',
          groupMod: readGroupMod15(r, version),
        }),
      ),
    ],
  },
};

function putGroupStats(w: Writer, s: GroupStats, version: number): void {
  const start = w.length;
  w.u16(0).zeros(2).u32(s.groupId).u32(s.refCount).zeros(4).u64(s.packetCount).u64(s.byteCount);
  if (version === 1 || version >= 4) w.u32(s.durationSec).u32(s.durationNsec);
  for (const b of s.buckets) w.u64(b.packetCount).u64(b.byteCount);
  w.setU16(start, w.length - start);
}

function readGroupStats(r: Reader, version: number): GroupStats {
  const base = version === 1 || version >= 4 ? 40 : 32;
  const list = version === 1 ? 'NXST_GROUP reply reply' : 'OFPST_GROUP reply reply';
  if (r.left < base) refuse(r, 'OFPBRC_BAD_LEN', 'leftover', list, r.left);
  const left = r.left - base;
  const length = r.u16();
  if (length < 8) refuse(r, 'OFPBRC_BAD_LEN', 'claimed_length', list, length);
  const nBuckets = Math.floor((length - base) / 16);
  if (length < base || 16 * nBuckets > left) refuse(r, 'OFPBRC_BAD_LEN', 'leftover', list, left);
  const b = r.sub(base + 16 * nBuckets - 2);
  b.skip(2);
  const [groupId, refCount] = [b.u32(), b.u32()];
  b.skip(4);
  const [packetCount, byteCount] = [b.u64(), b.u64()];
  const durationSec = base === 40 ? b.u32() : UNKNOWN_DURATION;
  const durationNsec = base === 40 ? b.u32() : UNKNOWN_DURATION;
  const buckets: { packetCount: bigint; byteCount: bigint }[] = [];
  while (b.left > 0) buckets.push({ packetCount: b.u64(), byteCount: b.u64() });
  return { groupId, refCount, packetCount, byteCount, durationSec, durationNsec, buckets };
}

function putGroupDesc(w: Writer, d: ReceivedGroupDesc, version: number): void {
  const start = w.length;
  w.u16(0).u8(groupTypeNumber(d.groupType)).zeros(1).u32(d.groupId);
  if (is15(version)) w.u16(0).zeros(6);
  const from = w.length;
  for (const b of d.buckets) putBucket(w, b, d.groupType, version);
  if (is15(version)) {
    w.setU16(start + 8, w.length - from);
    putSelection(w, d.selection, version);
  }
  w.setU16(start, w.length - start);
}

const DESC_LIST = 'OFPST11_GROUP_DESC reply';

function readGroupDesc(r: Reader, version: number): ReceivedGroupDesc {
  const base = is15(version) ? 16 : 8;
  if (r.left < base) refuse(r, 'OFPBRC_BAD_LEN', 'leftover', DESC_LIST, r.left);
  const length = r.u16();
  if (length < base || length - 2 > r.left) refuse(r, 'OFPBRC_BAD_LEN', 'claimed_length', DESC_LIST, length);
  const b = r.sub(length - 2);
  const type = groupType(b.u8());
  b.skip(1);
  const groupId = b.u32();
  if (!is15(version)) {
    const buckets = readBuckets(b, version, type);
    return { groupType: type ?? 'unknown', groupId, buckets, selection: undefined };
  }
  const bucketsLength = b.u16();
  b.skip(6);
  if (bucketsLength > b.left) refuse(r, 'OFPBRC_BAD_LEN', 'bucket_list', bucketsLength);
  const buckets = readBuckets(b.sub(bucketsLength), version, type);
  const selection = readSelection(b, type, undefined);
  return { groupType: type ?? 'unknown', groupId, buckets, selection };
}

function readFeatures(r: Reader): GroupFeatures {
  const four = (): number[] => [r.u32(), r.u32(), r.u32(), r.u32()];
  return { types: r.u32(), capabilities: r.u32(), maxGroups: four(), actions: four() };
}

const readGroupId = (r: Reader): number => {
  const group = r.u32();
  r.skip(4);
  return group;
};

export const GROUP_BODIES: {
  readonly [T in 'group' | 'group_desc' | 'group_features']: BodyRow<RequestOf<T>, ReplyOf<T>>;
} = {
  group: {
    request: bodies<RequestOf<'group'>>(
      ['OFPST11_GROUP_REQUEST', 'NXST_GROUP_REQUEST'],
      (w, q) => w.u32(q.group).zeros(4),
      (r) => ({ type: 'group', group: readGroupId(r) }),
    ),
    reply: bodies<ReplyOf<'group'>>(
      ['OFPST11_GROUP_REPLY', 'OFPST13_GROUP_REPLY', 'NXST_GROUP_REPLY'],
      (w, p, version) => w.items(p.groups, (s) => putGroupStats(w, s, version)),
      (r, version) =>
        items(
          r,
          () => readGroupStats(r, version),
          (groups) => ({ type: 'group', groups }),
        ),
    ),
  },
  group_desc: {
    request: [
      ...emptyBody<RequestOf<'group_desc'>>(['OFPST11_GROUP_DESC_REQUEST'], {
        type: 'group_desc',
        group: GROUP_ALL,
      }),
      ...bodies<RequestOf<'group_desc'>>(
        ['OFPST15_GROUP_DESC_REQUEST', 'NXST_GROUP_DESC_REQUEST'],
        (w, q) => w.u32(q.group).zeros(4),
        (r) => ({ type: 'group_desc', group: readGroupId(r) }),
      ),
    ],
    reply: bodies<ReplyOf<'group_desc'>>(
      ['OFPST11_GROUP_DESC_REPLY', 'NXST_GROUP_DESC_REPLY'],
      (w, p, version) => w.items(p.groups, (d) => putGroupDesc(w, d, version)),
      (r, version) =>
        items(
          r,
          () => readGroupDesc(r, version),
          (groups) => ({ type: 'group_desc', groups }),
        ),
    ),
  },
  group_features: {
    request: emptyBody<RequestOf<'group_features'>>(
      ['OFPST12_GROUP_FEATURES_REQUEST', 'NXST_GROUP_FEATURES_REQUEST'],
      { type: 'group_features' },
    ),
    reply: bodies<ReplyOf<'group_features'>>(
      ['OFPST12_GROUP_FEATURES_REPLY', 'NXST_GROUP_FEATURES_REPLY'],
      (w, { features: f }) => {
        w.u32(f.types).u32(f.capabilities);
        for (let i = 0; i < 4; i++) w.u32(f.maxGroups[i] ?? 0);
        for (let i = 0; i < 4; i++) w.u32(f.actions[i] ?? 0);
      },
      (r) => ({ type: 'group_features', features: readFeatures(r) }),
    ),
  },
};
