/**
 * Tunnel options in matches: `tun_metadata0` to `tun_metadata63` (ovs-fields(7), "Geneve Fields").
 *
 * Where an option is in a packet, and how long it is, says a table that a controller gives the switch
 * (NXT_TLV_TABLE_MOD). Whoever has no such table, as ovs-ofctl, takes the length from the value. So these fields have
 * no place in a key: a match holds them apart, as a short list in the order of their numbers.
 */
import { FlowSyntaxError } from './errors.js';
import { altHex } from './int-text.js';

/** How many options there are. */
export const TUN_METADATA_FIELDS = 64;
/** Bytes of the longest option, and of all of a match together. */
export const TUN_METADATA_BYTES = 124;
export const TUN_METADATA_TOTAL = 256;

/** A match on one option. */
export interface TunMetadata {
  /** 0 to 63. */
  readonly index: number;
  /** Bytes of value and mask. */
  readonly length: number;
  readonly value: bigint;
  readonly mask: bigint;
  /** Whether a mask was given. Without one the option has to be of this length, too. */
  readonly masked: boolean;
  /** `length` is what a switch's table says, and not how much of it the match needs. */
  readonly isMapped?: boolean;
  /** Of a megaflow: the packet lacks the option. */
  readonly isAbsent?: boolean;
}

/** Bytes that a number takes. */
export function byteLength(v: bigint): number {
  return v === 0n ? 0 : Math.ceil(v.toString(16).length / 2);
}

/** All ones in `bytes` bytes. */
export function onesOf(bytes: number): bigint {
  return (1n << BigInt(8 * bytes)) - 1n;
}

/** Bytes of all options of a match. */
export function tunMetadataBytes(list: readonly TunMetadata[] | undefined): number {
  return list?.reduce((sum, { length }) => sum + length, 0) ?? 0;
}

/**
 * `list` with a match on option `index` more. `mask` is undefined for a value without one. Throws FlowSyntaxError in
 * the peer's words when the option is there already, or there is no room for it.
 */
export function withTunMetadata(
  list: readonly TunMetadata[] | undefined,
  index: number,
  value: bigint,
  mask: bigint | undefined,
): readonly TunMetadata[] {
  const length = byteLength(mask === undefined ? value : value | mask);
  if (list?.some((each) => each.index === index)) {
    throw new FlowSyntaxError(`field tun_metadata${index} set multiple times`);
  }
  const used = tunMetadataBytes(list) + length;
  if (used > TUN_METADATA_TOTAL) {
    throw new FlowSyntaxError(
      `field tun_metadata${index} exceeds maximum size for tunnel metadata (used ${used}, max ${TUN_METADATA_TOTAL})`,
    );
  }
  const bits = mask ?? onesOf(length);
  return insertTunMetadata(list, {
    index,
    length,
    value: value & bits,
    mask: bits,
    masked: mask !== undefined,
  });
}

/** `list` with `option` at its place. */
export function insertTunMetadata(
  list: readonly TunMetadata[] | undefined,
  option: TunMetadata,
): readonly TunMetadata[] {
  return [...(list ?? []), option].sort((a, b) => a.index - b.index);
}

/** Whether two lists ask the same. */
export function sameTunMetadata(
  a: readonly TunMetadata[] | undefined,
  b: readonly TunMetadata[] | undefined,
): boolean {
  const [x, y] = [a ?? [], b ?? []];
  return (
    x.length === y.length &&
    x.every((each, i) => {
      const other = y[i]!;
      return (
        each.index === other.index &&
        each.length === other.length &&
        each.value === other.value &&
        each.mask === other.mask &&
        each.masked === other.masked
      );
    })
  );
}

/** `tun_metadata0=0x1234,` for each option; its name alone where only its presence matters. */
export function formatTunMetadata(list: readonly TunMetadata[] | undefined): string {
  let s = '';
  for (const { index, length, value, mask, masked, isMapped, isAbsent } of list ?? []) {
    s += `tun_metadata${index}`;
    if (isAbsent) {
      s += '=NP,';
      continue;
    }
    if (!masked || mask !== 0n) s += `=${altHex(value)}`;
    if (masked && mask !== 0n && mask !== onesOf(isMapped ? length : byteLength(mask)))
      s += `/${altHex(mask)}`;
    s += ',';
  }
  return s;
}
