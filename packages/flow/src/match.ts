import { type FlowKey, KEY_WORDS, newKey } from './layout.js';
import type { TunMetadata } from './tun-metadata.js';

/**
 * What a flow entry matches: a key and a mask of the same layout.
 * Invariant: `key[i] & ~mask[i] === 0` for every word, so two matches are equal when their words are.
 *
 * A match is mostly zeros, and there are as many of them as there are flows. So parsers and decoders make it
 * packed, `[word, key, mask, …]` for the words with a mask, in order; it becomes two arrays of words when `key` or
 * `mask` is first asked for. Printers and encoders do not ask: they read through a `ReadArea`, which leaves the
 * match packed. (Two arrays of 99 words cost 0.7 µs to allocate, more than to parse the text that they hold, and
 * 1.2 kB each; `npm run bench:openflow`.)
 */
export class Match {
  /** Tunnel options that it asks for. */
  tunMetadata: readonly TunMetadata[] | undefined;
  private packed: readonly number[] | undefined;
  private keyWords: FlowKey | undefined;
  private maskWords: FlowKey | undefined;

  /** A match of these words, which it owns from then on; of any packet without arguments. */
  constructor(key?: FlowKey, mask?: FlowKey) {
    this.tunMetadata = undefined;
    this.packed = key === undefined ? NOTHING : undefined;
    this.keyWords = key;
    this.maskWords = key === undefined ? undefined : (mask ?? newKey());
  }

  /** A packed match of the words of `words`, which it copies. */
  static packedFrom(words: MatchWords): Match {
    const match = new Match();
    match.packed = packWords(words);
    match.tunMetadata = words.tunMetadata;
    return match;
  }

  /** A packed match of `[word, key, mask, …]`, in order of words, which it owns from then on. */
  static ofPacked(packed: readonly number[]): Match {
    const match = new Match();
    match.packed = packed;
    return match;
  }

  /** One word of the mask; unlike `mask` it leaves a packed match packed. */
  maskWord(word: number): number {
    const { packed } = this;
    if (packed === undefined) return this.maskWords![word]!;
    for (let i = 0; i < packed.length; i += 3) if (packed[i] === word) return packed[i + 2]!;
    return 0;
  }

  get key(): FlowKey {
    return this.keyWords ?? this.unpack().key;
  }

  get mask(): FlowKey {
    return this.maskWords ?? this.unpack().mask;
  }

  private unpack(): MatchWords {
    const words = newWords();
    this.copyTo(words);
    this.keyWords = words.key;
    this.maskWords = words.mask;
    this.packed = undefined;
    return words;
  }

  /** Overwrites `words` with this match's; the match stays as it is. */
  copyTo(words: MatchWords): void {
    const { key, mask } = words;
    const { packed } = this;
    words.tunMetadata = this.tunMetadata;
    if (packed === undefined) {
      key.set(this.keyWords!);
      mask.set(this.maskWords!);
      return;
    }
    key.fill(0);
    mask.fill(0);
    for (let i = 0; i < packed.length; i += 3) {
      const word = packed[i]!;
      key[word] = packed[i + 1]!;
      mask[word] = packed[i + 2]!;
    }
  }

  /** The words with a mask, packed, or undefined for a match that is not. */
  get packedWords(): readonly number[] | undefined {
    return this.packed;
  }
}

const NOTHING: readonly number[] = [];

/** `[word, key, mask, …]` of the words with a mask, in order; key and mask may be longer than a `FlowKey`. */
export function packWords({
  key,
  mask,
}: {
  readonly key: Uint32Array;
  readonly mask: Uint32Array;
}): number[] {
  let n = 0;
  for (let i = 0; i < mask.length; i++) {
    const m = mask[i]!;
    if (m === 0) continue;
    draft[n++] = i;
    draft[n++] = key[i]!;
    draft[n++] = m;
  }
  return draft.slice(0, n);
}

/** Where a packed match is made before it is copied to just the room that it needs. */
const draft: number[] = Array.from({ length: KEY_WORDS * 3 }, () => 0.5);

/** The words of a match, to be read or written in place. A `Match` is one, and so is a work area that is reused. */
export interface MatchWords {
  readonly key: FlowKey;
  readonly mask: FlowKey;
  tunMetadata: readonly TunMetadata[] | undefined;
}

/** A work area, all zeros: a match of any packet. */
export function newWords(): MatchWords {
  return { key: newKey(), mask: newKey(), tunMetadata: undefined };
}

/** Makes a work area a match of any packet again. */
export function clearWords(words: MatchWords): void {
  words.key.fill(0);
  words.mask.fill(0);
  words.tunMetadata = undefined;
}

/**
 * A work area to read matches in, one after the other. Nobody else may write to it: it is cleared word by word, of
 * those that the match before it set, which is much less work than clearing all of it.
 */
export class ReadArea {
  private readonly words = newWords();
  private loaded: readonly number[] = NOTHING;

  /** The words of `match`: its own, or this area's with them in it. Valid until the next call. */
  load(match: Match): MatchWords {
    const packed = match.packedWords;
    if (packed === undefined) return match;
    const { key, mask } = this.words;
    const { loaded } = this;
    for (let i = 0; i < loaded.length; i += 3) {
      key[loaded[i]!] = 0;
      mask[loaded[i]!] = 0;
    }
    for (let i = 0; i < packed.length; i += 3) {
      const word = packed[i]!;
      key[word] = packed[i + 1]!;
      mask[word] = packed[i + 2]!;
    }
    this.words.tunMetadata = match.tunMetadata;
    this.loaded = packed;
    return this.words;
  }
}
