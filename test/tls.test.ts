/** TLS between either side's tools and either side's database server: the same text for every mistake. */
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeCa, makeCertificate } from '@ovs-node/common/testkit/certificates';
import { withSuite } from './lib/lab.js';
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
