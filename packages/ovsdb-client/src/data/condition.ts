/**
 * Conditions (RFC 7047 section 5.1 <condition>, and the boolean form that monitor_cond and select add): parsing
 * against a table, evaluation on rows.
 */
import { type SymbolTable, compareAtoms } from './atom.js';
import { type Datum, datumEquals, datumExcludes, datumIncludes } from './datum.js';
import { datumFromJson, datumToJson } from './datum-json.js';
import { ERROR_TAGS, OvsdbError, syntaxError } from './error.js';
import { type Json, isJsonArray } from './json.js';
import type { Row } from './row.js';
import { typeToEnglish } from './type-english.js';
import { type ColumnType, isOptionalScalar, isScalar } from './type.js';
import { type ColumnSchema, type TableSchema, UUID_INDEX, findColumn, rowCell } from '../schema.js';

export const CONDITION_FUNCTIONS = ['==', '!=', '<', '<=', '>', '>=', 'includes', 'excludes'] as const;
export type ConditionFunction = (typeof CONDITION_FUNCTIONS)[number];

/** One clause: a constant, or COLUMN FUNCTION VALUE. */
export type Clause =
  | { readonly function: 'true' | 'false' }
  | { readonly function: ConditionFunction; readonly column: ColumnSchema; readonly arg: Datum };

/** Clauses that must all hold; empty means true. */
export type Condition = readonly Clause[];

const ORDERINGS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=']);

/** Parses a `where` array. Throws `OvsdbError`. */
export function conditionFromJson(table: TableSchema, json: Json, symbols?: SymbolTable): Condition {
  if (!isJsonArray(json)) throw syntaxError(json, 'array expected');
  return json.map((clause) => clauseFromJson(table, clause, symbols));
}

/** Parses one clause: `true`, `false`, or `[COLUMN, FUNCTION, VALUE]`. Throws `OvsdbError`. */
export function clauseFromJson(table: TableSchema, json: Json, symbols?: SymbolTable): Clause {
  if (typeof json === 'boolean') return { function: json ? 'true' : 'false' };
  if (!isJsonArray(json) || json.length !== 3 || typeof json[0] !== 'string' || typeof json[1] !== 'string') {
    throw syntaxError(json, 'Parse error in condition.');
  }
  const [columnName, functionName, argJson] = json as readonly [string, string, Json];
  const column = findColumn(table, columnName);
  if (column === undefined) {
    throw syntaxError(json, `No column ${columnName} in table ${table.name}.`, ERROR_TAGS.unknownColumn);
  }
  const fn = CONDITION_FUNCTIONS.find((known) => known === functionName);
  if (fn === undefined)
    throw new OvsdbError(ERROR_TAGS.unknownFunction, `No function named ${functionName}.`);
  if (ORDERINGS.has(fn) && !isOrdered(column.type)) {
    const type = typeToEnglish(column.type);
    throw syntaxError(
      json,
      `Type mismatch: "${fn}" operator may not be applied to column ${column.name} of type ${type}.`,
    );
  }
  const arg = datumFromJson(argumentType(fn, column.type), argJson, symbols);
  return { function: fn, column, arg };
}

function isOrdered(type: ColumnType): boolean {
  const isNumber = type.key.type === 'integer' || type.key.type === 'real';
  return isNumber && (isScalar(type) || isOptionalScalar(type));
}

/** Orderings need a value; `includes` and `excludes` take part of a set or map: any number of elements. */
function argumentType(fn: ConditionFunction, type: ColumnType): ColumnType {
  if (ORDERINGS.has(fn)) return { ...type, min: 1, max: 1 };
  if (fn !== 'includes' && fn !== 'excludes') return type;
  if (isScalar(type)) return type;
  return { ...type, min: 0, max: fn === 'includes' ? type.max : Infinity };
}

/** Does the row satisfy every clause? */
export function evaluateCondition(condition: Condition, row: Row): boolean {
  for (let i = 0; i < condition.length; i++) if (!evaluateClause(condition[i]!, row)) return false;
  return true;
}

/** Does the row satisfy one clause? */
export function evaluateClause(clause: Clause, row: Row): boolean {
  if (!('column' in clause)) return clause.function === 'true';
  const { column, arg } = clause;
  if (column.index === UUID_INDEX && clause.function === '==') return row.uuid === arg.keys[0];
  return evaluateFunction(clause.function, rowCell(row, column), arg);
}

/** Applies a condition function to a column's value and the argument. */
export function evaluateFunction(fn: ConditionFunction, value: Datum, arg: Datum): boolean {
  switch (fn) {
    case '==':
      return datumEquals(value, arg);
    case '!=':
      return !datumEquals(value, arg);
    case 'includes':
      return datumIncludes(value, arg);
    case 'excludes':
      return datumExcludes(value, arg);
    default:
      return evaluateOrder(fn, value, arg);
  }
}

/** Orderings hold only when both sides have a value. */
function evaluateOrder(fn: '<' | '<=' | '>' | '>=', value: Datum, arg: Datum): boolean {
  if (value.keys.length === 0 || arg.keys.length === 0) return false;
  const order = compareAtoms(value.keys[0]!, arg.keys[0]!);
  switch (fn) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** The row UUID when the condition holds for at most that one row (`_uuid == U` among the clauses). */
export function conditionUuid(condition: Condition): string | undefined {
  for (const clause of condition) {
    if ('column' in clause && clause.function === '==' && clause.column.index === UUID_INDEX) {
      return clause.arg.keys[0] as string;
    }
  }
  return undefined;
}

/** The JSON of a condition. */
export function conditionToJson(condition: Condition, named?: (uuid: string) => string | undefined): Json[] {
  return condition.map((clause): Json => {
    if (!('column' in clause)) return clause.function === 'true';
    return [clause.column.name, clause.function, datumToJson(clause.column.type, clause.arg, named)];
  });
}
