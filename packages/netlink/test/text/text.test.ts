import test from 'ava';
import fc from 'fast-check';
import { OvsError } from '@ovs-node/common/errors';
import { Act } from '../../src/action-attrs.js';
import { decodeMatch } from '../../src/key.js';
import { formatDpActions } from '../../src/text/actions-format.js';
import { parseDpActions } from '../../src/text/actions-parse.js';
import { formatConntrack, parseCtTuple, parseCtTuples } from '../../src/text/conntrack-text.js';
import { formatFlowStats, formatUfid } from '../../src/text/flow-format.js';
import { formatDpKey } from '../../src/text/key-format.js';
import { parseDpKey, parseUfid } from '../../src/text/key-parse.js';
import type { CtEntry, CtTuple } from '../../src/conntrack.js';
import { ACTIONS, KEYS, VERBOSE_KEYS } from './fixtures.js';

test('flow keys print as they were read', (t) => {
  for (const line of KEYS) {
    const { key, mask } = parseDpKey(line);
    t.is(formatDpKey(key, mask), line);
  }
  for (const line of VERBOSE_KEYS) {
    const { key, mask } = parseDpKey(line);
    t.is(formatDpKey(key, mask, { verbose: true }), line);
  }
});

test('of an 802.2 frame in a VLAN, its mask is not shown', (t) => {
  const { key, mask } = parseDpKey('eth_type(0x8100),vlan(vid=5),encap(eth_type(0/0xffff))');
  t.is(formatDpKey(key, mask), 'eth_type(0x8100),vlan(vid=5),encap()');
});

test('TCP flags that are set and not matched show as 0/0, those that are not set not at all', (t) => {
  for (const [flags, shown] of [
    ['0x2/0', ',tcp_flags(0/0)'],
    ['0/0', ''],
  ]) {
    const { key, mask } = parseDpKey(`tcp(src=1,dst=2),tcp_flags(${flags})`);
    t.is(formatDpKey(key, mask, { verbose: true }), `tcp(src=1,dst=2)${shown}`);
  }
});

test('actions print as they were read', (t) => {
  for (const line of ACTIONS) t.is(formatDpActions(parseDpActions(line)), line);
  // A set of NSH is masked by field; contexts of which it says nothing are shown, as in the peer.
  t.is(
    formatDpActions(parseDpActions('set(nsh(ttl=8,mdtype=1,si=3,c2=0x5))')),
    'set(nsh(ttl=8,si=3,c2=0x5))',
  );
  t.is(
    formatDpActions(parseDpActions('set(nsh(ttl=8/0xf,spi=1/7))')),
    'set(nsh(ttl=0x08/0x0f,spi=0x1/0x00000007,c1=0x0,c2=0x0,c3=0x0,c4=0x0))',
  );
});

test('ports in what userspace is told have names, too', (t) => {
  const ports = { nameOf: (port: number) => (port === 3 ? 'p3' : undefined), numberOf: () => undefined };
  for (const [port, shown] of [
    ['3', 'p3'],
    ['4294967295', '4294967295'],
  ] as const) {
    const sample = (to: string): string =>
      `userspace(pid=1,flow_sample(probability=5,collector_set_id=5,obs_domain_id=1,obs_point_id=2,output_port=${to}))`;
    t.is(formatDpActions(parseDpActions(sample(port)), ports), sample(shown));
  }
});

test('other ways to write actions come out normalized', (t) => {
  for (const [text, want] of [
    ['', 'drop'],
    ['1 2', '1,2'],
    [' 1 , 0x5', '1,5'],
    ['set(ipv4(src=1.2.3.4/255.255.0.0))', 'set(ipv4(src=1.2.0.0/255.255.0.0))'],
    ['ct(zone=5,commit)', 'ct(commit,zone=5)'],
    ['ct()', 'ct'],
    ['ct(commit,mark=5)', 'ct(commit,mark=0x5/0xffffffff)'],
    ['push_vlan(vid=5,pcp=3,cfi=1)', 'push_vlan(vid=5,pcp=3)'],
    ['userspace(pid=5,slow_path(0x5))', 'userspace(pid=5,slow_path(cfm,lacp))'],
    ['userspace(pid=5,userdata(010203))', 'userspace(pid=5,userdata(0102030000000000))'],
    ['clone()', 'clone(drop)'],
    ['recirc(1)', 'recirc(0x1)'],
  ] as const) {
    t.is(formatDpActions(parseDpActions(text)), want, text);
  }
});

