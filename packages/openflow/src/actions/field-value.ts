/** Masks of fields in actions, which are as wide as the bytes on the wire; their text is that of all values. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { formatFieldValue, parseFieldValue } from '@ovs-node/flow/field-text';
import { FIELDS } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';
import type { PortMap } from '@ovs-node/flow/ports';

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

/** Reads a value of all bits of a field. @throws FlowSyntaxError */
export function parseExactValue(f: Field, text: string, ports?: PortMap): bigint {
  const { value, mask } = parseFieldValue(f, text, ports);
  if (mask !== fullMask(f)) throw new FlowSyntaxError(`${text}: wildcards not allowed here`);
  return value;
}

export { formatFieldValue, parseFieldValue };

/** Says that a value for `nBits` bits of a field needs more. */
export function misfit(orig: string, f: Field, value: bigint, nBits: number): FlowSyntaxError {
  return new FlowSyntaxError(`${orig}: value ${formatFieldValue(f, value)} does not fit into ${nBits} bits`);
}
