/**
 * Package ovsdb-client as others get it: packed with npm, installed from the tarballs into an empty folder without a
 * network, its types checked by a program with rows generated from a schema file, that program run.
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { tmpDir } from '@ovs-node/common/testkit/tmp';
import { checkout, runCommand } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { compileIn, installPacked, runIn } from './lib/packed.js';
import { PEER, testWith } from './lib/requires.js';

/** What goes into the folder: the two packages, and what they depend on as it is installed here. */
const PACKAGES = [
  'packages/common',
  'packages/ovsdb-client',
  'node_modules/debug',
  'node_modules/ms',
  'node_modules/json-rpc-2.0',
  'node_modules/koffi',
];

const PROGRAM = `import { Replica, Transaction, transactUntilDone } from 'ovsdb-client';
import { DATABASE, type Tables, schema } from './vswitch.js';

const replica = new Replica<Tables>({
  remote: process.argv[2]!,
  database: DATABASE,
  schema,
  tables: { Bridge: ['name', 'fail_mode'], Port: ['tag', 'trunks'] },
  conditions: { Bridge: [['name', '==', 'br0']] },
  retry: false,
});
replica.start();
await replica.ready({ timeoutMs: 30_000 });
const [bridge] = replica.rows('Bridge');
const mode: 'secure' | 'standalone' | undefined = bridge?.fail_mode;
const ids: ReadonlyMap<string, string> | undefined = bridge?.external_ids;
const tags: (number | undefined)[] = [...replica.rows('Port')].map((port) => port.tag);
const outcome = await transactUntilDone(replica, (transaction) => {
  transaction.assign('Bridge', bridge!._uuid, { fail_mode: 'secure' });
});
console.log(bridge?.name, mode, ids?.size, tags.length, outcome.status);

// What the types have to refuse.
export function wrong(transaction: Transaction<Tables>): void {
  // @ts-expect-error no such table
  replica.rows('Bridges');
  // @ts-expect-error no such column
  console.log(bridge?.nome);
  // @ts-expect-error not one of the values
  transaction.assign('Bridge', '', { fail_mode: 'open' });
  // @ts-expect-error a number is wanted
  transaction.insertRow('Port', { tag: 'x' });
  // @ts-expect-error no such column
  void replica.setCondition('Bridge', [['nome', '==', 'x']]);
}
replica.close();
`;

testWith(PEER)(
  'packed and installed in an empty folder, the client library has its types and works',
  async (t) => {
    t.timeout(170_000);
    const app = await installPacked(t, PACKAGES);
    t.deepEqual(
      readdirSync(join(app, 'node_modules'))
        .filter((name) => !name.startsWith('.'))
        .toSorted(),
      ['@ovs-node', 'debug', 'json-rpc-2.0', 'koffi', 'ms', 'ovsdb-client'],
    );

    const typegen = join(app, 'node_modules/.bin/ovsdb-typegen');
    writeFileSync(
      join(app, 'vswitch.ts'),
      await runIn(t, app, typegen, [join(checkout, 'packages/ovsdb-client/vswitch.ovsschema')]),
    );
    writeFileSync(join(app, 'program.ts'), PROGRAM);
    await compileIn(t, app, 'program.ts', '--skipLibCheck');

    for (const side of ['peer', 'ours'] as const) {
      await withSuite(t, { side, start: false }, async (suite, place) => {
        await suite.createDatabase();
        await suite.startDetached('ovsdb-server');
        await suite.vsctl('--no-wait', 'init', '--', 'add-br', 'br0', '--', 'add-br', 'br1');
        const printed = await runIn(t, app, process.execPath, ['program.js', `unix:${place}/db.sock`]);
        t.is(printed, 'br0 undefined 0 2 success\n');
        t.is(await suite.vsctl('get', 'bridge', 'br0', 'fail_mode'), 'secure\n');
      });
    }
    rmSync(join(app, 'node_modules'), { recursive: true });
  },
);

test('ovsdb-typegen says what is wrong with a file', async (t) => {
  const dir = tmpDir(t);
  const main = join(checkout, 'packages/ovsdb-client/dist/src/typegen/main.js');
  const typegen = async (...args: string[]): Promise<string> =>
    (await runCommand(process.execPath, [main, ...args], { env: process.env })).stderr;
  writeFileSync(join(dir, 'bad'), '{');
  writeFileSync(join(dir, 'odd'), '{"name":"T","version":"x","tables":{}}');
  t.is(await typegen(), 'ovsdb-typegen: exactly one schema file has to be given; use --help for help\n');
  t.is(
    await typegen(join(dir, 'none')),
    `ovsdb-typegen: ${join(dir, 'none')}: open failed (No such file or directory)\n`,
  );
  t.regex(await typegen(join(dir, 'bad')), /^ovsdb-typegen: .*[/\\]bad: line 0, column 1, byte 1: .*\n$/);
  t.regex(
    await typegen(join(dir, 'odd')),
    /^ovsdb-typegen: .*[/\\]odd: .*schema version "x" not in format x\.y\.z\n$/,
  );
});
