/** Any daemon may be killed and started again: service comes back by itself. */
import { type Host, must, withHosts } from '@ovs-node/ctl-tools/lab/netns';
import { runCommand, waitFor } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { ROOT, testWith } from './lib/requires.js';

/** Names of devices are the machine's: each test file has its own. */
const BRIDGE = 'ovsr-br';

const rootTest = testWith(ROOT);

const A = { name: 'ovsr-a', port: 'ovsr-a0', ip: '10.8.0.1/24' };
const B = { name: 'ovsr-b', port: 'ovsr-b0', ip: '10.8.0.2/24' };

/** What losing a daemon makes the others say. */
const LOST = [/connection|connect|dropped|closed|lost|disconnected|unreachable|unavailable/i];

rootTest('established traffic goes on while ovs-vswitchd is down, and all is well after its return', (t) =>
  withHosts([A, B], (first) =>
    withSuite(t, { expectedWarnings: LOST }, async (suite) => {
      const a = first as Host;
      await suite.vsctl('add-br', BRIDGE, '--', 'add-port', BRIDGE, A.port, '--', 'add-port', BRIDGE, B.port);
      t.true(await a.pings('10.8.0.2'));
      await suite.kill('ovs-vswitchd');
      t.true(await a.pings('10.8.0.2', 5), 'the megaflows of the running connection stay');
      await suite.startDetached('ovs-vswitchd');
      t.true(await a.pings('10.8.0.2', 5));
      await suite.vsctl('set', 'port', B.port, 'tag=7');
      await waitFor('the new configuration to apply', async () => !(await a.pings('10.8.0.2', 1)));
    }),
  ),
);

rootTest('the datapath service comes back with its ports and flows', (t) =>
  withHosts([A, B], (first) =>
    withSuite(t, { expectedWarnings: LOST }, async (suite) => {
      const a = first as Host;
      await suite.vsctl('add-br', BRIDGE, '--', 'add-port', BRIDGE, A.port, '--', 'add-port', BRIDGE, B.port);
      t.true(await a.pings('10.8.0.2'));
      await suite.kill('ovs-datapath-svc');
      t.false(await a.pings('10.8.0.2', 1));
      await suite.startDetached('ovs-datapath-svc');
      await waitFor('the ports to work again', () => a.pings('10.8.0.2', 1), 20_000);
      t.true(await a.pings('10.8.0.2', 5));
    }),
  ),
);

rootTest('an internal port keeps its address when the datapath service is killed and started again', (t) =>
  withHosts([A], (first) =>
    withSuite(t, { expectedWarnings: LOST }, async (suite) => {
      const a = first as Host;
      await suite.vsctl('add-br', BRIDGE, '--', 'add-port', BRIDGE, A.port);
      await must('ip', 'addr', 'add', '10.8.0.9/24', 'dev', BRIDGE);
      await must('ip', 'link', 'set', BRIDGE, 'up');
      await waitFor('the host to answer on its internal port', () => a.pings('10.8.0.9', 1));
      await suite.kill('ovs-datapath-svc');
      await suite.startDetached('ovs-datapath-svc');
      await waitFor('the host to answer again', () => a.pings('10.8.0.9', 1), 20_000);
      await suite.stop();
      t.not((await runCommand('ip', ['link', 'show', BRIDGE])).status, 0, 'a clean end removes the device');
    }),
  ),
);

rootTest('ovsdb-server may go and come while packets flow', (t) =>
  withHosts([A, B], (first) =>
    withSuite(t, { expectedWarnings: LOST }, async (suite) => {
      const a = first as Host;
      await suite.vsctl('add-br', BRIDGE, '--', 'add-port', BRIDGE, A.port, '--', 'add-port', BRIDGE, B.port);
      t.true(await a.pings('10.8.0.2'));
      await suite.kill('ovsdb-server');
      t.true(await a.pings('10.8.0.2', 5));
      await suite.startDetached('ovsdb-server');
      await suite.vsctl('--timeout=20', 'set', 'port', B.port, 'tag=7');
      // What the datapath has made of the flows before lasts until the revalidator has seen to it.
      await suite.appctl('revalidator/wait');
      t.false(await a.pings('10.8.0.2', 1), 'the change after the restart is applied when ovs-vsctl returns');
      t.true(t.passed);
    }),
  ),
);

/** Sends datagrams to one port after the other, as fast as it can, until it is killed. */
const FLOOD = `
const socket = require('node:dgram').createSocket('udp4');
let port = 0;
const send = () => socket.send('x', (port = (port % 65535) + 1), '10.8.0.255', () => setImmediate(send));
socket.bind(() => { socket.setBroadcast(true); for (let i = 0; i < 64; i++) send(); });`;

rootTest('a switch that is stopped while packets wait for their flows has nothing to complain of', (t) =>
  withHosts([A], (first) =>
    withSuite(t, {}, async (suite) => {
      await suite.vsctl('add-br', BRIDGE, '--', 'add-port', BRIDGE, A.port);
      t.is((await suite.run('ovs-appctl', ['upcall/disable-megaflows'])).status, 0);
      const flood = (first as Host).spawn(process.execPath, '-e', FLOOD);
      try {
        await waitFor('packets to wait', async () => {
          const [, lost] = /lost:(\d+)/.exec((await suite.run('ovs-dpctl', ['show'])).stdout) ?? [];
          return Number(lost) > 1000;
        });
        await suite.stop();
      } finally {
        flood.kill();
      }
    }),
  ),
);
