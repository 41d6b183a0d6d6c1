import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { checkoutRoot } from '@ovs-node/common/testkit/index';
import type { CtAction } from '../../src/core/actions/program.js';
import { Conntrack } from '../../src/core/conntrack/conntrack.js';
import { entryValue } from '../../src/core/conntrack/entry.js';
import { helperNumber } from '../../src/core/conntrack/helpers.js';
import { E, STRIDE, T, TIMES, X } from '../../src/core/conntrack/table.js';
import { P } from '../../src/core/conntrack/tcp.js';
import { DropCounters } from '../../src/core/drops.js';
import { Packet } from '../../src/core/packet.js';
import { PacketMeta } from '../../src/core/packet-meta.js';
import { HEADROOM } from '../../src/core/vport.js';
import { CT, W } from '@ovs-node/flow/layout';
import { PeerTcpState } from '@ovs-node/netlink/conntrack-attrs';
import { SEQUENCES } from './conntrack-sequences.js';
import { echo, eth, icmpL4, ipPacket, tcp, tcpL4, udp, udpL4 } from './frames.js';

const STATES = Object.keys(PeerTcpState);
const NAMES: Record<number, string> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' };

const ct = (more: Partial<CtAction> = {}): CtAction => ({
  commit: false,
  force: false,
  nat: false,
  zone: 5,
  helper: 0,
  markValue: 0,
  markMask: 0,
  label: null,
  labelMask: null,
  ...more,
});

function packet(hex: string): Packet {
  const frame = Buffer.from(hex, 'hex');
  const buf = new Uint8Array(HEADROOM + frame.length);
  buf.set(frame, HEADROOM);
  const p = new Packet();
  p.reset(buf, HEADROOM, buf.length, new PacketMeta(), 1);
  return p;
}

function address(words: Uint32Array, first: number, rest: number, v6: boolean): string {
  if (!v6) return [24, 16, 8, 0].map((s) => (words[first] >>> s) & 255).join('.');
  const all = [words[first], words[rest], words[rest + 1], words[rest + 2]].flatMap((w) => [
    w >>> 16,
    w & 0xffff,
  ]);
  return all
    .map((g) => g.toString(16))
    .join(':')
    .replace(/(^|:)0(:0)+(:|$)/, '::');
}

/** As the peer's `dpctl/dump-conntrack -s`. */
function dump(c: Conntrack, now: number): string[] {
  const { words, times } = c.table;
  return c.table
    .entries()
    .filter(({ entry }) => times[entry * TIMES + X.EXPIRY] > now)
    .map(({ entry }) => {
      const side = (at: number): string => {
        const meta = words[at];
        const v6 = (meta & 0xff) === 1;
        const proto = (meta >>> 8) & 0xff;
        const ports = words[at + T.PORTS];
        const l4 =
          proto === 1 || proto === 58
            ? `id=${ports >>> 16},type=${(ports >>> 8) & 255},code=${ports & 255}`
            : `sport=${ports >>> 16},dport=${ports & 0xffff}`;
        return `(src=${address(words, at + T.SRC, at + T.SRC6, v6)},dst=${address(words, at + T.DST, at + T.DST6, v6)},${l4})`;
      };
      const at = entry * STRIDE;
      const proto = (words[at] >>> 8) & 0xff;
      const state = Math.max(words[at + E.PEER0 + P.STATE] >>> 8, words[at + E.PEER1 + P.STATE] >>> 8);
      // The short form of the dump says TIME_WAIT for FIN_WAIT_2.
      const name = STATES[state === 9 ? 10 : state];
      const left = Math.floor((times[entry * TIMES + X.EXPIRY] - now) / 1000);
      return (
        `${NAMES[proto] ?? proto},orig=${side(at)},reply=${side(at + E.REPLY)},zone=${words[at] >>> 16},timeout=${left}` +
        (proto === 6 ? `,protoinfo=(state=${name})` : '')
      );
    })
    .sort();
}

interface Expected {
  states: number[];
  dump: string[];
}
const FIXTURE = path.join(checkoutRoot(), 'packages/datapath-svc/test/core/fixtures/conntrack-peer.json');
/** What the peer said to the same frames; `conntrack-peer.test.ts` asks it again. */
const expected = JSON.parse(fs.readFileSync(FIXTURE, 'utf8')) as Record<string, Expected>;

for (const [name, steps] of SEQUENCES) {
  test(`as the peer: ${name}`, (t) => {
    const c = new Conntrack(1234);
    const drops = new DropCounters();
    let now = 1e6;
    const states: number[] = [];
    for (const step of steps) {
      if ('warp' in step) {
        now += step.warp;
        c.sweep(now);
        continue;
      }
      const p = packet(step.frame);
      c.track(p, ct(), now, drops);
      states.push(p.key[W.CT_STATE]);
      if ((p.key[W.CT_STATE] & CT.NEW) !== 0) c.track(p, ct({ commit: true }), now, drops);
    }
    t.deepEqual({ states, dump: dump(c, now) }, expected[name]);
  });
}

