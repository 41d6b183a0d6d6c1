/**
 * Shapes against the usual way: whatever a shape takes for its own, with values of any kind in its slots and with
 * anything else about it changed, has to come out as the usual way has it.
 */
import test from 'ava';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { encodeMessage, putMessage } from '../../src/messages/codec.js';
import type { FlowStats, OfMessage } from '../../src/messages/types.js';
import { ByteText, viewOf } from '../../src/shapes/byte-text.js';
import { findLineShape, type ReadOne } from '../../src/shapes/line-shape.js';
import { lineSpans } from '../../src/shapes/line-spans.js';
import { MessagePrinter } from '../../src/shapes/message-printer.js';
import { findPrintShape, type PrintOne } from '../../src/shapes/print-shape.js';
import { flowModSpans, flowStatsSpans, type WireSpans } from '../../src/shapes/spans.js';
import { parseFlowProtocols } from '../../src/text/flow.js';
import { printMessage } from '../../src/text/message.js';
import { PROTOCOLS, type ProtocolRow } from '../../src/text/protocols.js';
import { Writer } from '../../src/wire.js';
import { FlowGenerator } from '../../src/testkit/flow-generator.js';
import { Random } from '../../src/testkit/random.js';
import { quietParsers } from '../lib/quiet.js';

quietParsers();

/** Flows that are in tables everywhere, with every kind of slot. */
const FLOWS = [
  'table=7,priority=100,tcp,in_port=1,nw_src=10.0.0.7,nw_dst=192.168.0.0/24,tp_dst=80,actions=mod_nw_dst:10.0.0.9,output:2',
  'priority=3,dl_src=00:11:22:33:44:55,dl_dst=ff:ff:ff:ff:ff:ff,dl_vlan=5,actions=strip_vlan,output:7',
  'cookie=0x17,table=3,ip,ct_state=+trk+est,ct_zone=3,metadata=0x5,reg0=0x7/0xff,actions=load:0x8->NXM_NX_REG1[0..15],resubmit(,4)',
  'table=9,udp6,ipv6_src=2001:db8::8,ipv6_dst=fe80::/64,udp_dst=53,actions=ct(commit,zone=3,table=5,exec(set_field:0x9->ct_mark)),set_field:00:01:02:03:04:05->eth_dst,goto_table:50',
  'idle_timeout=9,hard_timeout=60,arp,arp_op=1,arp_tpa=10.0.0.9,actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],load:0x2->NXM_OF_ARP_OP[],IN_PORT',
  'table=2,icmp,tun_id=0x7,reg3=5,actions=mod_dl_src:00:00:00:00:00:01,mod_vlan_vid:5,set_tunnel:0x77,resubmit:3,output:1',
  'sctp,ct_mark=0x7/0xf,ct_label=0x5,pkt_mark=0x2,actions=set_field:0x12->xxreg1,set_field:5->tcp_dst,group:7',
  'tcp6,nd_target=::1,xreg1=0x5,actions=set_queue:4,meter:3,write_actions(output:5),goto_table:9',
  'ip,nw_dst=10.0.0.0/255.0.255.0,metadata=0x50/0xf0,actions=write_metadata:0x7/0xff,clear_actions,goto_table:3',
  'tun_src=1.2.3.4,tun_dst=4.3.2.1,arp,arp_sha=00:00:00:00:00:07,actions=clone(set_field:10.0.0.1->nw_src,output:3),learn(table=5,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])',
];

const texts = (seed: number, n: number): string[] => {
  const generator = new FlowGenerator(seed);
  return [...FLOWS, ...Array.from({ length: n }, () => generator.flow())];
};

function flowModOf(text: string, { bit, version, nxm, tableId }: ProtocolRow): Uint8Array | undefined {
  try {
    const { flowMod, usable } = parseFlowProtocols(text, 'add');
    if ((usable & bit) === 0) return undefined;
    const form = version === 1 ? ({ format: nxm ? 'nxm' : 'openflow10', withTableId: tableId } as const) : {};
    return encodeMessage({ type: 'flow_mod', flowMod, ...form }, version, 7);
  } catch (e) {
    if (e instanceof FlowSyntaxError) return undefined;
    throw e;
  }
}

