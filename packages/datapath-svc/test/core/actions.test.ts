import fc from 'fast-check';
import test from 'ava';
import { Act, CtAct, NatAttr } from '@ovs-node/netlink/action-attrs';
import { NetlinkError, type NlWriter } from '@ovs-node/netlink/attr';
import { KEY_ATTRS as K, NSH_KEY_ATTRS as N } from '@ovs-node/netlink/key-attrs';
import { compileActions } from '../../src/core/actions/compile.js';
import { Packet } from '../../src/core/packet.js';
import { Gso, PacketMeta } from '../../src/core/packet-meta.js';
import { DatapathCore } from '../../src/core/core.js';
import { HEADROOM } from '../../src/core/vport.js';
import { checksum, echo, eth, icmp, ip, ipPacket, tcp, tcpL4, udp, udpL4 } from './frames.js';
import { attrs, RecordingPort } from './kit.js';
import { completeChecksum } from '../../src/offload/checksum.js';

class Rig {
  readonly ports: RecordingPort[] = [];
  readonly core = new DatapathCore({
    ports: {
      create: () => {
        const port = new RecordingPort();
        this.ports.push(port);
        return port;
      },
    },
  });
  readonly dp = (() => {
    const dp = this.core.addDatapath('dp');
    if (typeof dp === 'number') throw new Error('no datapath');
    for (const name of ['p1', 'p2', 'p3']) {
      dp.addVport({ type: 1, name, portNo: null, options: null, upcallPids: new Uint32Array(0) });
    }
    return dp;
  })();

  /** Runs `actions` on a frame; what port N got is `ports[N]`. */
  run(hex: string, actions: Uint8Array, meta = new PacketMeta()): void {
    const frame = Buffer.from(hex, 'hex');
    const buf = new Uint8Array(HEADROOM + frame.length);
    buf.set(frame, HEADROOM);
    this.core.beginBatch(1);
    const p = this.dp.context(0);
    p.reset(buf, HEADROOM, buf.length, meta, 1);
    this.dp.execute(compileActions(actions, p.key), p, actions);
    this.core.endBatch();
  }

  /** The one frame that port 2 gets. */
  one(hex: string, fill: (w: NlWriter) => void, meta?: PacketMeta): Buffer {
    this.run(
      hex,
      attrs((w) => {
        fill(w);
        w.putU32(Act.OUTPUT, 2);
      }),
      meta,
    );
    const sent = this.ports[2].take();
    if (sent.length !== 1) throw new Error(`${sent.length} frames`);
    return Buffer.from(sent[0], 'hex');
  }
}

const set = (w: NlWriter, code: number, value: number[], mask?: number[]): void =>
  w.nested(mask === undefined ? Act.SET : Act.SET_MASKED, () => {
    const bytes = mask === undefined ? value : [...value.map((v, i) => v & mask[i]), ...mask];
    w.putBytes(code, Uint8Array.from(bytes));
  });

/** Whether all checksums of an untagged frame are right. */
function checksumsRight(frame: Buffer): boolean {
  const v6 = frame.readUInt16BE(12) === 0x86dd;
  const l3 = 14;
  const header = v6 ? 40 : (frame[l3] & 15) * 4;
  const total = v6 ? 40 + frame.readUInt16BE(l3 + 4) : frame.readUInt16BE(l3 + 2);
  if (!v6 && checksum(frame.subarray(l3, l3 + header)) !== 0) return false;
  const proto = v6 ? frame[l3 + 6] : frame[l3 + 9];
  const l4 = frame.subarray(l3 + header, l3 + total);
  if (proto === 17 && l4.readUInt16BE(6) === 0) return !v6;
  if (proto === 1) return checksum(l4) === 0;
  const addresses = v6 ? frame.subarray(l3 + 8, l3 + 40) : frame.subarray(l3 + 12, l3 + 20);
  const pseudo = Buffer.concat([
    addresses,
    Buffer.from([0, 0, l4.length >> 8, l4.length & 255, 0, 0, 0, proto]),
  ]);
  return checksum(Buffer.concat([pseudo, l4])) === 0;
}

