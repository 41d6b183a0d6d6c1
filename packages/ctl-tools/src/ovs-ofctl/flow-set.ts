/**
 * Flows from two sources, side by side: what diff-flows prints and replace-flows carries out. The order is that of the
 * peer's tables, in which its users read differences:
 *
 *     table -> flows with one mask, masks by falling highest priority, else by arrival -> flows by arrival
 */
import type { Match } from '@ovs-node/flow/match';
import type { FormatContext } from '@ovs-node/openflow/actions/row';
import { formatActionsIn } from '@ovs-node/openflow/actions/text';
import type { Action } from '@ovs-node/openflow/actions/types';
import { formatMatchIn } from '@ovs-node/openflow/text/match';
import { formatTable } from '@ovs-node/openflow/text/tables';
import { hex } from '@ovs-node/openflow/text/numbers';

/** What of a flow may differ between the sources. */
export interface FlowVersion {
  readonly cookie: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly importance: number;
  readonly flags: number;
  readonly actions: readonly Action[];
}

/** A flow by what identifies it, and how either source has it. */
export interface FlowEntry {
  readonly tableId: number;
  readonly match: Match;
  readonly priority: number;
  readonly versions: [FlowVersion | undefined, FlowVersion | undefined];
}

interface MaskGroup {
  highest: number;
  readonly entries: Map<string, FlowEntry>;
}

/** Strings that two matches share exactly when they have the same mask, and the same values. */
function keysOf(match: Match): { mask: string; values: string } {
  let mask = '';
  let values = '';
  const packed = match.packedWords;
  if (packed) {
    for (let i = 0; i < packed.length; i += 3) {
      mask += `${packed[i]}:${packed[i + 2]},`;
      values += `${packed[i + 1]},`;
    }
    return { mask, values };
  }
  for (const [word, bits] of match.mask.entries()) {
    if (bits === 0) continue;
    mask += `${word}:${bits},`;
    values += `${match.key[word]},`;
  }
  return { mask, values };
}

export class FlowSet {
  private readonly tables = new Map<number, Map<string, MaskGroup>>();

  /** Adds a flow of one source; of two that are the same the last counts. Takes over `match`. */
  add(source: 0 | 1, tableId: number, match: Match, priority: number, version: FlowVersion): void {
    let groups = this.tables.get(tableId);
    if (!groups) this.tables.set(tableId, (groups = new Map()));
    const { mask, values } = keysOf(match);
    let group = groups.get(mask);
    if (!group) groups.set(mask, (group = { highest: priority, entries: new Map() }));
    group.highest = Math.max(group.highest, priority);
    const key = `${priority};${values}`;
    let entry = group.entries.get(key);
    if (!entry) {
      entry = { tableId, match, priority, versions: [undefined, undefined] };
      group.entries.set(key, entry);
    }
    entry.versions[source] = version;
  }

  /** The flows of each table that has some. */
  *byTable(): Generator<readonly FlowEntry[]> {
    for (const tableId of [...this.tables.keys()].sort((a, b) => a - b)) {
      const groups = [...this.tables.get(tableId)!.values()];
      groups.sort((a, b) => b.highest - a.highest);
      yield groups.flatMap((group) => [...group.entries.values()]);
    }
  }

  *entries(): Generator<FlowEntry> {
    for (const table of this.byTable()) yield* table;
  }
}

/** Do two versions of a flow do the same? Flags do not count. */
export function sameVersion(a: FlowVersion, b: FlowVersion): boolean {
  return (
    a.cookie === b.cookie &&
    a.idleTimeout === b.idleTimeout &&
    a.hardTimeout === b.hardTimeout &&
    a.importance === b.importance &&
    formatActionsIn(a.actions, {}) === formatActionsIn(b.actions, {})
  );
}

/** One version of a flow as diff-flows prints it, without sign and line end. */
export function formatVersion(entry: FlowEntry, version: FlowVersion, names: FormatContext): string {
  let out = entry.tableId === 0 ? '' : `table=${formatTable(entry.tableId, names.tables)} `;
  out += formatMatchIn(entry.match, names, entry.priority);
  if (version.cookie !== 0n) out += ` cookie=${hex(version.cookie)}`;
  if (version.idleTimeout !== 0) out += ` idle_timeout=${version.idleTimeout}`;
  if (version.hardTimeout !== 0) out += ` hard_timeout=${version.hardTimeout}`;
  if (version.importance !== 0) out += ` importance=${version.importance}`;
  return `${out} actions=${formatActionsIn(version.actions, names)}`;
}
