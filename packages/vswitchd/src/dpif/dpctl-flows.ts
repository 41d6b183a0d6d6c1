/** dpctl: datapath flows. */
import { errorMessage, strerror } from '@ovs-node/common/errors';
import { readPlainText } from '@ovs-node/common/windows-files';
import { parseMatchProtocols } from '@ovs-node/flow/match-text';
import type { Match } from '@ovs-node/flow/match';
import { decodeMatch } from '@ovs-node/netlink/key';
import { formatDpActions } from '@ovs-node/netlink/text/actions-format';
import { parseDpActions } from '@ovs-node/netlink/text/actions-parse';
import { formatFlowStats, formatUfid } from '@ovs-node/netlink/text/flow-format';
import { formatDpKey } from '@ovs-node/netlink/text/key-format';
import { type ParsedKey, parseDpKey, parseUfid } from '@ovs-node/netlink/text/key-parse';
import type { DpPortNames } from '@ovs-node/netlink/text/key-table';
import {
  type DpctlCommand,
  type DpctlContext,
  DpctlError,
  because,
  openOptionalDp,
  portNames,
  wantsNames,
} from './dpctl-context.js';
import type { Dpif, DpFlow, FlowRef } from './provider.js';

const EINVAL = strerror('EINVAL');

/** One line of dump-flows, without its newline. */
export function formatDpFlow(
  flow: DpFlow,
  options: { readonly verbose: boolean; readonly ports?: DpPortNames | undefined },
): string {
  const { verbose, ports } = options;
  const ufid = verbose && flow.ufid !== undefined ? `${formatUfid(flow.ufid)}, ` : '';
  const key = formatDpKey(flow.keyAttrs, flow.maskAttrs, { verbose, ports });
  const where = verbose ? ', dp:ovs' : '';
  return `${ufid}${key}, ${formatFlowStats(flow.stats)}${where}, actions:${formatDpActions(flow.actions, ports)}`;
}

const TYPES = ['ovs', 'tc', 'dpdk', 'offloaded', 'non-offloaded', 'partially-offloaded', 'all'];

function isFlowFilter(arg: string): boolean {
  return /^(filter|type|pmd)=/.test(arg);
}

/** Whether the types asked for include flows of this datapath, which offloads none. */
function showsOvs(types: string): boolean {
  return types.split(',').some((type) => type === 'ovs' || type === 'all' || type === 'non-offloaded');
}

/** Whether a flow could match what the filter says: equal in every bit that both match. */
function passes(flow: DpFlow, filter: Match): boolean {
  const { key, mask } = decodeMatch(flow.keyAttrs, flow.maskAttrs);
  for (let i = 0; i < key.length; i++) {
    if (((key[i]! ^ filter.key[i]!) & mask[i]! & filter.mask[i]!) !== 0) return false;
  }
  return true;
}

async function dumpFlows(context: DpctlContext, args: readonly string[]): Promise<void> {
  const { dp, rest } = await openOptionalDp(context, args, (first) => !isFlowFilter(first));
  const names = await portNames(dp);
  let filter: Match | undefined;
  let shown = true;
  for (const arg of rest) {
    const value = arg.slice(arg.indexOf('=') + 1);
    if (arg.startsWith('filter=')) {
      try {
        filter = parseMatchProtocols(value, {
          nameToNumber: (name) => names.numberOf(name),
          numberToName: (no) => names.nameOf(no),
        }).match;
      } catch (error) {
        // A filter is a flow rather than a match, and of those the peer says otherwise that a word is unknown.
        const why = errorMessage(error).replace(/^field (\S+) missing value$/, '$1: unknown field $1');
        throw new DpctlError(`Failed to parse filter (${why})`);
      }
    } else if (arg.startsWith('type=')) {
      for (const type of value.split(',')) {
        if (!TYPES.includes(type)) throw new DpctlError(`Failed to parse type (${type}) (${EINVAL})`);
      }
      shown = !context.inDaemon || showsOvs(value);
    } else if (arg.startsWith('pmd=')) {
      throw new DpctlError(`Failed to parse pmd: this datapath has no pmd threads (${EINVAL})`);
    }
  }
  if (!shown) return;
  const options = {
    verbose: context.options.more > 0,
    ports: wantsNames(context.options) ? names : undefined,
  };
  // The userspace datapath types say which thread the flows belong to.
  let heading = dp.type === 'system' ? '' : 'flow-dump from the main thread:\n';
  for await (const flows of dp.flows.dump()) {
    for (const flow of flows) {
      if (filter !== undefined && !passes(flow, filter)) continue;
      context.print(`${heading}${formatDpFlow(flow, options)}\n`);
      heading = '';
    }
  }
}

