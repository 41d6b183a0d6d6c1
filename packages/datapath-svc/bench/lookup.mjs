// What one packet costs in the core, without any port: nanoseconds per packet, median of several runs.
//
//   node packages/datapath-svc/bench/lookup.mjs [packets per run]
//
// Rows: key extraction alone; a whole `receive` with one output off the exact-match cache; the same with more
// connections than the cache holds, through the last of N subtables; set fields; a ct pipeline.
import { performance } from 'node:perf_hooks';
import { DP_WORDS, W } from '@ovs-node/flow/layout';
import { extractKey, newOffsets } from '@ovs-node/flow/extract';
import { NlWriter } from '@ovs-node/netlink/attr';
import { Act, CtAct } from '@ovs-node/netlink/action-attrs';
import { KEY_ATTRS as K } from '@ovs-node/netlink/key-attrs';
import { compileActions } from '../dist/src/core/actions/compile.js';
import { DatapathCore } from '../dist/src/core/core.js';
import { Flow } from '../dist/src/core/flow-table/flow.js';
import { PacketMeta } from '../dist/src/core/packet-meta.js';

const N = Number(process.argv[2] ?? 2_000_000);
const RUNS = 5;
const BATCH = 64;

class Sink {
  mac = new Uint8Array(6);
  mtu = 1500;
  flags = 1;
  ifindex = 0;
  bytes = 0;
  start() {}
  send(buf, start, end) {
    this.bytes += end - start;
  }
  flush() {}
  close() {}
}

function attrs(fill) {
  const w = new NlWriter();
  fill(w);
  return w.bytes();
}

function sum16(bytes, start = 0) {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** A 60-byte UDP frame of connection `i`, checksums right; a reply when `reply`. */
function frame(i, reply = false) {
  const f = Buffer.alloc(60);
  f.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17]);
  const [src, dst] = reply ? [30, 26] : [26, 30];
  f.writeUInt32BE(0x0a000000 + (i >> 8), src);
  f.writeUInt32BE(0x0b000001, dst);
  f.writeUInt16BE(1000 + (i & 255), reply ? 36 : 34);
  f.writeUInt16BE(53, reply ? 34 : 36);
  f.writeUInt16BE(26, 38);
  f.writeUInt16BE(~sum16(f.subarray(14, 34)) & 0xffff, 24);
  f.writeUInt16BE(~sum16(f.subarray(34, 60), sum16(f.subarray(26, 34), 17 + 26)) & 0xffff, 40);
  return f;
}

function setup() {
  const core = new DatapathCore({ ports: { create: () => new Sink() } });
  const dp = core.addDatapath('dp');
  const add = (name) =>
    dp.addVport({ type: 1, name, portNo: null, options: null, upcallPids: new Uint32Array(0) });
  const p1 = add('p1');
  const p2 = add('p2');
  return { core, dp, p1, p2 };
}

/** A ring of frames, 128 bytes of headroom each. */
function ring(frames) {
  const buf = new Uint8Array(frames.length * 256);
  frames.forEach((f, i) => buf.set(f, i * 256 + 128));
  return buf;
}

let id = 0;
function put(dp, fill, actions) {
  const key = new Uint32Array(DP_WORDS);
  const mask = new Uint32Array(DP_WORDS);
  const field = (word, value, bits = 0xffffffff) => {
    key[word] = value;
    mask[word] = bits;
  };
  field(W.ETH_TYPE, 0x08000000, 0xffff0000);
  field(W.RECIRC_ID, 0);
  fill(field);
  for (let i = 0; i < DP_WORDS; i++) key[i] &= mask[i];
  const bytes = attrs(actions);
  const full = key.slice();
  if (full[W.NW] === 0) full[W.NW] = 17 << 24;
  const flow = new Flow(key, mask, null, `k${id++}`, bytes, compileActions(bytes, full));
  const errno = dp.flows.insert(flow);
  if (errno !== 0) throw new Error(`insert: errno ${errno}`);
  return flow;
}

function measure(name, { core, dp }, ports, buf, slots, n = N) {
  const meta = new PacketMeta();
  const times = [];
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    let slot = 0;
    for (let i = 0; i < n; i += BATCH) {
      core.beginBatch(1000 + i / 1000);
      for (let j = 0; j < BATCH; j++) {
        const at = slot * 256 + 128;
        dp.receive(ports[slot % ports.length], buf, at, at + 60, meta);
        if (++slot === slots) slot = 0;
      }
      core.endBatch();
    }
    times.push(((performance.now() - begin) * 1e6) / n);
  }
  times.sort((a, b) => a - b);
  console.log(`${name.padEnd(56)} ${times[RUNS >> 1].toFixed(0).padStart(5)} ns`);
}

