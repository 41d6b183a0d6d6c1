/** The examples in the documentation of package ovsdb-client run as they stand, against either side's server. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Side, checkout, runCommand } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const home = join(checkout, 'packages/ovsdb-client');

interface Example {
  readonly title: string;
  readonly code: string;
  /** What it prints, a line each; absent where the document does not say. */
  readonly prints: readonly string[] | undefined;
}

/** The programs of a document: blocks of js, each with the block of text that follows it. */
function examples(file: string): Example[] {
  const text = readFileSync(join(home, file), 'utf8');
  return [...text.matchAll(/```js\n(.*?)```(?:\n+```text\n(.*?)```)?/gs)].map(([, code, prints], i) => ({
    title: `${file}, ${i + 1}`,
    code: code as string,
    prints: prints?.trimEnd().split('\n'),
  }));
}

const README_PRINTS = ['br0: 0 external IDs', 'br1: 1 external IDs', 'modify br0', 'modify br1', 'success'];

const EXAMPLES = [
  ...examples('README.md').map((example) => ({ ...example, prints: README_PRINTS })),
  ...examples('API.md'),
];

test('every example of API.md says what it prints', (t) => {
  t.true(EXAMPLES.length >= 7);
  for (const { title, prints } of EXAMPLES) t.true(prints !== undefined, title);
});

for (const side of ['ours', 'peer'] as const satisfies readonly Side[]) {
  for (const { title, code, prints } of EXAMPLES) {
    const run = side === 'peer' ? testWith(PEER) : test.serial;
    run(`${title}, on ovsdb-server of ${side}`, async (t: ExecutionContext) => {
      // Beside the package, so that `ovsdb-client` is found as an installed package would be.
      const place = mkdtempSync(join(home, 'dist/example-'));
      t.teardown(() => rmSync(place, { recursive: true, force: true }));
      const file = join(place, 'example.mjs');
      writeFileSync(file, code);
      await withSuite(t, { side, start: false }, async (suite, dir) => {
        await suite.createDatabase();
        await suite.startDetached('ovsdb-server');
        await suite.vsctl('--no-wait', 'init', '--', 'add-br', 'br0', '--', 'add-br', 'br1');
        await suite.vsctl('--no-wait', 'set', 'bridge', 'br1', 'external_ids:a=b');
        const { stdout, stderr } = await runCommand(process.execPath, [file, `unix:${dir}/db.sock`], {
          env: suite.env,
        });
        t.is(stderr, '');
        // Rows come in no certain order.
        t.deepEqual(stdout.trimEnd().split('\n').toSorted(), [...prints!].toSorted());
      });
    });
  }
}