const byte = fc.integer({ min: 0, max: 255 });
const bytes = (n: number): fc.Arbitrary<number[]> => fc.array(byte, { minLength: n, maxLength: n });
/** Value and mask, with all-zero and all-one masks likely. */
const masked = (n: number): fc.Arbitrary<[number[], number[]]> =>
  fc.tuple(
    bytes(n),
    fc.oneof(
      bytes(n),
      fc.constant(Array.from({ length: n }, () => 255)),
      fc.constant(Array.from({ length: n }, () => 0)),
    ),
  );

const FRAMES_V4 = [
  tcp({ src: '10.0.0.1', dst: '10.0.0.2', sport: 1, dport: 2, flags: 'PA', seq: 7, data: 33 }),
  udp('10.0.0.1', '10.0.0.2', 1, 2, 9),
  eth(ipPacket('10.0.0.1', '10.0.0.2', 17, [0, 1, 0, 2, 0, 12, 0, 0, 9, 9, 9, 9])),
  icmp('10.0.0.1', '10.0.0.2', 8, 0, echo(5)),
];
const FRAMES_V6 = [
  tcp({ src: 'fc00::1', dst: 'fc00::2', sport: 1, dport: 2, flags: 'PA', seq: 7, data: 33 }),
  udp('fc00::1', 'fc00::2', 1, 2, 9),
  icmp('fc00::1', 'fc00::2', 128, 0, echo(5)),
];

test('masked sets of IPv4 change just the masked bits and keep the checksums right', (t) => {
  const rig = new Rig();
  fc.assert(
    fc.property(fc.constantFrom(...FRAMES_V4), masked(10), (hex, [value, mask]) => {
      const full = (x: number[]): number[] => [...x.slice(0, 8), 0, x[8], x[9], 0];
      const out = rig.one(hex, (w) => set(w, K.IPV4.code, full(value), full(mask)));
      const before = Buffer.from(hex, 'hex');
      const want = Buffer.from(before);
      for (let i = 0; i < 8; i++) want[26 + i] = (before[26 + i] & ~mask[i]) | (value[i] & mask[i]);
      want[15] = (before[15] & ~mask[8]) | (value[8] & mask[8]);
      want[22] = (before[22] & ~mask[9]) | (value[9] & mask[9]);
      const plain = (b: Buffer): string => {
        const copy = Buffer.from(b);
        copy.fill(0, 24, 26);
        const at = { 6: 50, 17: 40, 1: 36 }[copy[23]]!;
        copy.fill(0, at, at + 2);
        return copy.toString('hex');
      };
      return plain(out) === plain(want) && checksumsRight(out);
    }),
  );
  t.pass();
});

test('masked sets of IPv6 and of ports keep the checksums right', (t) => {
  const rig = new Rig();
  fc.assert(
    fc.property(fc.constantFrom(...FRAMES_V6), masked(39), (hex, [value, mask]) => {
      const full = (x: number[]): number[] => [
        ...x.slice(0, 32),
        0,
        x[33] & 15,
        x[34],
        x[35],
        0,
        x[37],
        x[38],
        0,
      ];
      const out = rig.one(hex, (w) => set(w, K.IPV6.code, full(value), full(mask)));
      const before = Buffer.from(hex, 'hex');
      const right = (i: number, at: number): boolean =>
        out[at] === ((before[at] & ~full(mask)[i]) | (full(value)[i] & full(mask)[i]));
      for (let i = 0; i < 32; i++) if (!right(i, 22 + i)) return false;
      return right(38, 21) && out[14] >> 4 === 6 && checksumsRight(out);
    }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(FRAMES_V4[0], FRAMES_V4[1], FRAMES_V6[0], FRAMES_V6[1]),
      masked(4),
      (hex, [value, mask]) => {
        const frame = Buffer.from(hex, 'hex');
        const v6 = frame.readUInt16BE(12) === 0x86dd;
        const isTcp = frame[v6 ? 20 : 23] === 6;
        const out = rig.one(hex, (w) => set(w, isTcp ? K.TCP.code : K.UDP.code, value, mask));
        const l4 = v6 ? 54 : 34;
        for (let i = 0; i < 4; i++)
          if (out[l4 + i] !== ((frame[l4 + i] & ~mask[i]) | (value[i] & mask[i]))) return false;
        return checksumsRight(out);
      },
    ),
  );
  t.pass();
});

