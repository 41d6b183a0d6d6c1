/** TLS between either side's tools and either side's database server: the same text for every mistake. */
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type KeyPair, makeCa, makeCertificate } from '@ovs-node/common/testkit/certificates';
import { type RunResult, Suite, checkout, dirsAt, waitFor } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';
import { comparedWithPeer, play } from './lib/transcript.js';
import { words } from './lib/vsctl-script.js';

const VSCTL = 'ovs-vsctl --no-wait --timeout=5 --db=TARGET';

/** Who is refused by the server is told so in other words by either side's: not compared. */
const SCRIPT = `
${VSCTL} list-br
${VSCTL} -p DIR/cli.key list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/ca.pem add-br b1
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/ca.pem list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/ca2.pem list-br
${VSCTL} -p DIR/nope.key -c DIR/cli.pem -C DIR/ca.pem list-br
${VSCTL} -p DIR/cli.key -c DIR/nope.pem -C DIR/ca.pem list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/nope.pem list-br
${VSCTL} -p DIR/srv.key -c DIR/cli.pem -C DIR/ca.pem list-br
${VSCTL} -p DIR/cli.pem -c DIR/cli.pem -C DIR/ca.pem list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.key -C DIR/ca.pem list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/cli.key list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem --bootstrap-ca-cert=DIR/boot.pem list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem --bootstrap-ca-cert=DIR/boot.pem list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/boot.pem list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem --bootstrap-ca-cert=/no/boot.pem list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C none list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/ca.pem --ssl-protocols=TLSv1.2 list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/ca.pem --ssl-protocols=TLSv1.2,foo list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/ca.pem --ssl-protocols= list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/ca.pem --ssl-ciphers=foo list-br
${VSCTL} -p DIR/cli.key -c DIR/cli.pem -C DIR/ca.pem --ssl-ciphers=ECDHE-ECDSA-AES256-GCM-SHA384 list-br
ovs-vsctl --no-wait --timeout=5 --db=ssl:127.0.0.1:1 -p DIR/cli.key -c DIR/cli.pem -C DIR/ca.pem list-br
ovs-vsctl --no-wait --timeout=5 --db=ssl:127.0.0.1:x -p DIR/cli.key -c DIR/cli.pem -C DIR/ca.pem list-br
ovsdb-client list-dbs TARGET
ovsdb-client list-dbs TARGET -p DIR/cli.key -c DIR/cli.pem -C DIR/ca.pem
ovsdb-client list-dbs TARGET -p DIR/cli.key -c DIR/cli.pem -C DIR/ca2.pem
ovsdb-client list-dbs TARGET -p DIR/cli.key -c DIR/cli.pem --bootstrap-ca-cert=DIR/boot.pem
ovs-ofctl show TARGET
ovs-ofctl show TARGET -p DIR/cli.key -c DIR/cli.pem --bootstrap-ca-cert=DIR/ca.pem
`;

/** A TCP port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

comparedWithPeer(
  (tools, daemons) => `tools of ${tools} on ovsdb-server of ${daemons} over TLS: as the peer's`,
  (t, daemons, tools) =>
    withSuite(t, { side: daemons, start: false, expectedWarnings: [/\|stream_ssl\|/] }, (suite, dir) =>
      withSuite(t, { side: tools, start: false }, async (toolbox) => {
        const ca = makeCa(dir, 'ca');
        makeCa(dir, 'ca2');
        const server = makeCertificate(dir, 'srv', ca);
        makeCertificate(dir, 'cli', ca);
        const port = await freePort();
        const target = `ssl:127.0.0.1:${port}`;
        await suite.createDatabase();
        await suite.startDetached(
          'ovsdb-server',
          `--remote=pssl:${port}:127.0.0.1`,
          `--private-key=${server.key}`,
          `--certificate=${server.cert}`,
          `--ca-cert=${join(dir, 'ca.pem')}`,
        );
        await suite.vsctl('--no-wait', 'init');
        const script = SCRIPT.trim()
          .replaceAll('DIR', dir)
          .replaceAll('TARGET', target)
          .split('\n')
          .map(words);
        const texts = await play(suite, toolbox, script, ({ stdout, stderr }) =>
          (stdout + stderr)
            .replace(/^\d{4}-\d\d-\d\dT[\d:]+Z\|\d+\|/gm, '')
            .replace(/^\/\S*\/(?=ovs)/gm, '')
            .replace(/fingerprint [0-9a-f:]+/, 'FINGERPRINT'),
        );
        return texts.map((text) => text.replaceAll(dir, 'DIR').replaceAll(target, 'TARGET'));
      }),
    ),
);

testWith(PEER)("the SSL table's files: ovs-ofctl of either side on pssl:, and a controller on ssl:", (t) =>
  withSuite(
    t,
    { vswitchdArgs: ['--enable-dummy'], expectedWarnings: [/\|stream_ssl\|/, /\|(rconn|connmgr)\|WARN/] },
    async (suite, dir) => {
      const ca = makeCa(dir, 'ca');
      const server = makeCertificate(dir, 'srv', ca);
      const client = makeCertificate(dir, 'cli', ca);
      const other = makeCa(dir, 'ca2');
      const stranger = makeCertificate(dir, 'other', other);
      const port = await freePort();
      const target = `ssl:127.0.0.1:${port}`;
      const files = (pair: KeyPair): string[] => ['-p', pair.key, '-c', pair.cert, '-C', ca.cert];
      await suite.vsctl('set-ssl', server.key, server.cert, ca.cert);
      await suite.vsctl('add-br', 'b', '--', 'set', 'bridge', 'b', 'datapath_type=dummy');
      await suite.vsctl('set-controller', 'b', `pssl:${port}:127.0.0.1`);
      const peer = new Suite({ root: checkout, side: 'peer', dirs: dirsAt(dir) });
      for (const side of [suite, peer]) {
        const seen = (): Promise<RunResult> =>
          side.run('ovs-ofctl', [...files(client), 'dump-flows', target, '--no-stats']);
        // The listener is there a moment after the configuration.
        await waitFor('pssl:', async () => (await seen()).status === 0);
        t.regex((await seen()).stdout, /actions=NORMAL/);
        const refused = await side.run('ovs-ofctl', [...files(stranger), 'dump-flows', target]);
        t.is(refused.status, 1);
        t.regex(refused.stderr, /failed to connect to socket|talking to/);
        const distrusted = await side.run('ovs-ofctl', [...files(client), '-C', other.cert, 'show', target]);
        const why = distrusted.stderr.replace(/^.*\|WARN\|.*\n/gm, '');
        const late = `ovs-ofctl: ${target}: failed to connect to socket (Protocol error)\n`;
        // On a busy machine the handshake of the peer's tool may be over before it first looks.
        const atOnce = `ovs-ofctl: connecting to ${target} (Protocol error)\n`;
        if (side === suite || why !== atOnce) t.is(why, late);
      }
      await suite.vsctl('set-controller', 'b', target, 'pssl:0:127.0.0.1');
      const pidfile = join(dir, 'tc.pid');
      const controller = spawn(
        '/usr/bin/ovs-testcontroller',
        [...files(client), `pssl:${port}:127.0.0.1`, `--pidfile=${pidfile}`, '-vconsole:off'],
        { env: suite.env, stdio: 'ignore' },
      );
      try {
        await waitFor('the controller', async () =>
          (await suite.vsctl('--bare', '--columns=is_connected', 'find', 'controller', `target="${target}"`))
            .trim()
            .startsWith('true'),
        );
      } finally {
        controller.kill();
      }
      t.pass();
    },
  ),
);