test('commit without a look-up before makes the connection, zones are apart', (t) => {
  const c = new Conntrack(1);
  const drops = new DropCounters();
  const p = packet(udp('10.0.0.1', '10.0.0.2', 1, 2));
  c.track(p, ct({ commit: true, zone: 1 }), 0, drops);
  t.is(p.key[W.CT_STATE], CT.TRK | CT.NEW);
  t.is(p.key[W.CT_ZONE], (1 << 16) | 17);
  const q = packet(udp('10.0.0.2', '10.0.0.1', 2, 1));
  c.track(q, ct({ zone: 2 }), 0, drops);
  t.is(q.key[W.CT_STATE], CT.TRK | CT.NEW);
  c.track(q, ct({ zone: 1 }), 0, drops);
  t.is(q.key[W.CT_STATE], CT.TRK | CT.EST | CT.RPL);
  t.is(q.key[W.CT_NW_SRC], 0x0a000001);
  t.is(q.key[W.CT_TP], (1 << 16) | 2);
});

test('associations of SCTP are told apart by their ports', (t) => {
  const c = new Conntrack(1);
  const drops = new DropCounters();
  const seen = (from: string, to: string, sport: number, dport: number, commit = false): number => {
    const p = packet(
      eth(ipPacket(from, to, 132, [0, sport, 0, dport, ...Array.from({ length: 28 }, () => 0)])),
    );
    c.track(p, ct({ commit }), 0, drops);
    return p.key[W.CT_STATE];
  };
  t.is(seen('10.0.0.1', '10.0.0.2', 7, 8, true), CT.TRK | CT.NEW);
  t.is(seen('10.0.0.2', '10.0.0.1', 8, 7), CT.TRK | CT.EST | CT.RPL);
  t.is(seen('10.0.0.2', '10.0.0.1', 9, 7), CT.TRK | CT.NEW);
});

test('a connection keeps the helper that it was made with', (t) => {
  const c = new Conntrack(1);
  const drops = new DropCounters();
  const ftp = helperNumber('ftp');
  const p = (): Packet => packet(udp('10.0.0.1', '10.0.0.2', 1, 2));
  const helper = (): string => entryValue(c, 0, 0).helper;
  c.track(p(), ct({ helper: ftp }), 0, drops);
  t.is(c.table.count, 0);
  c.track(p(), ct({ commit: true, helper: ftp }), 0, drops);
  t.is(helper(), 'ftp');
  c.track(packet(udp('10.0.0.2', '10.0.0.1', 2, 1)), ct(), 0, drops);
  c.track(p(), ct({ commit: true, helper: helperNumber('tftp') }), 0, drops);
  t.is(helper(), 'ftp');
  c.flush(null);
  c.track(p(), ct({ commit: true }), 0, drops);
  t.is(helper(), '');
});

test('mark and labels are set under their masks, and read by both directions', (t) => {
  const c = new Conntrack(1);
  const drops = new DropCounters();
  const p = packet(udp('10.0.0.1', '10.0.0.2', 1, 2));
  c.track(
    p,
    ct({
      commit: true,
      markValue: 0xaabb,
      markMask: 0xff00,
      label: Uint32Array.of(1, 2, 3, 4),
      labelMask: Uint32Array.of(0, 0xffffffff, 0, 0xffffffff),
    }),
    0,
    drops,
  );
  t.is(p.key[W.CT_MARK], 0xaa00);
  const q = packet(udp('10.0.0.2', '10.0.0.1', 2, 1));
  c.track(q, ct(), 0, drops);
  t.is(q.key[W.CT_MARK], 0xaa00);
  t.deepEqual([...q.key.subarray(W.CT_LABEL, W.CT_LABEL + 4)], [0, 2, 0, 4]);
});

