/** packet-out, in its two syntaxes. */
import { FatalError } from '@ovs-node/common/errors';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { Match } from '@ovs-node/flow/match';
import { fieldByName, fieldProtocols, mustField, wireMask } from '@ovs-node/flow/fields';
import { scanU64 } from '@ovs-node/flow/int-text';
import type { Field } from '@ovs-node/flow/field-types';
import { applyMatchWord } from '@ovs-node/flow/match-text';
import { OFPP, parsePort } from '@ovs-node/flow/ports';
import { W } from '@ovs-node/flow/layout';
import type { ParseContext } from '@ovs-node/openflow/actions/row';
import { parseActionsIn } from '@ovs-node/openflow/actions/text';
import { portMatch } from '@ovs-node/openflow/messages/packet';
import { NO_BUFFER, type PacketOut } from '@ovs-node/openflow/messages/types';
import { parseKeyValues } from '@ovs-node/flow/key-value';
import type { FlowTextOptions } from '@ovs-node/openflow/text/flow';
import type { OfctlContext } from './context.js';
import { parseOrFail } from './flow-commands.js';
import { packetToBytes } from './input.js';

const ETHERNET_HEADER = 14;

/** A packet in hex digits; blanks between are allowed. @throws FlowSyntaxError */
export function packetFromHex(text: string): Uint8Array {
  const bytes = packetToBytes(text);
  if (!bytes) throw new FlowSyntaxError('Trailing garbage in packet data');
  if (bytes.length < ETHERNET_HEADER) throw new FlowSyntaxError('Packet data too short for Ethernet');
  return bytes;
}

/** Reserved ports that a packet may come from. */
const SOURCES: readonly number[] = [OFPP.LOCAL, OFPP.ANY, OFPP.CONTROLLER];

/** Fields of a packet's way through the switch, rather than of its bytes. */
function isPipelineField({ name }: Field): boolean {
  return /^(?:packet_type|metadata|in_port|in_port_oxm|tun_(?!tos$|ttl$)\w+|x*reg\d+)$/.test(name);
}

const PACKET_TYPE = mustField('packet_type');

/** `NS,TYPE`: what is no number is 0, so a parenthesis in front makes the first 0; too large a type runs into it. */
function parsePacketType(text: string): number {
  const comma = text.indexOf(',');
  if (comma < 0) throw new FlowSyntaxError(`packet_type(${text}) can't be interpreted`);
  const [ns, type] = [text.slice(0, comma), text.slice(comma + 1)].map((word) => scanU64(word).value);
  return Number(BigInt.asUintN(32, (ns << 16n) | type));
}

/** `in_port=… packet=… actions=…`. @throws FlowSyntaxError */
export function parsePacketOut(text: string, o: FlowTextOptions): { packetOut: PacketOut; usable: number } {
  const at = text.indexOf('action');
  const equals = at < 0 ? -1 : text.indexOf('=', at);
  const actionText = equals < 0 ? undefined : text.slice(equals + 1);
  const match = new Match();
  // Where a packet comes from that is said to come from nowhere.
  match.key[W.IN_PORT] = OFPP.CONTROLLER;
  match.mask[W.IN_PORT] = 0xffffffff;
  let usable = PROTO_ANY;
  let packet: Uint8Array | undefined;
  for (const { key, value } of parseKeyValues(at < 0 ? text : text.slice(0, at))) {
    if (value === '') throw new FlowSyntaxError(`field ${key} missing value`);
    if (key === 'in_port') {
      const port = parsePort(value, o.ports);
      if (port === undefined) throw new FlowSyntaxError(`${value} is not a valid OpenFlow port`);
      if (port > OFPP.MAX && !SOURCES.includes(port))
        throw new FlowSyntaxError(`${value} is not a valid OpenFlow port for PACKET_OUT`);
      match.key[W.IN_PORT] = port;
      match.mask[W.IN_PORT] = 0xffffffff;
    } else if (key === 'packet') {
      try {
        packet = packetFromHex(value);
      } catch (e) {
        throw new FlowSyntaxError(`packet: ${(e as Error).message}`);
      }
    } else if (key === PACKET_TYPE.name) {
      match.key[W.PACKET_TYPE] = parsePacketType(value);
      match.mask[W.PACKET_TYPE] = 0xffffffff;
      usable &= fieldProtocols(PACKET_TYPE, wireMask(PACKET_TYPE));
    } else {
      const f = fieldByName(key);
      if (!f) throw new FlowSyntaxError(`unknown keyword ${key}`);
      usable &= applyMatchWord(match, key, value, o.ports) ?? 0;
      if (!isPipelineField(f))
        throw new FlowSyntaxError(`${key} is not a valid pipeline field for PACKET_OUT`);
    }
  }
  if (!packet) throw new FlowSyntaxError('must specify packet');
  const context = packetActions(o);
  // Whether they fit is for the switch to say.
  const actions = actionText === undefined ? [] : parseActionsIn(actionText, context);
  usable &= context.usable;
  return { packetOut: { bufferId: NO_BUFFER, match, actions, packet }, usable };
}

function packetActions({ ports, tables }: FlowTextOptions): ParseContext {
  return { ports, tables, usable: PROTO_ANY, depth: 0, onlyActions: true };
}

export async function packetOut(c: OfctlContext, args: readonly string[]): Promise<void> {
  const [target, first, actionText, ...packets] = args;
  if (args.length === 2) {
    const names = await c.acceptNames(target);
    const { packetOut: p, usable } = parseOrFail(() => parsePacketOut(first, names));
    const sw = await c.connectForFlowMods(target, usable);
    await c.noReply(sw, { type: 'packet_out', packetOut: p });
    return;
  }
  if (packets.length === 0) throw new FatalError('Too many arguments (4)');
  const context = packetActions(await c.acceptNames(target, 'ports'));
  const actions = parseOrFail(() => parseActionsIn(actionText, context));
  const inPort = await c.portNumber(target, first);
  const sw = await c.connectForFlowMods(target, context.usable);
  for (const text of packets) {
    const packet = parseOrFail(() => packetFromHex(text));
    await c.noReply(sw, {
      type: 'packet_out',
      packetOut: { bufferId: NO_BUFFER, match: portMatch(inPort), actions, packet },
    });
  }
}
