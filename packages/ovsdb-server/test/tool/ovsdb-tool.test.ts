import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { bindTmp, needing, run, tmpDir, type RunResult } from '@ovs-node/common/testkit/index';
import { stringifyJson } from 'ovsdb-client/data/json';
import { schemaToJson } from 'ovsdb-client/schema';
import { TEST_SCHEMA_JSON, testSchema } from '../lib/schema.js';

const PROGRAM = fileURLToPath(new URL('../../src/programs/ovsdb-tool.js', import.meta.url));

/** Fills a folder with a schema, changed ones, files that are no databases. */
function prepare(dir: string): void {
  const schema = schemaToJson(testSchema());
  const write = (name: string, text: string): void => fs.writeFileSync(path.join(dir, name), text);
  write('t.ovsschema', stringifyJson(schema));
  write('cksum.ovsschema', stringifyJson({ ...schema, cksum: '1 3' }));
  write('bad.ovsschema', '{"name":"T","version":"x","tables":{}}');
  write(
    'small.ovsschema',
    '{"name":"U","version":"1.2.3","tables":{"all":{"columns":{"s":{"type":"string"}}}}}',
  );
  write('no.db', 'hello\n');
  write('empty.db', '');
  write('cluster.db', 'OVSDB CLUSTER 10 00\n');
  write('whole-cluster.db', `OVSDB CLUSTER 10 ${'0'.repeat(40)}\n{"a":"b"}\n`);
  write('half.json', '{"a":');
  write('none.json', '');
  write('array.json', '[]');
  write('name.json', '{"name":"T"}');
  write('old.ovsschema', '{"name":"Old","tables":{"A":{"columns":{"s":{"type":"string"}}}}}');
}

const ROW =
  '{"op":"insert","table":"all","uuid":"00000000-0000-4000-8000-000000000001","row":{"s":"a b","i3":["set",[1,2]],"m":["map",[["k","v"]]]}}';
const SELECT = '{"op":"select","table":"all","where":[],"columns":["s","i3","m","gone"]}';

