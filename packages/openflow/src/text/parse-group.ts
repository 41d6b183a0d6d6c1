/** Groups as text: what `ovs-ofctl add-group` and its like read (ovs-ofctl(8), "Group Syntax"). */
import { vlog } from '@ovs-node/common/vlog';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { fieldByName, fieldProtocols, wireMask } from '@ovs-node/flow/fields';
import {
  type Field,
  PROTO,
  PROTO_ANY,
  PROTO_OF10_NXM_ANY,
  PROTO_OF10_STD_ANY,
} from '@ovs-node/flow/field-types';
import { readDecimal } from '@ovs-node/flow/int-text';
import { KeyValueCursor, parseKeyValues } from '@ovs-node/flow/key-value';
import { OFPP, parsePort } from '@ovs-node/flow/ports';
import { parseExactValue } from '../actions/field-value.js';
import { parseActionsIn } from '../actions/text.js';
import {
  BUCKET,
  type Bucket,
  type GroupCommand,
  type GroupMod,
  type GroupType,
  type SelectionMethod,
} from '../messages/group-types.js';
import { GROUP_ALL, GROUP_ANY } from '../messages/types.js';
import { readCommandWord } from './command-word.js';
import type { FlowTextOptions } from './flow.js';
import { parseU16, parseU32, parseU64 } from './numbers.js';

const log = vlog('ofp_group');

/** Group numbers up to this name a group. */
const GROUP_MAX = 0xffffff00;
/** OFPP_NONE's place in a draft of a bucket that has not been given a number. */
const UNNUMBERED = -1;
const METHOD_BYTES = 15;

export interface ParsedGroup {
  readonly groupMod: GroupMod;
  /** Protocols (bits of `PROTO`) that can carry it. */
  readonly usable: number;
}

/** What a description may say, by command. */
interface Allowed {
  readonly type?: true;
  readonly buckets?: true;
  readonly commandBucket?: 'required' | 'or all';
}
const ALLOWED: Readonly<Record<GroupCommand, Allowed>> = {
  add: { type: true, buckets: true },
  modify: { type: true, buckets: true },
  add_or_modify: { type: true, buckets: true },
  delete: {},
  insert_bucket: { buckets: true, commandBucket: 'required' },
  remove_bucket: { commandBucket: 'or all' },
};

/** Words that a line of a file may begin with. Of those that begin alike the first is meant. */
const COMMAND_WORDS = ['add', 'delete', 'modify', 'add_or_mod', 'insert_bucket', 'remove_bucket'] as const;

/** Protocols that can remove buckets: OpenFlow 1.5, and the extension of 1.0. Insertion is refused when it is sent. */
const PROTO_BUCKETS = PROTO.OF15_OXM | PROTO_OF10_NXM_ANY | PROTO_OF10_STD_ANY;

/** Splits a leading command word off a line of a file of groups; `add` when there is none. */
export function splitGroupCommand(text: string): { command: GroupCommand; rest: string } {
  const { word, start, end } = readCommandWord(COMMAND_WORDS, text);
  if (word === undefined) return { command: 'add', rest: text.slice(start) };
  return { command: word === 'add_or_mod' ? 'add_or_modify' : word, rest: text.slice(end) };
}

const TYPES: Readonly<Record<string, GroupType>> = {
  all: 'all',
  select: 'select',
  indirect: 'indirect',
  ff: 'fast_failover',
  fast_failover: 'fast_failover',
};

function parseGroupType(text: string): GroupType {
  if (!Object.hasOwn(TYPES, text)) throw new FlowSyntaxError(`invalid group type ${text}`);
  return TYPES[text];
}

function parseGroupId(text: string): number {
  if (text === 'all') return GROUP_ALL;
  const id = parseU32(text);
  if (id > GROUP_MAX && id !== GROUP_ALL) throw new FlowSyntaxError(`invalid group id ${id}`);
  return id;
}

/** A group by number, `ANY` or `ALL`; undefined, with a warning, for anything else. */
export function readGroup(text: string): number | undefined {
  const word = text.toUpperCase();
  if (word === 'ANY') return GROUP_ANY;
  if (word === 'ALL') return GROUP_ALL;
  const n = readDecimal(text);
  if (n <= GROUP_MAX || n === GROUP_ANY) return n;
  log.warn(
    `${text} is not a valid group ID.  (Valid group IDs are 32-bit nonnegative integers or the keywords ANY or ALL.)`,
  );
  return undefined;
}

/** What a command says of buckets without a number of one. */
const BUCKET_WORDS: ReadonlyMap<string, number> = new Map([
  ['all', BUCKET.ALL],
  ['first', BUCKET.FIRST],
  ['last', BUCKET.LAST],
]);

