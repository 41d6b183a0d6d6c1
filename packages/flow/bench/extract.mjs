// ns per packet of parsing and hashing, over a working set of many flows: node packages/flow/bench/extract.mjs
import { extractKey, newOffsets, OFS } from '../dist/src/extract.js';
import { hashWords } from '../dist/src/hash.js';
import { DP_WORDS, HOT_WORDS, newKey } from '../dist/src/layout.js';

const COUNT = 4096;
const SLOT = 2048;

function frames(name) {
  const slab = new Uint8Array(COUNT * SLOT);
  const starts = new Int32Array(COUNT);
  const ends = new Int32Array(COUNT);
  for (let i = 0; i < COUNT; i++) {
    const at = i * SLOT + 128;
    const frame = build(name, i);
    slab.set(frame, at);
    starts[i] = at;
    ends[i] = at + frame.length;
  }
  return { slab, starts, ends };
}

function build(name, i) {
  const mac = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
  const lo = i & 255;
  const hi = i >> 8;
  const ip = (proto, payload) => {
    const total = 20 + payload.length;
    return [
      0x45,
      0,
      total >> 8,
      total & 255,
      0,
      0,
      0x40,
      0,
      64,
      proto,
      0,
      0,
      10,
      0,
      hi,
      lo,
      10,
      1,
      0,
      1,
      ...payload,
    ];
  };
  const udp = [hi, lo, 0, 53, 0, 26, 0, 0, ...Array(18).fill(0)];
  const tcp = [hi, lo, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0, ...Array(6).fill(0)];
  if (name === 'udp4') return [...mac, 8, 0, ...ip(17, udp)];
  if (name === 'tcp4') return [...mac, 8, 0, ...ip(6, tcp)];
  if (name === 'vlan-tcp4') return [...mac, 0x81, 0, 0, 5, 8, 0, ...ip(6, tcp)];
  const v6 = [
    0x60,
    0,
    0,
    0,
    0,
    26,
    17,
    64,
    0x20,
    1,
    ...Array(12).fill(0),
    hi,
    lo,
    0x20,
    1,
    ...Array(13).fill(0),
    1,
  ];
  if (name === 'udp6') return [...mac, 0x86, 0xdd, ...v6, ...udp];
  return i & 1 ? build('udp6', i) : build('tcp4', i);
}

const key = newKey();
const offsets = newOffsets();
let sink = 0;

function run({ slab, starts, ends }, rounds, hashed) {
  for (let r = 0; r < rounds; r++) {
    for (let i = 0; i < COUNT; i++) {
      extractKey(slab, starts[i], ends[i], key, offsets);
      if (hashed) sink ^= hashWords(key, 0, offsets[OFS.COLD] === 0 ? HOT_WORDS : DP_WORDS);
      else sink ^= key[11];
    }
  }
}

const kinds = ['udp4', 'tcp4', 'vlan-tcp4', 'udp6', 'mixed'];
const sets = kinds.map(frames);
for (const set of sets) {
  run(set, 50, true);
  run(set, 50, false);
}
const ROUNDS = 100;
for (const [i, kind] of kinds.entries()) {
  const times = { parse: [], 'parse+hash': [] };
  for (let n = 0; n < 7; n++) {
    for (const [label, hashed] of [
      ['parse', false],
      ['parse+hash', true],
    ]) {
      const t = process.hrtime.bigint();
      run(sets[i], ROUNDS, hashed);
      times[label].push(Number(process.hrtime.bigint() - t) / (ROUNDS * COUNT));
    }
  }
  const median = (a) => a.sort((x, y) => x - y)[a.length >> 1].toFixed(1);
  console.log(
    `${kind.padEnd(10)} parse ${median(times.parse)} ns, parse+hash ${median(times['parse+hash'])} ns`,
  );
}
if (sink === 0x12345678) console.log(sink);
