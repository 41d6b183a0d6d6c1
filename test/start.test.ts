/** `npm start`, as a newcomer does it, in a copy of the built checkout. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { testWith } from './lib/requires.js';
import { checkout, isAlive, runCommand, waitFor } from '@ovs-node/ctl-tools/lab/suite';

/** A signal cannot be sent to a program on Windows as Ctrl-C is. */
const unixTest = testWith({ name: 'signals', met: process.platform !== 'win32' });

/** The parts of a checkout that `npm start` needs once it is built. */
const PARTS = ['bin', 'dist', 'package.json', 'package-lock.json', 'packages', 'scripts', 'test'];

function started(child: ChildProcess): () => string {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

unixTest('npm start brings up a switch, says what to try, and stops it on Ctrl-C', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'ovs-start-'));
  try {
    for (const part of PARTS)
      cpSync(join(checkout, part), join(dir, part), { recursive: true, preserveTimestamps: true });
    symlinkSync(join(checkout, 'node_modules'), join(dir, 'node_modules'));
    const main = join(dir, 'packages/ctl-tools/dist/src/lab/main.js');
    const child = spawn(process.execPath, [main, 'start'], { stdio: ['ignore', 'pipe', 'pipe'], cwd: dir });
    const text = started(child);
    try {
      await waitFor('the welcome', () => text().includes('Ctrl-C stops'), 60_000);
      t.regex(text(), /The switch is running, with a first bridge, br0/);
      const pids = ['ovsdb-server', 'ovs-datapath-svc', 'ovs-vswitchd'].map((name) =>
        Number(readFileSync(join(dir, 'var/run', `${name}.pid`), 'utf8')),
      );
      const list = await runCommand(
        '/bin/sh',
        ['-c', '. var/env.sh && ovs-vsctl list-br && ovs-ofctl dump-flows br0'],
        {
          env: { ...process.env, PWD: dir },
          cwd: dir,
        },
      );
      t.regex(list.stdout, /^br0\n[^]*actions=NORMAL/, list.stderr);
      child.kill('SIGINT');
      const status = await new Promise((done) => child.once('exit', done));
      t.is(status, 0, text());
      for (const pid of pids) t.false(isAlive(pid), `process ${pid} is gone`);
    } finally {
      child.kill('SIGINT');
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test.serial('npm start refuses words that it does not know', async (t) => {
  const result = await runCommand(process.execPath, [
    join(checkout, 'packages/ctl-tools/dist/src/lab/main.js'),
    'start',
    '--wrong',
  ]);
  t.is(result.status, 1);
  t.is(result.stderr, 'npm start: unknown argument "--wrong" (known: --shell)\n');
});
