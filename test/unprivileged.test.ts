/** What works with no privilege: the three daemons, and ports of type=stream between "virtual machines". */
import { join } from 'node:path';
import test from 'ava';
import { waitFor } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { StreamHost, frame } from './lib/stream-host.js';

/** Names of devices are the machine's: each test file has its own. */
const BRIDGE = 'ovsu-br';

/** Without privilege the bridge's own port has no device, which the log may say. */
const NO_DEVICE = [/Operation not permitted|Permission denied|could not .*(device|port)|br0/i];

test.serial('frames cross a bridge between two stream ports, learned and flooded as they should be', (t) =>
  withSuite(t, { expectedWarnings: NO_DEVICE }, async (suite, dir) => {
    await suite.run('ovs-vsctl', ['add-br', BRIDGE]);
    for (const name of ['vm1', 'vm2', 'vm3']) {
      await suite.vsctl(
        'add-port',
        BRIDGE,
        name,
        '--',
        'set',
        'interface',
        name,
        'type=stream',
        `options:listen=unix:${dir}/${name}.nic`,
      );
    }
    const hosts: StreamHost[] = [];
    for (const name of ['vm1', 'vm2', 'vm3']) {
      await waitFor(`${name} to listen`, async () => {
        try {
          hosts.push(await StreamHost.open(join(dir, `${name}.nic`)));
          return true;
        } catch {
          return false;
        }
      });
    }
    const [one, two, three] = hosts as [StreamHost, StreamHost, StreamHost];
    try {
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
    } finally {
      for (const host of [one, two, three]) host.close();
    }
  }),
);

test.serial('a stateful firewall works between stream ports', (t) =>
  withSuite(t, { expectedWarnings: NO_DEVICE }, async (suite, dir) => {
    await suite.run('ovs-vsctl', ['add-br', BRIDGE]);
    for (const name of ['vm1', 'vm2']) {
      await suite.vsctl(
        'add-port',
        BRIDGE,
        name,
        '--',
        'set',
        'interface',
        name,
        'type=stream',
        `options:listen=unix:${dir}/${name}.nic`,
      );
    }
    const flows = [
      'delete',
      'priority=10,udp,ct_state=-trk,actions=ct(table=1)',
      'table=1,priority=10,udp,in_port=vm1,ct_state=+trk+new,actions=ct(commit),output:vm2',
      'table=1,priority=10,udp,in_port=vm2,ct_state=+trk+est+rpl,actions=output:vm1',
      'table=1,priority=10,udp,in_port=vm1,ct_state=+trk+est-rpl,actions=output:vm2',
    ];
    const loaded = await suite.run('ovs-ofctl', ['add-flows', BRIDGE, '-'], { input: flows.join('\n') });
    t.is(loaded.status, 0, loaded.stderr);
    const one = await StreamHost.open(join(dir, 'vm1.nic'));
    const two = await StreamHost.open(join(dir, 'vm2.nic'));
    try {
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
    } finally {
      one.close();
      two.close();
    }
  }),
);

test.serial('a trunk carries tags, an access port does not', (t) =>
  withSuite(t, { expectedWarnings: NO_DEVICE }, async (suite, dir) => {
    await suite.run('ovs-vsctl', ['add-br', BRIDGE]);
    for (const [name, setting] of [
      ['vm1', 'tag=10'],
      ['vm2', 'trunks=10,20'],
      ['vm3', 'tag=20'],
    ] as const) {
      await suite.vsctl(
        'add-port',
        BRIDGE,
        name,
        setting,
        '--',
        'set',
        'interface',
        name,
        'type=stream',
        `options:listen=unix:${dir}/${name}.nic`,
      );
    }
    const hosts = await Promise.all(
      ['vm1', 'vm2', 'vm3'].map((name) => StreamHost.open(join(dir, `${name}.nic`))),
    );
    const [access, trunk, other] = hosts as [StreamHost, StreamHost, StreamHost];
    try {
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
    } finally {
      for (const host of hosts) host.close();
    }
  }),
);

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
