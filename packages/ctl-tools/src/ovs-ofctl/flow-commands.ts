/** Commands on flow tables: add, modify, delete, dump. */
import { FatalError, strerror } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { fieldPrereqsMet, getField, getMask, mustField } from '@ovs-node/flow/fields';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import {
  formatFlow,
  type FlowTextOptions,
  parseFlowProtocols,
  splitCommand,
} from '@ovs-node/openflow/text/flow';
import { OfError, UNNAMED_ERROR } from '@ovs-node/openflow/errors';
import { decodeMessage } from '@ovs-node/openflow/messages/codec';
import { protocolRow } from '@ovs-node/openflow/text/protocols';
import { OF15 } from '@ovs-node/openflow/version';
import type {
  FlowFilter,
  FlowMod,
  FlowModCommand,
  FlowStats,
  MessageOf,
  OfMessage,
} from '@ovs-node/openflow/messages/types';
import { printMessage, type PrintOptions } from '@ovs-node/openflow/text/message';
import type { OfctlContext, SortCriterion, Switch } from './context.js';
import { badMessageLimit, conversationFailure, headerOf } from './exchange.js';
import { encodeAgain, encodeFlows, type EachLine, type ParseLine } from './flow-encoder.js';
import { FlowStream, type FlowSource } from './flow-stream.js';
import { sendEncoded, sendFlowMods, sendStream } from './mod-sender.js';
import { TextOutput } from './input.js';
import { forEachLine, type LineText, readLines, wrongLine } from './line-text.js';

const log = vlog('vconn');

/** Parses with the words of flow syntax turned into the end of the program. */
export function parseOrFail<T>(parse: () => T): T {
  try {
    return parse();
  } catch (e) {
    if (e instanceof FlowSyntaxError) throw new FatalError(e.message);
    throw e;
  }
}

export interface FlowList {
  readonly flowMods: readonly FlowMod[];
  readonly usable: number;
}

/** What reads flows for `command`; lines may name their command when `mixed`. */
export function flowParser(command: FlowModCommand, mixed: boolean, o: FlowTextOptions): ParseLine {
  return (text, from, to) => {
    const split = mixed ? splitCommand(text, from, to) : { command, from };
    return parseFlowProtocols(text, split.command, o, split.from, to);
  };
}

/**
 * The lines of a file of flows, groups or the like that say something; what is wrong with one ends the program.
 *
 * @throws FatalError
 */
export function flowLines(file: string, lines: LineText): EachLine {
  return (each) =>
    forEachLine(lines, (text, from, to, number) => {
      try {
        each(text, from, to);
      } catch (e) {
        throw wrongLine(file, number, e);
      }
    });
}

/** Parses a file of flows; lines may name their command when `mixed`. */
export function parseFlowFile(
  file: string,
  command: FlowModCommand,
  mixed: boolean,
  o: FlowTextOptions,
  failure = 'open failed',
): FlowList {
  const flowMods: FlowMod[] = [];
  let usable = PROTO_ANY;
  const parse = flowParser(command, mixed, o);
  flowLines(
    file,
    readLines(file, failure),
  )((text, from, to) => {
    const parsed = parse(text, from, to);
    flowMods.push(parsed.flowMod);
    usable &= parsed.usable;
  });
  return { flowMods, usable };
}

async function sendList(c: OfctlContext, target: string, list: FlowList): Promise<void> {
  const sw = await c.connectForFlowMods(target, list.usable);
  await sendFlowMods(c, sw, list.flowMods);
}

async function flowModFile(
  c: OfctlContext,
  target: string,
  file: string,
  command: FlowModCommand,
): Promise<void> {
  const names = await c.acceptNames(target);
  const text = readLines(file, 'open failed');
  const lines = flowLines(file, text);
  const parse = flowParser(command, command === 'add', names);
  if (c.settings.bundle && c.hasTalked && text.isWhole)
    return flowModBundle(c, target, { file, text, parse });
  const { usable, count, ...first } = encodeFlows(lines, parse, c.chooseProtocol, text.size);
  const sw = await c.connectForFlowMods(target, usable);
  const protocol = protocolRow(sw.protocol);
  // What the switch speaks is known only now, but guessed mostly.
  const messages =
    protocol === first.protocol
      ? first.messages
      : encodeAgain(lines, parse, protocol, usable, count, text.size);
  await sendEncoded(c, sw, messages, count);
}

/**
 * Sends the flows of a file as a bundle, each as soon as it is read, which loads a switch while the rest is read: nothing
 * counts before all of them are there. Whatever the switch says or does not, what is wrong with the file is told first,
 * as by who reads all of it before. For names of ports and tables there was a connection before that, too.
 */
async function flowModBundle(c: OfctlContext, target: string, source: FlowSource): Promise<void> {
  let sw: Switch | undefined;
  let unconnected: unknown;
  try {
    sw = await c.connect(target);
  } catch (e) {
    unconnected = e;
  }
  const flows = new FlowStream(source, (usable) => {
    if (sw === undefined) return c.chooseProtocol(usable);
    return c.carries(sw, usable) ? protocolRow(sw.protocol) : undefined;
  });
  const check = async (): Promise<void> => {
    const usable = flows.readRest();
    c.requireAllowed(c.usableForMods(usable));
    if (sw === undefined) throw unconnected;
    await c.fitProtocol(sw, usable);
  };
  if (sw === undefined || !flows.canSend) await check();
  else await sendStream(c, sw, flows, check);
}

