/** What the Interface table says of devices, and what it asks of them, while they come, go and change. */
import { runCommand, type Side, waitFor } from '@ovs-node/ctl-tools/lab/suite';
import test from 'ava';
import { withSuite } from './lib/lab.js';
import { PEER, ROOT, testWith } from './lib/requires.js';

/** Names of devices are the machine's: each test file has its own. */
const BRIDGE = 'ovsi-br';
const PORT = 'ovsi-p0';
const PEER_END = 'ovsi-p1';

const rootTest = testWith(ROOT);

const ip = async (...args: string[]): Promise<string> => (await runCommand('ip', args)).stdout;

test.serial('patch ports say when they lead nowhere, and count what passes', (t) =>
  withSuite(t, { vswitchdArgs: ['--enable-dummy'] }, async (suite) => {
    const dummy = (name: string): string[] => ['--', 'set', 'bridge', name, 'datapath_type=dummy'];
    const patch = (bridge: string, name: string, peer: string): string[] =>
      `-- add-port ${bridge} ${name} -- set interface ${name} type=patch options:peer=${peer}`.split(' ');
    await suite.vsctl('add-br', 'br0', ...dummy('br0'), '--', 'add-br', 'br1', ...dummy('br1'));
    await suite.vsctl(...patch('br0', 'pa', 'pb').slice(1));
    const error = (name: string) => async (): Promise<string> =>
      (await suite.vsctl('get', 'interface', name, 'error')).trim();
    t.is(await error('pa')(), `"No usable peer 'pb' exists in 'dummy' datapath."`);
    await suite.vsctl(...patch('br1', 'pb', 'pa').slice(1));
    t.is(await error('pa')(), '[]');
    t.is(await error('pb')(), '[]');
    await waitFor(
      'statistics of the patch port',
      async () =>
        (await suite.vsctl('get', 'interface', 'pa', 'statistics')).trim() ===
        '{rx_bytes=0, rx_packets=0, tx_bytes=0, tx_packets=0}',
      10_000,
    );
  }),
);

test.serial('dummy ports receive packets of a length, and show when they are down', (t) =>
  withSuite(t, { vswitchdArgs: ['--enable-dummy'] }, async (suite) => {
    await suite.vsctl(
      ...'add-br br0 -- set bridge br0 datapath_type=dummy -- add-port br0 p1 -- set interface p1 type=dummy'.split(
        ' ',
      ),
    );
    const flow = 'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x1234)';
    const receive = await suite.run('ovs-appctl', [
      'netdev-dummy/receive',
      'p1',
      '--qid',
      '0',
      flow,
      '--len',
      '100',
    ]);
    t.is(receive.status, 0, receive.stderr);
    t.regex(await suite.ofctl('dump-ports', 'br0', 'p1'), /rx pkts=1, bytes=100/);
    const bad = await suite.run('ovs-appctl', ['netdev-dummy/receive', 'p1', 'zz']);
    t.regex(bad.stderr, /^syntax error at zz\n/);
    await suite.run('ovs-appctl', ['netdev-dummy/set-admin-state', 'p1', 'down']);
    await waitFor('the link to be down', async () =>
      /PORT_DOWN\n +state: +LINK_DOWN/.test(await suite.ofctl('show', 'br0')),
    );
    await suite.vsctl('--timeout=5', 'wait-until', 'interface', 'p1', 'link_state=down', 'admin_state=down');
  }),
);

