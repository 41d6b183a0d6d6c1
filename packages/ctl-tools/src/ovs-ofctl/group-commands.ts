/** Commands on groups: ovs-ofctl(8), "Group Table Commands". */
import { FatalError } from '@ovs-node/common/errors';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { encodeMessage } from '@ovs-node/openflow/messages/codec';
import { BUCKET, type GroupCommand, type GroupMod } from '@ovs-node/openflow/messages/group-types';
import { GROUP_ALL } from '@ovs-node/openflow/messages/types';
import type { FlowTextOptions } from '@ovs-node/openflow/text/flow';
import { printMessage } from '@ovs-node/openflow/text/message';
import { parseGroup, readGroup, splitGroupCommand } from '@ovs-node/openflow/text/parse-group';
import { formatProtocols, PROTOCOLS } from '@ovs-node/openflow/text/protocols';
import { versionName } from '@ovs-node/openflow/version';
import type { OfctlContext } from './context.js';
import { flowLines, parseOrFail } from './flow-commands.js';
import { readLines } from './line-text.js';
import { sendMods } from './mod-sender.js';
import { multipart } from './parts.js';
import { dumpStats } from './switch-commands.js';

interface GroupList {
  readonly groupMods: readonly GroupMod[];
  readonly usable: number;
}

/** Reads a file of groups; lines may name their command when it is `add`. */
function parseGroupFile(file: string, command: GroupCommand, o: FlowTextOptions): GroupList {
  const groupMods: GroupMod[] = [];
  let usable = PROTO_ANY;
  flowLines(
    file,
    readLines(file, 'open failed'),
  )((text, from, to) => {
    const line = text.slice(from, to);
    const split = command === 'add' ? splitGroupCommand(line) : { command, rest: line };
    const parsed = parseGroup(split.rest, split.command, o);
    groupMods.push(parsed.groupMod);
    usable &= parsed.usable;
  });
  return { groupMods, usable };
}

async function sendGroups(c: OfctlContext, target: string, list: GroupList): Promise<void> {
  const sw = await c.connectForFlowMods(target, list.usable);
  await sendMods(
    c,
    sw,
    list.groupMods.map((groupMod) => ({ type: 'group_mod', groupMod })),
  );
}

async function groupModFile(
  c: OfctlContext,
  target: string,
  file: string,
  command: GroupCommand,
): Promise<void> {
  const names = await c.acceptNames(target);
  await sendGroups(c, target, parseGroupFile(file, command, names));
}

/** All groups, for a deletion. */
const EVERY_GROUP: GroupMod = {
  command: 'delete',
  groupType: 'all',
  groupId: GROUP_ALL,
  commandBucketId: BUCKET.ALL,
  buckets: [],
  selection: undefined,
};

/** add-group, mod-group, del-groups, insert-buckets, remove-buckets. */
export async function groupMod(
  c: OfctlContext,
  [target, text]: readonly string[],
  command: GroupCommand,
): Promise<void> {
  if (text === '-') return groupModFile(c, target, text, command);
  const names = await c.acceptNames(target);
  if ((text ?? '') === '' && command === 'delete') {
    return sendGroups(c, target, { groupMods: [EVERY_GROUP], usable: PROTO_ANY });
  }
  const { groupMod: g, usable } = parseOrFail(() => parseGroup(text ?? '', command, names));
  return sendGroups(c, target, { groupMods: [g], usable });
}

export function modGroup(c: OfctlContext, args: readonly string[]): Promise<void> {
  return groupMod(c, args, c.settings.mayCreate ? 'add_or_modify' : 'modify');
}

export function addGroups(c: OfctlContext, [target, file]: readonly string[]): Promise<void> {
  return groupModFile(c, target, file, 'add');
}

/** A group by number, `ANY` or `ALL`; all of them for anything else, which has been warned of. */
function groupNumber(text: string | undefined): number {
  return text === undefined ? GROUP_ALL : (readGroup(text) ?? GROUP_ALL);
}

export async function dumpGroups(c: OfctlContext, [target, group]: readonly string[]): Promise<void> {
  const sw = await c.connect(target);
  await c.dump(sw, multipart({ type: 'group_desc', group: groupNumber(group) }));
}

export async function dumpGroupStats(c: OfctlContext, [target, text]: readonly string[]): Promise<void> {
  const names = await c.acceptNames(target);
  // No words at all ask for all groups, too.
  const group =
    text === undefined || text === ''
      ? GROUP_ALL
      : parseOrFail(() => parseGroup(text, 'delete', names)).groupMod.groupId;
  await dumpStats(c, target, { type: 'group', group });
}

/** parse-group: a group as a message of the first version that can carry it. */
export function parseGroupCommand(c: OfctlContext, [text]: readonly string[]): void {
  const { groupMod: g, usable } = parseOrFail(() => parseGroup(text, 'add'));
  process.stdout.write(`usable protocols: ${formatProtocols(usable)}\n`);
  const chosen = PROTOCOLS.find((p) => (usable & c.settings.protocols & p.bit) !== 0);
  if (!chosen) throw new FatalError('no usable protocol');
  process.stdout.write(`chosen version: ${versionName(chosen.version)}\n`);
  const bytes = encodeMessage({ type: 'group_mod', groupMod: g }, chosen.version, 1);
  process.stdout.write(printMessage(bytes, c.plainOptions(0)));
}
