/**
 * The ten operations of RFC 7047 section 5.2 (and `assert` of 5.2.10), one row each: members are taken from the
 * parser, the operation is applied to the transaction, its result object is returned. What is thrown becomes the
 * operation's error.
 */
import { SymbolTable } from 'ovsdb-client/data/atom';
import {
  type Condition,
  conditionFromJson,
  conditionUuid,
  evaluateCondition,
} from 'ovsdb-client/data/condition';
import type { Datum } from 'ovsdb-client/data/datum';
import { ERROR_TAGS, OvsdbError, syntaxError } from 'ovsdb-client/data/error';
import { type Json, type JsonArray, type JsonObject, canonicalJson } from 'ovsdb-client/data/json';
import { applyMutation, mutationFromJson } from 'ovsdb-client/data/mutation';
import type { ObjectParser } from 'ovsdb-client/data/parser';
import { defaultCells } from 'ovsdb-client/data/row';
import { checkDatum } from 'ovsdb-client/data/type';
import { newUuid, parseUuid } from 'ovsdb-client/data/uuid';
import { UUID_COLUMN, VERSION_INDEX, columnSetFromJson } from 'ovsdb-client/schema';
import type { Slot, Table } from '../database/table.js';
import type { AccessControl } from './access.js';
import { rowFromJson, rowToJson } from './row-json.js';
import { rowsEqual } from './wait.js';
import type { Transaction } from './transaction.js';

/** What operations of one transaction share. */
export interface OperationContext {
  readonly transaction: Transaction;
  readonly symbols: SymbolTable;
  /** Does the client hold this lock? */
  readonly holdsLock: (name: string) => boolean;
  /** Milliseconds since the transaction was asked for. */
  readonly elapsedMs: number;
  /** Set by `commit`. */
  durable: boolean;
  /** Undefined: everything is allowed. */
  readonly access: AccessControl | undefined;
}

/** Thrown by `wait` when the transaction has to be tried again after a change, at the latest at its timeout. */
export class WaitPending extends Error {
  /** Milliseconds from the request, or Infinity. */
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super('wait');
    this.timeoutMs = timeoutMs;
  }
}

type Operation = (context: OperationContext, parser: ObjectParser) => JsonObject;

/** Operations by name. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['insert', insert],
  ['select', select],
  ['update', update],
  ['mutate', mutate],
  ['delete', deleteRows],
  ['wait', wait],
  ['commit', commit],
  ['abort', abort],
  ['comment', comment],
  ['assert', assertLock],
]);

/** Operations that change nothing: all a read-only client may ask for. */
export const READ_ONLY_OPERATIONS: ReadonlySet<string> = new Set([
  'select',
  'wait',
  'abort',
  'comment',
  'assert',
]);

function takeTable(context: OperationContext, parser: ObjectParser): Table | undefined {
  const name = parser.take('table', ['string']);
  if (typeof name !== 'string') return undefined;
  const table = context.transaction.database.tables.get(name);
  if (table === undefined) parser.fail(`No table named ${name}.`);
  return table;
}

/** The slots a condition selects; a UUID or an index is used when one decides. */
function* matchingSlots(context: OperationContext, table: Table, condition: Condition): Generator<Slot> {
  const candidates = candidateSlots(context, table, condition);
  for (const slot of candidates) if (evaluateCondition(condition, slot.row!)) yield slot;
}

function candidateSlots(context: OperationContext, table: Table, condition: Condition): Iterable<Slot> {
  const uuid = conditionUuid(condition);
  if (uuid !== undefined) {
    const slot = table.slots.get(uuid);
    return slot === undefined ? [] : [slot];
  }
  // Indexes are brought up to date at commit: within a transaction they serve until its first change.
  if (context.transaction.changes.length === 0) {
    for (const index of table.indexes) {
      if (index.columns.length !== 1) continue;
      for (const clause of condition) {
        if (!('column' in clause) || clause.function !== '==' || clause.column !== index.columns[0]) continue;
        if (clause.arg.keys.length !== 1 || clause.arg.values.length > 0) continue;
        const slot = index.slots.get(clause.arg.keys[0]!);
        return slot === undefined ? [] : [slot];
      }
    }
  }
  return table.slots.values();
}

