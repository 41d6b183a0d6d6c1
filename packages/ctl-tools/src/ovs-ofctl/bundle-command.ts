/** `bundle SWITCH FILE`: flow, group and packet-out messages as one transaction. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { readCommandWord } from '@ovs-node/openflow/text/command-word';
import { type FlowTextOptions, parseFlowProtocols, splitCommand } from '@ovs-node/openflow/text/flow';
import { parseGroup, splitGroupCommand } from '@ovs-node/openflow/text/parse-group';
import type { OfctlContext } from './context.js';
import { flowLines } from './flow-commands.js';
import { readLines } from './line-text.js';
import { flowModMessage, type ModMessage, sendMods } from './mod-sender.js';
import { parsePacketOut } from './packet-out.js';
import { bundleVersions } from './versions.js';

/** Words that say which kind of message a line is. */
const KINDS = ['flow', 'group', 'packet-out'] as const;

/** A message of a line, made when the protocol is known. */
type Made = (protocol: number) => ModMessage;

/** Reads a line. @throws FlowSyntaxError */
function parseLine(line: string, o: FlowTextOptions): { make: Made; usable: number } {
  const { word: kind, written, end } = readCommandWord(KINDS, line);
  if (kind === undefined) throw new FlowSyntaxError(`Unsupported bundle message type: ${written}`);
  const rest = line.slice(end);
  if (kind === 'flow') {
    const { command, from } = splitCommand(rest);
    const { flowMod, usable } = parseFlowProtocols(rest, command, o, from);
    return { make: (protocol) => flowModMessage(flowMod, protocol), usable };
  }
  if (kind === 'group') {
    const split = splitGroupCommand(rest);
    const { groupMod, usable } = parseGroup(split.rest, split.command, o);
    return { make: () => ({ type: 'group_mod', groupMod }), usable };
  }
  const { packetOut, usable } = parsePacketOut(rest, o);
  return { make: () => ({ type: 'packet_out', packetOut }), usable };
}

export async function bundle(c: OfctlContext, [target, file]: readonly string[]): Promise<void> {
  const names = await c.acceptNames(target);
  const made: Made[] = [];
  let usable = PROTO_ANY;
  flowLines(
    file,
    readLines(file, 'open failed'),
  )((text, from, to) => {
    const parsed = parseLine(text.slice(from, to), names);
    made.push(parsed.make);
    usable &= parsed.usable;
  });
  c.settings.bundle = true;
  c.allowVersions(bundleVersions(c.settings.versions));
  const sw = await c.connectForFlowMods(target, usable);
  await sendMods(
    c,
    sw,
    made.map((make) => make(sw.protocol)),
  );
}
