/** What works with no privilege: the three daemons, and ports of type=stream between "virtual machines". */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Suite, waitFor } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { StreamHost, frame, withStreamHosts } from './lib/stream-host.js';

/** Names of devices are the machine's: each test file has its own. */
const BRIDGE = 'ovsu-br';

/** Without privilege the bridge's own port has no device, which the log may say. */
const NO_DEVICE = [/Operation not permitted|Permission denied|could not .*(device|port)|br0/i];

/** Runs `body` with a suite whose bridge has a stream port, and a host on it, for each of `ports`. */
function withHosts<Name extends string>(
  t: ExecutionContext,
  ports: Readonly<Record<Name, readonly string[]>>,
  body: (suite: Suite, hosts: Readonly<Record<Name, StreamHost>>) => Promise<void>,
  warnings: readonly RegExp[] = [],
): Promise<void> {
  return withSuite(t, { expectedWarnings: [...NO_DEVICE, ...warnings] }, (suite, dir) =>
    withStreamHosts(suite, dir, BRIDGE, ports, (hosts) => body(suite, hosts)),
  );
}

test.serial('frames cross a bridge between two stream ports, learned and flooded as they should be', (t) =>
  withHosts(t, { one: [], two: [], three: [] }, async (suite, { one, two, three }) => {
    one.send(frame(2, 1, 'who are you'));
    t.is(
      Buffer.from((await two.receive()) ?? []).toString('latin1', 14, 25),
      'who are you',
      'unknown destination: flooded',
    );
    t.truthy(await three.receive(), 'unknown destination: flooded to all');
    two.send(frame(1, 2, 'two'));
    t.is(Buffer.from((await one.receive()) ?? []).toString('latin1', 14, 17), 'two');
    t.is(await three.receive(300), undefined, 'a learned destination is not flooded');
    const fdb = await suite.appctl('fdb/show', BRIDGE);
    t.regex(fdb, /02:00:00:00:00:01/);
    t.regex(fdb, /02:00:00:00:00:02/);
    await suite.ofctl('del-flows', BRIDGE);
    await waitFor('the flow to go', async () => {
      one.send(frame(2, 1));
      return (await two.receive(200)) === undefined;
    });
  }),
);

test.serial('a stateful firewall works between stream ports', (t) =>
  withHosts(t, { one: [], two: [] }, async (suite, { one, two }) => {
    const flows = [
      'delete',
      'priority=10,udp,ct_state=-trk,actions=ct(table=1)',
      'table=1,priority=10,udp,in_port=one,ct_state=+trk+new,actions=ct(commit),output:two',
      'table=1,priority=10,udp,in_port=two,ct_state=+trk+est+rpl,actions=output:one',
      'table=1,priority=10,udp,in_port=one,ct_state=+trk+est-rpl,actions=output:two',
    ];
    const loaded = await suite.run('ovs-ofctl', ['add-flows', BRIDGE, '-'], { input: flows.join('\n') });
    t.is(loaded.status, 0, loaded.stderr);
    two.send(udp(2, 1, 53, 4000));
    t.is(await one.receive(500), undefined, 'nothing is open yet');
    one.send(udp(1, 2, 4000, 53));
    t.truthy(await two.receive(), 'the allowed direction opens');
    two.send(udp(2, 1, 53, 4000));
    t.truthy(await one.receive(), 'and its replies pass');
    t.regex(
      await suite.dpctl('dump-conntrack'),
      /udp,orig=\(src=10\.0\.0\.1,dst=10\.0\.0\.2,sport=4000,dport=53\)/,
    );
  }),
);

test.serial('a trunk carries tags, an access port does not', (t) => {
  const ports = { access: ['tag=10'], trunk: ['trunks=10,20'], other: ['tag=20'] };
  const warnings = [/dropping VLAN 30 packet received on port trunk not configured/];
  return withHosts(
    t,
    ports,
    async (_, { access, trunk, other }) => {
      access.send(frame(0xff, 1, 'hello'));
      const tagged = Buffer.from((await trunk.receive()) ?? []);
      t.is(tagged.toString('hex', 12, 18), '8100000a88b5', 'tagged on the trunk');
      t.is(await other.receive(300), undefined, 'VLAN 20 sees nothing of VLAN 10');
      const answer = Buffer.from(frame(1, 2, 'answer'));
      trunk.send(
        Buffer.concat([answer.subarray(0, 12), Buffer.from('8100000a', 'hex'), answer.subarray(12)]),
      );
      const plain = Buffer.from((await access.receive()) ?? []);
      t.is(plain.toString('hex', 12, 14), '88b5', 'untagged on the access port');
      t.is(plain.toString('latin1', 14, 20), 'answer');
      trunk.send(
        Buffer.concat([answer.subarray(0, 12), Buffer.from('8100001e', 'hex'), answer.subarray(12)]),
      );
      t.is(await access.receive(300), undefined, 'a VLAN that the trunk does not carry is dropped');
    },
    warnings,
  );
});