function takeCondition(
  context: OperationContext,
  parser: ObjectParser,
  table: Table | undefined,
  where: Json | undefined,
): Condition {
  parser.check();
  return conditionFromJson(table!.schema, where!, context.symbols);
}

function insert(context: OperationContext, parser: ObjectParser): JsonObject {
  const table = takeTable(context, parser);
  const name = parser.take('uuid-name', ['id'], true);
  const uuidJson = parser.take('uuid', ['string'], true);
  const row = parser.take('row', ['object']);
  parser.check();
  const uuid = insertedUuid(context, table!, name as string | undefined, uuidJson as string | undefined);
  const cells = defaultCells(table!.schema);
  const given: boolean[] = [];
  for (const { column, datum } of rowFromJson(table!.schema, row as JsonObject, context.symbols)) {
    if (column.index < 0) continue;
    cells[column.index] = datum;
    given[column.index] = true;
  }
  for (const column of table!.schema.columns) {
    if (given[column.index] !== true) checkDatum(column.type, cells[column.index]!);
  }
  context.access?.checkInsert(table!, uuid, cells);
  context.transaction.insert(table!, uuid, cells);
  return { uuid: ['uuid', uuid] };
}

function insertedUuid(
  context: OperationContext,
  table: Table,
  name: string | undefined,
  uuidJson: string | undefined,
): string {
  let uuid: string | undefined;
  if (uuidJson !== undefined) {
    uuid = parseUuid(uuidJson);
    if (uuid === undefined) throw syntaxError(uuidJson, 'bad uuid');
    if (table.slots.has(uuid) || context.transaction.deletedSlot(table, uuid) !== undefined) {
      throw syntaxError(
        uuidJson,
        'This UUID would duplicate a UUID already present within the table or deleted within the same transaction.',
        ERROR_TAGS.duplicateUuid,
      );
    }
  }
  if (name === undefined) return uuid ?? newUuid();
  const known = context.symbols.symbols.get(name);
  if (known?.created === true) {
    throw syntaxError(
      name,
      'This "uuid-name" appeared on an earlier "insert" operation.',
      ERROR_TAGS.duplicateUuidName,
    );
  }
  if (known !== undefined && uuid === undefined) {
    known.created = true;
    return known.uuid;
  }
  return context.symbols.define(name, uuid ?? newUuid()).uuid;
}

function select(context: OperationContext, parser: ObjectParser): JsonObject {
  const table = takeTable(context, parser);
  const where = parser.take('where', ['array']);
  const columnsJson = parser.take('columns', ['array'], true);
  const condition = takeCondition(context, parser, table, where);
  const columns = columnSetFromJson(table!.schema, columnsJson);
  const rows: JsonObject[] = [];
  // Rows are a set: equal ones count once. With the UUID among the columns no two are equal.
  const seen = columns.includes(UUID_COLUMN) ? undefined : new Set<string>();
  for (const slot of matchingSlots(context, table!, condition)) {
    const row = rowToJson(slot.row!, columns);
    if (seen !== undefined) {
      const text = canonicalJson(row);
      if (seen.has(text)) continue;
      seen.add(text);
    }
    rows.push(row);
  }
  return { rows };
}

function update(context: OperationContext, parser: ObjectParser): JsonObject {
  const table = takeTable(context, parser);
  const where = parser.take('where', ['array']);
  const rowJson = parser.take('row', ['object']);
  parser.check();
  const members = rowFromJson(table!.schema, rowJson as JsonObject, context.symbols);
  for (const { column } of members) {
    if (!column.mutable) {
      throw syntaxError(
        parser.json,
        `Cannot update immutable column ${column.name} in table ${table!.schema.name}.`,
        ERROR_TAGS.constraint,
      );
    }
  }
  const condition = takeCondition(context, parser, table, where);
  const slots = [...matchingSlots(context, table!, condition)];
  context.access?.checkUpdate(
    table!,
    slots,
    members.map(({ column }) => column),
  );
  for (const slot of slots) {
    const cells = slot.row!.cells.slice();
    for (const { column, datum } of members) cells[column.index] = datum;
    context.transaction.update(slot, cells);
  }
  return { count: slots.length };
}

