/**
 * Which error a set-field has whose TLV header is no field's. A field of that code but of another length makes it
 * OFPBAC_BAD_SET_LEN, no such code OFPBAC_BAD_SET_TYPE, says the specification (OpenFlow 1.3, section 7.4.4). The peer
 * looks for a header in a chained hash table, and says BAD_SET_LEN as soon as the bucket that the header falls into
 * holds a code of another length, whosever code it is. So the answer hangs on its hash; this is the same table without
 * the chains. Found by putting 68,000 headers of all classes, codes and lengths to the peer.
 */
import { FIELDS } from '@ovs-node/flow/fields';
import { hashAdd, hashFinish } from '@ovs-node/flow/hash';
import type { ErrorName } from '../error-table.js';
import { type FieldHeader, headerLength } from './headers.js';

const HASH_BYTES = 8;
/** Bytes of a header that no length counts: an experimenter's id behind it is counted. */
const SHORT_HEADER = 4;
/** The highest bit of a length stands among the bits that are looked up by, as no field is as long. */
const LOOKED_UP_LENGTH = 0x80;

function hashOf(cls: number, code: number, length: number, experimenter: number): number {
  const first = (cls << 16) | (code << 9) | (length & LOOKED_UP_LENGTH);
  return hashFinish(hashAdd(hashAdd(0, experimenter), first), HASH_BYTES);
}

/** The lengths of the codes in each bucket. A power of two of them: for each there is one code on average, less than two. */
function fillBuckets(): readonly Set<number>[] {
  const codes = FIELDS.flatMap((f) =>
    (f.nxm ? [f.nxm, ...f.oxm] : f.oxm).map((c) => ({
      ...c,
      length: f.bytes + headerLength(c) - SHORT_HEADER,
    })),
  );
  const count = 1 << (31 - Math.clz32(codes.length));
  const lengths = Array.from({ length: count }, () => new Set<number>());
  for (const { cls, field, experimenter, length } of codes) {
    lengths[hashOf(cls, field, length, experimenter) % count].add(length);
  }
  return lengths;
}

let buckets: readonly Set<number>[] | undefined;

/** The error for a header that is not that of a field, or not with this length. */
export function unknownHeaderError(h: FieldHeader): ErrorName {
  const value = h.masked ? h.length >> 1 : h.length;
  const length = value + headerLength(h) - SHORT_HEADER;
  if (length === 0) return 'OFPBAC_BAD_SET_TYPE';
  buckets ??= fillBuckets();
  const there = buckets[hashOf(h.cls, h.code, length, h.experimenter) % buckets.length];
  const others = there.size - (there.has(length) ? 1 : 0);
  return others > 0 ? 'OFPBAC_BAD_SET_LEN' : 'OFPBAC_BAD_SET_TYPE';
}