/** Parses a flow; throws `DpctlError` in the peer's words. */
function parseFlow(text: string, names: DpPortNames): ParsedKey {
  try {
    return parseDpKey(text, names);
  } catch (error) {
    throw new DpctlError(`parsing flow key (${errorMessage(error)}) (${EINVAL})`);
  }
}

async function putFlow(
  context: DpctlContext,
  dp: Dpif,
  names: DpPortNames,
  flowText: string,
  actionText: string,
  mode: 'create' | 'modify' | 'both',
): Promise<void> {
  const parsed = parseFlow(flowText, names);
  let actions: Uint8Array;
  try {
    actions = parseDpActions(actionText);
  } catch {
    throw new DpctlError(`parsing actions (${EINVAL})`);
  }
  // A flow without a UFID is known by its key, so that it can be named by it later.
  const ref: FlowRef =
    parsed.ufid === undefined ? { key: parsed.key } : { ufid: parsed.ufid, key: parsed.key };
  try {
    const before = context.options.statistics ? await dp.flows.get(ref).catch(() => undefined) : undefined;
    await dp.flows.put({
      key: parsed.key,
      ...(parsed.mask.length > 0 ? { mask: parsed.mask } : {}),
      actions,
      ...(parsed.ufid === undefined ? {} : { ufid: parsed.ufid }),
      mode,
      clear: context.options.clear,
    });
    if (context.options.statistics && mode !== 'create') {
      context.print(
        `${formatFlowStats(before?.stats ?? { packets: 0, bytes: 0, idleMs: -1, tcpFlags: 0 })}\n`,
      );
    }
  } catch (error) {
    throw because('updating flow table', error);
  }
}

async function deleteFlow(context: DpctlContext, dp: Dpif, names: DpPortNames, text: string): Promise<void> {
  const parsed = parseFlow(text, names);
  try {
    const ref: FlowRef =
      parsed.ufid === undefined ? { key: parsed.key } : { ufid: parsed.ufid, key: parsed.key };
    const stats = await dp.flows.del(ref);
    if (context.options.statistics) context.print(`${formatFlowStats(stats)}\n`);
  } catch (error) {
    const hint = (error as { code?: string }).code === 'ENOENT' && parsed.ufid === undefined;
    throw new DpctlError(
      `${because('deleting flow', error).message}${hint ? '\nPerhaps you need to specify a UFID?' : ''}`,
    );
  }
}

async function addFlow(context: DpctlContext, args: readonly string[]): Promise<void> {
  const { dp, rest } = await openOptionalDp(context, args, () => args.length === 3);
  await putFlow(context, dp, await portNames(dp), rest[0]!, rest[1]!, 'create');
}

async function modFlow(context: DpctlContext, args: readonly string[]): Promise<void> {
  const { dp, rest } = await openOptionalDp(context, args, () => args.length === 3);
  await putFlow(
    context,
    dp,
    await portNames(dp),
    rest[0]!,
    rest[1]!,
    context.options.mayCreate ? 'both' : 'modify',
  );
}

async function getFlow(context: DpctlContext, args: readonly string[]): Promise<void> {
  const { dp, rest } = await openOptionalDp(context, args, () => args.length === 2);
  const ufid = rest[0]!.startsWith('ufid:') ? parseUfid(rest[0]!.slice(5)) : undefined;
  if (ufid === undefined) throw new DpctlError(`parsing flow ufid (${EINVAL})`);
  let flow: DpFlow;
  try {
    flow = await dp.flows.get({ ufid });
  } catch (error) {
    throw because('getting flow', error);
  }
  const ports = wantsNames(context.options) ? await portNames(dp) : undefined;
  context.print(`${formatDpFlow(flow, { verbose: context.options.more > 0, ports })}\n`);
}