rootTest('link state, address, MTU and disappearance of real devices', (t) =>
  withSuite(
    t,
    { expectedWarnings: [/could not open network device ovsi-p0 \(No such device\)/] },
    async (suite) => {
      const until = (...conditions: string[]): Promise<string> =>
        suite.vsctl('--timeout=10', 'wait-until', 'interface', PORT, ...conditions);
      await ip('link', 'add', PORT, 'type', 'veth', 'peer', 'name', PEER_END);
      try {
        await ip('link', 'set', PORT, 'up');
        await suite.vsctl('add-br', BRIDGE, '--', 'add-port', BRIDGE, PORT);
        await until('link_state=down', 'admin_state=up');
        await ip('link', 'set', PEER_END, 'up');
        await until('link_state=up');

        await suite.vsctl('set', 'interface', PORT, 'mtu_request=1300');
        t.regex(await ip('link', 'show', PORT), /mtu 1300 /);
        await suite.vsctl('set', 'bridge', BRIDGE, 'other_config:hwaddr=02:00:00:00:88:01');
        t.regex(await ip('link', 'show', BRIDGE), /link\/ether 02:00:00:00:88:01/);
        t.is((await suite.vsctl('get', 'bridge', BRIDGE, 'datapath_id')).trim(), '"0000020000008801"');

        await ip('link', 'del', PORT);
        await until(`error="could not open network device ${PORT} (No such device)"`, 'ifindex=[]');
        await ip('link', 'add', PORT, 'type', 'veth', 'peer', 'name', PEER_END);
        await ip('link', 'set', PORT, 'up');
        await ip('link', 'set', PEER_END, 'up');
        await until('error=[]', 'link_state=up', 'ifindex!=[]');
      } finally {
        await ip('link', 'del', PORT);
      }
      t.pass();
    },
  ),
);

testWith(ROOT, PEER)(
  'link, driver and counters of real and dummy devices are what the peer says of them',
  async (t) => {
    const describe = async (side: Side): Promise<string[]> => {
      await ip('link', 'add', PORT, 'type', 'veth', 'peer', 'name', PEER_END);
      await ip('link', 'set', PORT, 'up');
      await ip('link', 'set', PEER_END, 'up');
      try {
        return await withSuite(t, { side, vswitchdArgs: ['--enable-dummy'] }, async (suite) => {
          const lines = [
            `add-br ${BRIDGE} -- set bridge ${BRIDGE} datapath_type=netdev`,
            `add-port ${BRIDGE} ${PORT}`,
            `add-port ${BRIDGE} ovsi-pp -- set interface ovsi-pp type=patch options:peer=ovsi-qq`,
            'add-br brd -- set bridge brd datapath_type=dummy -- add-port brd d1 -- set interface d1 type=dummy',
          ];
          for (const line of lines) await suite.vsctl(...line.split(' '));
          const said: string[] = [];
          const columns = '--columns=name,admin_state,link_state,link_speed,duplex,link_resets,mtu,status';
          for (const name of [BRIDGE, PORT, 'ovsi-pp', 'brd', 'd1']) {
            await suite.vsctl('--timeout=10', 'wait-until', 'interface', name, 'statistics!={}');
            said.push(await suite.vsctl(columns, 'list', 'interface', name));
            const statistics = await suite.vsctl('get', 'interface', name, 'statistics');
            said.push(`${name} counts ${[...statistics.matchAll(/\w+(?==)/g)].join(' ')}`);
            const index = (await suite.vsctl('get', 'interface', name, 'ifindex')).trim();
            said.push(`${name} has index ${index === '0' ? 0 : 'of the host'}`);
          }
          for (const version of [10, 13, 14]) {
            const show = await suite.ofctl('-O', `OpenFlow${version}`, 'dump-ports-desc', BRIDGE);
            said.push(show.replace(/addr:[0-9a-f:]+/g, 'addr'));
            const ports = await suite.ofctl('-O', `OpenFlow${version}`, 'dump-ports', 'brd', 'd1');
            said.push(ports.replace(/duration=[0-9.]+/, 'duration'));
          }
          for (const state of ['down', 'up']) {
            await ip('link', 'set', PEER_END, state);
            await suite.vsctl('--timeout=10', 'wait-until', 'interface', PORT, `link_state=${state}`);
            said.push(`resets: ${await suite.vsctl('get', 'interface', PORT, 'link_resets')}`);
          }
          return said;
        });
      } finally {
        await ip('link', 'del', PORT);
      }
    };
    t.deepEqual(await describe('ours'), await describe('peer'));
  },
);
