/**
 * The arguments of `ofproto/trace` and `ofproto/trace-packet-out` (ovs-vswitchd(8)).
 *
 *     {[DATAPATH] ODP-FLOW | BRIDGE BR-FLOW} [--ct-next FLAGS]... [--names] [-generate | PACKET]
 *     [-consistent] {[DATAPATH] ODP-FLOW | BRIDGE BR-FLOW} [...] [-generate | PACKET] ACTIONS
 */
import { OvsError } from '@ovs-node/common/errors';
import { composePacket } from '@ovs-node/flow/compose';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { extractKey, newOffsets } from '@ovs-node/flow/extract';
import { PROTO_ANY, PROTO_OF10_NXM_ANY, PROTO_OF10_STD_ANY } from '@ovs-node/flow/field-types';
import { CT_STATE_FLAGS } from '@ovs-node/flow/flags-text';
import { parseExactFlow } from '@ovs-node/flow/flow-text';
import { type FlowKey, newKey, W } from '@ovs-node/flow/layout';
import { formatDpActions } from '@ovs-node/netlink/text/actions-format';
import { parseDpKey, writtenKey } from '@ovs-node/netlink/text/key-parse';
import { parseActions } from '@ovs-node/openflow/actions/text';
import type { Backer } from './backer.js';
import { dpPortNames } from './dpif-text.js';
import type { Ofproto } from './ofproto.js';
import { packetOutProblem } from './packet-out.js';
import { LONG_KEY_WORDS } from './tlv-table.js';
import { trace } from './trace.js';

const ETH_HEADER = 14;
/** Bytes that may be asked for by `--l7-len`. */
const MAX_L7 = 64000;
const PROTO_OF10 = PROTO_OF10_STD_ANY | PROTO_OF10_NXM_ANY;

interface Options {
  readonly ctNext: number[];
  names: boolean;
  generate: boolean;
  /** Actions that do not fit the flow are refused where OpenFlow 1.0 lets them pass, too. */
  consistent: boolean;
  l7: Uint8Array | undefined;
  readonly words: string[];
}

/** `--ct-next` and the like, which may stand anywhere. Throws an Error of one line. */
function parseOptions(args: readonly string[], withActions: boolean): Options {
  const options: Options = {
    ctNext: [],
    names: false,
    generate: false,
    consistent: false,
    l7: undefined,
    words: [],
  };
  const rest = args.slice();
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const value = (): string => {
      const next = rest.shift();
      if (next === undefined) throw new Error(`Missing argument for option ${arg}`);
      return next;
    };
    if (arg === '-generate' || arg === '--generate') options.generate = true;
    else if (arg === '--names') options.names = true;
    else if (withActions && (arg === '-consistent' || arg === '--consistent')) options.consistent = true;
    else if (arg === '--ct-next') options.ctNext.push(parseCtState(value()));
    else if (arg === '--l7-len') options.l7 = new Uint8Array(parseLength(value()));
    else if (arg === '--l7') options.l7 = parseHex(value());
    else if (arg.startsWith('-')) throw new Error(`${arg}: unknown option`);
    else if (options.words.length >= 3) throw new Error('too many arguments');
    else options.words.push(arg);
  }
  return options;
}

function parseLength(text: string): number {
  const length = Number.parseInt(text, 10) || 0;
  if (length < 0 || length > MAX_L7) throw new Error(`${text}: too much L7 data`);
  return length;
}

/** Flags separated by commas or bars; `trk` is always there. */
function parseCtState(text: string): number {
  const flags = text.split(/[,|\s]+/).filter((word) => word !== '');
  let state = 0x20;
  for (const flag of flags) {
    const bit = CT_STATE_FLAGS.names.indexOf(flag);
    if (bit < 0) throw new Error(`${flag}: unknown connection tracking state flag`);
    state |= 1 << bit;
  }
  return state;
}

function parseHex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '');
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw new Error('Trailing garbage in packet data');
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

