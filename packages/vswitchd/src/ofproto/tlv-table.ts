/**
 * Tunnel options (Geneve) as fields: which option `tun_metadata0` to `tun_metadata63` stand for, as controllers say
 * (NXT_TLV_TABLE_MOD, ovs-ofctl(8) "add-tlv-map"), and where their values lie.
 *
 * Options have no place in a flow key, which would be three times as long for what few flows have. Translation works on a
 * key that goes on behind the usual words, and so do the masks of rules that match on options:
 *
 *     KEY_WORDS  +0 +1        +2 ...
 *     [ key ]    [ present ]  [ values, each from a word on, the last byte at the end of a word ]
 *
 * A shorter key reads as one without options: words beyond its end are undefined, which bit operations take for 0.
 */
import { getField, mustField, setField } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';
import { KEY_WORDS } from '@ovs-node/flow/layout';
import type { Match } from '@ovs-node/flow/match';
import {
  onesOf,
  TUN_METADATA_FIELDS,
  TUN_METADATA_TOTAL,
  type TunMetadata,
} from '@ovs-node/flow/tun-metadata';
import { OfError } from '@ovs-node/openflow/errors';
import type { TlvMapping } from '@ovs-node/openflow/messages/extension-types';
import type { MessageOf } from '@ovs-node/openflow/messages/types';

const PRESENT = KEY_WORDS;
const VALUES = KEY_WORDS + 2;
/** Room for values, more than mappings may take together: a gap too small for a new one stays. */
const VALUE_WORDS = 128;
/** Words of a key with options. */
export const LONG_KEY_WORDS = VALUES + VALUE_WORDS;

/** A mapping, and where the values are. */
interface Placed {
  readonly mapping: TlvMapping;
  readonly word: number;
  readonly words: number;
  readonly field: Field;
}

export class TlvTable {
  #placed = new Map<number, Placed>();

  get isEmpty(): boolean {
    return this.#placed.size === 0;
  }