// What Open vSwitch 3.1 makes of it; there is padding behind.
test('ports of SCTP are set, and its checksum is as right as it was', (t) => {
  const rig = new Rig();
  const ipv4 = 'ffffffffffffaa550102030408004500002400000000ff84a7530a0000010a000002';
  const chunk = '0b00000400000000000000000000';
  const frame = `${ipv4}000500060000000006ee1d76${chunk}`;
  const out = rig.one(frame, (w) => set(w, K.SCTP.code, [0, 9, 0, 6]));
  t.is(out.toString('hex'), `${ipv4}0009000600000000e81f89df${chunk}`);
  const back = rig.one(out.toString('hex'), (w) => set(w, K.SCTP.code, [0, 5, 0, 0], [255, 255, 0, 0]));
  t.is(back.toString('hex'), frame);
  const wrong = rig.one(`${ipv4}000500060000000006ee1d77${chunk}`, (w) => set(w, K.SCTP.code, [0, 9, 0, 6]));
  t.is(wrong.toString('hex'), `${ipv4}0009000600000000e81f89de${chunk}`);
});

test('checksums that an offload completes are right when it does', (t) => {
  const rig = new Rig();
  fc.assert(
    fc.property(masked(8), masked(4), fc.boolean(), ([addresses, addressMask], [ports, portMask], isTcp) => {
      const proto = isTcp ? 6 : 17;
      const l4 = isTcp
        ? tcpL4({ src: '10.0.0.1', dst: '10.0.0.2', sport: 1, dport: 2, flags: 'A', seq: 1, data: 21 })
        : udpL4('10.0.0.1', '10.0.0.2', 1, 2, 21);
      const field = isTcp ? 16 : 6;
      const pseudo =
        ~checksum(Uint8Array.from([...ip('10.0.0.1'), ...ip('10.0.0.2'), 0, proto, 0, l4.length])) & 0xffff;
      l4[field] = pseudo >> 8;
      l4[field + 1] = pseudo & 255;
      const meta = new PacketMeta();
      meta.csumStart = 34;
      meta.csumOffset = field;
      const out = rig.one(
        eth(ipPacket('10.0.0.1', '10.0.0.2', proto, l4)),
        (w) => {
          const zeros = [0, 0, 0, 0];
          set(w, K.IPV4.code, [...addresses, ...zeros], [...addressMask, ...zeros]);
          set(w, isTcp ? K.TCP.code : K.UDP.code, ports, portMask);
          w.putBytes(Act.PUSH_VLAN, Uint8Array.of(0x81, 0, 0x10, 1));
        },
        meta,
      );
      const sent = rig.ports[2].metas.at(-1)!;
      if (sent.csumStart !== 38 || sent.csumOffset !== field) return false;
      const total = 18 + out.readUInt16BE(20);
      completeChecksum(out, sent.csumStart, total, sent.csumStart + sent.csumOffset);
      return checksumsRight(Buffer.concat([out.subarray(0, 12), out.subarray(16)]));
    }),
  );
  t.pass();
});

test('VLAN tags are pushed and popped, in the ring slot when nobody shares it', (t) => {
  const rig = new Rig();
  const frame = FRAMES_V4[0];
  const tagged = rig.one(frame, (w) => {
    w.putBytes(Act.PUSH_VLAN, Uint8Array.of(0x81, 0, 0x1f, 0xff));
    w.putBytes(Act.PUSH_VLAN, Uint8Array.of(0x88, 0xa8, 0x10, 0x02));
  });
  t.is(tagged.toString('hex'), `${frame.slice(0, 24)}88a80002${'81000fff'}${frame.slice(24)}`);
  t.is(
    rig
      .one(tagged.toString('hex'), (w) => (w.putFlag(Act.POP_VLAN), w.putFlag(Act.POP_VLAN)))
      .toString('hex'),
    frame,
  );
  t.is(rig.one(frame, (w) => w.putFlag(Act.POP_VLAN)).toString('hex'), frame);
  // More tags than there is headroom.
  const many = rig.one(frame, (w) => {
    for (let i = 0; i < 40; i++) w.putBytes(Act.PUSH_VLAN, Uint8Array.of(0x81, 0, 0x10, i));
  });
  t.is(many.length, frame.length / 2 + 160);
});

