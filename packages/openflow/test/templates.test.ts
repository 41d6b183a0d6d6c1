/** Matches that are written from templates are written as those that are not. */
import test, { type ExecutionContext } from 'ava';
import { fieldPlace } from '@ovs-node/flow/field-words';
import { mustField } from '@ovs-node/flow/fields';
import { W } from '@ovs-node/flow/layout';
import { Match, newWords } from '@ovs-node/flow/match';
import { encodeMatchFields, NX_MATCH } from '../src/match/nxm.js';
import { MatchTemplates } from '../src/match/templates.js';
import { FlowGenerator } from '../src/testkit/flow-generator.js';
import { Random } from '../src/testkit/random.js';
import { parseFlowProtocols } from '../src/text/flow.js';
import { Writer } from '../src/wire.js';
import { quietParsers } from './lib/quiet.js';

quietParsers();

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const packedOf = (text: string): readonly number[] =>
  parseFlowProtocols(`${text},actions=drop`, 'add').flowMod.match.packedWords!;

/** What hangs on more than types. */
const SPECIAL = [
  'icmp6,icmp_type=135,nd_target=fe80::1,nd_sll=00:00:00:00:00:01',
  'icmp6,icmp_type=136,nd_target=fe80::1,nd_tll=00:00:00:00:00:01',
  'dl_vlan=10,dl_vlan_pcp=3',
  'vlan_tci=0x1005/0x1fff',
  'ct_state=+trk+est,ip,ct_nw_proto=6,ct_tp_src=80,ct_tp_dst=443',
  'packet_type=(1,0x800)',
  'packet_type=(1,0x800),nw_src=10.0.0.1',
  'tun_id=5,metadata=0x1234,reg0=1,reg1=0xff/0xff,xreg1=7',
];

/** Packed matches of random flows, behind the special ones. */
function kinds(seed: number, n: number): (readonly number[])[] {
  const generator = new FlowGenerator(seed);
  const found: (readonly number[])[] = SPECIAL.map(packedOf);
  while (found.length < n) {
    try {
      const { match } = parseFlowProtocols(generator.flow(), 'add').flowMod;
      if (match.packedWords !== undefined && match.tunMetadata === undefined) found.push(match.packedWords);
    } catch {
      // Not every text is a flow.
    }
  }
  return found;
}

/** The same masks with other values: words keep theirs now and then, those of protocols mostly. */
function another(packed: readonly number[], r: Random): number[] {
  const out = [...packed];
  for (let i = 0; i < out.length; i += 3) {
    const isType = out[i] === W.PACKET_TYPE || out[i] === W.ETH_TYPE || out[i] === W.NW;
    if (r.chance(isType ? 0.1 : 0.6)) out[i + 1] = r.chance(0.2) ? 0 : (r.u32() & out[i + 2]) >>> 0;
  }
  return out;
}

/** The same match, of two arrays of words: no template is used for it. */
function unpacked(packed: readonly number[]): Match {
  const words = newWords();
  Match.ofPacked(packed).copyTo(words);
  return new Match(words.key, words.mask);
}

function same(t: ExecutionContext, packed: readonly number[], version: number): void {
  const plain = hex(encodeMatchFields(unpacked(packed), version));
  if (plain !== hex(encodeMatchFields(Match.ofPacked(packed), version)))
    t.fail(`version ${version}: ${packed.join()}`);
}

test('matches of many kinds, each with many values, in turn', (t) => {
  const r = new Random(7);
  for (const kind of [
    ...kinds(1, 2500),
    ...SPECIAL.flatMap((text) => Array.from({ length: 20 }, () => packedOf(text))),
  ]) {
    const version = r.pick([NX_MATCH, 2, 4, 6]);
    for (let i = 0; i < 8; i++) same(t, another(kind, r), version);
  }
  t.pass();
});

test('kinds that come in turn, more of them than there is room for', (t) => {
  const r = new Random(8);
  const all = kinds(2, 600);
  for (let i = 0; i < 12_000; i++) {
    // Some come often, the most once in a while.
    const packed = another(all[r.chance(0.5) ? r.below(20) : r.below(all.length)], r);
    same(t, packed, r.pick([1, 4]));
  }
  t.pass();
});

test('a template is asked for when a kind is missed twice, and serves the same masks, types and version', (t) => {
  const templates = new MatchTemplates();
  const w = new Writer();
  const learnt = packedOf('tcp,nw_src=10.0.0.1');
  t.false(templates.put(w, learnt, 1));
  t.false(templates.isWanted);
  t.false(templates.put(w, learnt, 1));
  t.true(templates.isWanted);
  const value = { at: 10, bytes: 4, place: fieldPlace(mustField('ip_src')) };
  const bytes = encodeMatchFields(unpacked(learnt), 1);
  t.is(hex(bytes), '00000602080000000e040a00000100000c0106');
  templates.learn(learnt, 1, bytes, [value]);
  t.true(templates.put(w, packedOf('tcp,nw_src=192.168.1.255'), 1));
  t.is(hex(w.finish()), '00000602080000000e04c0a801ff00000c0106');
  for (const other of ['udp,nw_src=10.0.0.1', 'tcp,nw_src=10.0.0.0/8', 'tcp6', 'tcp'])
    t.false(templates.put(w, packedOf(other), 1), other);
  t.false(templates.put(w, learnt, 4));
});
