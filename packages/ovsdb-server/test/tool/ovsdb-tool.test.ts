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

test('the test schema prints as it was written', (t) => {
  t.is(Object.keys(TEST_SCHEMA_JSON).length, 4);
  t.deepEqual(Object.keys(schemaToJson(testSchema())).sort(), Object.keys(TEST_SCHEMA_JSON).sort());
});
