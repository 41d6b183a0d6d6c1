import { exactMask, fieldPrereqsMet, getField, wireMask } from './fields.js';
import type { Field } from './field-types.js';
import { newValue, putField, valueFromBig } from './field-words.js';
import { type FlowKey, KEY_WORDS, newKey } from './layout.js';
import { Match, type MatchWords } from './match.js';
import { sameTunMetadata, withTunMetadata } from './tun-metadata.js';

/** Operations on matches, word by word or field by field. Control plane, but for `keyMatches`. */

const value4 = newValue();
const mask4 = newValue();

/**
 * `putField` of a value and mask in BigInt, the mask as wide as the field's bytes; tunnel options too. Throws
 * FlowSyntaxError when `match` has the option already, or no room for it.
 */
export function matchSet(match: MatchWords, f: Field, value: bigint, mask: bigint = wireMask(f)): void {
  if (f.option === undefined) {
    putField(match, f, valueFromBig(value, value4), valueFromBig(mask, mask4));
    return;
  }
  const whole = mask === wireMask(f);
  match.tunMetadata = withTunMetadata(match.tunMetadata, f.option, value, whole ? undefined : mask);
}

/** Whether `f` is matched on in full. */
export function isExact(match: MatchWords, f: Field): boolean {
  const exact = exactMask(f);
  return (getField(match.mask, f) & exact) === exact;
}

/** Whether `f` exists in every packet of `match`, as far as the match says. */
export function matchPrereqsMet(match: MatchWords, f: Field): boolean {
  return fieldPrereqsMet(f, match.key, match.mask);
}

/** A copy that shares nothing. */
export function cloneMatch(match: Match): Match {
  const clone = new Match(match.key.slice(), match.mask.slice());
  clone.tunMetadata = match.tunMetadata;
  return clone;
}

/** Same mask and same key: the same set of packets (see the invariant of Match). */
export function matchEquals(a: Match, b: Match): boolean {
  for (let i = 0; i < KEY_WORDS; i++) {
    if (a.key[i] !== b.key[i] || a.mask[i] !== b.mask[i]) return false;
  }
  return sameTunMetadata(a.tunMetadata, b.tunMetadata);
}

/** Whether every packet of `narrow` is one of `wide` (tunnel options count when they are the same): what loose deletion and modification go by. */
export function matchSubsumes(wide: Match, narrow: Match): boolean {
  for (let i = 0; i < KEY_WORDS; i++) {
    const m = wide.mask[i]!;
    if ((m & ~narrow.mask[i]!) !== 0 || ((wide.key[i]! ^ narrow.key[i]!) & m) !== 0) return false;
  }
  return wide.tunMetadata === undefined || sameTunMetadata(wide.tunMetadata, narrow.tunMetadata);
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
  return match.tunMetadata === undefined;
}