{
  const buf = ring([frame(1)]);
  const key = new Uint32Array(DP_WORDS);
  const offsets = newOffsets();
  const times = [];
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    for (let i = 0; i < N; i++) extractKey(buf, 128, 188, key, offsets);
    times.push(((performance.now() - begin) * 1e6) / N);
  }
  times.sort((a, b) => a - b);
  console.log(`${'key extraction'.padEnd(56)} ${times[RUNS >> 1].toFixed(0).padStart(5)} ns`);
}
for (const [name, connections] of [
  ['1 megaflow, 1 connection: cache hit, output', 1],
  ['1 megaflow, 1000 connections: cache hit, output', 1000],
  ['1 megaflow, 50000 connections: cache miss, 1 subtable', 50000],
]) {
  const s = setup();
  put(
    s.dp,
    (f) => f(W.IN_PORT, 1),
    (w) => w.putU32(Act.OUTPUT, 2),
  );
  measure(name, s, [s.p1], ring(Array.from({ length: connections }, (_, i) => frame(i))), connections);
}
for (const masks of [5, 10, 20]) {
  const s = setup();
  for (let i = 0; i < masks - 1; i++) {
    put(
      s.dp,
      (f) => (f(W.IN_PORT, 9), f(W.NW_SRC, 1 << i, 0xffffffff << i)),
      (w) => w.putU32(Act.OUTPUT, 2),
    );
  }
  put(
    s.dp,
    (f) => (f(W.IN_PORT, 1), f(W.NW_DST, 0x0b000001)),
    (w) => w.putU32(Act.OUTPUT, 2),
  );
  // Keep the busy mask last: this is the worst case, not what sorting makes of it.
  s.dp.flows.untilSort = Infinity;
  measure(
    `cache miss, last of ${masks} subtables`,
    s,
    [s.p1],
    ring(Array.from({ length: 50000 }, (_, i) => frame(i))),
    50000,
    N / 2,
  );
}
{
  const s = setup();
  put(
    s.dp,
    (f) => f(W.IN_PORT, 1),
    (w) => {
      w.nested(Act.SET, () => w.putBytes(K.ETHERNET.code, new Uint8Array(12).fill(2)));
      w.nested(Act.SET_MASKED, () => {
        const bytes = new Uint8Array(24);
        bytes[10] = 63;
        bytes[22] = 255;
        w.putBytes(K.IPV4.code, bytes);
      });
      w.putU32(Act.OUTPUT, 2);
    },
  );
  measure('routed: set eth, set ttl, output', s, [s.p1], ring([frame(1)]), 1);
}
{
  const s = setup();
  put(
    s.dp,
    (f) => f(W.IN_PORT, 1),
    (w) => {
      for (const port of [2, 2, 2]) w.putU32(Act.OUTPUT, port);
      w.putBytes(Act.PUSH_VLAN, Uint8Array.of(0x81, 0, 0x10, 1));
      w.putU32(Act.OUTPUT, 2);
    },
  );
  measure('flood: 3 outputs, push_vlan on a copy, output', s, [s.p1], ring([frame(1)]), 1);
}
for (const connections of [1, 1000, 50000]) {
  const s = setup();
  const track = (w) => {
    w.nested(Act.CT, () => w.putU16(CtAct.ZONE, 1));
    w.putU32(Act.RECIRC, 1);
  };
  for (const port of [1, 2]) {
    put(s.dp, (f) => f(W.IN_PORT, port), track);
    const est = (f) => (f(W.IN_PORT, port), f(W.RECIRC_ID, 1), f(W.CT_STATE, 0x22, 0x22));
    put(s.dp, est, (w) => w.putU32(Act.OUTPUT, 3 - port));
    const fresh = (f) => (f(W.IN_PORT, port), f(W.RECIRC_ID, 1), f(W.CT_STATE, 0x21, 0x23));
    put(s.dp, fresh, (w) => {
      w.nested(Act.CT, () => (w.putFlag(CtAct.COMMIT), w.putU16(CtAct.ZONE, 1)));
      w.putU32(Act.OUTPUT, 3 - port);
    });
  }
  const frames = Array.from({ length: connections * 2 }, (_, i) => frame(i >> 1, (i & 1) === 1));
  measure(`ct pipeline, ${connections} connections, both ways`, s, [s.p1, s.p2], ring(frames), frames.length);
  if (s.dp.conntrack.table.count !== connections)
    throw new Error(`${s.dp.conntrack.table.count} connections`);
}