async function delFlow(context: DpctlContext, args: readonly string[]): Promise<void> {
  const { dp, rest } = await openOptionalDp(context, args, () => args.length === 2);
  await deleteFlow(context, dp, await portNames(dp), rest[0]!);
}

/** add-flows, mod-flows and del-flows FILE: a line each, which may begin with `add`, `modify` or `delete`. */
async function flowsFile(
  context: DpctlContext,
  dp: Dpif,
  file: string,
  usual: 'add' | 'modify' | 'delete',
): Promise<void> {
  let text: string;
  try {
    text = file === '-' ? context.readStdin() : readPlainText(file);
  } catch (error) {
    if (error instanceof DpctlError) throw error;
    throw because(`Opening file "${file}" failed`, error);
  }
  const names = await portNames(dp);
  for (const raw of text.split('\n')) {
    const line = raw.replace(/#.*/, '').trim();
    if (line === '') continue;
    const word = /^(add|modify|delete)\s+/.exec(line);
    const command = (word?.[1] ?? usual) as 'add' | 'modify' | 'delete';
    const body = word === null ? line : line.slice(word[0].length);
    if (command === 'delete') {
      await deleteFlow(context, dp, names, body);
      continue;
    }
    // The key ends where blanks separate it from the actions: it has none of its own outside parentheses.
    const m = /^((?:[^\s()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*)\s+(.*)$/.exec(body);
    if (m === null) throw new DpctlError(`parsing flow failed: no actions in "${body}" (${EINVAL})`);
    const mode = command === 'add' ? 'create' : context.options.mayCreate ? 'both' : 'modify';
    await putFlow(context, dp, names, m[1]!, m[2]!, mode);
  }
}

async function addFlows(
  context: DpctlContext,
  args: readonly string[],
  usual: 'add' | 'modify' = 'add',
): Promise<void> {
  const { dp, rest } = await openOptionalDp(context, args, () => args.length === 2);
  await flowsFile(context, dp, rest[0]!, usual);
}

/** Whether a word names a datapath that exists. */
async function isDatapath(context: DpctlContext, word: string): Promise<boolean> {
  try {
    const at = word.indexOf('@');
    const provider = await context.provider(at < 0 ? 'system' : word.slice(0, at));
    return (await provider.list()).includes(word.slice(at + 1));
  } catch {
    return false;
  }
}

async function delFlows(context: DpctlContext, args: readonly string[]): Promise<void> {
  const named = args.length === 2 || (args.length === 1 && (await isDatapath(context, args[0]!)));
  const { dp, rest } = await openOptionalDp(context, args, () => named);
  if (rest[0] !== undefined) return flowsFile(context, dp, rest[0], 'delete');
  try {
    await dp.flows.flush();
  } catch (error) {
    throw because('deleting all flows', error);
  }
}

function parseActionsCommand(context: DpctlContext, args: readonly string[]): void {
  for (const text of args) {
    let actions: Uint8Array;
    try {
      actions = parseDpActions(text);
    } catch {
      throw new DpctlError(`odp_actions_from_string (${EINVAL})`);
    }
    context.print(`${formatDpActions(actions)}\n`);
  }
}

export const flowCommands: readonly DpctlCommand[] = [
  {
    name: 'dump-flows',
    usage: '[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]',
    min: 0,
    max: 6,
    run: dumpFlows,
  },
  { name: 'add-flow', usage: '[dp] flow actions', min: 2, max: 3, write: true, run: addFlow },
  { name: 'mod-flow', usage: '[dp] flow actions', min: 2, max: 3, write: true, run: modFlow },
  { name: 'get-flow', usage: '[dp] ufid', min: 1, max: 2, run: getFlow },
  { name: 'del-flow', usage: '[dp] flow', min: 1, max: 2, write: true, run: delFlow },
  { name: 'add-flows', usage: '[dp] file', min: 1, max: 2, write: true, run: addFlows },
  {
    name: 'mod-flows',
    usage: '[dp] file',
    min: 1,
    max: 2,
    write: true,
    run: (context, args) => addFlows(context, args, 'modify'),
  },
  { name: 'del-flows', usage: '[dp] [file]', min: 0, max: 2, write: true, run: delFlows },
  { name: 'parse-actions', usage: 'actions', min: 1, max: Infinity, run: parseActionsCommand },
];