/** A UDP datagram from 10.0.0.SRC to 10.0.0.DST; its UDP checksum is absent (0), its IP checksum right. */
function udp(src: number, dst: number, sport: number, dport: number): Uint8Array {
  const bytes = Buffer.from(frame(dst, src));
  bytes.writeUInt16BE(0x0800, 12);
  Buffer.from([0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, src, 10, 0, 0, dst]).copy(bytes, 14);
  let sum = 0;
  for (let i = 14; i < 34; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, 24);
  bytes.writeUInt16BE(sport, 34);
  bytes.writeUInt16BE(dport, 36);
  bytes.writeUInt16BE(26, 38);
  return Uint8Array.from(bytes);
}

test.serial('a NIC that connects to the switch becomes a port by itself, forwards, and leaves with it', (t) =>
  withSuite(t, { expectedWarnings: NO_DEVICE }, async (suite, dir) => {
    const nic = async (command: string, ...args: string[]): Promise<void> => {
      const result = await suite.run('ovs-appctl', ['-t', 'ovs-datapath-svc', `switch/${command}`, ...args]);
      t.is(result.status, 0, result.stderr);
    };
    const ports = async (): Promise<string> => (await suite.vsctl('list-ports', BRIDGE)).trim();
    const become = (wanted: string): Promise<void> =>
      waitFor(`the ports to be "${wanted}"`, async () => (await ports()) === wanted);
    const plugIn = async (name: string): Promise<void> => {
      await nic('port-create', `Virtual machine ${name}`, name);
      await nic('nic-create', `Virtual machine ${name}`, 'stream', `listen=unix:${dir}/${name}.nic`);
      await nic('nic-connect', `Virtual machine ${name}`);
    };
    await suite.vsctl('add-br', BRIDGE);
    await plugIn('vif1');
    await suite.vsctl('set', 'Open_vSwitch', '.', `other_config:auto-add-vifs=${BRIDGE}`);
    await become('vif1');
    await plugIn('vif2');
    await become('vif1\nvif2');
    const hosts = await Promise.all(
      ['vif1', 'vif2'].map((name) => StreamHost.open(`unix:${dir}/${name}.nic`)),
    );
    try {
      const [one, two] = hosts as [StreamHost, StreamHost];
      await waitFor('a frame to cross', async () => {
        one.send(frame(2, 1, 'hello'));
        return (await two.receive(200)) !== undefined;
      });
    } finally {
      for (const host of hosts) host.close();
    }
    await nic('nic-disconnect', 'Virtual machine vif1');
    await become('vif2');
    await suite.vsctl('remove', 'Open_vSwitch', '.', 'other_config', 'auto-add-vifs');
    await become('');
  }),
);

test.serial('a tunnel is a port that flows can name, and its error says that it carries nothing yet', (t) =>
  withSuite(t, { expectedWarnings: [...NO_DEVICE, /tunnels are not carried/] }, async (suite) => {
    await suite.vsctl('add-br', BRIDGE);
    const add =
      'add-port BRIDGE tun-3 -- set interface tun-3 type=Geneve options:remote_ip=flow options:key=flow';
    await suite.vsctl(...add.replace('BRIDGE', BRIDGE).split(' '));
    await suite.ofctl('add-flow', BRIDGE, 'ipv6,actions=load:0x9->NXM_NX_TUN_IPV6_DST[0..63],output:tun-3');
    t.regex(await suite.ofctl('--names', 'dump-flows', BRIDGE, 'ipv6'), /output:"?tun-3"?$/m);
    t.regex(await suite.vsctl('get', 'interface', 'tun-3', 'error'), /^"geneve tunnels are not carried/);
    const trace = await suite.appctl('ofproto/trace', BRIDGE, 'ipv6');
    t.regex(trace, /is not in the datapath, skipping output/);
  }),
);

test.serial('a second switch on one database waits until the first has gone, then serves it', (t) =>
  withSuite(
    t,
    { expectedWarnings: [...NO_DEVICE, /another ovs-vswitchd process is running/, /signal 15/] },
    async (suite, dir) => {
      await suite.vsctl('add-br', BRIDGE);
      const log = join(dir, 'second.log');
      const told = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
      const [program, ...before] = suite.command('ovs-vswitchd');
      const args = [`unix:${dir}/db.sock`, `--log-file=${log}`, '-vconsole:off', '--unixctl=none'];
      const second = spawn(program, [...before, ...args], { env: suite.env, stdio: 'ignore' });
      const gone = new Promise((resolve) => second.once('exit', resolve));
      try {
        await waitFor('the second to say that it waits', () =>
          told().includes('bridge|ERR|another ovs-vswitchd process is running, disabling this process'),
        );
        t.false(told().includes('using datapath'), 'it has touched no bridge');
        await suite.stopOne('ovs-vswitchd');
        await waitFor('the second to take over', () =>
          told().includes(`bridge ${BRIDGE}: using datapath ID`),
        );
        await suite.vsctl(
          'add-port',
          BRIDGE,
          'ovsu-late',
          '--',
          'set',
          'interface',
          'ovsu-late',
          'type=internal',
        );
        t.not(
          (await suite.vsctl('get', 'interface', 'ovsu-late', 'ofport')).trim(),
          '[]',
          'it answers requests',
        );
      } finally {
        second.kill();
        await gone;
      }
    },
  ),
);
