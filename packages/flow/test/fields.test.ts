import test from 'ava';
import fc from 'fast-check';
import {
  exactMask,
  fieldByCode,
  fieldByCodeName,
  fieldByName,
  FIELDS,
  getField,
  maskField,
  maskFieldBits,
  mustField,
  setField,
  wireMask,
} from '../src/fields.js';
import { KEY_WORDS, newKey } from '../src/layout.js';
import { Match } from '../src/match.js';
import { matchEquals, matchSet } from '../src/match-fields.js';
import { parseFieldValue, formatFieldValue } from '../src/field-text.js';

test('names, aliases and codes are unique', (t) => {
  const names = new Set<string>();
  const codes = new Set<string>();
  for (const f of FIELDS) {
    for (const n of [f.name, f.alias]) {
      if (n === undefined) continue;
      t.false(names.has(n), n);
      names.add(n);
      t.is(fieldByName(n), f);
    }
    for (const c of [...(f.nxm === undefined ? [] : [f.nxm]), ...f.oxm]) {
      const id = `${c.cls}/${c.experimenter}/${c.field}`;
      t.false(codes.has(id), c.name);
      codes.add(id);
      t.is(fieldByCode(c.cls, c.field, c.experimenter), f);
      t.is(fieldByCodeName(c.name), f);
    }
    t.true(f.offset + f.keyBits <= KEY_WORDS * 32, f.name);
    t.true(f.bits <= f.bytes * 8, f.name);
  }
});

test('a field set in a key reads back and touches nothing outside of its mask', (t) => {
  for (const f of FIELDS.filter((each) => each.option === undefined)) {
    const mask = newKey();
    maskField(mask, f);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: exactMask(f) }), (raw) => {
        const value = f.valid === undefined ? raw : raw & f.valid;
        const key = newKey();
        setField(key, f, value);
        if (f.name !== 'dl_vlan' || value !== 0xffffn) t.is(getField(key, f), value, f.name);
        return key.every((word, i) => (word & ~mask[i]!) === 0);
      }),
      { numRuns: 30 },
    );
    const ones = newKey().fill(0xffffffff);
    setField(ones, f, 0n);
    if (f.whole !== undefined) continue;
    t.true(
      ones.every((word, i) => (~word & ~mask[i]!) === 0),
      f.name,
    );
  }
});

test('bits that no value of a field has are kept by masks of a match only', (t) => {
  for (const f of FIELDS.filter(({ whole }) => whole !== undefined)) {
    const all = newKey();
    setField(all, f, wireMask(f));
    t.is(getField(all, f), exactMask(f), f.name);
    const ones = newKey().fill(0xffffffff);
    maskFieldBits(ones, f, 1n);
    t.deepEqual(
      ones.map((word) => ~word).filter((word) => word !== 0),
      Uint32Array.of(Number(wireMask(f) & ~exactMask(f))),
      f.name,
    );
  }
});

test('some masks of a field are as good as none, and others tell flows apart by bits that no value has', (t) => {
  const cases = [
    ['ipv6_label', 5n, [0xfffffn, 0x1fffffn, 0xffffffffn], [0x7n, 0x800ffn, 0x8000_0007n]],
    ['ip_frag', 1n, [0x3n, 0xffn], [0x1n, 0x5n, 0x7n, 0x83n]],
  ] as const;
  for (const [name, value, exact, others] of cases) {
    const matchOf = (mask?: bigint): Match => {
      const match = new Match();
      matchSet(match, mustField(name), value, mask);
      return match;
    };
    for (const mask of exact) t.true(matchEquals(matchOf(mask), matchOf()), `${name} ${mask}`);
    const told = [undefined, ...others].map(matchOf);
    for (const a of told) t.is(told.filter((b) => matchEquals(a, b)).length, 1, name);
  }
});

test('values print as they read', (t) => {
  const cases = [
    ['ct_label', '0x10/0xff'],
    ['reg0', '0x5/0x7'],
    ['tun_gbp_id', '5'],
    ['eth_src', '01:02:03:04:05:06/ff:ff:ff:00:00:00'],
    ['ip_src', '10.0.0.0/8'],
    ['ip_src', '10.0.0.1/255.0.0.255'],
    ['ipv6_src', '2001:db8::1/64'],
    ['ct_state', '+new-est'],
    ['tcp_flags', 'syn|ack'],
    ['in_port', 'LOCAL'],
    ['ip_frag', 'not_later'],
    ['packet_type', '(1,0x800)'],
  ] as const;
  for (const [name, text] of cases) {
    const f = mustField(name);
    const { value, mask } = parseFieldValue(f, text);
    // The peer has the name of this one in its value.
    t.is(formatFieldValue(f, value, mask), name === 'packet_type' ? `packet_type=${text}` : text, name);
  }
});