const pushMpls = (w: NlWriter, entry: number, type: number): void =>
  w.putBytes(
    Act.PUSH_MPLS,
    Uint8Array.of(entry >>> 24, entry >>> 16, entry >>> 8, entry, type >>> 8, type, 0, 0),
  );

test('label stack entries are pushed below the VLAN tags, set and popped', (t) => {
  const rig = new Rig();
  const [frame] = FRAMES_V4;
  const tag = '81000fff';
  const tagged = `${frame.slice(0, 24)}${tag}${frame.slice(24)}`;
  const rest = frame.slice(28);
  const labelled = rig.one(tagged, (w) => {
    pushMpls(w, 0x00064140, 0x8847);
    pushMpls(w, 0x00007040, 0x8848);
  });
  t.is(labelled.toString('hex'), `${frame.slice(0, 24)}${tag}8848${'00007040'}${'00064140'}${rest}`);
  const set7 = rig.one(labelled.toString('hex'), (w) => set(w, K.MPLS.code, [0, 0, 0, 7], [0, 0, 0, 255]));
  t.is(set7.toString('hex', 18, 26), '0000700700064140');
  const popped = rig.one(labelled.toString('hex'), (w) => {
    w.putBe16(Act.POP_MPLS, 0x8847);
    set(w, K.MPLS.code, [0xff, 0xff, 0xf1, 1]);
  });
  t.is(popped.toString('hex'), `${frame.slice(0, 24)}${tag}8847${'fffff101'}${rest}`);
  const bare = rig.one(labelled.toString('hex'), (w) => {
    w.putBe16(Act.POP_MPLS, 0x8847);
    w.putBe16(Act.POP_MPLS, 0x0800);
  });
  t.is(bare.toString('hex'), tagged);
  // Six bytes of a label stack that is cut short: the second entry is not there.
  const short = `${frame.slice(0, 24)}8847${'00064040'}0000`;
  t.is(
    rig
      .one(short, (w) => (w.putBe16(Act.POP_MPLS, 0x8847), set(w, K.MPLS.code, [1, 2, 3, 4])))
      .toString('hex'),
    `${frame.slice(0, 24)}88470000`,
  );
});

test('a giant frame is segmented before it gets a label, a truncation counted from its end', (t) => {
  const rig = new Rig();
  const frame = tcp({ src: '10.0.0.1', dst: '10.0.0.2', sport: 1, dport: 2, flags: 'PA', seq: 7, data: 250 });
  const meta = new PacketMeta();
  meta.gsoType = Gso.TCPV4;
  meta.gsoSize = 100;
  meta.hdrLen = 54;
  meta.csumStart = 34;
  meta.csumOffset = 16;
  rig.run(
    frame,
    attrs((w) => {
      pushMpls(w, 0x00064140, 0x8847);
      w.putU32(Act.OUTPUT, 2);
      w.putU32(Act.TRUNC, 60);
      w.putBytes(Act.PUSH_VLAN, Uint8Array.of(0x81, 0, 0x10, 1));
      w.putU32(Act.OUTPUT, 3);
    }),
    meta,
  );
  const sent = rig.ports[2].take().map((hex) => Buffer.from(hex, 'hex'));
  t.deepEqual(
    sent.map((each) => each.length),
    [158, 158, 108],
  );
  for (const each of sent) {
    t.is(each.toString('hex', 12, 18), '884700064140');
    t.true(checksumsRight(Buffer.concat([each.subarray(0, 12), Buffer.of(8, 0), each.subarray(18)])));
  }
  t.deepEqual(
    rig.ports[3].take().map((hex) => hex.length / 2),
    [64, 64, 64],
  );
});