/** add-flow, mod-flows, del-flows. */
export async function flowMod(
  c: OfctlContext,
  args: readonly string[],
  command: FlowModCommand,
): Promise<void> {
  const [target, text = ''] = args;
  if (text === '-') return flowModFile(c, target, text, command);
  const names = await c.acceptNames(target);
  const { flowMod: f, usable } = parseOrFail(() => parseFlowProtocols(text, command, names));
  return sendList(c, target, { flowMods: [f], usable });
}

export async function addFlows(c: OfctlContext, args: readonly string[]): Promise<void> {
  await flowModFile(c, args[0], args[1], 'add');
}

/** Opens a switch for reading flows that a description selects. */
async function prepareDump(
  c: OfctlContext,
  args: readonly string[],
): Promise<{ sw: Switch; filter: FlowFilter }> {
  const [target, text = ''] = args;
  const names = text === '' ? {} : await c.acceptNames(target, 'ports');
  const { flowMod: f, usable } = parseOrFail(() => parseFlowProtocols(text, 'filter', names));
  const sw = await c.connect(target);
  await c.setDumpProtocol(sw, usable);
  const { match, tableId, cookie, cookieMask, outPort, outGroup } = f;
  return { sw, filter: { match, tableId, cookie, cookieMask, outPort, outGroup } };
}

const FLOW_REPLIES: readonly string[] = ['OFPST_FLOW reply', 'NXST_FLOW reply'];

/** The flows of a switch: those there were, when it hangs up in between. @throws FatalError */
export async function fetchFlows(c: OfctlContext, sw: Switch, request: OfMessage): Promise<FlowStats[]> {
  const flows: FlowStats[] = [];
  const { exchange } = sw;
  const unreadable = (): FatalError => new FatalError(`dump flows (${strerror('EPROTO')})`);
  try {
    const xid = await exchange.send(request);
    for (let more = true; more;) {
      const bytes = await exchange.receiveXid(xid);
      const header = headerOf(bytes, c.explain);
      if (header instanceof OfError || !FLOW_REPLIES.includes(header.wire.name)) {
        log.warn(() => `received bad reply: ${printMessage(bytes, c.plainOptions(1))}`);
        throw unreadable();
      }
      const decoded = decodeMessage(bytes, { explain: c.explain });
      if (decoded instanceof OfError) {
        const reason = decoded.detail === UNNAMED_ERROR ? strerror('EINVAL') : decoded.toString();
        log.warnRl(badMessageLimit, `parse error in reply (${reason})`);
        throw unreadable();
      }
      const { msg } = decoded;
      if (msg.type === 'multipart_reply' && msg.reply.type === 'flow') flows.push(...msg.reply.flows);
      more = header.more;
    }
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'EOF') return flows;
    throw conversationFailure('dump flows', e);
  }
  return flows;
}

/** A statistics request for the flows that `filter` selects, in the format of the connection. */
export function filterRequest(
  sw: Switch,
  type: 'flow' | 'aggregate',
  filter: FlowFilter,
): MessageOf<'multipart_request'> {
  const { nxm } = protocolRow(sw.protocol);
  return {
    type: 'multipart_request',
    request: { type, filter },
    more: false,
    ...(nxm ? { format: 'nxm' } : {}),
  };
}

export async function dumpAggregate(c: OfctlContext, args: readonly string[]): Promise<void> {
  const { sw, filter } = await prepareDump(c, args);
  await c.dump(sw, filterRequest(sw, 'aggregate', filter));
}

/** Compares two flows as --sort and --rsort say; flows without the field come last either way, equal ones by falling priority. */
export function compareFlows(a: FlowStats, b: FlowStats, criteria: readonly SortCriterion[]): number {
  for (const { field, descending } of criteria) {
    let order = 0;
    if (field === undefined) {
      order = a.priority - b.priority;
    } else {
      const f = mustField(field);
      const has = (s: FlowStats): boolean =>
        fieldPrereqsMet(f, s.match.key, s.match.mask) && getMask(s.match, f) !== 0n;
      const [inA, inB] = [has(a), has(b)];
      if (inA !== inB) return inA ? -1 : 1;
      const [x, y] = [getField(a.match.key, f), getField(b.match.key, f)];
      order = x < y ? -1 : x > y ? 1 : 0;
    }
    if (order !== 0) return descending ? -order : order;
  }
  return b.priority - a.priority;
}

export async function dumpFlows(c: OfctlContext, args: readonly string[]): Promise<void> {
  const { settings } = c;
  const { sw, filter } = await prepareDump(c, args);
  const request = filterRequest(sw, 'flow', filter);
  if (settings.sort.length === 0 && !c.showNames && settings.stats) {
    await c.dump(sw, request);
    return;
  }
  // Before 1.5 ages are an extension, which only the plain form shows.
  const hasAges = sw.connection.version >= OF15;
  const line = (f: FlowStats, o: PrintOptions): string =>
    ` ${formatFlow(hasAges ? f : { ...f, idleAge: -1, hardAge: -1 }, { ...o, stats: settings.stats })}\n`;
  const flows = await fetchFlows(c, sw, request);
  const list =
    settings.sort.length === 0 ? flows : [...flows].sort((a, b) => compareFlows(a, b, settings.sort));
  if (list.length === 0) return;
  const names = await c.printOptions(sw.name, 0);
  const out = new TextOutput();
  for (const f of list) out.add(line(f, names));
  out.flush();
}