  /** The mappings in the order of their fields. */
  get mappings(): readonly TlvMapping[] {
    return [...this.#placed.values()].map((each) => each.mapping).sort((a, b) => a.index - b.index);
  }

  has(index: number): boolean {
    return this.#placed.has(index);
  }

  /** How many bits an option has; undefined: there is none of that number. */
  bits(index: number): number | undefined {
    return this.#placed.get(index)?.field.bits;
  }

  /**
   * Carries a change out, whole or not at all.
   * @param isUsed whether a flow has that field.
   * @returns the error to answer with.
   */
  modify(
    { command, mappings }: Pick<MessageOf<'tlv_table_mod'>, 'command' | 'mappings'>,
    isUsed: (index: number) => boolean,
  ): OfError | undefined {
    const next = new Map(this.#placed);
    const gone =
      command === 'clear' ? [...next.keys()] : command === 'delete' ? mappings.map((m) => m.index) : [];
    for (const index of gone) {
      if (!next.has(index)) continue;
      if (isUsed(index)) return new OfError('NXTTMFC_INVALID_TLV_DEL', `tun_metadata${index} is in use`);
      next.delete(index);
    }
    if (command === 'add') {
      for (const mapping of mappings) {
        const error = add(next, mapping);
        if (error) return error;
      }
    }
    this.#placed = next;
    return undefined;
  }

  /** The error of a match on a field that stands for nothing. */
  problem({ tunMetadata }: Match): OfError | undefined {
    const unknown = tunMetadata?.find(({ index }) => !this.#placed.has(index));
    return unknown && invalidField(unknown.index);
  }

  /** The field at its place in a long key; one without a mapping is as it was. */
  field(f: Field): Field {
    return (f.option !== undefined && this.#placed.get(f.option)?.field) || f;
  }

  /** The options of a match with the lengths that the mappings give them: a value that is too long loses its end. */
  resolve(options: readonly TunMetadata[] | undefined): readonly TunMetadata[] | undefined {
    return options?.map((option) => {
      const placed = this.#placed.get(option.index);
      if (placed === undefined) return option;
      const length = placed.mapping.optionLen;
      const cut = BigInt(8 * Math.max(0, option.length - length));
      const mask = option.masked ? option.mask >> cut : onesOf(length);
      return { ...option, length, value: (option.value >> cut) & mask, mask, isMapped: true };
    });
  }

  /** Puts an option into a long key. False when its field stands for nothing. */
  set(key: Uint32Array, index: number, value: bigint): boolean {
    const placed = this.#placed.get(index);
    if (placed === undefined) return false;
    setPresent(key, index, true);
    if (placed.words > 0) setField(key, placed.field, value & onesOf(placed.mapping.optionLen));
    return true;
  }

  /** What a long mask has of the options in a long key, and which of those are not there; without a mask, all that are. */
  options(key: Uint32Array, mask?: Uint32Array): readonly TunMetadata[] | undefined {
    const found: TunMetadata[] = [];
    for (const { index, optionLen: length } of this.mappings) {
      const { field, words } = this.#placed.get(index)!;
      if (!isPresent(mask ?? key, index)) continue;
      const isAbsent = !isPresent(key, index);
      const bits = mask === undefined ? onesOf(length) : words > 0 ? getField(mask, field) : 0n;
      const value = words > 0 ? getField(key, field) & bits : 0n;
      found.push({ index, length, value, mask: bits, masked: mask !== undefined, isMapped: true, isAbsent });
    }
    return found.length === 0 ? undefined : found;
  }

  /** A key with the options of a match behind it; the key itself when there are none. */
  withOptions(key: Uint32Array, { tunMetadata }: Match): Uint32Array {
    if (tunMetadata === undefined) return key;
    const long = new Uint32Array(LONG_KEY_WORDS);
    long.set(key);
    for (const { index, value } of this.resolve(tunMetadata)!) this.set(long, index, value);
    return long;
  }

  /** Key and mask of a match with its options behind them; the match's own when it has none. */
  expand(match: Match): { readonly key: Uint32Array; readonly mask: Uint32Array } {
    if (match.tunMetadata === undefined) return match;
    const key = new Uint32Array(LONG_KEY_WORDS);
    const mask = new Uint32Array(LONG_KEY_WORDS);
    key.set(match.key);
    mask.set(match.mask);
    for (const { index, value, mask: bits } of this.resolve(match.tunMetadata)!) {
      const placed = this.#placed.get(index);
      if (placed === undefined) continue;
      setPresent(key, index, true);
      setPresent(mask, index, true);
      if (placed.words === 0) continue;
      setField(key, placed.field, value);
      setField(mask, placed.field, bits);
    }
    return { key, mask };
  }
}

export function invalidField(index: number): OfError {
  return new OfError('NXFMFC_INVALID_TLV_FIELD', `tun_metadata${index} stands for no option`);
}

function isPresent(key: Uint32Array, index: number): boolean {
  return (key[PRESENT + (index >> 5)]! & (1 << (index & 31))) !== 0;
}

/** Says whether a long key has an option. */
export function setPresent(key: Uint32Array, index: number, isPresent: boolean): void {
  const word = PRESENT + (index >> 5);
  const bit = 1 << (index & 31);
  key[word] = isPresent ? key[word]! | bit : key[word]! & ~bit;
}

function add(placed: Map<number, Placed>, mapping: TlvMapping): OfError | undefined {
  const { index, optionClass, optionType, optionLen } = mapping;
  if (placed.has(index)) return new OfError('NXTTMFC_ALREADY_MAPPED', `tun_metadata${index}`);
  let space = optionLen;
  for (const { mapping: other } of placed.values()) {
    if (other.optionClass === optionClass && other.optionType === optionType)
      return new OfError('NXTTMFC_DUP_ENTRY', `class ${optionClass}, type ${optionType}`);
    space += other.optionLen;
  }
  const words = optionLen / 4;
  const word = placeFor([...placed.values()], words);
  if (space > TUN_METADATA_TOTAL || word === undefined)
    return new OfError('NXTTMFC_TABLE_FULL', `${space} bytes of options`);
  const bits = 8 * optionLen;
  const f = mustField(`tun_metadata${index}`);
  placed.set(index, { mapping, word, words, field: { ...f, bits, keyBits: bits, offset: word * 32 } });
  return undefined;
}

/** The first run of words that nothing lies in. */
function placeFor(placed: readonly Placed[], words: number): number | undefined {
  let at = VALUES;
  for (const each of placed.toSorted((a, b) => a.word - b.word)) {
    if (each.word - at >= words) return at;
    at = Math.max(at, each.word + each.words);
  }
  return at + words <= LONG_KEY_WORDS ? at : undefined;
}

/** What a switch says that it can take. */
export const TLV_LIMITS = { maxOptionSpace: TUN_METADATA_TOTAL, maxFields: TUN_METADATA_FIELDS } as const;
