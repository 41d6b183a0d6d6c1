/** The tables that replication leaves alone: `DB:TABLE[,DB:TABLE]…`. */

/** Database name to table names. */
export type ExcludedTables = ReadonlyMap<string, ReadonlySet<string>>;

/** Reads the text. Any text is one, as for the peer: what names nothing excludes nothing. */
export function parseExcluded(text: string): ExcludedTables {
  const excluded = new Map<string, Set<string>>();
  for (const item of text.split(',').filter((part) => part !== '')) {
    const [database, table] = splitOnce(item);
    const tables = excluded.get(database) ?? new Set();
    tables.add(table);
    excluded.set(database, tables);
  }
  return excluded;
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** The text, sorted. */
export function formatExcluded(excluded: ExcludedTables): string {
  const items: string[] = [];
  for (const database of [...excluded.keys()].sort()) {
    for (const table of [...excluded.get(database)!].sort()) items.push(`${database}:${table}`);
  }
  return items.join(',');
}
