/** `bundle SWITCH FILE`: flow, group and packet-out messages as one transaction. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { BLANKS } from '@ovs-node/flow/int-text';
import { type FlowTextOptions, parseFlowProtocols, splitCommand } from '@ovs-node/openflow/text/flow';
import { parseGroup, splitGroupCommand } from '@ovs-node/openflow/text/parse-group';
import type { OfctlContext } from './context.js';
import { flowLines } from './flow-commands.js';
import { readText } from './input.js';
import { flowModMessage, type ModMessage, sendMods } from './mod-sender.js';
import { parsePacketOut } from './packet-out.js';
import { bundleVersions } from './versions.js';

/** A line: the kind of message, and the rest. */
const LINE = new RegExp(String.raw`^${BLANKS}([^ \t\n\v\f\r]*)${BLANKS}(.*)$`, 's');

/** A message of a line, made when the protocol is known. */
type Made = (protocol: number) => ModMessage;

/** Reads what follows the word that says the kind of message. @throws FlowSyntaxError */
function parseLine(kind: string, rest: string, o: FlowTextOptions): { make: Made; usable: number } {
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
  if (kind === 'packet-out') {
    const { packetOut, usable } = parsePacketOut(rest, o);
    return { make: () => ({ type: 'packet_out', packetOut }), usable };
  }
  throw new FlowSyntaxError(`Unsupported bundle message type: ${kind}`);
}

export async function bundle(c: OfctlContext, [target, file]: readonly string[]): Promise<void> {
  const names = await c.acceptNames(target);
  const made: Made[] = [];
  let usable = PROTO_ANY;
  flowLines(
    file,
    readText(file, 'open failed'),
  )((text, from, to) => {
    const [, kind, rest] = LINE.exec(text.slice(from, to))!;
    const parsed = parseLine(kind, rest, names);
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