function parseCommandBucket(text: string, allAllowed: boolean): number {
  const id = BUCKET_WORDS.get(text) ?? parseU32(text);
  if (id === BUCKET.ALL && !allAllowed) throw new FlowSyntaxError('command_bucket_id=all is not permitted');
  if (id > BUCKET.MAX && ![...BUCKET_WORDS.values()].includes(id))
    throw new FlowSyntaxError(`invalid command bucket id ${id}`);
  return id;
}

/** Reads `ip_dst,eth_src=ff:ff:00:00:00:00`: fields of a hash, with masks. */
function parseFields(text: string): { fields: SelectionMethod['fields']; usable: number } {
  const seen = new Set<string>();
  const found: { f: Field; mask: bigint }[] = [];
  for (const at = new KeyValueCursor(text); at.next();) {
    const { key, value } = at;
    const f = fieldByName(key);
    if (!f) throw new FlowSyntaxError(`${at.rest}: unknown field ${key}`);
    if (seen.has(f.name)) throw new FlowSyntaxError(`${key}: duplicate field`);
    seen.add(f.name);
    if (value === '') {
      found.push({ f, mask: wireMask(f) });
      continue;
    }
    const mask = parseExactValue(f, value);
    if (mask === 0n && f.option === undefined)
      throw new FlowSyntaxError(`${at.rest}: values are wildcards here and must not be all-zeros`);
    if (!f.maskable && mask !== wireMask(f))
      throw new FlowSyntaxError(`${value}: invalid mask for field ${key}`);
    found.push({ f, mask });
  }
  // They go in the order of the table, whatever theirs.
  found.sort((a, b) => a.f.id - b.f.id);
  return {
    fields: found.map(({ f, mask }) => ({ field: f.name, mask })),
    usable: found.reduce((bits, { f, mask }) => bits & fieldProtocols(f, mask), PROTO_ANY),
  };
}

interface BucketDraft extends Omit<Bucket, 'weight' | 'actions'> {
  readonly weight: number | undefined;
  readonly actions: Bucket['actions'];
}

/** Reads one bucket: parameters, and everything else as actions. Sets `usable.bits`. `weighs`: weights need a select group. */
function parseBucket(
  text: string,
  type: GroupType,
  o: FlowTextOptions,
  usable: { bits: number },
  weighs: boolean,
): BucketDraft {
  let weight: number | undefined;
  let watchPort: number = OFPP.ANY;
  let watchGroup = GROUP_ANY;
  let bucketId = UNNUMBERED;
  const actions: string[] = [];
  for (const { key, value } of parseKeyValues(text)) {
    if (key === 'weight') {
      weight = parseU16(value, 'weight');
    } else if (key === 'watch_port') {
      const port = parsePort(value, o.ports);
      if (port === undefined || (port >= OFPP.MAX && port !== OFPP.ANY && port !== OFPP.CONTROLLER))
        throw new FlowSyntaxError(`${value}: invalid watch_port`);
      watchPort = port;
    } else if (key === 'watch_group') {
      watchGroup = parseU32(value);
      if (watchGroup > GROUP_MAX) throw new FlowSyntaxError(`invalid watch_group id ${watchGroup}`);
    } else if (key === 'bucket_id') {
      bucketId = parseU32(value);
      if (bucketId > BUCKET.MAX) throw new FlowSyntaxError(`invalid bucket_id id ${bucketId}`);
    } else if (key === 'action' || key === 'actions') {
      actions.push(value);
    } else {
      actions.push(value === '' ? key : `${key}(${value})`);
    }
  }
  if (actions.length === 0) throw new FlowSyntaxError('bucket must specify actions');
  if (type === 'fast_failover' && watchPort === OFPP.ANY && watchGroup === GROUP_ANY) {
    throw new FlowSyntaxError('fast failover bucket requires watch_port or watch_group');
  }
  const context = { ports: o.ports, tables: o.tables, usable: PROTO_ANY, depth: 0, onlyActions: true };
  const parsed = parseActionsIn(actions.join(','), context);
  // As with the peer, the last bucket decides.
  usable.bits = context.usable;
  if (weighs && type !== 'select' && (weight ?? 0) !== 0)
    throw new FlowSyntaxError('Only select groups can have bucket weights.');
  return { weight, watchPort, watchGroup, bucketId, actions: parsed };
}

