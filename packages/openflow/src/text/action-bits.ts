/** Actions in bitmaps, as switch, table and group features have them: the bits of each version, in the order printed. */

/** [name, bit in OpenFlow 1.0, in 1.1, in 1.2 and later]; -1: none. */
const ACTION_BITS: readonly (readonly [name: string, of10: number, of11: number, of12: number])[] = [
  ['output', 0, 0, 0],
  ['group', -1, 22, 22],
  ['enqueue', 11, -1, -1],
  ['set_field', -1, -1, 25],
  ['set_vlan_vid', 1, 1, -1],
  ['set_vlan_pcp', 2, 2, -1],
  ['strip_vlan', 3, 18, 18],
  ['push_vlan', -1, 17, 17],
  ['mod_dl_src', 4, 3, -1],
  ['mod_dl_dst', 5, 4, -1],
  ['mod_nw_src', 6, 5, -1],
  ['mod_nw_dst', 7, 6, -1],
  ['mod_nw_tos', 8, 7, -1],
  ['mod_nw_ecn', -1, 8, -1],
  ['mod_nw_ttl', -1, 23, 23],
  ['mod_tp_src', 9, 9, -1],
  ['mod_tp_dst', 10, 10, -1],
  ['dec_ttl', -1, 24, 24],
  ['set_mpls_label', -1, 13, -1],
  ['set_mpls_tc', -1, 14, -1],
  ['set_mpls_ttl', -1, 15, 15],
  ['dec_mpls_ttl', -1, 16, 16],
  ['push_mpls', -1, 19, 19],
  ['pop_mpls', -1, 20, 20],
  ['set_queue', -1, 21, 21],
];

/** The bitmap of every action that the version has a bit for. */
export function allActionBits(version: number): number {
  const column = version === 1 ? 1 : version === 2 ? 2 : 3;
  return ACTION_BITS.reduce((bits, row) => (row[column] < 0 ? bits : bits | (1 << row[column])), 0) >>> 0;
}

/** Names of the actions of a bitmap; bits of no action are passed over. */
export function actionNames(bits: number, version: number): string[] {
  const column = version === 1 ? 1 : version === 2 ? 2 : 3;
  return ACTION_BITS.filter((row) => row[column] >= 0 && ((bits >>> row[column]) & 1) !== 0).map(
    ([name]) => name,
  );
}

export function formatActionBits(bits: number, version: number): string {
  const names = actionNames(bits, version);
  return names.length === 0 ? '<none>' : names.join(' ');
}
