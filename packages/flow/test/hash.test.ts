import test from 'ava';
import { hashFields } from '../src/hash-fields.js';
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