/** Runs the command; throws an Error of one line for bad arguments. */
export function traceCommand(
  backers: Iterable<Backer>,
  args: readonly string[],
  now: number,
  withActions: boolean,
): string {
  const rest = args.slice();
  const actionsText = withActions ? rest.pop() : undefined;
  const actions = actionsText === undefined ? undefined : parseActionsOnly(actionsText);
  const options = parseOptions(rest, withActions);
  const { words } = options;
  let packet: Uint8Array | undefined;
  if (words.length === 3 || (words.length === 2 && words[0]!.includes('('))) {
    if (options.generate) throw new Error('Syntax error');
    packet = parseHex(words.pop()!);
    if (packet.length < ETH_HEADER) throw new Error('Packet data too short for Ethernet');
  }
  if (words.length === 0 || words.length > 2) throw new Error('Syntax error');
  const { ofproto, flow } =
    words.length === 1 ? dpFlow(backers, words[0]!) : namedFlow(backers, words[0]!, words[1]!);
  if (packet) {
    extractKey(packet, 0, packet.length, flow, newOffsets());
  } else if (options.generate) {
    packet = composePacket(flow, options.l7 ? { l7: options.l7 } : {});
  }
  if (actions) {
    const protocols = options.consistent ? PROTO_ANY & ~PROTO_OF10 : PROTO_ANY;
    const error = packetOutProblem(ofproto, flow, actions, protocols);
    if (error) throw new Error(`Bad actions: ${error.toString()}`);
  }
  const ports = options.names ? ofproto.portMap : undefined;
  const dpNames = options.names ? dpPortNames(ofproto.backer) : undefined;
  return `${trace(ofproto, flow, {
    ctNext: options.ctNext,
    ...(actions && actions.length > 0 ? { actions } : {}),
    ...(ports ? { ports } : {}),
    ...(packet ? { packet } : {}),
    formatActions: (bytes) => formatDpActions(bytes, dpNames),
    now,
  })}\n`;
}

function parseActionsOnly(text: string): ReturnType<typeof parseActions> {
  const actions = parseActions(text);
  for (const { type } of actions) {
    if (
      type === 'goto_table' ||
      type === 'write_metadata' ||
      type === 'write_actions' ||
      type === 'clear_actions'
    ) {
      throw new Error(`${type} instruction not allowed here`);
    }
  }
  return actions;
}

function syntaxError(text: string): Error {
  return new Error(`syntax error at ${text} (or the bridge name was omitted)`);
}

function dpFlow(backers: Iterable<Backer>, text: string): { ofproto: Ofproto; flow: FlowKey } {
  const all = [...backers];
  if (all.length !== 1) throw new Error('Please specify the datapath name');
  const key = dpKey(text, all[0]);
  if (!key) throw syntaxError(text);
  return fromDpFlow(all[0]!, key);
}

function namedFlow(
  backers: Iterable<Backer>,
  name: string,
  text: string,
): { ofproto: Ofproto; flow: FlowKey } {
  const all = [...backers];
  const backer = all.find((each) => each.dpName === name);
  const key = dpKey(text, backer);
  if (key) {
    if (!backer) throw new Error('Cannot find the datapath');
    return fromDpFlow(backer, key);
  }
  const ofproto = all.map((each) => each.ofproto(name)).find((each) => each !== undefined);
  if (!ofproto) throw new Error(`${name}: unknown bridge`);
  try {
    const flow = new Uint32Array(LONG_KEY_WORDS);
    const { tlv } = ofproto.tables;
    flow.set(parseExactFlow(text, ofproto.portMap, (index, value) => void tlv.set(flow, index, value)));
    return { ofproto, flow };
  } catch (error) {
    if (error instanceof FlowSyntaxError) throw new Error(`Bad openflow flow syntax: ${error.message}`);
    throw error;
  }
}

/** The attributes of a flow of a datapath; undefined: the text is none. */
function dpKey(text: string, backer: Backer | undefined): Uint8Array | undefined {
  try {
    return parseDpKey(text, backer && dpPortNames(backer)).key;
  } catch (error) {
    if (error instanceof OvsError) return undefined;
    throw error;
  }
}

function fromDpFlow(backer: Backer, attrs: Uint8Array): { ofproto: Ofproto; flow: FlowKey } {
  const key = writtenKey(attrs);
  const at = backer.portOf(key[W.IN_PORT]!);
  if (!at) throw new Error(`no OpenFlow port for datapath port ${key[W.IN_PORT]}`);
  const flow = newKey();
  flow.set(key);
  flow[W.IN_PORT] = at.port.ofport;
  return { ofproto: at.ofproto, flow };
}
