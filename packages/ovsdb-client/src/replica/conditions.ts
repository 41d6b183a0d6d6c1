/**
 * Conditions: which rows of a table a replica follows (`monitor_cond` of ovsdb-server(7)).
 *
 * A condition is a list of clauses, of which one has to hold, unlike the `where` of an operation, whose clauses all
 * have to. `true` follows every row, `false` none.
 */
import type { ConditionFunction } from '../data/condition.js';
import { datumToJson } from '../data/datum-json.js';
import { OvsdbError } from '../data/error.js';
import type { Json } from '../data/json.js';
import { type NativeValue, datumFromNative } from '../data/native.js';
import { type TableSchema, findColumn } from '../schema.js';

/** The columns of a row type; any text where the row type is not known. */
export type ColumnOf<R extends object> = [keyof R] extends [never] ? string : keyof R & string;

/** `[column, function, value]`, the value in the form that typed rows have; or a truth value. */
export type Clause<R extends object = object> =
  boolean | readonly [column: ColumnOf<R>, test: ConditionFunction, value: NativeValue];

export type Condition<R extends object = object> = boolean | readonly Clause<R>[];

/** The JSON of a condition. @throws OvsdbError for columns and values that the table does not have. */
export function conditionToJson(table: TableSchema, condition: Condition): Json {
  if (typeof condition === 'boolean') return [condition];
  return condition.map((clause): Json => {
    if (typeof clause === 'boolean') return clause;
    const [name, test, value] = clause as readonly [string, ConditionFunction, NativeValue];
    const column = findColumn(table, name);
    if (column === undefined)
      throw new OvsdbError('unknown column', `No column ${name} in table ${table.name}.`);
    // A part of a set or map may be tested for.
    const type = test === 'includes' || test === 'excludes' ? { ...column.type, min: 0 } : column.type;
    return [name, test, datumToJson(column.type, datumFromNative(type, value))];
  });
}