test('what is no action is refused by name', (t) => {
  for (const text of [
    'bad',
    '1;2',
    '4294967296',
    'set(ipv4(src=1.2.3.4),eth(src=00:11:22:33:44:55))',
    'set(foo(1))',
    'ct(foo)',
    'ct(zone=70000)',
    'ct(nat(src=1.2.3.4,dst=1.2.3.5))',
    'push_vlan(vid=4096,pcp=0)',
    'push_vlan(vid=1)',
    'sample(sample=200%,actions(1))',
    'userspace(userdata(01))',
    'userspace(pid=1,userdata(0x1))',
    'trunc(5)',
    'pop_vlan()',
    'clone(1',
  ]) {
    const error = t.throws(() => parseDpActions(text), { instanceOf: OvsError }, text);
    t.is(error.code, 'EINVAL');
  }
});

test('deep nesting is refused, not run out of stack', (t) => {
  t.throws(() => parseDpKey('encap('.repeat(20_000) + ')'.repeat(20_000)), { instanceOf: OvsError });
  for (const code of [1, Act.CLONE]) {
    let bytes = new Uint8Array(0);
    for (let i = 0; i < 12_000; i++) {
      const outer = new Uint8Array(bytes.length + 4);
      outer.set([outer.length & 0xff, outer.length >> 8, code, 0]);
      outer.set(bytes, 4);
      bytes = outer;
    }
    t.notThrows(() => formatDpActions(bytes));
    t.notThrows(() => formatDpKey(bytes, bytes));
  }
  t.throws(() => parseDpActions('clone('.repeat(1000) + '1' + ')'.repeat(1000)), { instanceOf: OvsError });
});

test('a flow key that is not understood is quoted from there on', (t) => {
  for (const [text, rest] of [
    ['in_port(1),bad(5)', 'bad(5)'],
    ['in_port(1),eth(,arp()', 'eth(,arp()'],
    ['in_port(1),arp(foo=1),eth()', 'arp(foo=1),eth()'],
    ['recirc_id(0/0)', 'recirc_id(0/0)'],
    ['ct_state(0x100/0x100)', 'ct_state(0x100/0x100)'],
    ['in_port(4294967296)', 'in_port(4294967296)'],
    ['ipv4(src=1.2.3)', 'ipv4(src=1.2.3)'],
    ['eth', 'eth'],
  ]) {
    t.throws(() => parseDpKey(text!), { message: `syntax error at ${rest}` }, text);
  }
});

test('ports go by name where names are given', (t) => {
  const ports = {
    nameOf: (no: number) => (no === 1 ? 'p1' : undefined),
    numberOf: (name: string) => (name === 'p1' ? 1 : undefined),
  };
  const { key, mask } = parseDpKey('in_port(p1),eth(),eth_type(0x0806),arp()', ports);
  t.is(formatDpKey(key, mask, { ports }), 'in_port(p1),eth(),eth_type(0x0806)');
  t.is(formatDpKey(key, mask), 'in_port(1),eth(),eth_type(0x0806)');
  t.is(formatDpActions(parseDpActions('1,2'), ports), 'p1,2');
});

test('text, attributes and words agree on a key', (t) => {
  const { key, mask } = parseDpKey(KEYS[2]!);
  const match = decodeMatch(key, mask);
  t.is(match.key[3]! & 0xffff, 0x5054);
  const plain = parseDpKey('in_port(1),eth(),eth_type(0x0800),ipv4(),tcp()');
  t.throws(() => decodeMatch(plain.key, plain.mask), { message: 'unexpected TCP in flow key' });
});

test('statistics and identifiers', (t) => {
  t.is(formatFlowStats({ packets: 0, bytes: 0, idleMs: -1, tcpFlags: 0 }), 'packets:0, bytes:0, used:never');
  t.is(
    formatFlowStats({ packets: 4, bytes: 364, idleMs: 395, tcpFlags: 0x12 }),
    'packets:4, bytes:364, used:0.395s, flags:S.',
  );
  const text = 'ufid:01020304-0506-0708-090a-0b0c0d0e0f10';
  t.is(formatUfid(parseUfid(text.slice(5))!), text);
  t.is(parseUfid('0102'), undefined);
});

const tuple = (more: Partial<CtTuple>): CtTuple => ({
  src: Uint8Array.of(10, 0, 0, 1),
  dst: Uint8Array.of(10, 0, 0, 2),
  proto: 6,
  sport: 1000,
  dport: 80,
  icmpId: 0,
  icmpType: 0,
  icmpCode: 0,
  ...more,
});
const entry: CtEntry = {
  orig: tuple({}),
  reply: tuple({ src: Uint8Array.of(10, 0, 0, 2), dst: Uint8Array.of(10, 0, 0, 1), sport: 80, dport: 1000 }),
  parent: undefined,
  zone: 5,
  mark: 5,
  labels: 0x123n,
  hasLabels: true,
  status: 0,
  timeout: 29,
  id: 0,
  countersOrig: undefined,
  countersReply: undefined,
  start: 0n,
  stop: 0n,
  tcp: {
    state: 3,
    wscaleOrig: 0,
    wscaleReply: 0,
    flagsOrig: 0,
    flagsReply: 0,
    peerStates: { orig: 4, reply: 2 },
  },
  helper: '',
};

