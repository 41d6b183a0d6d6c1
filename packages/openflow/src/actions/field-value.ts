/**
 * Values of fields in actions. The text functions of `@ovs-node/flow` have masks as wide as the bytes on the wire;
 * in an action, a mask has the field's own bits, so that "the whole field" is one number.
 */
import * as text from '@ovs-node/flow/field-text';
import type { Field } from '@ovs-node/flow/field-types';
import type { PortMap } from '@ovs-node/flow/ports';

const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** All bits that an action can set of `f`: those of its value in OpenFlow (`vlan_vid` includes "tag present"). */
export function fullMask(f: Field): bigint {
  if (f.name === 'in_port') return 0xffffn;
  if (f.name === 'vlan_vid') return 0x1fffn;
  return ones(f.bits);
}

/** Reads a value and its mask. @throws FlowSyntaxError */
export function parseFieldValue(f: Field, s: string, ports?: PortMap): { value: bigint; mask: bigint } {
  const { value, mask } = text.parseFieldValue(f, s, ports);
  return { value, mask: mask === ones(f.bytes * 8) ? fullMask(f) : mask & fullMask(f) };
}

/** The text of a value under `mask`. */
export function formatFieldValue(f: Field, value: bigint, mask: bigint, ports?: PortMap): string {
  const full = fullMask(f);
  return text.formatFieldValue(f, value, (mask & full) === full ? ones(f.bytes * 8) : mask, ports);
}
