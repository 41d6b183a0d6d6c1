/** Mutations (RFC 7047 section 5.1 <mutation>): parsing against a table, and their effect on a datum. */
import { type Atom, type IntegerAtom, type SymbolTable, compareAtoms } from './atom.js';
import { type Datum, datumDifference, datumOfSorted, datumUnion } from './datum.js';
import { datumFromJson, datumToJson } from './datum-json.js';
import { ERROR_TAGS, OvsdbError, constraintError, syntaxError } from './error.js';
import { INT64_MAX, INT64_MIN, type Json, isJsonArray, normalizeInteger } from './json.js';
import { typeToEnglish } from './type-english.js';
import { type ColumnType, checkDatum, isScalar, scalarType } from './type.js';
import { type ColumnSchema, type TableSchema, findColumn } from '../schema.js';

export const MUTATORS = ['+=', '-=', '*=', '/=', '%=', 'insert', 'delete'] as const;
export type Mutator = (typeof MUTATORS)[number];
type Arithmetic = Exclude<Mutator, 'insert' | 'delete'>;

export interface Mutation {
  readonly column: ColumnSchema;
  readonly mutator: Mutator;
  readonly arg: Datum;
  /** The form `arg` was given in: `delete` from a map takes a set of keys or a map. */
  readonly argType: ColumnType;
}

/** Parses one mutation. Throws `OvsdbError`. */
export function mutationFromJson(table: TableSchema, json: Json, symbols?: SymbolTable): Mutation {
  if (!isJsonArray(json) || json.length !== 3 || typeof json[0] !== 'string' || typeof json[1] !== 'string') {
    throw syntaxError(json, 'Parse error in mutation.');
  }
  const [columnName, mutatorName, argJson] = json as readonly [string, string, Json];
  const column = findColumn(table, columnName);
  if (column === undefined) {
    throw syntaxError(json, `No column ${columnName} in table ${table.name}.`, ERROR_TAGS.unknownColumn);
  }
  if (!column.mutable) {
    throw syntaxError(
      json,
      `Cannot mutate immutable column ${column.name} in table ${table.name}.`,
      ERROR_TAGS.constraint,
    );
  }
  const mutator = MUTATORS.find((known) => known === mutatorName);
  if (mutator === undefined)
    throw new OvsdbError(ERROR_TAGS.unknownMutator, `No mutator named ${mutatorName}.`);
  if (!isApplicable(mutator, column.type)) {
    const type = typeToEnglish(column.type);
    throw syntaxError(
      json,
      `Type mismatch: "${mutator}" operator may not be applied to column ${column.name} of type ${type}.`,
    );
  }
  const { arg, argType } = parseArgument(mutator, column.type, argJson, symbols);
  return { column, mutator, arg, argType };
}

function isApplicable(mutator: Mutator, type: ColumnType): boolean {
  if (mutator === 'insert' || mutator === 'delete') return !isScalar(type);
  const key = type.key.type;
  return type.value === undefined && (key === 'integer' || (key === 'real' && mutator !== '%='));
}

function parseArgument(
  mutator: Mutator,
  type: ColumnType,
  json: Json,
  symbols: SymbolTable | undefined,
): { arg: Datum; argType: ColumnType } {
  if (mutator !== 'insert' && mutator !== 'delete') {
    // An operand may lie outside of the column's range; only the result counts.
    const operandType = scalarType(type.key.type);
    return { arg: datumFromJson(operandType, json, symbols), argType: operandType };
  }
  if (mutator === 'insert') {
    const insertType = { ...type, min: 0 };
    return { arg: datumFromJson(insertType, json, symbols), argType: insertType };
  }
  const deleteType = { ...type, min: 0, max: Infinity };
  const isMapArgument = isJsonArray(json) && json.length === 2 && json[0] === 'map' && isJsonArray(json[1]);
  const argType =
    type.value === undefined || isMapArgument ? deleteType : { ...deleteType, value: undefined };
  return { arg: datumFromJson(argType, json, symbols), argType };
}