const NSH_BASE = [1, 63, 1, 3, 0, 0, 1, 255];
const pushNsh = (w: NlWriter, context: number[], base = NSH_BASE): void =>
  w.nested(Act.PUSH_NSH, () => {
    w.putBytes(N.BASE.code, Uint8Array.from(base));
    w.putBytes(base[2] === 1 ? N.MD1.code : N.MD2.code, Uint8Array.from(context));
  });
const pushEth = (w: NlWriter): void =>
  w.putBytes(Act.PUSH_ETH, Uint8Array.of(0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 8));
const OUTER = '000000000008000000000009';

test('service headers are pushed, set and popped, more than there is headroom for too', (t) => {
  const rig = new Rig();
  const [frame] = FRAMES_V4;
  const ones = Array.from({ length: 16 }, () => 1);
  const wrapped = rig.one(frame, (w) => {
    pushNsh(w, ones);
    w.nested(Act.SET_MASKED, () =>
      w.nested(K.NSH.code, () => {
        w.putBytes(N.BASE.code, Uint8Array.of(0, 9, 0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 0, 0, 0, 0));
        w.putBytes(
          N.MD1.code,
          Uint8Array.from([...ones.map(() => 0), ...ones.map((_, i) => (i < 4 ? 255 : 0))]),
        );
      }),
    );
    pushEth(w);
  });
  const header = '12460103000001ff';
  t.is(wrapped.toString('hex'), `${OUTER}894f${header}${'00000000'}${'01'.repeat(12)}${frame}`);
  const back = rig.one(wrapped.toString('hex'), (w) => {
    w.putFlag(Act.POP_ETH);
    w.putFlag(Act.POP_NSH);
  });
  t.is(back.toString('hex'), frame);
  const context = Array.from({ length: 248 }, (_, i) => i);
  const long = rig.one(frame, (w) => {
    pushNsh(w, context, [0, 1, 2, 9, 0, 0, 0, 0]);
    pushNsh(w, [], [0, 1, 2, 9, 0, 0, 0, 0]);
    pushEth(w);
  });
  t.is(long.length, 14 + 8 + 256 + frame.length / 2);
  t.is(long.toString('hex', 12, 22), '894f0042020400000000', 'what follows is said by the packet');
  t.is(long.toString('hex', 30, 278), Buffer.from(context).toString('hex'));
});

test('a packet without Ethernet header is changed by its type, and goes out of no port', (t) => {
  const rig = new Rig();
  const [frame] = FRAMES_V4;
  const out = rig.one(frame, (w) => {
    w.putU32(Act.OUTPUT, 1);
    w.putFlag(Act.POP_ETH);
    w.putU32(Act.OUTPUT, 3);
    set(w, K.IPV4.code, [9, 9, 9, 9, 8, 8, 8, 8, 6, 0, 64, 0]);
    w.nested(Act.CLONE, () => w.putBytes(Act.ADD_MPLS, Uint8Array.of(0, 0, 1, 9, 0x88, 0x47, 0, 0)));
    pushEth(w);
  });
  t.deepEqual(rig.ports[1].take(), [frame]);
  t.deepEqual(rig.ports[3].take(), []);
  t.is(rig.dp.drops.notEthernet, 1);
  t.true(checksumsRight(out));
  t.is(out.toString('hex', 0, 14), `${OUTER}0800`);
  t.is(out.toString('hex', 26, 34), '0909090908080808');
  const labelled = rig.one(frame, (w) => {
    w.putBytes(Act.ADD_MPLS, Uint8Array.of(0, 0, 1, 9, 0x88, 0x47, 0, 0));
    pushEth(w);
  });
  t.is(labelled.toString('hex'), `${OUTER}8847${'00000109'}${frame}`);
  const below = rig.one(frame, (w) => w.putBytes(Act.ADD_MPLS, Uint8Array.of(0, 0, 1, 9, 0x88, 0x47, 1, 0)));
  t.is(below.toString('hex'), `${frame.slice(0, 24)}8847${'00000109'}${frame.slice(28)}`);
});

