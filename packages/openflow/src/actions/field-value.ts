/**
 * Values of fields in actions. The text functions of `@ovs-node/flow` have masks as wide as the bytes on the wire;
 * in an action, a mask has the field's own bits, so that "the whole field" is one number.
 */
import * as text from '@ovs-node/flow/field-text';
import { FIELDS } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';
import type { PortMap } from '@ovs-node/flow/ports';

const ONES = Array.from({ length: 993 }, (_, bits) => (1n << BigInt(bits)) - 1n);

/** The number of that many one bits. */
export function ones(bits: number): bigint {
  return ONES[bits] ?? (1n << BigInt(bits)) - 1n;
}

/** Fields of which an exact mask has other bits than their width says. */
const FULL_OF: Readonly<Record<string, bigint>> = {
  in_port: 0xffffn,
  vlan_vid: 0x1fffn,
  tun_flags: 0xffffn,
  ipv6_label: 0xffffffffn,
  tun_erspan_idx: 0xffffffffn,
  tun_erspan_ver: 0xffn,
  tun_erspan_dir: 0xffn,
  tun_erspan_hwid: 0xffn,
};
const FULL = FIELDS.map((f) => FULL_OF[f.name] ?? ones(f.bits));
const WIRE = FIELDS.map((f) => ones(f.bytes * 8));

/** All bits that an action can set of `f`, as a set-field of all of it has them (`vlan_vid` includes "tag present"). */
export function fullMask(f: Field): bigint {
  return FULL[f.id];
}

/** Reads a value and its mask. @throws FlowSyntaxError */
export function parseFieldValue(f: Field, s: string, ports?: PortMap): { value: bigint; mask: bigint } {
  const { value, mask } = text.parseFieldValue(f, s, ports);
  return { value, mask: mask === WIRE[f.id] ? fullMask(f) : mask & fullMask(f) };
}

/** The text of a value under `mask`. */
export function formatFieldValue(f: Field, value: bigint, mask: bigint, ports?: PortMap): string {
  const full = fullMask(f);
  return text.formatFieldValue(f, value, (mask & full) === full ? WIRE[f.id] : mask, ports);
}