/**
 * The value after the mutation; `old` itself when it changes nothing. Throws `OvsdbError` (`domain error`, `range
 * error`, `constraint violation`).
 */
export function applyMutation(mutation: Mutation, old: Datum): Datum {
  const { mutator, arg, column } = mutation;
  let result: Datum;
  if (mutator === 'insert') result = datumUnion(old, arg);
  else if (mutator === 'delete') result = datumDifference(old, arg);
  else {
    result = mutateAtoms(mutator, column.type, old, arg.keys[0] as IntegerAtom);
    checkDatum(column.type, result);
  }
  const n = result.keys.length;
  if (n < column.type.min || n > column.type.max) {
    throw constraintError(`Attempted to store ${n} elements in ${typeToEnglish(column.type)}.`);
  }
  return result;
}

function mutateAtoms(mutator: Arithmetic, type: ColumnType, old: Datum, operand: IntegerAtom): Datum {
  const compute = type.key.type === 'real' ? realResult : integerResult;
  const keys: Atom[] = old.keys.map((key) => compute(mutator, key as IntegerAtom, operand));
  if (keys.length > 1) {
    keys.sort(compareAtoms);
    for (let i = 1; i < keys.length; i++) {
      if (keys[i] === keys[i - 1])
        throw constraintError(`Result of "${mutator}" operation contains duplicates.`);
    }
  }
  return datumOfSorted(keys);
}

function rangeError(mutator: Arithmetic): OvsdbError {
  return new OvsdbError(ERROR_TAGS.range, `Result of "${mutator}" operation is out of range.`);
}

function divisionByZero(): OvsdbError {
  return new OvsdbError(ERROR_TAGS.domain, 'Division by zero.');
}

function realResult(mutator: Arithmetic, a: IntegerAtom, b: IntegerAtom): number {
  const x = Number(a);
  const y = Number(b);
  if (mutator === '/=' && y === 0) throw divisionByZero();
  const result = mutator === '+=' ? x + y : mutator === '-=' ? x - y : mutator === '*=' ? x * y : x / y;
  if (!Number.isFinite(result)) throw rangeError(mutator);
  return result === 0 ? 0 : result;
}

/** In numbers while everything is safe, in BigInt otherwise; division truncates towards zero as in C. */
function integerResult(mutator: Arithmetic, a: IntegerAtom, b: IntegerAtom): IntegerAtom {
  if ((mutator === '/=' || mutator === '%=') && b === 0) throw divisionByZero();
  if (typeof a === 'number' && typeof b === 'number') {
    const result = numberResult(mutator, a, b);
    if (Number.isSafeInteger(result)) return result === 0 ? 0 : result;
  }
  const x = BigInt(a);
  const y = BigInt(b);
  const result = bigintResult(mutator, x, y);
  if (result < INT64_MIN || result > INT64_MAX) throw rangeError(mutator);
  return normalizeInteger(result);
}

function numberResult(mutator: Arithmetic, a: number, b: number): number {
  switch (mutator) {
    case '+=':
      return a + b;
    case '-=':
      return a - b;
    case '*=':
      return a * b;
    case '/=':
      return Math.trunc(a / b);
    case '%=':
      return a % b;
  }
}

function bigintResult(mutator: Arithmetic, a: bigint, b: bigint): bigint {
  switch (mutator) {
    case '+=':
      return a + b;
    case '-=':
      return a - b;
    case '*=':
      return a * b;
    case '/=':
      return a / b;
    case '%=':
      return a % b;
  }
}

/** The JSON of a mutation. */
export function mutationToJson(mutation: Mutation, named?: (uuid: string) => string | undefined): Json {
  return [mutation.column.name, mutation.mutator, datumToJson(mutation.argType, mutation.arg, named)];
}
