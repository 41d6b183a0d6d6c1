/** What a loose command (OpenFlow 1.0 section 4.6) asks of rules: which match nothing but packets of a match. */
import type { MaskShape } from './mask-shape.js';
import type { ClassifierRule } from './subtable.js';

/** A match by words. */
export interface Wanted {
  readonly key: Uint32Array;
  readonly mask: Uint32Array;
}

/**
 * Which of a mask's words are asked about, none for all rules; undefined: no rule is so specific. What a rule has in
 * them is then left to `agrees`.
 */
export function askedOf(shape: MaskShape, { mask }: Wanted): readonly number[] | undefined {
  const { words, masks } = shape.staged;
  const known = new Uint32Array(mask.length);
  shape.copyTo(known, masks);
  for (let w = 0; w < mask.length; w++) if ((mask[w]! & ~known[w]!) !== 0) return undefined;
  const asked: number[] = [];
  for (let i = 0; i < words.length; i++) if ((mask[words[i]!]! & masks[i]!) !== 0) asked.push(i);
  return asked;
}

/** Whether a rule of the mask has what is wanted in the words that are asked about. */
export function agrees(
  values: readonly number[],
  { staged: { words, masks } }: MaskShape,
  { key, mask }: Wanted,
  asked: readonly number[],
): boolean {
  for (const i of asked) {
    const w = words[i]!;
    if (((key[w]! ^ values[i]!) & mask[w]! & masks[i]!) !== 0) return false;
  }
  return true;
}

/** Tells of rules of any table whether they are what a loose command is about. */
export function looseTest(wanted: Wanted): (rule: ClassifierRule) => boolean {
  const asked = new Map<MaskShape, readonly number[] | undefined>();
  return ({ shape, values }) => {
    if (shape === null) return false;
    if (!asked.has(shape)) asked.set(shape, askedOf(shape, wanted));
    const words = asked.get(shape);
    return words !== undefined && agrees(values, shape, wanted, words);
  };
}
