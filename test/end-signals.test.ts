/** A tool that waits in vain is ended by a signal: the line of the log that tells of it, and how it ends, as the peer's. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { constants } from 'node:os';
import path from 'node:path';
import { peerPath, tmpDir } from '@ovs-node/common/testkit/index';
import { checkout, waitFor } from '@ovs-node/ctl-tools/lab/suite';
import { PEER, testWith } from './lib/requires.js';

const peerTest = testWith(PEER);

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGALRM'] as const;

/** Command lines; SOCKET is one that nobody answers at. */
const LINES: readonly (readonly string[])[] = [
  ['ovs-ofctl', 'dump-flows', 'unix:SOCKET'],
  ['ovs-ofctl', 'monitor', 'unix:SOCKET'],
  ['ovs-vsctl', '--db=unix:SOCKET', 'list-br'],
  ['ovs-appctl', '-t', 'SOCKET', 'version'],
  ['ovsdb-client', 'list-dbs', 'unix:SOCKET'],
  ['ovsdb-client', 'monitor', 'unix:SOCKET', 'Open_vSwitch', 'Bridge'],
];

/** Does a process have a say in what a signal does to it (proc(5))? */
function catches(pid: number, signal: NodeJS.Signals): boolean {
  const [, caught] = /^SigCgt:\t(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return ((BigInt(`0x${caught}`) >> BigInt(constants.signals[signal] - 1)) & 1n) !== 0n;
}

for (const [tool, ...words] of LINES) {
  peerTest(`${tool} ${words.join(' ')} ends by signals as the peer's`, async (t) => {
    const socket = path.join(tmpDir(t), 'silent');
    /** Called with each connection. */
    let connected = (): void => undefined;
    const server = net.createServer(() => connected());
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    t.teardown(() => void server.close());

    const ended = async ([file, ...before]: readonly string[], signal: NodeJS.Signals): Promise<unknown> => {
      const isConnected = new Promise<void>((resolve) => (connected = resolve));
      const line = words.map((word) => word.replace('SOCKET', socket));
      const child = spawn(file!, [...before, ...line], { timeout: 60_000 });
      let stderr = '';
      child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
      const end = new Promise((resolve) =>
        child.once('close', (status, by) => resolve({ status, by, stderr: stderr.replace(/^\S+Z/gm, '') })),
      );
      await Promise.race([isConnected, end]);
      await waitFor('the signal to be caught', () => catches(child.pid!, signal));
      child.kill(signal);
      return end;
    };
    for (const signal of SIGNALS) {
      const peers = await ended([peerPath(tool!)!], signal);
      t.deepEqual(await ended([process.execPath, path.join(checkout, 'bin', tool!)], signal), peers);
      t.like(peers, { by: signal });
    }
  });
}
