/**
 * The features of a flow table that can do all that this library can say: what a switch such as ours answers to a
 * table-features request (OpenFlow 1.3, section 7.3.5.5). Clients need it: the peer's ovs-ofctl asks for it to learn
 * the names of tables, and takes nothing less than all required properties.
 */
import { FIELDS } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';
import { actionRow, ACTIONS } from '../actions/table.js';
import type { ActionType } from '../actions/types.js';
import { fieldCode } from '../match/headers.js';
import { Writer } from '../wire.js';
import type { TableFeatures } from './types.js';

/** OFPTFPT_* of properties for flows; the odd numbers after them are for table-miss flows, and say the same. */
const PROPERTY = {
  INSTRUCTIONS: 0,
  NEXT_TABLES: 2,
  WRITE_ACTIONS: 4,
  APPLY_ACTIONS: 6,
  MATCH: 8,
  WILDCARDS: 10,
  WRITE_SETFIELD: 12,
  APPLY_SETFIELD: 14,
} as const;

const EXPERIMENTER = 0xffff;
const GOTO = 1;
const METER = 6;

function putIds(ids: readonly number[]): Uint8Array {
  const w = new Writer();
  for (const id of ids) w.u16(id).u16(4);
  return w.finish();
}

/** The headers of the fields that pass; with the mask bit for those that `masked` says. */
function putHeaders(
  version: number,
  wanted: (f: Field) => boolean,
  masked: (f: Field) => boolean,
): Uint8Array {
  const w = new Writer();
  for (const f of FIELDS) {
    const code = fieldCode(f, version);
    if (!code || !wanted(f)) continue;
    const mask = masked(f);
    const experimenter = code.cls === EXPERIMENTER;
    w.u16(code.cls)
      .u8((code.field << 1) | (mask ? 1 : 0))
      .u8(f.bytes * (mask ? 2 : 1) + (experimenter ? 4 : 0));
    if (experimenter) w.u32(code.experimenter);
  }
  return w.finish();
}

/** Types of the standard actions that a version has. */
function actionCodes(version: number): number[] {
  const codes = new Set<number>();
  for (const type of Object.keys(ACTIONS) as ActionType[]) {
    for (const form of actionRow(type).wire) {
      if (form.vendor === 0 && version >= form.from && version <= form.to) codes.add(form.code);
    }
  }
  return [...codes].sort((a, b) => a - b);
}

/** Features of table `tableId` of a switch of `nTables` tables, in the code points of `version` (1.3 or later). */
export function standardTableFeatures(
  tableId: number,
  nTables: number,
  name: string,
  maxEntries: number,
  version: number,
): TableFeatures {
  const last = tableId + 1 >= nTables;
  // Meters became an action in 1.5.
  const instructions = [GOTO, 2, 3, 4, 5, METER].filter(
    (id) => !(last && id === GOTO) && !(version >= 6 && id === METER),
  );
  const next = Uint8Array.from({ length: last ? 0 : nTables - tableId - 1 }, (_, i) => tableId + 1 + i);
  const actions = putIds(actionCodes(version));
  const never = (): boolean => false;
  const always = (): boolean => true;
  const setField = putHeaders(version, (f) => f.writable, never);
  const bodies: readonly (readonly [number, Uint8Array])[] = [
    [PROPERTY.INSTRUCTIONS, putIds(instructions)],
    [PROPERTY.NEXT_TABLES, next],
    [PROPERTY.WRITE_ACTIONS, actions],
    [PROPERTY.APPLY_ACTIONS, actions],
    [PROPERTY.MATCH, putHeaders(version, always, (f) => f.maskable)],
    [PROPERTY.WILDCARDS, putHeaders(version, always, never)],
    [PROPERTY.WRITE_SETFIELD, setField],
    [PROPERTY.APPLY_SETFIELD, setField],
  ];
  return {
    tableId,
    name,
    metadataMatch: 0xffffffffffffffffn,
    metadataWrite: 0xffffffffffffffffn,
    config: 0,
    maxEntries,
    properties: bodies.map(([type, body]) => ({ type, body })),
  };
}
