import test from 'ava';
import fc from 'fast-check';
import { KEY_WORDS, newKey, W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { Classifier } from '../../src/ofproto/classifier.js';
import { ClassifierRule } from '../../src/ofproto/subtable.js';
import { choosePrefixes, type PrefixFieldName } from '../../src/ofproto/prefix-fields.js';
import { PrefixTrie } from '../../src/ofproto/trie.js';

/** Few values and few masks, so that rules and packets meet. */
const masks: readonly (readonly (readonly [word: number, mask: number])[])[] = [
  [],
  [[W.IN_PORT, 0xffffffff]],
  [[W.ETH_TYPE, 0xffff0000]],
  [
    [W.ETH_TYPE, 0xffff0000],
    [W.NW_SRC, 0xff000000],
  ],
  [
    [W.ETH_TYPE, 0xffff0000],
    [W.NW_SRC, 0xfffffffe],
  ],
  [
    [W.ETH_TYPE, 0xffff0000],
    [W.NW_DST, 0xffff0000],
    [W.TP, 0x0000ffff],
  ],
  [
    [W.ETH_TYPE, 0xffff0000],
    [W.TP, 0xfff00000],
  ],
  [
    [W.IN_PORT, 0xffffffff],
    [W.ETH_TYPE, 0xffff0fff],
    [W.NW_DST, 0xffffffff],
    [W.TP, 0xffffffff],
  ],
];
const word = fc.constantFrom(0, 1, 0x08000000, 0x0a000001, 0x0a010001, 0x0a0a0a0a, 0x00500050, 0x08000012);
const packet = fc.array(word, { minLength: 6, maxLength: 6 }).map(([a, b, c, d, e, f]) => {
  const key = newKey();
  key[W.IN_PORT] = a!;
  key[W.ETH_TYPE] = b!;
  key[W.NW_SRC] = c!;
  key[W.NW_DST] = d!;
  key[W.TP] = e!;
  key[W.REG] = f!;
  return key;
});
/** What `Flow_Table:prefixes` may name. */
const prefixes = fc.uniqueArray(fc.constantFrom<PrefixFieldName>('ip_src', 'ip_dst', 'ipv6_src', 'tun_id'), {
  maxLength: 3,
});
const rule = fc.record({ mask: fc.nat(masks.length - 1), key: packet, priority: fc.nat(4) });

function matchOf(mask: number, key: Uint32Array): Match {
  const match = new Match();
  for (const [w, bits] of masks[mask]!) {
    match.mask[w] = bits;
    match.key[w] = key[w]! & bits;
  }
  return match;
}

function insert(classifier: Classifier, added: ClassifierRule, match: Match): ClassifierRule | null {
  classifier.place(added, match);
  return classifier.insert(added);
}

function matches(match: Match, key: Uint32Array): boolean {
  for (let w = 0; w < KEY_WORDS; w++) if (((match.key[w]! ^ key[w]!) & match.mask[w]!) !== 0) return false;
  return true;
}

test('a look-up finds a matching rule of the highest priority, and its mask decides the result', (t) => {
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 25 }),
      fc.array(fc.nat(24), { maxLength: 8 }),
      packet,
      packet,
      fc.array(prefixes, { maxLength: 3 }),
      (specs, removals, key, other, choices) => {
        const classifier = new Classifier();
        const [first, second, third] = choices;
        if (first) classifier.trackPrefixes(first);
        const live: ClassifierRule[] = [];
        for (const { mask, key: values, priority } of specs) {
          const added = new ClassifierRule(priority);
          const replaced = insert(classifier, added, matchOf(mask, values));
          if (replaced) live.splice(live.indexOf(replaced), 1);
          live.push(added);
        }
        if (second) classifier.trackPrefixes(second);
        for (const at of removals) {
          const gone = live[at];
          if (!gone) continue;
          live.splice(at, 1);
          classifier.remove(gone);
        }
        if (third) classifier.trackPrefixes(third);
        t.is(classifier.size, live.length);
        const wc = newKey();
        const found = classifier.lookup(key, wc);
        const best = live
          .filter((r) => matches(r.match(), key))
          .reduce((max, r) => Math.max(max, r.priority), -1);
        t.is(found?.priority ?? -1, best);
        if (found) t.true(matches(found.match(), key));
        t.is(classifier.lookup(key, null), found);
        // A packet that differs outside of the mask only has the same result.
        const mixed = key.map((value, w) => (value & wc[w]!) | (other[w]! & ~wc[w]!));
        t.is(classifier.lookup(mixed, null), found);
      },
    ),
    { numRuns: 2000 },
  );
});

test('stages, tries and ports keep the mask small', (t) => {
  const classifier = new Classifier();
  const key = newKey();
  key[W.IN_PORT] = 1;
  key[W.ETH_TYPE] = 0x08000000;
  key[W.NW_SRC] = 0x0a000001;
  key[W.TP] = 0x00500050;
  const match = new Match();
  match.mask[W.IN_PORT] = 0xffffffff;
  match.key[W.IN_PORT] = 2;
  match.mask[W.NW_SRC] = 0xffffffff;
  match.key[W.NW_SRC] = 0x0b000001;
  insert(classifier, new ClassifierRule(1), match);
  const staged = newKey();
  classifier.lookup(key, staged);
  t.is(staged[W.IN_PORT], 0xffffffff);
  t.is(staged[W.NW_SRC], 0);

  const byAddress = new Classifier();
  const address = new Match();
  address.mask[W.ETH_TYPE] = 0xffff0000;
  address.key[W.ETH_TYPE] = 0x08000000;
  address.mask[W.NW_SRC] = 0xffffffff;
  address.key[W.NW_SRC] = 0x0b000001;
  insert(byAddress, new ClassifierRule(1), address);
  const prefix = newKey();
  byAddress.lookup(key, prefix);
  t.is(prefix[W.NW_SRC], 0xff000000);

  const byPort = new Classifier();
  const port = new Match();
  port.mask[W.TP] = 0xffff;
  port.key[W.TP] = 0x8050;
  insert(byPort, new ClassifierRule(1), port);
  const ports = newKey();
  byPort.lookup(key, ports);
  t.is(ports[W.TP], 0x8000);
});