/** Each line is run by both tools, each in a folder of its own, and must print the same and end the same. */
const COMMANDS: readonly (readonly string[])[] = [
  ['create', 't.db', 't.ovsschema'],
  ['create', 't.db', 't.ovsschema'],
  ['create', 'u.db', 'nosuch'],
  ['create', '/nonexist/u.db', 't.ovsschema'],
  ['db-name', 't.db'],
  ['db-version', 't.db'],
  ['db-cksum', 't.db'],
  ['db-name', 'nosuch.db'],
  ['db-name', 'no.db'],
  ['db-name', 'empty.db'],
  ['db-name', 'a', 'b'],
  ['db-is-standalone', 't.db'],
  ['db-is-clustered', 't.db'],
  ['db-is-standalone', 'cluster.db'],
  ['db-cid', 't.db'],
  ['schema-name', 't.ovsschema'],
  ['schema-version', 't.ovsschema'],
  ['schema-cksum', 't.ovsschema'],
  ['schema-name', 'bad.ovsschema'],
  ['transact', 't.db', `["T",${ROW},{"op":"comment","comment":"one\\ntwo"}]`],
  [
    'transact',
    't.db',
    '["T",{"op":"mutate","table":"all","where":[],"mutations":[["i3","delete",1],["i","+=",5]]}]',
  ],
  ['transact', 't.db', '["T",{"op":"insert","table":"all","row":{"x":1}}]'],
  ['transact', 't.db', '["V"]'],
  ['transact', 't.db', '3'],
  ['transact', 't.db', '["T",{"op":"wait","table":"all","where":[],"until":"==","columns":["s"],"rows":[]}]'],
  ['query', 't.db', `["T",${SELECT}]`],
  ['needs-conversion', 't.db', 't.ovsschema'],
  ['needs-conversion', 't.db', 'cksum.ovsschema'],
  ['convert', 't.db', 'small.ovsschema', 'small.db'],
  ['db-name', 'small.db'],
  ['query', 'small.db', '["U",{"op":"select","table":"all","where":[],"columns":["_uuid","s"]}]'],
  ['compact', 't.db'],
  ['query', 't.db', `["T",${SELECT}]`],
  ['compact', 't.db', 'copy.db'],
  ['query', 'copy.db', `["T",${SELECT}]`],
  ['create', 'x.db', 'half.json'],
  ['create', 'x.db', 'none.json'],
  ['create', 'x.db', 'array.json'],
  ['create', 'x.db', 'name.json'],
  ['create', 'a', 'b', 'c'],
  ['create-cluster', 'a'],
  ['join-cluster', 'a', 'b', 'c'],
  ['--election-timer=x', 'create-cluster', 'a', 'b', 'c'],
  ['--cid=x', 'join-cluster', 'a', 'b', 'c', 'd'],
  ['create', 'old.db', 'old.ovsschema'],
  ['db-version', 'old.db'],
  ['db-cksum', 'old.db'],
  ['schema-version', 'old.ovsschema'],
  ['schema-cksum', 'old.ovsschema'],
  ['db-cksum', 'whole-cluster.db'],
  ['db-version', 'whole-cluster.db'],
  ['db-is-clustered', 'whole-cluster.db'],
  ['db-is-clustered', 'nosuch.db'],
  ['db-is-standalone', 'no.db'],
  ['db-sid', 't.db'],
  ['db-local-address', 't.db'],
  ['db-sid'],
  ['schema-name', 'half.json'],
  ['schema-name', 'nosuch'],
  ['schema-cksum', 'none.json'],
  ['--rbac-role=r', 'query', 't.db', `["T",${SELECT}]`],
  ['--rbac-role=r', 'transact', 't.db', '["T",{"op":"delete","table":"all","where":[["i","==",12345]]}]'],
  ['transact', 't.db', '{}'],
  ['transact', 't.db', 'x'],
  ['transact', 't.db', '["T"] x'],
  ['transact', 't.db', '["T"]'],
  ['transact', 't.db', '["T",3]'],
  ['transact', 't.db', '["T",{"op":"foo"}]'],
  ['transact', 't.db', '["T",{"op":"abort"}]'],
  ['transact', 't.db', '["T",{"op":"assert","lock":"x"}]'],
  ['transact', 'nosuch.db', '["T"]'],
  ['transact', 'whole-cluster.db', '["T"]'],
  ['query', 'whole-cluster.db', '["T"]'],
  ['query', 'nosuch.db', '["T"]'],
  ['query'],
  ['query', 'a', 'b', 'c'],
  ['needs-conversion', 't.db', 'small.ovsschema'],
  ['needs-conversion', 'whole-cluster.db', 't.ovsschema'],
  ['convert', 'whole-cluster.db', 't.ovsschema'],
  ['convert', 't.db', 'nosuch'],
  ['convert', 't.db', 'small.ovsschema', '/nonexist/x'],
  ['compact', 'nosuch.db'],
  ['compact', 'whole-cluster.db'],
  ['compact', 'a', 'b', 'c'],
  ['show-log', '-m', 'copy.db'],
  ['show-log', 'nosuch.db'],
  ['show-log', 'no.db'],
  ['show-log', 'empty.db'],
  ['show-log', 'a', 'b'],
  ['check-cluster'],
  ['check-cluster', 't.db'],
  ['check-cluster', 'nosuch.db'],
  ['cluster-to-standalone'],
  ['cluster-to-standalone', 'x.db', 'nosuch.db'],
  ['list-commands'],
  ['compare-versions', '1.2.3', '==', '01.2.3'],
  ['compare-versions', '1.2.3', '!=', '1.2.3'],
  ['compare-versions', '1.2.3', '>', '1.2'],
  ['compare-versions', '1.2.3.4', '==', '1.2.3'],
  ['compare-versions', '1.2.3', '<', '1.10.0'],
  ['compare-versions', '1.2.3', '>=', '1.10.0'],
  ['compare-versions', '1.2.3', 'lt', '1.10.0'],
  ['compare-versions', '1.2', '<', '1.10.0'],
  ['frobnicate'],
  [],
  ['--frob'],
  ['--version'],
];

/** What differs from run to run. */
function normalize({ status, stdout, stderr }: RunResult): {
  status: number;
  stdout: string;
  stderr: string;
} {
  const text = (value: string): string => value.replace(/\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g, 'DATE');
  return { status, stdout: text(stdout), stderr: text(stderr) };
}

needing(test, 'peer')('every command prints and does what the peer’s does', async (t) => {
  t.timeout(60_000);
  const [own, peer] = [tmpDir(t), tmpDir(t)];
  prepare(own);
  prepare(peer);
  for (const args of COMMANDS) {
    const [a, b] = await Promise.all([
      run(process.execPath, [PROGRAM, ...args], { cwd: own, env: bindTmp(own) }),
      run('ovsdb-tool', args, { cwd: peer, env: bindTmp(peer) }),
    ]);
    t.deepEqual(normalize(a), normalize(b), args.join(' '));
  }
});

