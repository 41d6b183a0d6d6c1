/**
 * Command lines of ovs-ofctl, made up and with something wrong in them, are answered as by the peer's, to the letter and
 * without exception. `OFCTL_RUNS=20000 OFCTL_SEED=7 npm test -- packages/ctl-tools/dist/test/ovs-ofctl/command-lines.test.js`
 * runs longer, `npm run fuzz:ofctl` at length, and keeps what it finds in the corpus.
 */
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { checkoutRoot, needing, peerPath, run, tmpDir } from '@ovs-node/common/testkit/index';
import { CommandGenerator } from './differential/generate.js';
import { type CommandLine, compare, report } from './differential/run.js';

const SEED = Number(process.env['OFCTL_SEED'] ?? 1);
const RUNS = Number(process.env['OFCTL_RUNS'] ?? 1500);
const CORPUS = path.resolve(import.meta.dirname, '../../../test/ovs-ofctl/corpus/command-lines.jsonl');

// In turn, as each run takes over the output of the process.
const serial = needing(test.serial, 'peer');

serial('command lines that were once answered otherwise are answered as by the peer', async (t) => {
  t.timeout(120_000);
  const lines = fs
    .readFileSync(CORPUS, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CommandLine);
  t.true(lines.length > 100);
  const differences = await compare(tmpDir(t), lines);
  t.is(differences.length, 0, report(differences));
});

serial('words that are no UTF-8 are repeated byte for byte', async (t) => {
  const dir = tmpDir(t);
  // What the shell makes of these are bytes that Node.js cannot give a program.
  const bytes = ['\\377', 'n\\303\\266', '\\303', 'a\\240b'].map((word) => `"$(printf '${word}')"`);
  const script = [
    ...bytes.flatMap((word) => [`$OFCTL ${word}`, `$OFCTL parse-flow in_port=${word},actions=drop`]),
    `printf 'tcp,${'\\377'}' > ${bytes[0]}`,
    `$OFCTL parse-flows ${bytes[0]}`,
    `$OFCTL parse-flows ${bytes[1]}`,
    `$OFCTL show tcp:${bytes[0]}:1`,
    `$OFCTL --log-file=${bytes[1]} parse-flow actions=1; ls`,
    `$OFCTL --log-file=/nonexistent/${bytes[1]} parse-flow actions=1`,
  ].join('\n');
  const said = async (...program: string[]): Promise<string> => {
    const { stdout, stderr } = await run('/bin/sh', ['-c', script.replaceAll('$OFCTL', program.join(' '))], {
      cwd: dir,
      env: { OVS_RUNDIR: dir },
      encoding: 'latin1',
    });
    for (const file of fs.readdirSync(dir, { encoding: 'buffer' }))
      fs.rmSync(Buffer.concat([Buffer.from(`${dir}/`), file]));
    return `${stdout}${stderr}`
      .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+\|/gm, '')
      .replace(/^\/\S*\/(?=ovs-ofctl: )/gm, '');
  };
  t.is(
    await said(process.execPath, path.join(checkoutRoot(), 'bin/ovs-ofctl')),
    await said(peerPath('ovs-ofctl')!),
  );
});

serial('random and mutated command lines are answered as by the peer', async (t) => {
  t.timeout(Math.max(120_000, RUNS * 20));
  const generator = new CommandGenerator(SEED);
  const lines = Array.from({ length: RUNS }, () => generator.command());
  const differences = await compare(tmpDir(t), lines);
  t.is(differences.length, 0, report(differences));
});
