/** Output that cannot be written, as nobody reads it any more or there is no room: what is said of it, and the status. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';

const OURS = path.resolve(import.meta.dirname, '../../../../../bin');
const PEERS = '/usr/bin';

/** Command lines in shell; FLOWS is a file whose output is longer than what the peer keeps of it until its end. */
const LINES: readonly string[] = [
  'ovs-ofctl parse-flows FLOWS',
  'ovs-ofctl parse-flow actions=1',
  'ovs-ofctl --help',
  'ovs-ofctl list-commands',
  'ovs-dpctl --help',
  'ovsdb-tool help',
  'ovs-vsctl --help',
  'ovs-vsctl --version --no-syslog',
];

/** Who reads it has gone before it is there. */
const unread = (line: string): string => `(sleep 0.2; ${line}) | true`;

for (const [where, lines] of [
  ['that nobody reads', LINES.map(unread)],
  ['for which there is no room', ['ovs-ofctl parse-flows FLOWS > /dev/full']],
] as const) {
  needing(test, 'peer')(`output ${where} is lost as by the peer`, (t) => {
    const file = path.join(tmpDir(t), 'flows');
    fs.writeFileSync(
      file,
      Array.from({ length: 500 }, (_, i) => `priority=${i},actions=output:1\n`).join(''),
    );
    for (const line of lines) {
      const [wanted, seen] = [PEERS, OURS].map((programs) => {
        const command = `set -o pipefail; PATH=${programs}:$PATH; ${line.replace('FLOWS', file)}`;
        const { status, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
        return { status, stderr };
      });
      t.deepEqual(seen, wanted, line);
    }
  });
}
