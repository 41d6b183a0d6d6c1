import test from 'ava';
import fc from 'fast-check';
import { ETH_TYPE_NONE, type FlowKey, VLAN_CFI, W, newKey } from '@ovs-node/flow/layout';
import { NetlinkError, NlWriter } from '../src/attr.js';
import {
  completeMask,
  decodeKey,
  decodeMask,
  decodeMatch,
  encodeKey,
  encodeMask,
  exactMask,
  keyOf,
  USERSPACE_ENCODING,
} from '../src/key.js';

const u32 = fc.integer({ min: 0, max: 0xffffffff });

/** Keys as extraction makes them: only the fields that the protocols named in them have. */
const keys: fc.Arbitrary<FlowKey> = fc
  .record({
    words: fc.array(u32, { minLength: 99, maxLength: 99 }),
    // Those of VLANs: the frame ends within a tag, or has another behind two.
    ethType: fc.constantFrom(
      ETH_TYPE_NONE,
      0x0800,
      0x86dd,
      0x0806,
      0x8035,
      0x8847,
      0x894f,
      0x88cc,
      0x8100,
      0x88a8,
    ),
    proto: fc.constantFrom(1, 2, 6, 17, 58, 132),
    frag: fc.constantFrom(0, 1, 3),
    vlans: fc.integer({ min: 0, max: 2 }),
    tunnel: fc.constantFrom(0, 4, 6),
    ct: fc.constantFrom(0, 4, 6),
    nd: fc.boolean(),
    labels: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ words, ethType, proto, frag, vlans, tunnel, ct, nd, labels }) => {
    const key = newKey();
    const copy = (word: number, n = 1): void => key.set(words.slice(word, word + n), word);
    copy(W.IN_PORT, 2);
    copy(W.ETH, 3);
    key[W.ETH_TYPE] = ethType << 16;
    for (let i = 0; i < vlans; i++)
      key[W.VLAN0 + i] = (0x81000000 | (words[W.VLAN0 + i]! & 0xffff) | VLAN_CFI) >>> 0;
    key[W.CT_STATE] = words[W.CT_STATE]! & 0xff;
    key[W.CT_ZONE] = words[W.CT_ZONE]! & 0xffff0000;
    copy(W.CT_MARK, 5);
    copy(W.SKB_PRIORITY, 3);
    if (ct !== 0) {
      key[W.CT_ZONE]! |= 6;
      copy(W.CT_TP);
      if (ct === 4) copy(W.CT_NW_SRC, 2);
      else copy(W.CT_IPV6_SRC, 8);
      if (ct === 6) key[W.CT_IPV6_SRC]! |= 1;
    }
    if (tunnel !== 0) {
      copy(W.TUN_ID, 2);
      key[W.TUN_FLAGS] = words[W.TUN_FLAGS]! & 0x0007ffff;
      key[W.TUN_FLAGS]! |= 8 << 16;
      copy(W.TUN_TP);
      if (tunnel === 4) {
        key[W.TUN_DST] = 0x0a000001;
        copy(W.TUN_SRC);
      } else {
        copy(W.TUN_IPV6_SRC, 8);
        key[W.TUN_IPV6_DST]! |= 1;
      }
    }
    if (ethType === 0x8847) {
      for (let i = 0; i < labels; i++)
        key[W.MPLS + i] = (words[W.MPLS + i]! & ~0x100) | (i === labels - 1 ? 0x100 : 0);
    } else if (ethType === 0x894f) {
      copy(W.NSH, 6);
      key[W.NSH] = (key[W.NSH]! & 0xffff00ff) | 0x100;
    } else if (ethType === 0x0806 || ethType === 0x8035) {
      key[W.NW] = words[W.NW]! & 0xff000000;
      copy(W.NW_SRC, 2);
      copy(W.ARP_HW, 3);
    } else if (ethType === 0x0800 || ethType === 0x86dd) {
      key[W.NW] = ((proto << 24) | (words[W.NW]! & 0x00ffff00) | frag) >>> 0;
      if (ethType === 0x0800) copy(W.NW_SRC, 2);
      else {
        copy(W.IPV6_SRC, 8);
        key[W.IPV6_LABEL] = words[W.IPV6_LABEL]! & 0xfffff;
      }
      const icmp = (proto === 1 && ethType === 0x0800) || (proto === 58 && ethType === 0x86dd);
      if (frag !== 3 && icmp) key[W.TP] = words[W.TP]! & 0x00ff00ff;
      else if (frag !== 3 && (proto === 6 || proto === 17 || proto === 132)) copy(W.TP);
      if (frag !== 3 && proto === 6) key[W.ETH_TYPE]! |= words[W.ETH_TYPE]! & 0xfff;
      if (frag !== 3 && icmp && ethType === 0x86dd && nd) {
        key[W.TP] = 135 << 16;
        copy(W.ND_TARGET, 4);
        copy(W.ARP_HW, 3);
      } else if (frag !== 3 && icmp && (key[W.TP]! & 0xffff) === 0) key[W.TP]! |= 1;
    }
    return key;
  });

