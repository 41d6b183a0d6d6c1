import { exactMask, fieldPrereqsMet, getField, setField, wireMask } from './fields.js';
import type { Field } from './field-types.js';
import { type FlowKey, KEY_WORDS, newKey, VLAN_CFI, W } from './layout.js';
import { Match } from './match.js';

/** Operations on matches, word by word or field by field. Control plane, but for `keyMatches`. */

/**
 * Makes `match` ask that `f` is `value` under `mask`; 0 is a wildcard, and all ones in the field's bytes an
 * exact match, the default.
 * Bits of `value` outside of `mask` are dropped. Prerequisites are the caller's affair.
 *
 * As in OpenFlow, `dl_vlan` and the priorities also ask for a tag (`dl_vlan=0xffff`: for none at all).
 */
export function matchSet(match: Match, f: Field, value: bigint, mask: bigint = wireMask(f)): void {
  const { key, mask: words } = match;
  if (f.name === 'in_port') {
    words[W.IN_PORT] = mask === 0n ? 0 : 0xffffffff;
    setField(key, f, mask === 0n ? 0n : value);
    return;
  }
  if (f.name === 'dl_vlan') {
    const none = mask !== 0n && (value & 0xffffn) === 0xffffn;
    setWordBits(
      match,
      W.VLAN0,
      none ? 0xffff : 0x1fff,
      none ? 0 : Number(value & 0xfffn) | VLAN_CFI,
      mask !== 0n,
    );
    return;
  }
  if (f.name === 'dl_vlan_pcp' || f.name === 'vlan_pcp') {
    setWordBits(match, W.VLAN0, 0xf000, (Number(value & 7n) << 13) | VLAN_CFI, mask !== 0n);
    return;
  }
  let m = mask;
  // An exact match fills the bits of the key that the field reserves (an ICMP type in a 16-bit port).
  if (m !== 0n && (!f.maskable || m === wireMask(f))) m = (1n << BigInt(f.keyBits)) - 1n;
  if (f.valid !== undefined) m &= f.valid;
  setField(words, f, m);
  setField(key, f, value & m);
}

function setWordBits(match: Match, word: number, bits: number, value: number, on: boolean): void {
  match.mask[word] = on ? match.mask[word]! | bits : match.mask[word]! & ~bits;
  match.key[word] = (match.key[word]! & ~bits) | (on ? value & bits : 0);
}

/** Whether `f` is matched on in full. */
export function isExact(match: Match, f: Field): boolean {
  const exact = exactMask(f);
  return (getField(match.mask, f) & exact) === exact;
}

/** Whether `f` exists in every packet of `match`, as far as the match says. */
export function matchPrereqsMet(match: Match, f: Field): boolean {
  return fieldPrereqsMet(f, match.key, match.mask);
}

/** A copy that shares nothing. */
export function cloneMatch(match: Match): Match {
  return new Match(match.key.slice(), match.mask.slice());
}

/** Same mask and same key: the same set of packets (see the invariant of Match). */
export function matchEquals(a: Match, b: Match): boolean {
  for (let i = 0; i < KEY_WORDS; i++) {
    if (a.key[i] !== b.key[i] || a.mask[i] !== b.mask[i]) return false;
  }
  return true;
}

/** Whether every packet of `narrow` is one of `wide`: what loose deletion and modification go by. */
export function matchSubsumes(wide: Match, narrow: Match): boolean {
  for (let i = 0; i < KEY_WORDS; i++) {
    const m = wide.mask[i]!;
    if ((m & ~narrow.mask[i]!) !== 0 || ((wide.key[i]! ^ narrow.key[i]!) & m) !== 0) return false;
  }
  return true;
}

/** Whether some packet is in both. */
export function matchesOverlap(a: Match, b: Match): boolean {
  for (let i = 0; i < KEY_WORDS; i++) {
    if (((a.key[i]! ^ b.key[i]!) & a.mask[i]! & b.mask[i]!) !== 0) return false;
  }
  return true;
}

/** Whether a packet with `key` is one of `match`. Allocates nothing. */
export function keyMatches(match: Match, key: FlowKey): boolean {
  const m = match.mask;
  const k = match.key;
  for (let i = 0; i < KEY_WORDS; i++) {
    if (((k[i]! ^ key[i]!) & m[i]!) !== 0) return false;
  }
  return true;
}

/** The match of `key` under `mask`; copies both. */
export function matchFromKey(key: FlowKey, mask: FlowKey): Match {
  const k = newKey();
  for (let i = 0; i < KEY_WORDS; i++) k[i] = key[i]! & mask[i]!;
  return new Match(k, mask.slice());
}

/** Whether the match is satisfied by every packet. */
export function isCatchAll(match: Match): boolean {
  for (let i = 0; i < KEY_WORDS; i++) if (match.mask[i] !== 0) return false;
  return true;
}