/** Values at the limits of their bytes, where a span could be free, or anything anywhere. */
function mutated(r: Random, bytes: Uint8Array, wire: WireSpans): Uint8Array {
  const out = bytes.slice();
  for (let n = 1 + r.below(4); n > 0; n--) {
    const span = r.pick(wire.spans);
    const [at, length] = r.chance(0.7) ? [span.at, span.bytes] : [8 + r.below(out.length - 8), 1];
    const kind = r.below(4);
    for (let i = at; i < at + length; i++) {
      out[i] = kind === 0 ? 0 : kind === 1 ? 0xff : kind === 2 && i < at + length - 1 ? 0 : r.below(256);
    }
  }
  return out;
}

/** Tries a shape, if there is one, on messages like its own; gives how many it took. */
function tryPrintShape(
  r: Random,
  bytes: Uint8Array,
  wire: WireSpans | undefined,
  printOne: PrintOne,
  check: (got: string, want: string | undefined) => void,
): number {
  const shape = wire && findPrintShape(bytes, wire, printOne);
  if (!shape) return -1;
  let taken = 0;
  for (let n = 0; n < 40; n++) {
    const other = mutated(r, bytes, wire);
    if (!shape.matches(other, viewOf(other), 0)) continue;
    taken++;
    const out = new ByteText();
    shape.print(other, 0, out);
    check(new TextDecoder().decode(out.borrow()), printOne(other));
  }
  return taken;
}

test('what a shape prints of a flow-mod is what is printed without it', (t) => {
  const r = new Random(1);
  let [shapes, taken] = [0, 0];
  for (const protocol of PROTOCOLS) {
    for (const text of texts(protocol.bit, 250)) {
      const bytes = flowModOf(text, protocol);
      if (!bytes) continue;
      const n = tryPrintShape(
        r,
        bytes,
        flowModSpans(bytes),
        (b) => printMessage(b, { verbosity: 2 }),
        (got, want) => t.is(got, want!, text),
      );
      if (n >= 0) shapes++;
      if (n > 0) taken += n;
    }
  }
  // Enough of them to mean something.
  t.true(shapes > 400 && taken > 4000, `${shapes} shapes, ${taken} messages`);
});

function entryOf(text: string, version: number, nxm: boolean): Uint8Array | undefined {
  const protocol = PROTOCOLS.find((p) => p.version === version && p.nxm === nxm)!;
  if (!flowModOf(text, protocol)) return undefined;
  const { flowMod: f } = parseFlowProtocols(text, 'add');
  const flow: FlowStats = {
    ...f,
    tableId: f.tableId === 255 ? 0 : f.tableId,
    cookie: f.newCookie,
    durationSec: 12,
    durationNsec: 345_000_000,
    idleAge: 3,
    hardAge: 12,
    packetCount: 5n,
    byteCount: 500n,
  };
  const reply = { type: 'flow', flows: [flow] } as const;
  const msg: OfMessage = { type: 'multipart_reply', reply, more: false, ...(nxm ? { format: 'nxm' } : {}) };
  return encodeMessage(msg, version, 7).subarray(version === 1 ? 24 : 16);
}

test('what a shape prints of an entry of flow statistics is what is printed without it', (t) => {
  const r = new Random(2);
  let [shapes, taken] = [0, 0];
  for (const [version, nxm] of [
    [1, true],
    [3, false],
    [4, false],
    [5, false],
  ] as const) {
    const printer = new MessagePrinter({ verbosity: 1 });
    const key = nxm ? 'NXST_FLOW_REPLY' : version === 3 ? 'OFPST11_FLOW_REPLY' : 'OFPST13_FLOW_REPLY';
    for (const text of texts(version, 250)) {
      const entry = entryOf(text, version, nxm);
      if (!entry) continue;
      const printOne: PrintOne = (b) => printer.printEntry(version, key, b);
      const wire = flowStatsSpans(entry, version, nxm);
      const n = tryPrintShape(r, entry, wire, printOne, (got, want) => t.is(got, want!, text));
      if (n >= 0) shapes++;
      if (n > 0) taken += n;
    }
  }
  t.true(shapes > 300 && taken > 3000, `${shapes} shapes, ${taken} entries`);
});

