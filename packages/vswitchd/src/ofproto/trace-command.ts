/**
 * The arguments of `ofproto/trace` and `ofproto/trace-packet-out` (ovs-vswitchd(8)).
 *
 *     {[DATAPATH] ODP-FLOW | BRIDGE BR-FLOW} [--ct-next FLAGS]... [--names] [-generate | PACKET] [ACTIONS]
 */
import { OvsError } from '@ovs-node/common/errors';
import { composePacket } from '@ovs-node/flow/compose';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { extractKey, newOffsets } from '@ovs-node/flow/extract';
import { CT_STATE_FLAGS } from '@ovs-node/flow/flags-text';
import { parseExactFlow } from '@ovs-node/flow/flow-text';
import { type FlowKey, newKey, W } from '@ovs-node/flow/layout';
import { formatDpActions } from '@ovs-node/netlink/text/actions-format';
import { parseDpKey, writtenKey } from '@ovs-node/netlink/text/key-parse';
import { parseActions } from '@ovs-node/openflow/actions/text';
import type { Backer } from './backer.js';
import { dpPortNames } from './dpif-text.js';
import type { Ofproto } from './ofproto.js';
import { LONG_KEY_WORDS } from './tlv-table.js';
import { trace } from './trace.js';

interface Options {
  readonly ctNext: number[];
  names: boolean;
  generate: boolean;
  l7: Uint8Array | undefined;
  readonly words: string[];
}

/** `--ct-next` and the like, which may stand anywhere. Throws an Error of one line. */
function parseOptions(args: readonly string[]): Options {
  const options: Options = { ctNext: [], names: false, generate: false, l7: undefined, words: [] };
  const rest = args.slice();
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const value = (): string => {
      const next = rest.shift();
      if (next === undefined) throw new Error(`Missing argument for option ${arg}`);
      return next;
    };
    if (arg === '-generate' || arg === '--generate') options.generate = true;
    else if (arg === '--names') options.names = true;
    else if (arg === '--no-names') options.names = false;
    else if (arg === '-consistent' || arg === '--consistent') continue;
    else if (arg === '--ct-next') options.ctNext.push(parseCtState(value()));
    else if (arg === '--l7-len')
      options.l7 = new Uint8Array(Math.max(0, Math.min(65535, Number(value()) || 0)));
    else if (arg === '--l7') options.l7 = parseHex(value());
    else if (arg.startsWith('-')) throw new Error(`${arg}: unknown option`);
    else options.words.push(arg);
  }
  return options;
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
  const options = parseOptions(args);
  const { words } = options;
  let actions: ReturnType<typeof parseActions> | undefined;
  if (withActions) {
    const text = words.length > 1 ? words.pop()! : undefined;
    if (text === undefined) throw new Error('Syntax error');
    if (words.length === 1 && !words[0]!.includes('(')) throw syntaxError(words[0]!);
    actions = parseActionsOnly(text);
  }
  let packet: Uint8Array | undefined;
  if (words.length === 3 || (words.length === 2 && words[0]!.includes('('))) {
    if (options.generate) throw new Error('Syntax error');
    packet = parseHex(words.pop()!);
  }
  if (words.length > 2) throw new Error('Syntax error');
  const { ofproto, flow } =
    words.length === 1 ? dpFlow(backers, words[0]!) : namedFlow(backers, words[0]!, words[1]!);
  if (packet) {
    extractKey(packet, 0, packet.length, flow, newOffsets());
  } else if (options.generate) {
    packet = composePacket(flow, options.l7 ? { l7: options.l7 } : {});
  }
  const ports = options.names ? ofproto.portMap : undefined;
  const dpNames = options.names ? dpPortNames(ofproto.backer) : undefined;
  return `${trace(ofproto, flow, {
    ctNext: options.ctNext,
    ...(actions ? { actions } : {}),
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
