/** replace-flows and diff-flows: ovs-ofctl(8), "OpenFlow Switch Flow Table Commands". */
import fs from 'node:fs';
import { byteTextPath } from '@ovs-node/common/byte-text';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { makeFlowFilter, makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import { ALL_TABLES, FF, type FlowMod } from '@ovs-node/openflow/messages/types';
import type { OfctlContext, Switch } from './context.js';
import { fetchFlows, filterRequest, parseFlowFile } from './flow-commands.js';
import { type FlowEntry, FlowSet, type FlowVersion, formatVersion, sameVersion } from './flow-set.js';
import { sendFlowMods } from './mod-sender.js';
import { isMethod } from './target.js';

type Names = Awaited<ReturnType<OfctlContext['acceptNames']>>;

/** Reads the flows of a file into one side of `set`; returns the protocols that can carry all of them. */
function addFile(set: FlowSet, source: 0 | 1, file: string, names: Partial<Names>): number {
  const { flowMods, usable } = parseFlowFile(file, 'add', false, { ...names, isCompared: true }, 'open');
  for (const f of flowMods) {
    const { newCookie, idleTimeout, hardTimeout, importance, flags, actions } = f;
    const version = {
      cookie: newCookie,
      idleTimeout,
      hardTimeout,
      importance,
      // Of the others the peer's tool says nothing to a switch.
      flags: flags & FF.SEND_FLOW_REM,
      actions,
    };
    set.add(source, f.tableId === ALL_TABLES ? 0 : f.tableId, f.match, f.priority, version);
  }
  return usable;
}

/** Reads the flows of a switch into one side of `set`, in a protocol that can say what `usable` ones can. */
async function addSwitch(
  c: OfctlContext,
  set: FlowSet,
  source: 0 | 1,
  sw: Switch,
  usable: number,
): Promise<void> {
  await c.setDumpProtocol(sw, usable);
  for (const f of await fetchFlows(c, sw, filterRequest(sw, 'flow', makeFlowFilter())))
    set.add(source, f.tableId, f.match, f.priority, f);
}

function flowModOf(entry: FlowEntry, version: FlowVersion, command: 'add' | 'delete_strict'): FlowMod {
  return makeFlowMod({
    command,
    match: entry.match,
    priority: entry.priority,
    tableId: entry.tableId,
    newCookie: version.cookie,
    idleTimeout: version.idleTimeout,
    hardTimeout: version.hardTimeout,
    // Neither this nor flags are said of a flow that goes.
    importance: command === 'add' ? version.importance : 0,
    flags: command === 'add' ? version.flags : 0,
    actions: command === 'add' ? version.actions : [],
  });
}

const [FILE, SWITCH] = [0, 1] as const;

/**
 * What makes the flows of a switch those of a file: table by table, what goes before what comes.
 *
 * @param readd whether flows that the switch has are added again.
 */
export function replacements(set: FlowSet, readd: boolean): FlowMod[] {
  const flowMods: FlowMod[] = [];
  for (const table of set.byTable()) {
    for (const entry of table)
      if (!entry.versions[FILE])
        flowMods.push(flowModOf(entry, entry.versions[SWITCH] as FlowVersion, 'delete_strict'));
    for (const entry of table) {
      const { [FILE]: wanted, [SWITCH]: there } = entry.versions;
      if (wanted && (readd || !there || !sameVersion(wanted, there)))
        flowMods.push(flowModOf(entry, wanted, 'add'));
    }
  }
  return flowMods;
}

export async function replaceFlows(c: OfctlContext, [target, file]: readonly string[]): Promise<void> {
  const set = new FlowSet();
  const names = await c.acceptNames(target, 'ports');
  const usable = addFile(set, FILE, file, names);
  const sw = await c.connect(target);
  await addSwitch(c, set, SWITCH, sw, usable);
  await sendFlowMods(c, sw, replacements(set, c.settings.readd), 'encoded first');
}

/** Is a source of diff-flows a file? One with a / or . in front is, one with a colon is not. */
function isFile(source: string): boolean {
  if (/^[/.]/.test(source)) return true;
  return !isMethod(source) && fs.existsSync(byteTextPath(source));
}

/** Exit status 2: there are differences. */
export async function diffFlows(c: OfctlContext, sources: readonly string[]): Promise<number> {
  const set = new FlowSet();
  // Names of ports are those of the first switch; a file in front of it has none.
  let ports: Names['ports'];
  for (const [i, source] of sources.entries()) {
    if (isFile(source)) {
      addFile(set, i as 0 | 1, source, { ports, explain: c.explain });
      continue;
    }
    const sw = await c.connect(source);
    // Whatever a file has in it: nothing of that is going to be said to the switch.
    await addSwitch(c, set, i as 0 | 1, sw, PROTO_ANY);
    sw.connection.close();
    if (ports === undefined && c.showNames) ports = await c.ports(source);
  }
  let out = '';
  const shown = { ports, colors: c.colors };
  for (const entry of set.entries()) {
    const [a, b] = entry.versions;
    if (a && b && sameVersion(a, b)) continue;
    if (a) out += `-${formatVersion(entry, a, shown)}\n`;
    if (b) out += `+${formatVersion(entry, b, shown)}\n`;
  }
  process.stdout.write(out);
  return out === '' ? 0 : 2;
}
