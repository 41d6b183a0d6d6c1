import test from 'ava';
import { dpHash, hashFields } from '../src/hash-fields.js';
import { extractKey, newOffsets } from '../src/extract.js';
import { composePacket } from '../src/compose.js';
import { parseExactFlow } from '../src/flow-text.js';
import { hashMasked, hashSymmetric5Tuple, hashWords, maskIndex } from '../src/hash.js';
import { DP_WORDS, HOT_WORDS, newKey, W } from '../src/layout.js';
import { parseMatch } from '../src/match-text.js';

function keyOf(flow: string): Uint32Array {
  const packet = composePacket(parseExactFlow(flow));
  const key = newKey();
  extractKey(packet, 0, packet.length, key, newOffsets());
  return key;
}

test('both directions of a connection have one symmetric hash, other connections others', (t) => {
  const there = 'nw_src=10.0.0.1,nw_dst=10.0.0.2,tcp_src=1000,tcp_dst=80';
  const back = 'nw_src=10.0.0.2,nw_dst=10.0.0.1,tcp_src=80,tcp_dst=1000';
  const h = hashSymmetric5Tuple(keyOf(`tcp,${there}`));
  t.is(hashSymmetric5Tuple(keyOf(`tcp,${back}`)), h);
  t.not(hashSymmetric5Tuple(keyOf(`tcp,${there.replace('1000', '1001')}`)), h);
  t.not(hashSymmetric5Tuple(keyOf(`tcp,${there}`), 1), h);
  const six = (a: string, b: string): Uint32Array =>
    keyOf(`udp6,ipv6_src=${a},ipv6_dst=${b},udp_src=5,udp_dst=5`);
  t.is(hashSymmetric5Tuple(six('fe80::1', 'fe80::2')), hashSymmetric5Tuple(six('fe80::2', 'fe80::1')));
});

test('a masked hash depends on the masked bits alone', (t) => {
  const { mask } = parseMatch('ip,nw_src=10.0.0.0/8');
  const index = maskIndex(mask, DP_WORDS);
  const hash = (flow: string): number => hashMasked(keyOf(flow), mask, index, index.length);
  t.is(hash('ip,nw_src=10.1.2.3,nw_dst=1.1.1.1'), hash('tcp,nw_src=10.9.9.9,tcp_dst=7'));
  t.not(hash('ip,nw_src=10.1.2.3'), hash('ip,nw_src=11.1.2.3'));
});

test('hashes of neighbouring flows spread over the buckets of a small table', (t) => {
  const buckets = new Uint32Array(256);
  const key = keyOf('udp,nw_src=10.0.0.1,udp_dst=53');
  for (let i = 0; i < 25600; i++) {
    key[11] = (i << 16) | 53;
    const h = hashWords(key, 0, HOT_WORDS);
    t.true(Number.isInteger(h) && h >= 0 && h <= 0xffffffff);
    buckets[h & 255]!++;
  }
  // 100 are expected in each, with a standard deviation of 10.
  t.true(
    Math.min(...buckets) > 50 && Math.max(...buckets) < 160,
    `${Math.min(...buckets)}..${Math.max(...buckets)}`,
  );
});

test('fragments are not told apart by ports, which only the first has', (t) => {
  const key = newKey();
  const hash = (frag: number, ports: number): number => {
    key[W.ETH_TYPE] = 0x08000000;
    key[W.NW] = (6 << 24) | frag;
    key[W.TP] = ports;
    return hashFields(key, newKey(), 'symmetric_l3l4', 50) & 0xffff;
  };
  // The peer's: tcp,nw_frag=first,tcp_src=7 and tcp,nw_frag=later.
  t.is(hash(1, 7 << 16), 0x1647);
  t.is(hash(3, 0), 0x1647);
  const wc = newKey();
  hashFields(key, wc, 'symmetric_l3l4', 50);
  t.is(wc[W.TP], 0);
});

/** Packets, and what the peer's datapath made of them (`dp_hash` in dpctl/dump-flows). */
const DP_HASHES = {
  'l4(5)': {
    TCP: [
      '02000000000102000000000808004500002800010000400631780af8419b0a47f27dd2d500cc00000001000000025010ffff00000000',
      0x3a4af2aa,
    ],
    UDP: ['02000000000202000000000308004500001c00010000401190a40ab95faa0af274d70fc4839f00080000', 0xb2c8afe0],
    ICMP: [
      '02000000000602000000000708004500001c000100004001f7000a8c28ab0a2146880800f7ff00000000',
      0x2fb9fa0a,
    ],
    ARP: ['020000000003020000000006080600010800060400010200000000010a2edf0a0000000000000a338811', 0xd508f2a0],
    'UDP of IPv6': [
      '02000000000202000000000286dd60000000000811402001000000000000000000000000d9f52001000000000000000000000000bf2e42d0ef3900080000',
      0x96fdda92,
    ],
    'another type': ['0200000000090200000000099999c902', 0xf12ddc2],
  },
  'sym_l4(0)': {
    TCP: [
      '02000000000802000000000508004500002800010000400699510ac21f1c0a3ead62651caa9600000001000000025010ffff00000000',
      0x1ae8d4f1,
    ],
    UDP: ['02000000000102000000000308004500001c0001000040119d5e0a69acc40a961bafda77e53300080000', 0xf9848e6c],
    ICMP: [
      '02000000000602000000000608004500001c000100004001e1fb0a6513690a7e70990800f7ff00000000',
      0xe7e75f0b,
    ],
    ARP: ['020000000003020000000008080600010800060400010200000000010a44fde80000000000000ad01027', 0x24fa5128],
    'UDP of IPv6': [
      '02000000000202000000000286dd60000000000811402001000000000000000000000000af2e200100000000000000000000000060d41d6204c000080000',
      0xb1b4b614,
    ],
    'a tag': ['02000000000002000000000681000d98999902a2', 0xdb2b1a5e],
    'another type': ['020000000004020000000003999978ab', 0xb4d7bdaf],
  },
} as const;

test("the datapath's hashes are those of the peer's", (t) => {
  for (const [name, packets] of Object.entries(DP_HASHES)) {
    for (const [what, [hex, expected]] of Object.entries(packets)) {
      const packet = Buffer.from(hex, 'hex');
      const key = newKey();
      extractKey(packet, 0, packet.length, key, newOffsets());
      t.is(dpHash(key, name !== 'l4(5)', name === 'l4(5)' ? 5 : 0), expected, `${name} of ${what}`);
    }
  }
});