test('force turns a connection round', (t) => {
  const c = new Conntrack(1);
  const drops = new DropCounters();
  c.track(packet(udp('10.0.0.1', '10.0.0.2', 1, 2)), ct({ commit: true }), 0, drops);
  const q = packet(udp('10.0.0.2', '10.0.0.1', 2, 1));
  c.track(q, ct({ commit: true, force: true }), 0, drops);
  t.is(q.key[W.CT_STATE], CT.TRK | CT.NEW);
  t.is(c.table.count, 1);
  t.regex(dump(c, 0)[0], /^udp,orig=\(src=10.0.0.2/);
});

test('the table is bounded, and expired connections make room', (t) => {
  const c = new Conntrack(1);
  c.maxConnections = 100;
  const drops = new DropCounters();
  for (let port = 1; port <= 150; port++)
    c.track(packet(udp('10.0.0.1', '10.0.0.2', port, 2)), ct({ commit: true }), 0, drops);
  t.is(c.table.count, 100);
  t.is(drops.ctFull, 50);
  c.sweep(60_001);
  t.is(c.table.count, 0);
});

test('entries survive growth, removal and reuse of the table', (t) => {
  const c = new Conntrack(99);
  const drops = new DropCounters();
  const src = (i: number): string => `10.${(i >> 12) & 15}.${(i >> 6) & 63}.${i & 63}`;
  const N = 5000;
  for (let i = 0; i < N; i++)
    c.track(packet(udp(src(i), '11.0.0.2', 1000, 2)), ct({ commit: true }), 0, drops);
  t.is(c.table.count, N);
  for (const { entry } of c.table.entries()) if (entry % 3 === 0) c.table.remove(entry);
  let found = 0;
  for (let i = 0; i < N; i++) {
    const p = packet(udp('11.0.0.2', src(i), 2, 1000));
    c.track(p, ct(), 0, drops);
    if ((p.key[W.CT_STATE] & CT.EST) !== 0) found++;
  }
  t.is(found, c.table.count);
  c.flush(null);
  t.is(c.table.count, 0);
});

/** The packet's fragments, in frames: `size` bytes of payload in the first. */
function fragments(packet: number[], size: number): string[] {
  const v6 = packet[0] >> 4 === 6;
  const header = v6 ? 40 : 20;
  const payload = packet.slice(header);
  const parts = [payload.slice(0, size), payload.slice(size)];
  return parts.map((part, i) => {
    const offset = i === 0 ? 0 : size / 8;
    if (!v6) {
      const src = packet.slice(12, 16).join('.');
      const dst = packet.slice(16, 20).join('.');
      return eth(ipPacket(src, dst, packet[9], part, (i === 0 ? 0x2000 : 0) | offset));
    }
    const more = (offset << 3) | (i === 0 ? 1 : 0);
    const frag = [packet[6], 0, more >> 8, more & 255, 0, 0, 0x12, 0x34, ...part];
    const head = packet.slice(0, 40);
    head[4] = frag.length >> 8;
    head[5] = frag.length & 255;
    head[6] = 44;
    return eth([...head, ...frag]);
  });
}

const PAIRS = {
  'UDP over IPv4': [
    ipPacket('10.0.0.1', '10.0.0.2', 17, udpL4('10.0.0.1', '10.0.0.2', 1, 2, 100)),
    ipPacket('10.0.0.2', '10.0.0.1', 17, udpL4('10.0.0.2', '10.0.0.1', 2, 1, 100)),
  ],
  'UDP over IPv6': [
    ipPacket('fc00::1', 'fc00::2', 17, udpL4('fc00::1', 'fc00::2', 1, 2, 100)),
    ipPacket('fc00::2', 'fc00::1', 17, udpL4('fc00::2', 'fc00::1', 2, 1, 100)),
  ],
  ping: [
    ipPacket(
      '10.0.0.1',
      '10.0.0.2',
      1,
      icmpL4('10.0.0.1', '10.0.0.2', 8, 0, [...echo(7), ...Array.from({ length: 90 }, () => 1)]),
    ),
    ipPacket(
      '10.0.0.2',
      '10.0.0.1',
      1,
      icmpL4('10.0.0.2', '10.0.0.1', 0, 0, [...echo(7), ...Array.from({ length: 90 }, () => 1)]),
    ),
  ],
};
for (const [name, [request, reply]] of Object.entries(PAIRS)) {
  test(`fragments in order follow their connection: ${name}`, (t) => {
    const c = new Conntrack(5);
    const drops = new DropCounters();
    const states: number[] = [];
    const see = (hex: string, now = 0): void => {
      const p = packet(hex);
      c.track(p, ct({ commit: true }), now, drops);
      states.push(p.key[W.CT_STATE]);
    };
    const [first, later] = fragments(request, 56);
    see(later);
    see(first);
    see(later);
    for (const hex of fragments(reply, 56)) see(hex);
    see(first);
    see(later);
    see(later, 15_000);
    t.deepEqual(states, [0x30, 0x21, 0x21, 0x2a, 0x2a, 0x22, 0x22, 0x30]);
    t.is(c.table.count, 1);
  });
}

test('later fragments of TCP follow an open connection, and open none', (t) => {
  const c = new Conntrack(5);
  const drops = new DropCounters();
  const see = (hex: string): number => {
    const p = packet(hex);
    c.track(p, ct({ commit: true }), 0, drops);
    return p.key[W.CT_STATE];
  };
  const segment = (flags: string, more: object): string =>
    tcp({ src: '10.0.0.1', dst: '10.0.0.2', sport: 1, dport: 2, flags, seq: 1, ...more });
  t.is(see(segment('S', {})), 0x21);
  t.is(see(tcp({ src: '10.0.0.2', dst: '10.0.0.1', sport: 2, dport: 1, flags: 'SA', seq: 9, ack: 2 })), 0x2a);
  const data = tcpL4({
    src: '10.0.0.1',
    dst: '10.0.0.2',
    sport: 1,
    dport: 2,
    flags: 'A',
    seq: 2,
    ack: 10,
    data: 100,
  });
  const frames = fragments(ipPacket('10.0.0.1', '10.0.0.2', 6, data), 56);
  t.deepEqual(frames.map(see), [0x22, 0x22]);
  c.flush(null);
  t.is(see(frames[1]), 0x30);
});
