/**
 * What each table of our switch can do, as table features say it (OpenFlow 1.3, section 7.3.5.5): all that this
 * library can say. Clients need it: the peer's ovs-ofctl asks for it to learn the names of tables, and takes nothing
 * less than all required properties. All tables can do the same, but for where packets can go on from them, so the
 * long properties are made once per version.
 */
import { FIELDS } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';
import { INSTRUCTION_ROWS } from '../actions/instruction-table.js';
import { fieldCode, putFieldHeader } from '../match/headers.js';
import { Writer } from '../wire.js';
import { TABLE_PROPERTY } from './table-abilities.js';
import type { TableFeatures } from './types.js';

/** Output, TTL in and out, push and pop of tags, set-queue, group, set-field. */
const ACTIONS = [0, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25];

type Property = TableFeatures['properties'][number];

interface Common {
  readonly actions: Uint8Array;
  readonly setField: Uint8Array;
  readonly match: Uint8Array;
  readonly wildcards: Uint8Array;
}

const common = new Map<number, Common>();

function codes(types: readonly number[]): Uint8Array {
  const w = new Writer();
  for (const type of types) w.u16(type).u16(4);
  return w.finish();
}

function headers(version: number, masked: boolean, isListed: (f: Field) => boolean): Uint8Array {
  const w = new Writer();
  for (const f of FIELDS) {
    if (isListed(f) && fieldCode(f, version) !== undefined)
      putFieldHeader(w, f, version, masked && f.maskable);
  }
  return w.finish();
}

function commonOf(version: number): Common {
  let found = common.get(version);
  if (found === undefined) {
    found = {
      actions: codes(ACTIONS),
      setField: headers(version, false, (f) => f.writable),
      match: headers(version, true, () => true),
      wildcards: headers(version, false, () => true),
    };
    common.set(version, found);
  }
  return found;
}

/** Features of table `tableId` of `nTables`, which flows go on through upwards, in the codes of `version` (from 1.3). */
export function tableFeatures(
  tableId: number,
  nTables: number,
  name: string,
  maxEntries: number,
  version: number,
): TableFeatures {
  const { actions, setField, match, wildcards } = commonOf(version);
  const after = nTables - 1 - tableId;
  // From the last table there is nowhere to go.
  const instructions = codes(
    INSTRUCTION_ROWS.filter(
      ([kind, { from, to }]) => version >= from && version <= to && (kind !== 'goto' || after > 0),
    )
      .map(([, { type }]) => type)
      .sort((a, b) => a - b),
  );
  const next = Uint8Array.from({ length: after }, (_, i) => tableId + 1 + i);
  const flow: readonly Property[] = [
    { type: TABLE_PROPERTY.INSTRUCTIONS, body: instructions },
    { type: TABLE_PROPERTY.NEXT_TABLES, body: next },
    { type: TABLE_PROPERTY.WRITE_ACTIONS, body: actions },
    { type: TABLE_PROPERTY.WRITE_SETFIELD, body: setField },
    { type: TABLE_PROPERTY.APPLY_ACTIONS, body: actions },
    { type: TABLE_PROPERTY.APPLY_SETFIELD, body: setField },
  ];
  return {
    tableId,
    name,
    metadataMatch: 0xffffffffffffffffn,
    metadataWrite: 0xffffffffffffffffn,
    config: 0,
    maxEntries,
    properties: [
      ...flow,
      ...flow.map(({ type, body }) => ({ type: type + 1, body })),
      { type: TABLE_PROPERTY.MATCH, body: match },
      { type: TABLE_PROPERTY.WILDCARDS, body: wildcards },
    ],
  };
}