test('conjunctions are tried until a flow is on the id of one, and are as long as their first part says', (t) => {
  /** Which conjunction decides where each flow has these parts (`id,clause/nClauses`) and another mask than the others. */
  const decides = (parts: readonly string[], ids: readonly number[]): number | undefined => {
    const classifier = new Classifier();
    parts.forEach((text, i) => {
      const part = new ClassifierRule(5);
      part.conjunction = text.split(' ').map((each) => {
        const [id, clause, nClauses] = each.split(/[,/]/).map(Number);
        return { id: id!, clause: clause! - 1, nClauses: nClauses! };
      });
      const match = new Match();
      match.mask[W.REG] = 1 << i;
      insert(classifier, part, match);
    });
    for (const id of ids) {
      const match = new Match();
      match.mask[W.CONJ_ID] = 0xffffffff;
      match.key[W.CONJ_ID] = id;
      insert(classifier, new ClassifierRule(1), match);
    }
    return classifier.lookup(newKey(), null)?.match().key[W.CONJ_ID];
  };
  t.is(decides(['1,1/2', '1,2/2'], [1]), 1);
  t.is(decides(['1,1/2', '1,1/2'], [1]), undefined);
  t.is(decides(['1,1/2', '1,2/2', '2,1/2', '2,2/2'], [2]), 2);
  // One flow is not two.
  t.is(decides(['1,1/2 1,2/2'], [1]), undefined);
  t.is(decides(['1,1/2 1,2/2', '2,1/2'], [1]), 1);
  t.is(decides(['1,1/3 2,1/2', '2,2/2'], [1, 2]), 2);
  t.is(decides(['1,1/2', '1,3/3', '1,2/2'], [1]), 1);
  t.is(decides(['1,3/3', '1,1/2', '1,2/2'], [1]), 1);
  t.is(decides(['1,1/3', '1,2/2', '2,1/2'], [1]), undefined);
});

test('a trie says which prefixes agree, with no more bits than needed', (t) => {
  const entry = fc.record({
    value: fc.constantFrom(0, 0x0a000000, 0x0a0a0000, 0x0a0b0c0d, 0xffffffff, 0x80000000),
    plen: fc.integer({ min: 1, max: 32 }),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), fc.nat(12), fc.integer(), (entries, drop, value) => {
      const trie = new PrefixTrie(32);
      for (const e of entries) trie.insert([e.value | 0], 0, e.plen);
      for (const e of entries.slice(0, drop)) trie.remove([e.value | 0], 0, e.plen);
      const live = entries.slice(drop);
      const agree = (e: { value: number; plen: number }, v: number): boolean =>
        ((e.value ^ v) & (-1 << (32 - e.plen))) === 0;
      const bits = trie.lookup([value | 0], 0);
      for (let plen = 1; plen <= 32; plen++) {
        t.is(
          trie.agrees(plen),
          live.some((e) => e.plen === plen && agree(e, value)),
        );
      }
      // Any value with the same leading bits has the same answer beyond them.
      const twin = bits === 0 ? ~value : bits >= 32 ? value : value ^ ~(-1 << (32 - bits));
      for (const e of live) t.is(agree(e, twin), agree(e, value) && (e.plen <= bits || agree(e, twin)));
      t.is(trie.isEmpty, live.length === 0);
    }),
    { numRuns: 3000 },
  );
});

test('a trie of long prefixes is what one made of the entries that are left would be', (t) => {
  const word = fc.constantFrom(0, -1, 0x20010db8, 0x00010000, 0x00010001);
  const entry = fc.record({
    words: fc.tuple(word, word, word, word),
    plen: fc.integer({ min: 1, max: 128 }),
  });
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 16 }),
      fc.nat(16),
      fc.tuple(word, word, word, word),
      (entries, drop, value) => {
        const trie = new PrefixTrie(128);
        for (const e of entries) trie.insert(e.words, 0, e.plen);
        for (const e of entries.slice(0, drop)) trie.remove(e.words, 0, e.plen);
        const fresh = new PrefixTrie(128);
        for (const e of entries.slice(drop)) fresh.insert(e.words, 0, e.plen);
        t.is(trie.isEmpty, fresh.isEmpty);
        t.is(trie.lookup(value, 0), fresh.lookup(value, 0));
        t.deepEqual(trie.plens, fresh.plens);
      },
    ),
    { numRuns: 3000 },
  );
});

test('the database names fields whose prefixes are kept track of; what cannot be is said and passed over', (t) => {
  const chosen = (...names: string[]): unknown => {
    const { fields, problems } = choosePrefixes(names);
    return [fields, ...problems];
  };
  t.deepEqual(chosen(), [undefined]);
  t.deepEqual(chosen('ip_src', 'ipv6_dst', 'nw_dst'), [['ip_src', 'ipv6_dst', 'ip_dst']]);
  t.deepEqual(chosen('none', 'tun_id'), [[]]);
  t.deepEqual(chosen('in_port', 'nosuch', 'tun_id'), [
    ['tun_id'],
    "'prefixes' with incompatible field: in_port",
    "'prefixes' with unknown field: nosuch",
  ]);
  t.deepEqual(chosen('tp_src'), [undefined, "'prefixes' with incompatible field: tp_src"]);
});
