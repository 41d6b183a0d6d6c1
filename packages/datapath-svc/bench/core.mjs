// The core alone: nanoseconds for one 60-byte UDP frame from `Datapath.receive` to a port that throws it away.
//   node bench/core.mjs [--seconds=1]
import { parseArgs } from 'node:util';
import { DP_WORDS, W } from '@ovs-node/flow/layout';
import { Act, CtAct } from '@ovs-node/netlink/action-attrs';
import { NlWriter } from '@ovs-node/netlink/attr';
import { compileActions } from '../dist/src/core/actions/compile.js';
import { DatapathCore } from '../dist/src/core/core.js';
import { Flow } from '../dist/src/core/flow-table/flow.js';
import { keyId } from '../dist/src/core/flow-table/flow-table.js';
import { PacketMeta } from '../dist/src/core/packet-meta.js';
import { udpFrame } from './frame.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1' } } });
const SLOT = 2048;
const START = 160;
const SIZE = 60;

class Sink {
  mac = new Uint8Array(6);
  mtu = 1500;
  flags = 1;
  ifindex = 0;
  sent = 0;
  start() {}
  send() {
    this.sent++;
  }
  flush() {}
  close() {}
}

function actions(fill) {
  const w = new NlWriter();
  fill(w);
  return w.bytes();
}

/** A datapath with ports 1 and 2, and a function that adds flows: key and mask words by name. */
function datapath() {
  const core = new DatapathCore({ ports: { create: () => new Sink() } });
  const dp = core.addDatapath('dp', new Uint32Array(0));
  for (const name of ['p1', 'p2'])
    dp.addVport({ type: 1, name, portNo: null, options: null, upcallPids: new Uint32Array(0) });
  const add = (fields, bytes) => {
    const key = new Uint32Array(DP_WORDS);
    const mask = new Uint32Array(DP_WORDS);
    for (const [word, value, bits] of fields) {
      key[word] = value;
      mask[word] = bits;
    }
    dp.flows.insert(new Flow(key, mask, null, keyId(key), bytes, compileActions(bytes, key)));
  };
  return { core, dp, add };
}

const ALL = 0xffffffff;
const output = actions((w) => w.putU32(Act.OUTPUT, 2));

/** Frames of `count` flows in one buffer, as a ring has them. */
function frames(count) {
  const buf = new Uint8Array(SLOT * count);
  for (let i = 0; i < count; i++) {
    const frame = udpFrame({
      dst: '02:00:00:00:00:02',
      src: '02:00:00:00:00:01',
      sip: '10.1.0.1',
      dip: '10.1.0.2',
      sport: 1000 + (i & 0xfff),
      dport: 2000 + (i >> 12),
      size: SIZE,
    });
    buf.set(frame, i * SLOT + START);
  }
  return buf;
}

function measure(title, { core, dp }, flows) {
  const buf = frames(flows);
  const vport = dp.vport(1);
  const sink = dp.vport(2).provider;
  const meta = new PacketMeta();
  let flow = 0;
  let now = 1000;
  const run = (ms) => {
    const from = performance.now();
    let count = 0;
    while (performance.now() - from < ms) {
      for (let batch = 0; batch < 100; batch++) {
        core.beginBatch((now += 0.05));
        for (let i = 0; i < 64; i++) {
          meta.reset();
          const at = flow * SLOT + START;
          dp.receive(vport, buf, at, at + SIZE, meta);
          if (++flow === flows) flow = 0;
        }
        core.endBatch();
        count += 64;
      }
    }
    return ((performance.now() - from) * 1e6) / count;
  };
  run(300);
  const before = sink.sent;
  const ns = run(Number(values.seconds) * 1000);
  if (sink.sent === before) throw new Error(`${title}: nothing came out`);
  console.log(
    `${title.padEnd(52)} ${ns.toFixed(0).padStart(6)} ns  ${(1e6 / ns).toFixed(0).padStart(6)} kpps`,
  );
}

function oneMegaflow() {
  const all = datapath();
  all.add([[W.IN_PORT, 1, ALL]], output);
  return all;
}

measure('one flow, one megaflow (exact-match cache)', oneMegaflow(), 1);
measure('1000 flows, one megaflow', oneMegaflow(), 1000);
measure('100000 flows, one megaflow (past the cache)', oneMegaflow(), 100000);
for (const masks of [5, 20]) {
  const all = datapath();
  // Masks of other protocols in front of the one that matches.
  for (let i = 1; i < masks; i++) {
    all.add(
      [
        [W.IN_PORT, 1, ALL],
        [W.NW_SRC, 0x0b000000 + i, (ALL << i) >>> 0],
        [W.NW_DST, 0x0c000000, ALL],
      ],
      output,
    );
  }
  all.add(
    [
      [W.IN_PORT, 1, ALL],
      [W.TP, 0, 0],
    ],
    output,
  );
  measure(`100000 flows, ${masks} masks, one of them in use`, all, 100000);
}
{
  const all = datapath();
  const ct = actions((w) => {
    w.nested(Act.CT, (nest) => nest.putU16(CtAct.ZONE, 1));
    w.putU32(Act.RECIRC, 1);
  });
  const commit = actions((w) => {
    w.nested(Act.CT, (nest) => {
      nest.putFlag(CtAct.COMMIT);
      nest.putU16(CtAct.ZONE, 1);
    });
    w.putU32(Act.OUTPUT, 2);
  });
  all.add(
    [
      [W.IN_PORT, 1, ALL],
      [W.RECIRC_ID, 0, ALL],
      [W.ETH_TYPE, 0x08000000, 0xffff0000],
    ],
    ct,
  );
  all.add(
    [
      [W.IN_PORT, 1, ALL],
      [W.RECIRC_ID, 1, ALL],
      [W.ETH_TYPE, 0x08000000, 0xffff0000],
    ],
    commit,
  );
  measure('one flow, ct, recirc, ct(commit)', all, 1);
  measure('1000 flows, ct, recirc, ct(commit)', all, 1000);
}
