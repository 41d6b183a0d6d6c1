/** Groups as text: what `ovs-ofctl add-group` and its like read (ovs-ofctl(8), "Group Syntax"). */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { parseFieldValue } from '@ovs-node/flow/field-text';
import { fieldByName, wireMask } from '@ovs-node/flow/fields';
import { PROTO, PROTO_ANY, PROTO_OF10_NXM_ANY, PROTO_OF10_STD_ANY } from '@ovs-node/flow/field-types';
import { parseKeyValues } from '@ovs-node/flow/key-value';
import { OFPP, parsePort } from '@ovs-node/flow/ports';
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
import type { FlowTextOptions } from './flow.js';
import { parseU32, parseU64 } from './numbers.js';

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

/** Words that a line of a file may begin with; longer ones first. */
const COMMAND_WORDS: readonly (readonly [word: string, command: GroupCommand])[] = [
  ['add_or_mod', 'add_or_modify'],
  ['add', 'add'],
  ['delete', 'delete'],
  ['insert_bucket', 'insert_bucket'],
  ['modify', 'modify'],
  ['remove_bucket', 'remove_bucket'],
];

/** Protocols that can remove buckets: OpenFlow 1.5, and the extension of 1.0. Insertion is refused when it is sent. */
const PROTO_BUCKETS = PROTO.OF15_OXM | PROTO_OF10_NXM_ANY | PROTO_OF10_STD_ANY;

/** Splits a leading command word off a line of a file of groups; `add` when there is none. */
export function splitGroupCommand(text: string): { command: GroupCommand; rest: string } {
  const trimmed = text.trimStart();
  for (const [word, command] of COMMAND_WORDS) {
    if (new RegExp(`^${word}(?:\\s|$)`).test(trimmed)) return { command, rest: trimmed.slice(word.length) };
  }
  return { command: 'add', rest: trimmed };
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
  if (id > GROUP_MAX) throw new FlowSyntaxError(`invalid group id ${id}`);
  return id;
}

function parseCommandBucket(text: string, allAllowed: boolean): number {
  if (text === 'all') {
    if (!allAllowed) throw new FlowSyntaxError('command_bucket_id=all is not permitted');
    return BUCKET.ALL;
  }
  if (text === 'first') return BUCKET.FIRST;
  if (text === 'last') return BUCKET.LAST;
  const id = parseU32(text);
  if (id > BUCKET.MAX) throw new FlowSyntaxError(`invalid command bucket id ${id}`);
  return id;
}

/** Reads `ip_dst,eth_src=ff:ff:00:00:00:00`: fields of a hash, with masks. */
function parseFields(text: string): SelectionMethod['fields'] {
  const seen = new Set<string>();
  return parseKeyValues(text).map(({ key, value }) => {
    const f = fieldByName(key);
    if (!f) throw new FlowSyntaxError(`: unknown field ${key}`);
    if (seen.has(f.name)) throw new FlowSyntaxError(`${key}: duplicate field`);
    seen.add(f.name);
    if (value === '') return { field: f.name, mask: wireMask(f) };
    const masked = parseFieldValue(f, value);
    if (!f.maskable && masked.value !== wireMask(f)) {
      throw new FlowSyntaxError(`${value}: invalid mask for field ${key}`);
    }
    return { field: f.name, mask: masked.value };
  });
}

interface BucketDraft extends Omit<Bucket, 'weight' | 'actions'> {
  readonly weight: number | undefined;
  readonly actions: Bucket['actions'];
}

/** Reads one bucket: parameters, and everything else as actions. Narrows `usable.bits`. */
function parseBucket(
  text: string,
  type: GroupType,
  o: FlowTextOptions,
  usable: { bits: number },
): BucketDraft {
  let weight: number | undefined;
  let watchPort: number = OFPP.ANY;
  let watchGroup = GROUP_ANY;
  let bucketId = UNNUMBERED;
  const actions: string[] = [];
  for (const { key, value } of parseKeyValues(text)) {
    if (key === 'weight') {
      weight = parseU32(value) & 0xffff;
    } else if (key === 'watch_port') {
      const port = parsePort(value, o.ports);
      if (port === undefined) throw new FlowSyntaxError(`${value}: invalid watch_port`);
      watchPort = port;
    } else if (key === 'watch_group') {
      watchGroup = parseU32(value);
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
  const context = { ports: o.ports, tables: o.tables, usable: PROTO_ANY, depth: 0 };
  const parsed = parseActionsIn(actions.join(','), context);
  usable.bits &= context.usable;
  if (type === 'fast_failover' && watchPort === OFPP.ANY && watchGroup === GROUP_ANY) {
    throw new FlowSyntaxError('fast failover bucket requires watch_port or watch_group');
  }
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
}

function parseHead(text: string, allowed: Allowed): Head {
  const head: Head = {
    groupType: undefined,
    groupId: undefined,
    commandBucketId: undefined,
    method: undefined,
    param: undefined,
    fields: undefined,
  };
  const needed = (is: unknown, what: string): void => {
    if (is === undefined) throw new FlowSyntaxError(`${what} is not needed`);
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
      needed(allowed.type, 'fields');
      head.fields = parseFields(value);
    } else {
      throw new FlowSyntaxError(`unknown keyword ${key}`);
    }
  }
  return head;
}

/** The selection method of a head, which says parts of it only together. */
function selectionOf(head: Head): SelectionMethod | undefined {
  if (head.fields && head.method !== 'hash') {
    throw new FlowSyntaxError('fields may only be specified with "selection_method=hash"');
  }
  if (head.param !== undefined && head.method === undefined) {
    throw new FlowSyntaxError('selection_method_param is only allowed with "selection_method"');
  }
  if (head.method === undefined) return undefined;
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
  const head = parseHead(at < 0 ? text : text.slice(0, at), allowed);
  if (at >= 0 && !allowed.buckets) throw new FlowSyntaxError('bucket is not needed');
  if (head.groupId === undefined) throw new FlowSyntaxError('must specify a group_id');
  if (allowed.type && head.groupType === undefined) throw new FlowSyntaxError('must specify a type');
  if (allowed.commandBucket === 'required' && head.commandBucketId === undefined) {
    throw new FlowSyntaxError('must specify a command bucket id');
  }
  const selection = selectionOf(head);
  const groupType = head.groupType ?? 'all';
  const usable = { bits: command === 'remove_bucket' ? PROTO_BUCKETS : PROTO_ANY };
  const drafts =
    at < 0
      ? []
      : text
          .slice(at + 'bucket='.length)
          .split('bucket=')
          .map((part) => parseBucket(part, groupType, o, usable));
  if (
    allowed.type &&
    groupType !== 'select' &&
    drafts.some((b) => b.weight !== undefined && b.weight !== 0)
  ) {
    throw new FlowSyntaxError('Only select groups can have bucket weights.');
  }
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
