import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { definitionToJson, schemaFromDefinition } from '../../src/definition.js';
import { canonicalJson, parseJson } from '../../src/data/json.js';
import { schemaFromJson, schemaToJson } from '../../src/schema.js';
import { type Row, VSWITCH, vswitchSchema } from '../../src/vswitch/schema.js';

// Compile-time check of derived rows: a wrong mapping fails the build.
const typed = (row: Row<'Bridge'>, port: Row<'Port'>): readonly unknown[] => {
  const name: string = row.name;
  const failMode: 'standalone' | 'secure' | undefined = row.fail_mode;
  const ports: readonly string[] = row.ports;
  const config: ReadonlyMap<string, string> = row.other_config;
  const tag: number | undefined = port.tag;
  const trunks: readonly number[] = port.trunks;
  return [name, failMode, ports, config, tag, trunks, row._uuid];
};

test('row types have a run-time witness', (t) => {
  t.is(typeof typed, 'function');
});

test('the definition is a valid schema and prints back to itself', (t) => {
  const schema = vswitchSchema();
  t.is(schema.tables.size, 19);
  const again = schemaFromJson(schemaToJson(schema));
  t.deepEqual(schemaToJson(again), schemaToJson(schema));
});

test('every table and column has a sentence of documentation', (t) => {
  for (const [tableName, table] of Object.entries(VSWITCH.tables)) {
    t.regex(table.doc, /^[A-Z].*\.$/, tableName);
    for (const [name, column] of Object.entries(table.columns)) {
      t.regex((column as { doc: string }).doc, /^[A-Z].*\.$/, `${tableName}.${name}`);
    }
  }
});

test('the generated schema file is not stale', (t) => {
  const file = new URL('../../../vswitch.ovsschema', import.meta.url);
  const json = parseJson(readFileSync(file, 'utf8'));
  const { cksum: _cksum, ...rest } = json as Record<string, never>;
  t.is(canonicalJson(rest), canonicalJson(definitionToJson(VSWITCH)));
});

const PEER = '/usr/share/openvswitch/vswitch.ovsschema';
(existsSync(PEER) ? test : test.skip)('the definition equals the peer’s schema, column by column', (t) => {
  const { cksum: _cksum, ...peerJson } = parseJson(readFileSync(PEER, 'utf8')) as Record<string, never>;
  const peer = schemaFromJson(peerJson);
  const own = schemaFromDefinition(VSWITCH);
  t.deepEqual([...own.tables.keys()].sort(), [...peer.tables.keys()].sort());
  const peerOut = schemaToJson(peer)['tables'] as Record<string, { columns: Record<string, unknown> }>;
  const ownOut = schemaToJson(own)['tables'] as Record<string, { columns: Record<string, unknown> }>;
  for (const name of Object.keys(peerOut)) {
    t.deepEqual(Object.keys(ownOut[name]!.columns), Object.keys(peerOut[name]!.columns), name);
    for (const column of Object.keys(peerOut[name]!.columns)) {
      t.deepEqual(ownOut[name]!.columns[column], peerOut[name]!.columns[column], `${name}.${column}`);
    }
  }
  t.deepEqual(ownOut, peerOut);
});
