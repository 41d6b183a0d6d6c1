import test from 'ava';
import { parseFlow } from '@ovs-node/openflow/text/flow';
import { Classifier } from '../../src/ofproto/classifier.js';
import { ShapePool } from '../../src/ofproto/mask-shape.js';
import { ClassifierRule } from '../../src/ofproto/subtable.js';

/** A packed match on a word with a mask that no other `n` has. */
const onMask = (n: number): readonly number[] => [0, n, n];

test('a shape gives the match back that it took values of', (t) => {
  const pool = new ShapePool();
  for (const text of ['', 'tcp,tcp_dst=5,tcp_flags=+syn', 'ipv6,ipv6_src=2001:db8::/33,metadata=7/0xff']) {
    const { match } = parseFlow(`${text},actions=drop`, 'add');
    const packed = match.packedWords!;
    const shape = pool.of(packed);
    t.deepEqual(shape.matchOf(shape.valuesOf(packed)).packedWords, packed, text);
    t.is(pool.of(packed), shape);
    t.is(pool.find(packed), shape);
  }
});

test('shapes that nobody uses are not kept without end, and those in use stay', (t) => {
  const pool = new ShapePool();
  const used = pool.of(onMask(1));
  pool.use(used);
  const idle = pool.of(onMask(2));
  let n = 3;
  while (pool.find(onMask(2)) !== undefined) pool.of(onMask(n++));
  t.true(n > 1000 && n < 1100, `${n} shapes`);
  t.is(pool.of(onMask(1)), used);
  // Flows that still have the one that is gone get the one that has come in its place.
  const again = pool.of(onMask(2));
  t.not(again, idle);
  t.is(pool.pooled(idle), again);
  t.is(pool.pooled(used), used);
  t.not(new ShapePool().pooled(used), used);
});

test('a rule that was placed goes into its table whatever was there in between', (t) => {
  const pool = new ShapePool();
  const classifier = new Classifier(undefined, pool);
  const rule = (text: string): ClassifierRule => {
    const { match, priority } = parseFlow(`${text},actions=drop`, 'add');
    const placed = new ClassifierRule(priority);
    classifier.place(placed, match);
    return placed;
  };
  const early = rule('tcp,nw_src=10.0.0.1,tcp_dst=80');
  const other = rule('tcp,nw_src=10.0.0.2,tcp_dst=80');
  t.is(classifier.equalTo(early), null);
  classifier.insert(other);
  // The last of its mask.
  classifier.remove(other);
  for (let n = 1; n < 1200; n++) pool.of(onMask(n));
  t.is(classifier.insert(early), null);
  const { key } = early.match();
  t.is(classifier.lookup(key, null), early);
  t.is(classifier.equalTo(rule('tcp,nw_src=10.0.0.1,tcp_dst=80')), early);
  t.is(classifier.insert(rule('tcp,nw_src=10.0.0.1,tcp_dst=80')), early);
  t.is(classifier.size, 1);
});