needing(test, 'peer')('show-log tells the same of the peer’s log, at every level', async (t) => {
  const dir = tmpDir(t);
  prepare(dir);
  const options = { cwd: dir, env: bindTmp(dir) };
  await run('ovsdb-tool', ['create', 't.db', 't.ovsschema'], options);
  await run(
    'ovsdb-tool',
    ['transact', 't.db', `["T",${ROW},{"op":"comment","comment":"one\\ntwo"}]`],
    options,
  );
  await run(
    'ovsdb-tool',
    ['transact', 't.db', '["T",{"op":"mutate","table":"all","where":[],"mutations":[["i3","delete",1]]}]'],
    options,
  );
  await run('ovsdb-tool', ['transact', 't.db', '["T",{"op":"delete","table":"all","where":[]}]'], options);
  for (const more of [[], ['-m'], ['-mm']]) {
    const args = [...more, 'show-log', 't.db'];
    t.deepEqual(
      await run(process.execPath, [PROGRAM, ...args], options),
      await run('ovsdb-tool', args, options),
    );
  }
});

/** The columns of a row come in no certain order. */
function sorted({ status, stdout, stderr }: RunResult): unknown {
  return { status, stdout: stdout.split('\n').toSorted(), stderr };
}

needing(test, 'peer')('either tool works on the files of the other', async (t) => {
  const dir = tmpDir(t);
  prepare(dir);
  const options = { cwd: dir, env: bindTmp(dir) };
  const tool = (side: 'ours' | 'peer', ...args: string[]): Promise<RunResult> =>
    side === 'peer' ? run('ovsdb-tool', args, options) : run(process.execPath, [PROGRAM, ...args], options);
  const query = `["T",${SELECT}]`;
  for (const [writer, reader] of [
    ['ours', 'peer'],
    ['peer', 'ours'],
  ] as const) {
    const file = `${writer}.db`;
    const steps: [side: 'ours' | 'peer', ...args: string[]][] = [
      [writer, 'create', file, 't.ovsschema'],
      [writer, 'transact', file, `["T",${ROW}]`],
      [reader, 'transact', file, '["T",{"op":"mutate","table":"all","where":[],"mutations":[["i","+=",5]]}]'],
      [writer, 'transact', file, '["T",{"op":"update","table":"all","where":[],"row":{"s":"new"}}]'],
    ];
    for (const [side, ...args] of steps) t.is((await tool(side, ...args)).stderr, '', args.join(' '));
    for (const args of [
      ['query', file, query],
      ['-mm', 'show-log', file],
      ['db-cksum', file],
      ['needs-conversion', file, 't.ovsschema'],
    ])
      t.deepEqual(sorted(await tool(reader, ...args)), sorted(await tool(writer, ...args)), args.join(' '));
    const before = (await tool(writer, 'query', file, query)).stdout;
    t.regex(before, /"s":"new"/);
    for (const side of [reader, writer]) {
      t.is((await tool(side, 'compact', file)).stderr, '');
      for (const each of [reader, writer]) t.is((await tool(each, 'query', file, query)).stdout, before);
    }
    t.is((await tool(reader, 'convert', file, 'small.ovsschema', `${file}.small`)).stderr, '');
    t.is((await tool(writer, 'db-name', `${file}.small`)).stdout, 'U\n');
  }
});

test('clusters are refused before anything is written', async (t) => {
  const dir = tmpDir(t);
  prepare(dir);
  const options = { cwd: dir, env: bindTmp(dir) };
  const files = fs.readdirSync(dir);
  for (const args of [
    ['create-cluster', 'c.db', 't.ovsschema', 'tcp:127.0.0.1:1'],
    ['--election-timer=1000', 'create-cluster', 'c.db', 't.ovsschema', 'tcp:127.0.0.1:1'],
    ['join-cluster', 'c.db', 'T', 'tcp:127.0.0.1:1', 'tcp:127.0.0.1:2'],
    ['check-cluster', 'whole-cluster.db'],
    ['cluster-to-standalone', 'c.db', 'whole-cluster.db'],
    ['db-cid', 'whole-cluster.db'],
  ]) {
    const { status, stderr } = await run(process.execPath, [PROGRAM, ...args], options);
    t.is(stderr, 'ovsdb-tool: clustered databases are not supported\n', args.join(' '));
    t.is(status, 1);
  }
  t.deepEqual(fs.readdirSync(dir), files);
});

test('the test schema prints as it was written', (t) => {
  t.is(Object.keys(TEST_SCHEMA_JSON).length, 4);
  t.deepEqual(Object.keys(schemaToJson(testSchema())).sort(), Object.keys(TEST_SCHEMA_JSON).sort());
});
