/** Table statistics as text: runs of tables that say the same are one line. */
import type { TableStats } from '../messages/types.js';
import { FW10 } from '../match/ofp10.js';
import type { TableMap } from '../actions/row.js';
import { formatTable } from './tables.js';

/** Fields of OpenFlow 1.0 by their wildcard bits. */
const FIELDS_10: readonly (readonly [mask: number, name: string])[] = [
  [FW10.IN_PORT, 'in_port'],
  [FW10.DL_SRC, 'eth_src'],
  [FW10.DL_DST, 'eth_dst'],
  [FW10.DL_TYPE, 'eth_type'],
  [FW10.DL_VLAN, 'vlan_vid'],
  [FW10.DL_VLAN_PCP, 'vlan_pcp'],
  [63 << FW10.NW_SRC_SHIFT, 'ip_src'],
  [63 << FW10.NW_DST_SHIFT, 'ip_dst'],
  [FW10.NW_PROTO, 'nw_proto'],
  [FW10.NW_TOS, 'nw_tos'],
  [FW10.TP_SRC, 'tcp_src'],
  [FW10.TP_DST, 'tcp_dst'],
];

/** Names with a common first word are put together: `eth_{src,dst}`. */
export function groupNames(names: readonly string[]): string {
  const out: string[] = [];
  let i = 0;
  while (i < names.length) {
    const under = names[i].indexOf('_');
    const prefix = under < 0 ? '' : names[i].slice(0, under + 1);
    let j = i + 1;
    while (prefix !== '' && j < names.length && names[j].startsWith(prefix)) j++;
    if (j - i === 1) out.push(names[i]);
    else
      out.push(
        `${prefix}{${names
          .slice(i, j)
          .map((n) => n.slice(prefix.length))
          .join(',')}}`,
      );
    i = j;
  }
  return out.join(' ');
}

function formatFeatures10(t: TableStats): string {
  const wild = FIELDS_10.filter(([bits]) => (t.wildcards & bits) !== 0).map(([, name]) => name);
  let out = `    max_entries=${t.maxEntries}\n    matching:\n`;
  if (wild.length > 0) out += `      exact match or wildcard: ${groupNames(wild)}\n`;
  return out;
}

function sameFeatures(a: TableStats, b: TableStats): boolean {
  return a.maxEntries === b.maxEntries && a.wildcards === b.wildcards;
}
function sameStats(a: TableStats, b: TableStats): boolean {
  return (
    a.activeCount === b.activeCount && a.lookupCount === b.lookupCount && a.matchedCount === b.matchedCount
  );
}
/** The body of a table statistics reply of OpenFlow 1.0 or 1.3 and later. */
export function formatTableStats(tables: readonly TableStats[], version: number, map?: TableMap): string {
  let out = '\n';
  let i = 0;
  while (i < tables.length) {
    const t = tables[i];
    const before = i > 0 ? tables[i - 1] : undefined;
    const same = (a: TableStats, b: TableStats): boolean => sameStats(a, b) && sameFeatures(a, b);
    const shown = formatTable(t.tableId, map);
    const label =
      t.name !== '' && shown === String(t.tableId) ? `table ${shown} ("${t.name}")` : `table ${shown}`;
    if (before && same(before, t)) {
      // A run of tables, of which only those without a name are put together.
      let j = i;
      while (t.name === '' && j + 1 < tables.length && tables[j + 1].name === '' && same(t, tables[j + 1]))
        j++;
      if (t.name !== '') out += `  table ${t.tableId} ("${t.name}"): ditto\n`;
      else if (j === i) out += `  ${label}: ditto\n\n`;
      else out += `  tables ${t.tableId}...${tables[j].tableId}: ditto\n\n`;
      i = j + 1;
      continue;
    }
    out += `  ${label}:\n`;
    out += `    active=${t.activeCount}, lookup=${t.lookupCount}, matched=${t.matchedCount}\n`;
    if (version === 1) {
      out += before && sameFeatures(before, t) ? '    (same features)\n' : formatFeatures10(t);
    }
    out += '\n';
    i++;
  }
  return `${out.replace(/\n+$/, '')}\n`;
}
