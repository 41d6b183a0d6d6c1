/** The example in the README of package ovsdb-client runs as it stands. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { checkout, runCommand } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';

test.serial('the example of the client library', async (t) => {
  const home = join(checkout, 'packages/ovsdb-client');
  const [, code] = /```js\n(.*?)```/s.exec(readFileSync(join(home, 'README.md'), 'utf8')) as unknown as [
    string,
    string,
  ];
  // Beside the package, so that `ovsdb-client` is found as an installed package would be.
  const place = mkdtempSync(join(home, 'dist/example-'));
  t.teardown(() => rmSync(place, { recursive: true, force: true }));
  const file = join(place, 'bridges.mjs');
  writeFileSync(file, code);
  await withSuite(t, { start: false }, async (suite, dir) => {
    await suite.createDatabase();
    await suite.startDetached('ovsdb-server');
    await suite.vsctl('--no-wait', 'init', '--', 'add-br', 'br0', '--', 'add-br', 'br1');
    await suite.vsctl('--no-wait', 'set', 'bridge', 'br1', 'external_ids:a=b');
    const { stdout, stderr } = await runCommand(process.execPath, [file, `unix:${dir}/db.sock`], {
      env: suite.env,
    });
    t.is(stderr, '');
    t.deepEqual(stdout.split('\n').toSorted(), [
      '',
      'br0: 0 external IDs',
      'br1: 1 external IDs',
      'modify br0',
      'modify br1',
      'success',
    ]);
    t.is(await suite.vsctl('get', 'bridge', 'br1', 'external_ids'), '{a=b, seen-by=example}\n');
  });
});