test('connections print as dump-conntrack shows them', (t) => {
  const head =
    'tcp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=80),reply=(src=10.0.0.2,dst=10.0.0.1,sport=80,dport=1000)';
  t.is(formatConntrack(entry), `${head},zone=5,mark=5,labels=0x123,protoinfo=(state=ESTABLISHED)`);
  t.is(
    formatConntrack(entry, { verbose: true, stats: true }),
    `${head},id=0,zone=5,status=0,timeout=29,mark=5,labels=0x123,protoinfo=(state_orig=ESTABLISHED,state_reply=SYN_SENT,flags_orig=0,flags_reply=0)`,
  );
  const icmp6 = {
    src: Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    dst: Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2),
    proto: 58,
    icmpType: 128,
  };
  const { tcp: _tcp, ...rest } = entry;
  t.is(
    formatConntrack({
      ...rest,
      tcp: undefined,
      orig: tuple(icmp6),
      reply: tuple({ ...icmp6, src: icmp6.dst, dst: icmp6.src, icmpType: 129 }),
      zone: 0,
      mark: 0,
      labels: 0n,
    }),
    'icmpv6,orig=(src=fe80::1,dst=fe80::2,id=0,type=128,code=0),reply=(src=fe80::2,dst=fe80::1,id=0,type=129,code=0)',
  );
});

test('connection tuples are read, or refused in the words of the peer', (t) => {
  t.deepEqual(parseCtTuple('ct_nw_src=10.1.1.1,ct_nw_proto=6,ct_tp_dst=80'), {
    src: Uint8Array.of(10, 1, 1, 1),
    proto: 6,
    dport: 80,
  });
  t.throws(() => parseCtTuple('foo=1'), { message: 'invalid conntrack tuple field: foo' });
  t.throws(() => parseCtTuple('foo'), { message: 'field foo missing value' });
  t.throws(() => parseCtTuple('ct_nw_src=10.0'), { message: 'failed to parse field ct_nw_src' });
  t.throws(() => parseCtTuple('ct_nw_src=10.0.0.1,ct_ipv6_dst=fe80::1'), {
    message: 'the L3 protocol does not match fe80::1',
  });
  t.throws(() => parseCtTuple('ct_nw_src=10.0.0.1,ct_nw_src=10.0.0.1'), {
    message: 'ct_nw_src is set multiple times',
  });
  t.throws(() => parseCtTuple('ct_tp_src=5'), { message: 'port is set without protocol' });
  t.throws(() => parseCtTuple('ct_nw_proto=6,icmp_type=8'), { message: 'invalid L4 fields' });
  // What is said of one side's protocol holds for the other.
  t.is(parseCtTuples(['ct_nw_proto=6', 'ct_tp_src=5'])[1]?.sport, 5);
});

test('formatting never throws, whatever the bytes', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.uint8Array({ maxLength: 120 }),
      fc.boolean(),
      (a, b, verbose) => {
        formatDpActions(a);
        formatDpKey(a, b, { verbose });
        formatDpKey(a);
      },
    ),
    { numRuns: 3000 },
  );
  t.pass();
});

test('damaged attributes of real keys and actions format without throwing', (t) => {
  const all = [...KEYS.map((l) => parseDpKey(l).key), ...ACTIONS.map((l) => parseDpActions(l))];
  fc.assert(
    fc.property(
      fc.constantFrom(...all),
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      (bytes, where, value) => {
        const copy = bytes.slice();
        if (copy.length > 0) copy[where % copy.length] = value;
        formatDpActions(copy);
        formatDpKey(copy, copy, { verbose: true });
      },
    ),
    { numRuns: 3000 },
  );
  t.pass();
});

test('parsing random text throws nothing but OvsError', (t) => {
  const words = fc.constantFrom(
    'ct(',
    'set(',
    'ipv4(',
    'src=',
    '1.2.3.4',
    ')',
    ',',
    'nat(',
    '/',
    '0x5',
    'tunnel(',
    'flags(',
    'df|',
    'userspace(',
    'pid=',
    'sample(',
    '1',
    'actions(',
    'vlan(',
    'vid=',
    'encap(',
    'mpls(',
    'label=',
    '{',
    '-',
    ':',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 12 }), (list) => {
      for (const parse of [parseDpActions, parseDpKey]) {
        try {
          parse(list.join(''));
        } catch (error) {
          if (!(error instanceof OvsError)) throw error;
        }
      }
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

test('an output is one u32 attribute', (t) => {
  t.deepEqual([...parseDpActions('258')], [8, 0, Act.OUTPUT, 0, 2, 1, 0, 0]);
});