/** A line with some of its values replaced, or some of its characters. */
function mutatedLine(r: Random, line: string): string {
  const spans = lineSpans(line);
  let out = line;
  for (const { from, to } of r.chance(0.6) ? spans.toReversed() : []) {
    if (r.chance(0.5)) continue;
    const n = r.pick([
      0,
      1,
      5,
      9,
      10,
      254,
      255,
      256,
      4094,
      4095,
      4096,
      65279,
      65280,
      65535,
      65536,
      r.u32(),
      2 ** 53,
    ]);
    const value = r.pick([
      String(n),
      String(n),
      `0x${n.toString(16)}`,
      `0${n}`,
      `${n & 255}.${(n >>> 8) & 255}.0.255`,
      '00:ff:00:0a:0b:0c',
      '2001:db8::1',
      '::',
      'ff',
      '',
      `${n}/255`,
    ]);
    out = out.slice(0, from) + value + out.slice(to);
  }
  if (!r.chance(0.4)) return out;
  const at = r.below(out.length);
  return (
    out.slice(0, at) +
    r.pick(['', '0', '1', 'f', ' ', ',', '/', 'x', ':', '.', '-', ')', out[at] + out[at]]) +
    out.slice(at + 1)
  );
}

test('what a shape reads of a line is what is read without it', (t) => {
  const r = new Random(3);
  let [shapes, taken] = [0, 0];
  const w = new Writer();
  for (const protocol of PROTOCOLS) {
    const readOne: ReadOne = (line) => {
      try {
        const { flowMod, usable } = parseFlowProtocols(line, 'add');
        if ((usable & protocol.bit) === 0) return undefined;
        const form =
          protocol.version === 1
            ? ({ format: protocol.nxm ? 'nxm' : 'openflow10', withTableId: protocol.tableId } as const)
            : {};
        w.clear();
        putMessage(w, { type: 'flow_mod', flowMod, ...form }, protocol.version, 0);
        return { bytes: w.finish(), usable };
      } catch (e) {
        if (e instanceof FlowSyntaxError) return undefined;
        throw e;
      }
    };
    for (const text of texts(protocol.bit + 1000, 250)) {
      const sample = readOne(text);
      const shape = sample && findLineShape(text, sample, readOne, new Writer());
      if (!shape) continue;
      shapes++;
      const own = new Writer();
      t.true(shape.read(text, 0, text.length, own), text);
      for (let n = 0; n < 40; n++) {
        const line = mutatedLine(r, text);
        own.clear();
        if (!shape.read(`>${line}<`, 1, line.length + 1, own)) {
          t.is(own.length, 0);
          continue;
        }
        taken++;
        const want = readOne(line);
        t.deepEqual({ bytes: own.finish(), usable: shape.usable }, want && { ...want }, line);
      }
    }
  }
  t.true(shapes > 400 && taken > 3000, `${shapes} shapes, ${taken} lines`);
});

test('a flow-mod whose last action goes beyond its end is printed as often as it comes', (t) => {
  // Of the address of set_dl_src, the last four bytes are not there.
  const hex = `010e005800000001${'00'.repeat(56)}ffffffffffff000000000008000100000004001011223344`;
  const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
  const printer = new MessagePrinter({ verbosity: 1 });
  const out = new ByteText();
  for (let i = 0; i < 20; i++) printer.print(bytes, 0, bytes.length, out);
  t.is(out.length, 20 * printMessage(bytes, { verbosity: 1 }).length);
});
