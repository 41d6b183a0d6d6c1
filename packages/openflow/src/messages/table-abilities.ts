/** What the properties of table features say (OpenFlow 1.3, section 7.3.5.5.2): instructions, actions, fields, next tables. */
import type { Field } from '@ovs-node/flow/field-types';
import { FIELDS } from '@ovs-node/flow/fields';
import { instructionOfType } from '../actions/instruction-table.js';
import { fail, refuse } from '../errors.js';
import type { Explain } from '../explain.js';
import { isLengthOf, readFieldHeader } from '../match/headers.js';
import { Reader } from '../wire.js';
import type { TableFeatures, TableProperty } from './table-types.js';
import { PROPERTIES } from './property-table.js';

const rows = PROPERTIES['table features'].rows;

/** Types of properties of flows in general; those of table-miss flows are one more. */
export const TABLE_PROPERTY = {
  INSTRUCTIONS: rows.instructions.type,
  NEXT_TABLES: rows.nextTables.type,
  WRITE_ACTIONS: rows.writeActions.type,
  APPLY_ACTIONS: rows.applyActions.type,
  MATCH: rows.match.type,
  WILDCARDS: rows.wildcards.type,
  WRITE_SETFIELD: rows.writeSetfield.type,
  APPLY_SETFIELD: rows.applySetfield.type,
} as const;

/** An action or instruction by its type, or as an experimenter's. */
export interface TypeId {
  readonly type: number;
  readonly experimenter: number;
}

export interface ActionAbilities {
  readonly actions: readonly TypeId[];
  /** In the order of the field table. */
  readonly setFields: readonly Field[];
}

export interface FlowAbilities {
  readonly nextTables: readonly number[];
  readonly instructions: readonly TypeId[];
  readonly write: ActionAbilities;
  readonly apply: ActionAbilities;
}

export interface TableAbilities {
  readonly nonmiss: FlowAbilities;
  readonly miss: FlowAbilities;
  readonly match: ReadonlySet<Field>;
  /** Those of `match` that take a mask. */
  readonly mask: ReadonlySet<Field>;
  readonly wildcard: ReadonlySet<Field>;
}

/** Whether it is one of OpenFlow's instructions. */
const isInstruction = ({ type, experimenter }: TypeId): boolean =>
  experimenter === 0 && instructionOfType(type) !== undefined;

const EXPERIMENTER = 0xffff;
/** Of an experimenter's type that is too short to say whose. */
const UNKNOWN_EXPERIMENTER = 0xffffffff;

function readTypes(body: Uint8Array, explain?: Explain): TypeId[] {
  const r = new Reader(body, 0, body.length, 'OFPBPC_BAD_LEN', explain);
  const out: TypeId[] = [];
  while (r.left > 0) {
    if (r.left < 4) fail('OFPBPC_BAD_LEN', 'header of a type');
    const type = r.u16();
    const length = r.u16();
    if (length < 4) fail('OFPBPC_BAD_LEN', `type of ${length} bytes`);
    const rest = r.sub(length - 4, 'OFPBPC_BAD_LEN');
    if (type === EXPERIMENTER)
      out.push({ type: 0, experimenter: rest.left < 4 ? UNKNOWN_EXPERIMENTER : rest.u32() });
    else out.push({ type, experimenter: 0 });
  }
  return out;
}

function readFieldList(
  body: Uint8Array,
  loose = true,
  explain?: Explain,
): { readonly fields: Set<Field>; readonly masked: Set<Field> } {
  const r = new Reader(body, 0, body.length, 'OFPBPC_BAD_LEN', explain);
  const fields = new Set<Field>();
  const masked = new Set<Field>();
  while (r.left > 0) {
    const h = readFieldHeader(r);
    if (!h.field || !isLengthOf(h, h.field)) {
      r.explain?.('unknown_field', h);
      if (loose) continue;
      return fail('OFPBMC_BAD_FIELD', `field ${h.cls}:${h.code}`);
    }
    fields.add(h.field);
    if (h.masked) masked.add(h.field);
  }
  return { fields, masked };
}

/** Of each type of property that lists fields, the body that was found good last. */
const lastGood = new Map<number, Uint8Array>();

/**
 * Reads a list of fields for what is wrong with it. Most of the 254 tables of a switch say the same, which is not read
 * again: `ovs-ofctl` asks for them, as their names may be in flows, and took 0.1 s of each command to read them.
 */
function checkFieldList(type: number, body: Uint8Array, loose: boolean, explain?: Explain): void {
  const known = lastGood.get(type);
  if (known !== undefined && Buffer.compare(known, body) === 0) return;
  let isPlain = true;
  const { masked } = readFieldList(body, loose, (key, ...args) => {
    isPlain = false;
    explain?.(key, ...args);
  });
  // Only what can be matched can be masked.
  if (type !== TABLE_PROPERTY.MATCH && masked.size > 0) fail('OFPBMC_BAD_MASK', `masks in property ${type}`);
  if (isPlain) lastGood.set(type, body.slice());
}

const inOrder = (fields: ReadonlySet<Field>): Field[] => FIELDS.filter((f) => fields.has(f));

