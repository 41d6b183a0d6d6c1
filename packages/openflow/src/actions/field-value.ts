/** Masks of fields in actions, which are as wide as the bytes on the wire; their text is that of all values. */
import { FIELDS } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';

const ONES = Array.from({ length: 993 }, (_, bits) => (1n << BigInt(bits)) - 1n);

/** The number of that many one bits. */
export function ones(bits: number): bigint {
  return ONES[bits] ?? (1n << BigInt(bits)) - 1n;
}

const WIRE = FIELDS.map((f) => ones(f.bytes * 8));

/**
 * The mask of a set-field of a whole field: all bits of the value on the wire. (A load of all bits that the field has
 * is something else where these are less, and OpenFlow 1.5 says so.)
 */
export function fullMask(f: Field): bigint {
  return WIRE[f.id];
}

export { formatFieldValue, parseFieldValue } from '@ovs-node/flow/field-text';
