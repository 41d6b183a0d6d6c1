import test, { type ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { tmpDir } from '../src/testkit/tmp.js';

const program = fileURLToPath(new URL('./programs/locker.js', import.meta.url));

/** A process that locks `file`: record locks belong to processes. */
function locker(t: ExecutionContext, file: string, platform: string) {
  const child = spawn(process.execPath, [program, file, platform], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = readline.createInterface({ input: child.stdout });
  return {
    pid: String(child.pid),
    ask: async (command: string): Promise<string> => {
      const answer = once(lines, 'line');
      child.stdin.write(`${command}\n`);
      return ((await answer) as [string])[0];
    },
    kill: async (): Promise<void> => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

for (const [how, platform] of [
  ['record locks', process.platform],
  ['a text where there are none', 'win32'],
] as const) {
  test(`a lock excludes other processes and dies with its own, by ${how}`, async (t) => {
    const file = path.join(tmpDir(t), 'file');
    fs.writeFileSync(file, '999999\n');
    const a = locker(t, file, platform);
    const b = locker(t, file, platform);
    t.is(await b.ask('owner'), '0');
    t.is(await a.ask('try'), '0');
    t.is(await b.ask('owner'), a.pid);
    t.is(await b.ask('try'), a.pid);
    t.is(await a.ask('owner'), '0');
    t.is(fs.readFileSync(file, 'utf8'), platform === 'win32' ? `${a.pid}\n` : '999999\n');

    // Asking has closed a descriptor of the file, and with it went a record lock.
    await a.ask('try');
    await a.ask('unlock');
    t.is(await b.ask('owner'), '0');
    t.is(await b.ask('try'), '0');
    await b.kill();
    t.is(await a.ask('owner'), '0');
    t.is(await a.ask('try'), '0');
  });
}

test('where a text stands in, its process must run the program', async (t) => {
  const file = path.join(tmpDir(t), 'file');
  fs.writeFileSync(file, `${process.pid}\n`);
  const a = locker(t, file, 'win32');
  t.is(await a.ask('owner'), String(process.pid));
  t.is(await a.ask('owner nginx'), process.platform === 'linux' ? '0' : String(process.pid));
});