/** Buckets that have no number get the lowest that is free, in order. */
function numberBuckets(drafts: readonly BucketDraft[], type: GroupType): Bucket[] {
  const taken = new Set(drafts.map((b) => b.bucketId));
  let next = 0;
  return drafts.map((b) => {
    let { bucketId } = b;
    if (bucketId === UNNUMBERED) {
      while (taken.has(next)) next++;
      bucketId = next++;
    }
    return { ...b, bucketId, weight: b.weight ?? (type === 'select' ? 1 : 0) };
  });
}

/** What is said of a group before its buckets. */
interface Head {
  groupType: GroupType | undefined;
  groupId: number | undefined;
  commandBucketId: number | undefined;
  method: string | undefined;
  param: bigint | undefined;
  fields: SelectionMethod['fields'] | undefined;
  /** Protocols that can carry the fields. */
  usable: number;
}

function parseHead(text: string, allowed: Allowed): Head {
  const head: Head = {
    groupType: undefined,
    groupId: undefined,
    commandBucketId: undefined,
    method: undefined,
    param: undefined,
    fields: undefined,
    usable: PROTO_ANY,
  };
  const needed = (is: unknown, what: string, verb = 'is'): void => {
    if (is === undefined) throw new FlowSyntaxError(`${what} ${verb} not needed`);
  };
  for (const { key, value } of parseKeyValues(text)) {
    if (key === 'command_bucket_id') {
      needed(allowed.commandBucket, 'command bucket id');
      head.commandBucketId = parseCommandBucket(value, allowed.commandBucket === 'or all');
    } else if (key === 'group_id') {
      head.groupId = parseGroupId(value);
    } else if (key === 'type') {
      needed(allowed.type, 'type');
      head.groupType = parseGroupType(value);
    } else if (key === 'selection_method') {
      needed(allowed.type, 'selection method');
      if (Buffer.byteLength(value) > METHOD_BYTES) {
        throw new FlowSyntaxError(`selection method is longer than ${METHOD_BYTES} bytes long`);
      }
      head.method = value;
    } else if (key === 'selection_method_param') {
      needed(allowed.type, 'selection method param');
      head.param = parseU64(value);
    } else if (key === 'fields') {
      needed(allowed.type, 'fields', 'are');
      const parsed = parseFields(value);
      head.fields = parsed.fields;
      head.usable &= parsed.usable;
    } else {
      throw new FlowSyntaxError(`unknown keyword ${key}`);
    }
  }
  return head;
}

/** The selection method of a head, which says parts of it only together. */
function selectionOf(head: Head): SelectionMethod | undefined {
  if (head.fields && head.fields.length > 0 && head.method !== 'hash') {
    throw new FlowSyntaxError('fields may only be specified with "selection_method=hash"');
  }
  if (!head.method) {
    if (head.param)
      throw new FlowSyntaxError('selection_method_param is only allowed with "selection_method"');
    return undefined;
  }
  return { method: head.method, param: head.param ?? 0n, fields: head.fields ?? [] };
}

/**
 * Reads the description of a group for `command`.
 *
 * @throws FlowSyntaxError with the peer's words.
 */
export function parseGroup(text: string, command: GroupCommand, o: FlowTextOptions = {}): ParsedGroup {
  const allowed = ALLOWED[command];
  const at = text.indexOf('bucket=');
  if (at >= 0 && !allowed.buckets) throw new FlowSyntaxError('bucket is not needed');
  const head = parseHead(at < 0 ? text : text.slice(0, at), allowed);
  if (head.groupId === undefined) throw new FlowSyntaxError('must specify a group_id');
  if (allowed.type && head.groupType === undefined) throw new FlowSyntaxError('must specify a type');
  if (allowed.commandBucket === 'required' && head.commandBucketId === undefined) {
    throw new FlowSyntaxError('must specify a command bucket id');
  }
  const selection = selectionOf(head);
  const groupType = head.groupType ?? 'all';
  // The method is a property that came with 1.5, and with the extension for 1.0.
  const { method, param, fields } = head;
  const narrow = command === 'remove_bucket' || (method ?? param ?? fields) !== undefined;
  const usable = { bits: (narrow ? PROTO_BUCKETS : PROTO_ANY) & head.usable };
  const drafts =
    at < 0
      ? []
      : text
          .slice(at + 'bucket='.length)
          .split('bucket=')
          .map((part) => parseBucket(part, groupType, o, usable, allowed.type === true));
  if (groupType === 'indirect' && drafts.length > 1) {
    throw new FlowSyntaxError('Indirect groups can have at most one bucket.');
  }
  return {
    groupMod: {
      command,
      groupType,
      groupId: head.groupId,
      commandBucketId: head.commandBucketId ?? BUCKET.ALL,
      buckets: numberBuckets(drafts, groupType),
      selection,
    },
    usable: usable.bits,
  };
}