test('a key survives encoding and decoding', (t) => {
  const w = new NlWriter();
  fc.assert(
    fc.property(keys, (key) => {
      encodeKey(w.reset(), key);
      t.deepEqual(keyOf(w.bytes()), key);
    }),
    { numRuns: 500 },
  );
});

test('the exact mask survives, and no mask at all means it', (t) => {
  const w = new NlWriter();
  fc.assert(
    fc.property(keys, (key) => {
      const exact = newKey();
      exactMask(key, exact);
      encodeKey(w.reset(), key, USERSPACE_ENCODING);
      const keyAttrs = w.bytes();
      encodeMask(w.reset(), key, exact, USERSPACE_ENCODING);
      const mask = newKey();
      decodeMask(w.buf, 0, w.length, key, mask);
      t.deepEqual(mask, exact);
      const match = decodeMatch(keyAttrs, undefined);
      t.deepEqual(match.mask, exact);
      t.deepEqual(match.key, key, 'the exact mask covers every field of the key');
    }),
    { numRuns: 500 },
  );
});

test('a mask that the key allows survives', (t) => {
  const w = new NlWriter();
  fc.assert(
    fc.property(keys, fc.array(u32, { minLength: 99, maxLength: 99 }), (key, random) => {
      const exact = newKey();
      exactMask(key, exact);
      const mask = exact.map((bits, i) => bits & random[i]!) as FlowKey;
      // What a mask cannot leave out (see the head of key.ts).
      mask[W.RECIRC_ID] = 0xffffffff;
      mask[W.ETH_TYPE] = (mask[W.ETH_TYPE]! | 0xffff0000) >>> 0;
      mask[W.NW] = (mask[W.NW]! | (exact[W.NW]! & 0xff000003)) >>> 0;
      const isIcmp = exact[W.TP] !== 0 && [1, 58].includes(key[W.NW]! >>> 24);
      if (isIcmp) mask[W.TP]! &= 0x00ff00ff;
      completeMask(key, mask);
      mask[W.TUN_FLAGS] = (mask[W.TUN_FLAGS]! & 0x000fffff) | (exact[W.TUN_FLAGS]! & 0x00080000);
      encodeMask(w.reset(), key, mask);
      const out = newKey();
      decodeMask(w.buf, 0, w.length, key, out);
      mask[W.PACKET_TYPE] = 0;
      // Type and code of ICMP have 8 bits of the 16.
      if (isIcmp) out[W.TP]! &= 0x00ff00ff;
      t.deepEqual(out, mask);
    }),
    { numRuns: 500 },
  );
});

test('random bytes never make the decoder throw anything but NetlinkError', (t) => {
  const key = newKey();
  let refused = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeKey(bytes, 0, bytes.length, key);
      } catch (e) {
        if (!(e instanceof NetlinkError)) throw e;
        refused++;
      }
    }),
    { numRuns: 2000 },
  );
  t.true(refused > 0);
});

test('a damaged key never makes the decoder throw anything but NetlinkError', (t) => {
  const w = new NlWriter();
  const out = newKey();
  fc.assert(
    fc.property(keys, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (key, where, value, cut) => {
      encodeKey(w.reset(), key);
      const bytes = w.bytes();
      bytes[where % bytes.length] = value;
      const end = bytes.length - (cut % 8);
      try {
        decodeKey(bytes, 0, end, out);
        decodeMask(bytes, 0, end, key, out);
      } catch (e) {
        if (!(e instanceof NetlinkError)) throw e;
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('a key that lacks or exceeds what its fields call for is refused with the reason', (t) => {
  const refuse = (build: (w: NlWriter) => void, message: string): void => {
    const w = new NlWriter();
    build(w);
    const error = t.throws(() => keyOf(w.bytes()), { instanceOf: NetlinkError });
    t.is(error.errno, 22);
    t.is(error.message, message);
  };
  refuse((w) => w.putU32(3, 1), 'flow key lacks ETHERNET');
  refuse((w) => {
    w.putBytes(4, new Uint8Array(12));
    w.putBe16(6, 0x0800);
  }, 'flow key lacks IPV4');
  refuse((w) => {
    w.putBytes(4, new Uint8Array(12));
    w.putBytes(7, new Uint8Array(12));
  }, 'unexpected IPV4 in flow key');
  refuse((w) => {
    w.putU32(3, 1);
    w.putU32(3, 1);
  }, 'duplicate IN_PORT attribute in flow key');
  refuse((w) => w.putU16(3, 1), 'flow key attribute IN_PORT has bad length 2');
  refuse((w) => w.putU32(31, 1), 'unknown flow key attribute 31');
});