function mutate(context: OperationContext, parser: ObjectParser): JsonObject {
  const table = takeTable(context, parser);
  const where = parser.take('where', ['array']);
  const mutationsJson = parser.take('mutations', ['array']);
  parser.check();
  const mutations = (mutationsJson as JsonArray).map((json) =>
    mutationFromJson(table!.schema, json, context.symbols),
  );
  const condition = takeCondition(context, parser, table, where);
  const slots = [...matchingSlots(context, table!, condition)];
  context.access?.checkMutate(
    table!,
    slots,
    mutations.map(({ column }) => column),
  );
  for (const slot of slots) {
    let cells: Datum[] | undefined;
    for (const mutation of mutations) {
      const { index } = mutation.column;
      const old = (cells ?? slot.row!.cells)[index]!;
      const now = applyMutation(mutation, old);
      if (now === old) continue;
      cells ??= slot.row!.cells.slice();
      cells[index] = now;
    }
    if (cells !== undefined) context.transaction.update(slot, cells);
  }
  return { count: slots.length };
}

function deleteRows(context: OperationContext, parser: ObjectParser): JsonObject {
  const table = takeTable(context, parser);
  const where = parser.take('where', ['array']);
  const condition = takeCondition(context, parser, table, where);
  const slots = [...matchingSlots(context, table!, condition)];
  context.access?.checkDelete(table!, slots);
  for (const slot of slots) context.transaction.delete(slot);
  return { count: slots.length };
}

function wait(context: OperationContext, parser: ObjectParser): JsonObject {
  const timeoutJson = parser.take('timeout', ['number'], true);
  const table = takeTable(context, parser);
  const where = parser.take('where', ['array']);
  const columnsJson = parser.take('columns', ['array'], true);
  const until = parser.take('until', ['string']);
  const rowsJson = parser.take('rows', ['array']);
  const condition = takeCondition(context, parser, table, where);
  const columns = columnSetFromJson(table!.schema, columnsJson);
  if (until !== '==' && until !== '!=') throw syntaxError(until, '"until" must be "==" or "!="');
  const timeoutMs = timeoutJson === undefined ? Infinity : Number(timeoutJson);
  if (timeoutMs < 0) throw syntaxError(timeoutJson, 'timeout must be nonnegative');
  const wanted = (rowsJson as JsonArray).map((json) => {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw syntaxError(json, 'row must be JSON object');
    }
    const cells = defaultCells(table!.schema);
    let uuid = '';
    let version = '';
    for (const { column, datum } of rowFromJson(table!.schema, json as JsonObject, context.symbols)) {
      if (column.index >= 0) cells[column.index] = datum;
      else if (column.index === VERSION_INDEX) version = datum.keys[0] as string;
      else uuid = datum.keys[0] as string;
    }
    return { uuid, version, cells };
  });
  const present = [];
  for (const slot of matchingSlots(context, table!, condition)) present.push(slot.row!);
  if (rowsEqual(present, wanted, columns) === (until === '==')) return {};
  if (context.elapsedMs >= timeoutMs) {
    throw new OvsdbError(
      ERROR_TAGS.timedOut,
      timeoutMs === 0 ? '"where" clause test failed' : `"wait" timed out after ${timeoutMs} ms`,
    );
  }
  throw new WaitPending(timeoutMs);
}

function commit(context: OperationContext, parser: ObjectParser): JsonObject {
  const durable = parser.take('durable', ['boolean']);
  parser.check();
  if (durable === true) context.durable = true;
  return {};
}

function abort(_context: OperationContext, parser: ObjectParser): JsonObject {
  parser.check();
  throw new OvsdbError(ERROR_TAGS.aborted, 'aborted by request');
}

function comment(context: OperationContext, parser: ObjectParser): JsonObject {
  const text = parser.take('comment', ['string']);
  parser.check();
  context.transaction.comments.push(text as string);
  return {};
}

function assertLock(context: OperationContext, parser: ObjectParser): JsonObject {
  const lock = parser.take('lock', ['id']);
  parser.check();
  if (!context.holdsLock(lock as string)) {
    throw new OvsdbError(ERROR_TAGS.notOwner, `Asserted lock ${lock as string} not held.`);
  }
  return {};
}
