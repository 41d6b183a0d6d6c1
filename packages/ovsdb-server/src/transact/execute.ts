/** Executes the operations of one `transact` request: RFC 7047 section 4.1.3. */
import { SymbolTable } from 'ovsdb-client/data/atom';
import { ERROR_TAGS, OvsdbError } from 'ovsdb-client/data/error';
import type { Json, JsonObject } from 'ovsdb-client/data/json';
import { ObjectParser } from 'ovsdb-client/data/parser';
import type { DatabaseDelta } from 'ovsdb-client/data/row';
import type { Database } from '../database/database.js';
import { OPERATIONS, type OperationContext, READ_ONLY_OPERATIONS, WaitPending } from './operations.js';
import { type Identity, accessControl } from './access.js';
import { Transaction } from './transaction.js';

export interface ExecuteOptions {
  readonly holdsLock?: (name: string) => boolean;
  /** Milliseconds since the request came. */
  readonly elapsedMs?: number;
  /** Refuse operations that change anything. */
  readonly readOnly?: boolean;
  /** Who asks, where roles decide what is allowed. */
  readonly identity?: Identity | undefined;
}

export type ExecuteResult =
  | {
      readonly status: 'done';
      /** The result array of the reply. */
      readonly results: Json[];
      /** The reply must wait for the disk. */
      readonly durable: boolean;
      /** Undefined when an operation or the commit failed. */
      readonly delta: DatabaseDelta | undefined;
    }
  | {
      readonly status: 'pending';
      /** Try again at this many milliseconds after the request at the latest. */
      readonly timeoutMs: number;
    };

/**
 * Runs operations in one transaction. Errors of operations and of the commit are in the results, never thrown;
 * after one nothing has changed.
 */
export function execute(
  database: Database,
  operations: readonly Json[],
  options: ExecuteOptions = {},
): ExecuteResult {
  const transaction = new Transaction(database);
  const context: OperationContext = {
    transaction,
    symbols: new SymbolTable(),
    holdsLock: options.holdsLock ?? (() => false),
    elapsedMs: options.elapsedMs ?? 0,
    durable: false,
    access: options.identity === undefined ? undefined : accessControl(database, options.identity),
  };
  const results: Json[] = [];
  let failed = false;
  for (let i = 0; i < operations.length && !failed; i++) {
    try {
      const what = `ovsdb operation ${i + 1} of ${operations.length}`;
      results.push(executeOne(context, operations[i]!, what, options.readOnly === true));
    } catch (error) {
      transaction.abort();
      if (error instanceof WaitPending) return { status: 'pending', timeoutMs: error.timeoutMs };
      if (!(error instanceof OvsdbError)) throw error;
      results.push(error.toJson());
      failed = true;
    }
  }
  if (failed) {
    while (results.length < operations.length) results.push(null);
    return { status: 'done', results, durable: false, delta: undefined };
  }
  try {
    const delta = transaction.commit();
    return { status: 'done', results, durable: context.durable, delta };
  } catch (error) {
    if (!(error instanceof OvsdbError)) throw error;
    results.push(error.toJson());
    return { status: 'done', results, durable: false, delta: undefined };
  }
}

function executeOne(context: OperationContext, json: Json, what: string, readOnly: boolean): JsonObject {
  const parser = new ObjectParser(json, what);
  const name = parser.take('op', ['string']);
  parser.check();
  const operation = OPERATIONS.get(name as string);
  if (operation === undefined) {
    parser.fail(`No operation "${name as string}"`);
    parser.check();
  }
  let result: JsonObject;
  try {
    result = operation!(context, parser);
  } finally {
    // A member that does not belong there is an error before all others.
    parser.finish();
  }
  if (readOnly && !READ_ONLY_OPERATIONS.has(name as string)) {
    throw new OvsdbError(
      ERROR_TAGS.notAllowed,
      `${name as string} operation not allowed when database server is in read only mode`,
    );
  }
  return result;
}