/** Reads the properties; those of table-miss flows that are left out are as those of other flows. */
export function tableAbilities(t: TableFeatures): TableAbilities {
  // An experimenter's may say another thing after the standard's.
  const bodyOf = (type: number): Uint8Array =>
    t.properties.findLast((p) => p.type === type)?.body ?? new Uint8Array(0);
  const flow = (odd: 0 | 1): FlowAbilities => {
    const of = (type: number): Uint8Array =>
      odd === 1 && hasProperty(t, type + 1) ? bodyOf(type + 1) : bodyOf(type);
    return {
      nextTables: [...new Set(of(TABLE_PROPERTY.NEXT_TABLES))].sort((a, b) => a - b),
      instructions: readTypes(of(TABLE_PROPERTY.INSTRUCTIONS)),
      write: {
        actions: readTypes(of(TABLE_PROPERTY.WRITE_ACTIONS)),
        setFields: inOrder(readFieldList(of(TABLE_PROPERTY.WRITE_SETFIELD)).fields),
      },
      apply: {
        actions: readTypes(of(TABLE_PROPERTY.APPLY_ACTIONS)),
        setFields: inOrder(readFieldList(of(TABLE_PROPERTY.APPLY_SETFIELD)).fields),
      },
    };
  };
  const match = readFieldList(bodyOf(TABLE_PROPERTY.MATCH));
  return {
    nonmiss: flow(0),
    miss: flow(1),
    match: match.fields,
    mask: match.masked,
    wildcard: readFieldList(bodyOf(TABLE_PROPERTY.WILDCARDS)).fields,
  };
}

/**
 * Refuses a property that does not say what its type has it say, or is there already (in `seen`, types so far).
 * `loose`: what is not known is passed over.
 */
export function checkTableProperty(
  { type, experimenter, body }: TableProperty,
  seen: Set<number>,
  loose: boolean,
  explain?: Explain,
): void {
  // Of those that are not known, too: the peer keeps a set of so many.
  if (experimenter === undefined) {
    if (seen.has(type) && type < 32) fail('OFPTFFC_BAD_FEATURES', `property ${type} twice`);
    seen.add(type);
  }
  const unknown = (): void => {
    explain?.('unknown_property', 'table features', type, experimenter, loose);
    if (!loose)
      fail(experimenter === undefined ? 'OFPBPC_BAD_TYPE' : 'OFPBPC_BAD_EXP_TYPE', `property ${type}`);
  };
  switch (type & ~1) {
    case TABLE_PROPERTY.INSTRUCTIONS: {
      const unknown = readTypes(body).find((each) => !isInstruction(each));
      if (unknown !== undefined && !loose) fail('OFPBIC_UNKNOWN_INST', `instruction ${unknown.type}`);
      break;
    }
    case TABLE_PROPERTY.WRITE_ACTIONS:
    case TABLE_PROPERTY.APPLY_ACTIONS:
      readTypes(body, explain);
      break;
    case TABLE_PROPERTY.NEXT_TABLES:
      if (body.includes(255)) fail('OFPBPC_BAD_VALUE', 'next table 255');
      break;
    case TABLE_PROPERTY.MATCH:
      if (type === TABLE_PROPERTY.MATCH) checkFieldList(type, body, loose, explain);
      else unknown();
      break;
    case TABLE_PROPERTY.WILDCARDS:
    case TABLE_PROPERTY.WRITE_SETFIELD:
    case TABLE_PROPERTY.APPLY_SETFIELD:
      if (type !== TABLE_PROPERTY.WILDCARDS + 1) checkFieldList(type, body, loose, explain);
      break;
    default:
      unknown();
  }
}

/** Whether the standard's property of a type is there. */
const hasProperty = (t: TableFeatures, type: number): boolean =>
  t.properties.some((p) => p.type === type && p.experimenter === undefined);

/** Refuses features of which a property is missing. */
export function checkTableAbilities(t: TableFeatures, version: number, explain?: Explain): void {
  // Since OpenFlow 1.5 none at all is as good as all that are required.
  if (t.properties.length === 0 && version >= 6) return;
  const missing = Object.values(TABLE_PROPERTY).filter((type) => !hasProperty(t, type));
  if (missing.length === 0) return;
  refuse({ explain }, 'OFPTFFC_BAD_FEATURES', 'missing_properties', missing.length, missing[0]);
}

/** A value that is the same for tables that can do the same. */
function digest(t: TableFeatures): string {
  const { nonmiss, miss, match, mask, wildcard } = tableAbilities(t);
  const types = (list: readonly TypeId[]): string[] =>
    list.map(({ type, experimenter }) => `${experimenter}:${type}`).sort();
  const names = (fields: Iterable<Field>): string[] => [...fields].map((f) => f.name).sort();
  const actions = (a: ActionAbilities): unknown => [types(a.actions), names(a.setFields)];
  const flow = (f: FlowAbilities): unknown => [
    f.nextTables,
    types(f.instructions),
    actions(f.write),
    actions(f.apply),
  ];
  return JSON.stringify([flow(nonmiss), flow(miss), names(match), names(mask), names(wildcard)]);
}

/** Whether features that a controller asks for say of a table's abilities what is so; saying nothing is no other. */
export function haveSameAbilities(wanted: TableFeatures, ours: TableFeatures): boolean {
  return (
    wanted.maxEntries === ours.maxEntries &&
    (wanted.properties.length === 0 || digest(wanted) === digest(ours))
  );
}
