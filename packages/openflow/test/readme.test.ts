/** The examples in README.md run as they stand; the controller among them, with switches, in test/openflow-package.test.ts. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { run, tmpDir } from '@ovs-node/common/testkit/index';
import { startMiniSwitch } from './mini-switch.js';

const home = fileURLToPath(new URL('../../', import.meta.url));
const text = readFileSync(`${home}/README.md`, 'utf8');
const [asking, , ...codecs] = [...text.matchAll(/```js\n(.*?)```(?:\n+```text\n(.*?)```)?/gs)];

const node = (code: string, env: Readonly<Record<string, string>> = {}) =>
  run(process.execPath, ['--input-type=module', '-e', code], { cwd: home, env });

test('the first example adds a flow and shows what a switch has', async (t) => {
  const path = `${tmpDir(t)}/sw.mgmt`;
  const mini = await startMiniSwitch(`punix:${path}`, 1 << 4);
  t.teardown(() => mini.close());
  const { stdout, stderr, status } = await node(asking[1]!, { SWITCH: `unix:${path}` });
  t.is(status, 0, stderr);
  t.regex(stdout, /^\d+ tables\n/);
  t.regex(stdout, /actions=/);
  t.is(mini.flowMods.length, 1);
  t.is(mini.flowMods[0]!.tableId, 1);
});

test('the other examples print what they say', async (t) => {
  t.is(codecs.length, 2);
  for (const codec of codecs) {
    const { stdout, stderr, status } = await node(codec[1]!);
    t.is(status, 0, stderr);
    t.is(stdout, codec[2]);
  }
});

test('the modules have the functions that the table names', async (t) => {
  const rows = [...text.split('## Modules')[1]!.matchAll(/^\| +(`[a-z].*?) +\| (.*?) *\|$/gm)];
  t.true(rows.length > 20);
  const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]*)`/g)].map(([, name]) => name!);
  for (const [, modules, gives] of rows) {
    const exported: string[] = [];
    for (const name of quoted(modules!))
      exported.push(...Object.keys((await import(`../src/${name}.js`)) as object));
    for (const call of quoted(gives!).filter((each) => /^\w+\(/.test(each)))
      t.true(exported.includes(call.replace(/\(.*/s, '')), call);
  }
});
