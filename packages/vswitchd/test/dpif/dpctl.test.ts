import test from 'ava';
import { startPeer } from '@ovs-node/common/testkit/peer';
import { needing } from '@ovs-node/common/testkit/require';
import { tmpDir } from '@ovs-node/common/testkit/tmp';
import { SCRIPT } from './dpctl-script.js';
import { FlowText } from './random-flows.js';
import { makeRig, tcpFrame } from './rig.js';

/** Trailing newlines are the control socket's business. */
const trim = (text: string): string => text.replace(/\n$/, '');

test('dpctl answers as the peer does', async (t) => {
  const { dpctl } = await makeRig(t);
  for (const [command, answer] of SCRIPT) {
    const [name, ...args] = command.split('|');
    t.is(trim(await dpctl(name!, ...args)), trim(answer), command);
  }
});

needing(
  test,
  'peer',
  'linux',
)('the peer answers as the fixtures say', async (t) => {
  t.timeout(60_000);
  const peer = await startPeer(tmpDir(t));
  t.teardown(() => peer.stop());
  for (const [command, answer] of SCRIPT) {
    const [name, ...args] = command.split('|');
    const { stdout, stderr } = await peer.tool('ovs-appctl', [`dpctl/${name}`, ...args]);
    const text = stdout + stderr.replace(/ovs-appctl: .*server returned an error\n$/, '');
    t.is(trim(text), trim(answer), command);
  }
});

needing(
  test,
  'peer',
  'linux',
)('random flows print as the peer prints them', async (t) => {
  t.timeout(90_000);
  const peer = await startPeer(tmpDir(t));
  t.teardown(() => peer.stop());
  const appctl = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await peer.tool('ovs-appctl', args);
    return stdout + stderr;
  };
  const { dpctl } = await makeRig(t);
  await dpctl('add-dp', 'dummy@x');
  await appctl('dpctl/add-dp', 'dummy@x');
  // UFIDs are each side's own, and so is what the peer knows of its own lookup.
  const bare = (text: string): string => text.replace(/ufid:\S+ /g, '').replace(/, dp-extra-info.*/g, '');
  const flows = new FlowText(20261120);
  for (let i = 0; i < 60; i++) {
    const flow = flows.next();
    t.is(await dpctl('add-flow', flow, '2'), await appctl('dpctl/add-flow', flow, '2'), flow);
    for (const options of [[], ['-m', '--no-names']]) {
      t.is(
        bare(await dpctl('dump-flows', ...options)),
        bare(await appctl('dpctl/dump-flows', ...options)),
        flow,
      );
    }
    t.is(await dpctl('del-flows'), await appctl('dpctl/del-flows'));
  }
});

test('statistics, ages and names of ports are shown', async (t) => {
  const { dpctl, receive, clock, provider } = await makeRig(t);
  await dpctl('add-dp', 'dummy@x');
  await dpctl('add-if', 'dummy@x', 'p1,type=dummy', 'p2,type=dummy');
  await dpctl('add-flow', 'in_port(p1),eth(),eth_type(0x0800),ipv4(proto=6,frag=no),tcp()', '2');
  await receive('p1', tcpFrame(0x12));
  clock.advance(395);
  t.is(
    await dpctl('dump-flows'),
    'flow-dump from the main thread:\n' +
      'recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(proto=6,frag=no), packets:1, bytes:54, used:0.395s, flags:S., actions:2\n',
  );
  t.true((await dpctl('dump-flows', '--names')).includes('in_port(p1)'));
  const more = await dpctl('dump-flows', '-m');
  t.true(
    more.includes(
      'ipv4(src=0.0.0.0/0.0.0.0,dst=0.0.0.0/0.0.0.0,proto=6,tos=0/0,ttl=0/0,frag=no),tcp(src=0/0,dst=0/0)',
    ),
  );
  t.true(more.trimEnd().endsWith('used:0.395s, flags:S., dp:ovs, actions:p2'));
  t.false((await dpctl('dump-flows', '-m', '--no-names')).includes('in_port(p1)'));
  t.is(await dpctl('dump-flows', 'filter=udp'), '');
  t.true((await dpctl('show')).includes('lookups: hit:1 missed:0 lost:0\n  flows: 1\n'));
  t.true(
    (
      await dpctl(
        'mod-flow',
        '-s',
        '--clear',
        'in_port(p1),eth(),eth_type(0x0800),ipv4(proto=6,frag=no),tcp()',
        '2',
      )
    ).startsWith('packets:1'),
  );
  t.true(provider.connected);
});

test('connections are shown as the peer does', async (t) => {
  const { dpctl, receive } = await makeRig(t);
  await dpctl('add-dp', 'dummy@x');
  await dpctl('add-if', 'dummy@x', 'p1,type=dummy', 'p2,type=dummy');
  await dpctl(
    'add-flow',
    'in_port(1),eth(),eth_type(0x0800),ipv4(frag=no)',
    'ct(commit,zone=5,mark=0x5/0xffffffff,label=0x123),2',
  );
  await dpctl('add-flow', 'in_port(2),eth(),eth_type(0x0800),ipv4(frag=no)', 'ct(zone=5),1');
  await receive('p1', tcpFrame(2));
  const line =
    'tcp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=80),reply=(src=10.0.0.2,dst=10.0.0.1,sport=80,dport=1000)';
  t.is(await dpctl('dump-conntrack'), `${line},zone=5,mark=5,labels=0x123,protoinfo=(state=SYN_SENT)\n`);
  await receive('p2', tcpFrame(0x12, 80, 1000, true));
  t.is(
    await dpctl('dump-conntrack', 'zone=5'),
    `${line},zone=5,mark=5,labels=0x123,protoinfo=(state=ESTABLISHED)\n`,
  );
  t.true((await dpctl('dump-conntrack', '-s')).includes(',timeout='));
  t.is(
    await dpctl('ct-stats-show', '-m'),
    'Connections Stats:\n    Total: 1\n  TCP: 1\n    Conn per TCP states:\n\t  [ESTABLISHED]=1\n',
  );
  t.is(await dpctl('dump-conntrack', 'zone=6'), '');
  await dpctl('flush-conntrack', 'zone=5', 'ct_nw_src=10.0.0.1,ct_nw_proto=6');
  t.is(await dpctl('dump-conntrack'), '');
});