test('trunc cuts the next output only, clone and sample change nothing outside', (t) => {
  const rig = new Rig();
  const frame = FRAMES_V4[0];
  rig.run(
    frame,
    attrs((w) => {
      w.putU32(Act.TRUNC, 20);
      w.putU32(Act.OUTPUT, 1);
      w.nested(Act.CLONE, () => {
        set(w, K.ETHERNET.code, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
        w.putU32(Act.OUTPUT, 3);
      });
      w.nested(Act.SAMPLE, () => {
        w.putU32(1, 0xffffffff);
        w.nested(2, () => w.putFlag(Act.POP_VLAN));
      });
      w.putU32(Act.OUTPUT, 2);
    }),
  );
  t.deepEqual(rig.ports[1].take(), [frame.slice(0, 40)]);
  t.deepEqual(rig.ports[2].take(), [frame]);
  t.deepEqual(rig.ports[3].take(), [`020202020202010101010101${frame.slice(24)}`]);
});

test('the headers after a set are those that a later action sees', (t) => {
  const rig = new Rig();
  const out = rig.one(FRAMES_V4[0], (w) => {
    w.putU32(Act.OUTPUT, 1);
    set(w, K.ETHERNET.code, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
    w.putBytes(Act.PUSH_VLAN, Uint8Array.of(0x81, 0, 0x10, 1));
    set(w, K.IPV4.code, [9, 9, 9, 9, 8, 8, 8, 8, 6, 0, 64, 0]);
    w.putFlag(Act.POP_VLAN);
    set(w, K.TCP.code, [0, 99, 0, 98]);
  });
  t.deepEqual(rig.ports[1].take(), [FRAMES_V4[0]]);
  t.true(checksumsRight(out));
  t.is(out.toString('hex', 26, 38), '090909090808080800630062');
});

const refusals: [string, (w: NlWriter) => void, RegExp][] = [
  ['unknown action', (w) => w.putU32(99, 1), /unknown action 99/],
  ['short output', (w) => w.putU16(Act.OUTPUT, 1), /OUTPUT has length 2/],
  ['large port', (w) => w.putU32(Act.OUTPUT, 70000), /70000 is too large/],
  ['userspace without pid', (w) => w.nested(Act.USERSPACE, () => w.putBytes(2, Uint8Array.of(1))), /PID/],
  ['push_vlan of no VLAN type', (w) => w.putBytes(Act.PUSH_VLAN, Uint8Array.of(8, 0, 0x10, 1)), /0x800/],
  ['push_vlan without CFI', (w) => w.putBytes(Act.PUSH_VLAN, Uint8Array.of(0x81, 0, 0, 1)), /CFI/],
  ['set of another protocol', (w) => set(w, K.UDP.code, [0, 1, 0, 2]), /protocol/],
  [
    'set of the IP protocol',
    (w) => set(w, K.IPV4.code, [1, 1, 1, 1, 2, 2, 2, 2, 17, 0, 64, 0]),
    /protocol cannot be changed/,
  ],
  [
    'set of IPv6 in IPv4',
    (w) =>
      set(
        w,
        K.IPV6.code,
        Array.from({ length: 40 }, () => 0),
      ),
    /Ethernet type/,
  ],
  [
    'value outside of mask',
    (w) => w.nested(Act.SET_MASKED, () => w.putBytes(K.ETHERNET.code, new Uint8Array(24).fill(1, 0, 12))),
    /outside of its mask/,
  ],
  [
    'two fields in a set',
    (w) => w.nested(Act.SET, () => (w.putU32(K.PRIORITY.code, 1), w.putU32(K.SKB_MARK.code, 1))),
    /more than one/,
  ],
  [
    'ct with nat to an address',
    (w) => w.nested(Act.CT, () => w.nested(CtAct.NAT, () => w.putFlag(NatAttr.SRC))),
    /nat is not supported/,
  ],
  [
    'ct with a timeout policy',
    (w) => w.nested(Act.CT, () => w.putString(CtAct.TIMEOUT, 'slow')),
    /timeout policies are not supported/,
  ],
  [
    'ct with an unknown helper',
    (w) => w.nested(Act.CT, () => w.putString(CtAct.HELPER, 'sip')),
    /unknown helper/,
  ],
  [
    'ct mark without commit',
    (w) => w.nested(Act.CT, () => w.putBytes(CtAct.MARK, new Uint8Array(8).fill(1))),
    /requires commit/,
  ],
  ['push_mpls of no MPLS type', (w) => pushMpls(w, 0x140, 0x800), /0x800/],
  ['pop_mpls of IPv4', (w) => w.putBe16(Act.POP_MPLS, 0x800), /does not match MPLS/],
  ['set of a label in IPv4', (w) => set(w, K.MPLS.code, [0, 0, 1, 1]), /does not match MPLS/],
  [
    'set of an IPv4 field above a label',
    (w) => (pushMpls(w, 0x140, 0x8847), set(w, K.IPV4.code, [1, 1, 1, 1, 2, 2, 2, 2, 6, 0, 64, 0])),
    /Ethernet type/,
  ],
  [
    'set of two labels',
    (w) => (pushMpls(w, 0x140, 0x8847), set(w, K.MPLS.code, [0, 0, 0, 0, 0, 0, 1, 1])),
    /length 8/,
  ],
  ['push_eth before an Ethernet header', (w) => pushEth(w), /has an Ethernet header/],
  ['pop_eth twice', (w) => (w.putFlag(Act.POP_ETH), w.putFlag(Act.POP_ETH)), /no Ethernet header/],
  [
    'push_vlan without an Ethernet header',
    (w) => (w.putFlag(Act.POP_ETH), w.putBytes(Act.PUSH_VLAN, Uint8Array.of(0x81, 0, 0x10, 1))),
    /no Ethernet header/,
  ],
  ['push_nsh of unknown metadata', (w) => pushNsh(w, [], [0, 1, 3, 3, 0, 0, 0, 0]), /unknown type 3/],
  ['push_nsh without its metadata', (w) => pushNsh(w, [1, 2, 3, 4]), /16 bytes/],
  ['push_nsh with uneven metadata', (w) => pushNsh(w, [1, 2, 3], [0, 1, 2, 3, 0, 0, 0, 0]), /3 bytes/],
  ['pop_nsh of IPv4', (w) => w.putFlag(Act.POP_NSH), /does not begin/],
  [
    'set of NSH in IPv4',
    (w) => w.nested(Act.SET, () => w.nested(K.NSH.code, () => undefined)),
    /does not match NSH/,
  ],
  [
    'set of what a service header carries',
    (w) => {
      pushNsh(
        w,
        Array.from({ length: 16 }, () => 0),
      );
      w.nested(Act.SET_MASKED, () =>
        w.nested(K.NSH.code, () =>
          w.putBytes(N.BASE.code, Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])),
        ),
      );
    },
    /types cannot be changed/,
  ],
  ['trunc below a header', (w) => w.putU32(Act.TRUNC, 13), /13 bytes/],
  ['hash of unknown algorithm', (w) => w.putBytes(Act.HASH, new Uint8Array(8).fill(9)), /unknown algorithm/],
  [
    'nested too deep',
    (w) => {
      const nest = (n: number): void => w.nested(Act.CLONE, () => (n > 0 ? nest(n - 1) : undefined));
      nest(17);
    },
    /nested more than/,
  ],
];
for (const [name, fill, reason] of refusals) {
  test(`refused: ${name}`, (t) => {
    const p = new Packet();
    const frame = Buffer.from(FRAMES_V4[0], 'hex');
    p.reset(frame, 0, frame.length, new PacketMeta(), 1);
    const error = t.throws(() => compileActions(attrs(fill), p.key), { instanceOf: NetlinkError });
    t.regex(error!.message, reason);
    t.is(error!.errno, error!.message.endsWith('not supported by this datapath yet') ? 95 : 22);
  });
}

test('whatever the bytes, actions are compiled or refused, and run without harm', (t) => {
  const rig = new Rig();
  const action = fc.tuple(fc.integer({ min: 0, max: 26 }), fc.uint8Array({ maxLength: 48 }));
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 6 }),
      fc.constantFrom(...FRAMES_V4, ...FRAMES_V6),
      (list, hex) => {
        const actions = attrs((w) => {
          for (const [type, payload] of list) w.putBytes(type, payload);
        });
        try {
          rig.run(hex, actions);
        } catch (error) {
          if (!(error instanceof NetlinkError)) throw error;
          rig.core.endBatch();
        }
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});
