/** The sentences on keys of map columns: complete by the peer's manual, and honest about what is supported. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { needing } from '@ovs-node/common/testkit/index';
import { type ColumnKeys, VSWITCH_KEYS } from '../../src/vswitch/keys/index.js';
import { STORED_COLUMNS } from '../../src/vswitch/keys/stored-columns.js';
import { VSWITCH } from '../../src/vswitch/schema.js';

function keysOf(table: string, column: string): ColumnKeys | undefined {
  const columns = VSWITCH_KEYS[table as keyof typeof VSWITCH_KEYS] as Record<string, ColumnKeys> | undefined;
  return columns?.[column];
}

test('every key has a sentence and says whether it is supported', (t) => {
  let n = 0;
  for (const [table, columns] of Object.entries(VSWITCH_KEYS)) {
    for (const [column, keys] of Object.entries(columns as Record<string, ColumnKeys>)) {
      for (const [key, { doc, support }] of Object.entries(keys)) {
        t.regex(doc, /^[A-Za-z0-9].*\.$/, `${table}.${column}:${key}`);
        t.true(support === 'yes' || support === 'stored');
        n++;
      }
    }
  }
  t.true(n > 300);
});

test('columns that are only stored are columns', (t) => {
  for (const [table, columns] of Object.entries(STORED_COLUMNS))
    for (const column of columns)
      t.true(column in VSWITCH.tables[table as keyof typeof VSWITCH.tables].columns, `${table}.${column}`);
});

function sources(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(dir, name), 'utf8'));
}

test('a key that is said to be supported is named by a program', (t) => {
  const packages = fileURLToPath(new URL('../../../../', import.meta.url));
  const text = ['vswitchd', 'ovsdb-server', 'datapath-svc', 'ctl-tools']
    .flatMap((name) => sources(join(packages, name, 'src')))
    .join('\n');
  for (const [table, columns] of Object.entries(VSWITCH_KEYS)) {
    for (const [column, keys] of Object.entries(columns as Record<string, ColumnKeys>)) {
      // External IDs are for other programs to use.
      if (column === 'external_ids') continue;
      for (const [key, { support }] of Object.entries(keys)) {
        const named = ["'", '"', '`'].some((quote) => text.includes(`${quote}${key}${quote}`));
        if (support === 'yes') t.true(named || text.includes(`${key}:`), `${table}.${column}:${key}`);
      }
    }
  }
});

needing(test, 'peer')('every key of the peer’s manual is here', (t) => {
  const manual = spawnSync('man', ['-P', 'cat', 'ovs-vswitchd.conf.db'], {
    encoding: 'utf8',
    env: { ...process.env, MANWIDTH: '200', LC_ALL: 'C.UTF-8' },
  });
  if (manual.status !== 0) {
    t.pass('the manual is not installed');
    return;
  }
  let table = '';
  let n = 0;
  for (const line of manual.stdout.split('\n')) {
    table = /^([A-Za-z_]+) TABLE$/.exec(line)?.[1] ?? table;
    const [, column, key] = /^ {5,9}([a-z_]+) : ([^ ]+): /.exec(line) ?? [];
    if (column === undefined || key === undefined) continue;
    t.true(keysOf(table, column)?.[key] !== undefined, `${table}.${column}:${key}`);
    n++;
  }
  t.true(n > 300, String(n));
});
