/**
 * Names of protocols, that is, of a version of OpenFlow with a flow format: what `ovs-ofctl -F` takes, and what its
 * errors print. Protocols are bits of `PROTO` (`@ovs-node/flow/field-types`).
 */
import {
  PROTO,
  PROTO_ANY,
  PROTO_OF10_NXM_ANY,
  PROTO_OF10_STD_ANY,
  PROTO_OXM_ANY,
} from '@ovs-node/flow/field-types';
import { VERSIONS, type OfVersion } from '../version.js';

export interface ProtocolRow {
  readonly bit: number;
  readonly name: string;
  readonly version: OfVersion;
  /** OpenFlow 1.0: flows are matched by nx_match. */
  readonly nxm: boolean;
  /** OpenFlow 1.0: flow-mods name a table. */
  readonly tableId: boolean;
}

export const PROTOCOLS: readonly ProtocolRow[] = [
  { bit: PROTO.OF10_STD, name: 'OpenFlow10-table_id', version: 1, nxm: false, tableId: false },
  { bit: PROTO.OF10_STD_TID, name: 'OpenFlow10+table_id', version: 1, nxm: false, tableId: true },
  { bit: PROTO.OF10_NXM, name: 'NXM-table_id', version: 1, nxm: true, tableId: false },
  { bit: PROTO.OF10_NXM_TID, name: 'NXM+table_id', version: 1, nxm: true, tableId: true },
  { bit: PROTO.OF11_STD, name: 'OpenFlow11', version: 2, nxm: false, tableId: true },
  { bit: PROTO.OF12_OXM, name: 'OXM-OpenFlow12', version: 3, nxm: false, tableId: true },
  { bit: PROTO.OF13_OXM, name: 'OXM-OpenFlow13', version: 4, nxm: false, tableId: true },
  { bit: PROTO.OF14_OXM, name: 'OXM-OpenFlow14', version: 5, nxm: false, tableId: true },
  { bit: PROTO.OF15_OXM, name: 'OXM-OpenFlow15', version: 6, nxm: false, tableId: true },
];

const GROUPS: readonly (readonly [name: string, bits: number])[] = [
  ['any', PROTO_ANY],
  ['OpenFlow10', PROTO_OF10_STD_ANY],
  ['NXM', PROTO_OF10_NXM_ANY],
  ['OXM', PROTO_OXM_ANY],
];

/** The row of one protocol bit. */
export function protocolRow(bit: number): ProtocolRow {
  const row = PROTOCOLS.find((p) => p.bit === bit);
  if (!row) throw new Error(`no protocol ${bit}`);
  return row;
}

/** The names of protocols, with the abbreviations of `-F` where they fit; `none` for none. */
export function formatProtocols(bits: number): string {
  if (bits === 0) return 'none';
  const out: string[] = [];
  let left = bits;
  while (left !== 0) {
    const group = GROUPS.find(([, g]) => (left & g) === g);
    if (group) {
      out.push(group[0]);
      left &= ~group[1];
      continue;
    }
    const row = PROTOCOLS.find((p) => (left & p.bit) !== 0);
    if (!row) break;
    out.push(row.name);
    left &= ~row.bit;
  }
  return out.join(',');
}

/** The protocols of one name, which may be an abbreviation; 0 when there is none. */
export function protocolsFromName(name: string): number {
  const lower = name.toLowerCase();
  const group = GROUPS.find(([g]) => g.toLowerCase() === lower);
  if (group) return group[1];
  return PROTOCOLS.find((p) => p.name.toLowerCase() === lower)?.bit ?? 0;
}

/** The protocols that some versions (a bitmap) have. */
export function protocolsOfVersions(versions: number): number {
  return PROTOCOLS.filter((p) => (versions & (1 << p.version)) !== 0).reduce((bits, p) => bits | p.bit, 0);
}

/** The versions (a bitmap) that some protocols belong to. */
export function versionsOfProtocols(bits: number): number {
  return PROTOCOLS.filter((p) => (bits & p.bit) !== 0).reduce((v, p) => v | (1 << p.version), 0);
}

/** Names of the versions in a bitmap: `OpenFlow10, OpenFlow13`. */
export function versionNames(versions: number): string {
  return VERSIONS.filter((v) => (versions & (1 << v.version)) !== 0)
    .map((v) => v.name)
    .join(', ');
}
