/**
 * A transaction against a replica: changes are made locally, read back through the transaction as if they were
 * committed, and sent in one `transact` request.
 *
 * It is optimistic. `verify` makes the commit depend on a column still having the value that was read; when the
 * database moved on meanwhile, the outcome is `'try again'`, and the caller repeats its work on the replica's new
 * contents (`transactUntilDone` does that).
 *
 *     insert / set / addTo / removeFrom / delete / verify        a scratch layer over the replica
 *                        │ operations()
 *                        ▼
 *     [assert] [wait…] [delete…] [update|mutate…] [insert…] [increment + select] [comment]
 *
 * Rows of a non-root table that nothing refers to are removed by the server; to delete one here is only needed for
 * rows of root tables.
 */
import { coverageCounter } from '@ovs-node/common/coverage';
import { vlog } from '@ovs-node/common/vlog';
import { EMPTY_DATUM, type Datum, datumDifference, datumEquals, datumUnion } from './data/datum.js';
import { datumToJson } from './data/datum-json.js';
import { OvsdbError } from './data/error.js';
import { type Json, type JsonObject, canonicalJson, isJsonArray, isJsonObject } from './data/json.js';
import { type NativeValue, datumFromNative } from './data/native.js';
import { type Row, defaultCells } from './data/row.js';
import { checkDatum } from './data/type.js';
import { newUuid } from './data/uuid.js';
import { type CallOptions, limited } from './replica/call.js';
import type { Replica, RowTypes } from './replica/replica.js';
import { asOvsdbError } from './replica/reply.js';
import type { ColumnSchema, TableSchema } from './schema.js';

const log = vlog('ovsdb_idl');

/** How a commit ended; `'unchanged'`: there was nothing to send. */
export type CommitOutcome =
  | { readonly status: 'success'; readonly incremented?: number }
  | { readonly status: 'unchanged' }
  | { readonly status: 'try again' }
  | { readonly status: 'error'; readonly error: OvsdbError };

interface Draft {
  readonly table: TableSchema;
  readonly uuid: string;
  /** The row of the replica; undefined for one being inserted. */
  readonly old: Row | undefined;
  cells: Datum[];
  /** Columns that were assigned, by index. */
  readonly assigned: Set<number>;
  /** Partial changes of sets and maps, sent as mutations, which do not depend on the rest of the column. */
  readonly mutations: Map<number, (readonly ['insert' | 'delete', Datum])[]>;
  deleted: boolean;
}

const outcomes = {
  success: coverageCounter('txn_success'),
  unchanged: coverageCounter('txn_unchanged'),
  'try again': coverageCounter('txn_try_again'),
  error: coverageCounter('txn_error'),
} as const satisfies Record<CommitOutcome['status'], unknown>;

/** Plain values for columns of a row; any names where the row type is not known. */
export type ColumnValues<R extends object> = [keyof R] extends [never]
  ? Readonly<Record<string, NativeValue>>
  : Partial<Omit<R, '_uuid'>>;

export class Transaction<Rows extends RowTypes = RowTypes> {
  readonly #replica: Replica<Rows>;
  readonly #drafts = new Map<string, Draft>();
  readonly #verified = new Map<string, { table: TableSchema; row: Row; columns: Set<ColumnSchema> }>();
  readonly #comments: string[] = [];
  #increment: { table: string; uuid: string; column: string } | undefined;
  #dryRun = false;

  constructor(replica: Replica<Rows>) {
    this.#replica = replica;
  }

  /** Adds a line to the transaction's comment, which the log keeps (`ovsdb-tool show-log`). */
  comment(line: string): void {
    this.#comments.push(line);
  }

  /** The commit sends the transaction to be checked and undone again. */
  setDryRun(): void {
    this.#dryRun = true;
  }

  /** Adds one to an integer column if the transaction changes anything else; the outcome tells the new value. */
  increment(table: string, uuid: string, column: string): void {
    this.#increment = { table, uuid, column };
  }

  /** The schema of a table. @throws OvsdbError `unknown table`. */
  schemaOf(table: string): TableSchema {
    const schema = this.#replica.schema?.tables.get(table);
    if (schema === undefined) throw new OvsdbError('unknown table', `No table named ${table}.`);
    return schema;
  }

  /** The row as this transaction sees it; undefined when there is none or it deleted it. */
  get(table: string, uuid: string): Row | undefined {
    const draft = this.#drafts.get(uuid);
    if (draft !== undefined && draft.table.name === table) {
      return draft.deleted ? undefined : { uuid, version: '', cells: draft.cells };
    }
    return this.#replica.table(table).get(uuid);
  }

  /** All rows of a table as this transaction sees them. */
  *rows(table: string): Generator<Row> {
    for (const row of this.#replica.table(table).values()) {
      const seen = this.#drafts.has(row.uuid) ? this.get(table, row.uuid) : row;
      if (seen !== undefined) yield seen;
    }
    for (const draft of this.#drafts.values()) {
      if (draft.old === undefined && !draft.deleted && draft.table.name === table) {
        yield { uuid: draft.uuid, version: '', cells: draft.cells };
      }
    }
  }

  /** True for a row that this transaction inserts. */
  isNew(uuid: string): boolean {
    const draft = this.#drafts.get(uuid);
    return draft !== undefined && draft.old === undefined;
  }

  /** Inserts a row of default values and gives the UUID it will have here; the server chooses the lasting one. */
  insert(table: string, uuid: string = newUuid()): string {
    const schema = this.schemaOf(table);
    this.#drafts.set(uuid, {
      table: schema,
      uuid,
      old: undefined,
      cells: defaultCells(schema),
      assigned: new Set(),
      mutations: new Map(),
      deleted: false,
    });
    return uuid;
  }

  /** Inserts a row with these values, the rest being defaults; gives the UUID it will have here. */
  insertRow<T extends keyof Rows & string>(table: T, values: ColumnValues<Rows[T]>): string {
    const uuid = this.insert(table);
    this.assign(table, uuid, values);
    return uuid;
  }

  delete(table: string, uuid: string): void {
    const draft = this.#draft(table, uuid);
    if (draft.old === undefined) this.#drafts.delete(uuid);
    else draft.deleted = true;
  }

  /** The value of a column as this transaction sees it. */
  datum(table: string, uuid: string, column: string): Datum {
    const schema = this.#column(table, column);
    return this.get(table, uuid)?.cells[schema.index] ?? EMPTY_DATUM;
  }

  /** Assigns a column. @throws OvsdbError `constraint violation`. */
  set(table: string, uuid: string, column: string, datum: Datum): void {
    const schema = this.#column(table, column);
    checkDatum(schema.type, datum);
    const draft = this.#draft(table, uuid);
    if (draft.mutations.has(schema.index)) draft.mutations.delete(schema.index);
    else if (
      !draft.assigned.has(schema.index) &&
      draft.old !== undefined &&
      datumEquals(draft.cells[schema.index]!, datum)
    )
      return;
    draft.cells[schema.index] = datum;
    draft.assigned.add(schema.index);
  }

  /** Assigns columns from plain values; columns that the server's schema does not have are passed over. */
  assign<T extends keyof Rows & string>(table: T, uuid: string, values: ColumnValues<Rows[T]>): void {
    for (const [name, value] of Object.entries(values) as [string, NativeValue][]) {
      const column = this.schemaOf(table).columnByName.get(name);
      if (column !== undefined) this.set(table, uuid, name, datumFromNative(column.type, value));
    }
  }

  /** Adds elements to a set, or pairs to a map; `replace`: pairs take the place of those that have their keys. */
  addTo(table: string, uuid: string, column: string, part: Datum, replace = true): void {
    const schema = this.#column(table, column);
    const old = this.datum(table, uuid, column);
    const now = datumUnion(old, part, replace);
    if (schema.type.value === undefined || !replace)
      this.#mutate(table, uuid, schema, now, [['insert', part]]);
    // The server's "insert" keeps the value of a key that is there: it has to go first.
    else
      this.#mutate(table, uuid, schema, now, [
        ['delete', { keys: part.keys, values: [] }],
        ['insert', part],
      ]);
  }

  /** Removes elements of a set; of a map the pairs, or, when `part` has keys only, those keys. */
  removeFrom(table: string, uuid: string, column: string, part: Datum): void {
    const schema = this.#column(table, column);
    const now = datumDifference(this.datum(table, uuid, column), part);
    this.#mutate(table, uuid, schema, now, [['delete', part]]);
  }

  #mutate(
    table: string,
    uuid: string,
    column: ColumnSchema,
    now: Datum,
    steps: readonly (readonly ['insert' | 'delete', Datum])[],
  ): void {
    const draft = this.#draft(table, uuid);
    if (datumEquals(draft.cells[column.index]!, now)) return;
    if (draft.old === undefined || draft.assigned.has(column.index))
      return this.set(table, uuid, column.name, now);
    draft.cells[column.index] = now;
    const list = draft.mutations.get(column.index) ?? [];
    list.push(...steps);
    draft.mutations.set(column.index, list);
  }

  #mutationJson(column: ColumnSchema, part: Datum): Json {
    const keysOnly = column.type.value !== undefined && part.values.length === 0;
    const type = keysOnly
      ? { key: column.type.key, min: 0, max: Infinity }
      : { ...column.type, min: 0, max: Infinity };
    return datumToJson(type, part, this.#named);
  }

  /** Makes the commit fail with `'try again'` when the column has changed in the database by then. */
  verify(table: string, uuid: string, column: string): void {
    // What this transaction has read of a row is what it held when the transaction first touched it.
    const row = this.#drafts.get(uuid)?.old ?? this.#replica.table(table).get(uuid);
    if (row === undefined) return;
    let entry = this.#verified.get(uuid);
    if (entry === undefined) {
      entry = { table: this.schemaOf(table), row, columns: new Set() };
      this.#verified.set(uuid, entry);
    }
    entry.columns.add(this.#column(table, column));
  }

  /** The operations of the `transact` request; empty when nothing would change. */
  operations(): JsonObject[] {
    const operations: JsonObject[] = [];
    for (const draft of this.#drafts.values()) operations.push(...this.#draftOperations(draft));
    if (operations.length === 0) return [];
    const waits = [...this.#verified.values()].map(({ table, row, columns }) =>
      waitFor(table, row, [...columns]),
    );
    const tail: JsonObject[] = [];
    if (this.#increment !== undefined) {
      const { table, uuid, column } = this.#increment;
      const where = this.#where(uuid);
      tail.push({ op: 'mutate', table, where, mutations: [[column, '+=', 1]] });
      tail.push({ op: 'select', table, where, columns: [column] });
    }
    if (this.#comments.length > 0) tail.push({ op: 'comment', comment: this.#comments.join('\n') });
    if (this.#dryRun) tail.push({ op: 'abort' });
    const { lock } = this.#replica.options;
    const assertion: JsonObject[] = lock === undefined ? [] : [{ op: 'assert', lock }];
    return [...assertion, ...waits, ...operations, ...tail];
  }

  /**
   * Sends the transaction. Rejects when the connection is lost before the answer, or the options end the waiting:
   * whether it was carried out is not known then.
   */
  async commit(options: CallOptions = {}): Promise<CommitOutcome> {
    const outcome = await this.#commit(options);
    outcomes[outcome.status].total++;
    return outcome;
  }

  async #commit(options: CallOptions): Promise<CommitOutcome> {
    const operations = this.operations();
    if (operations.length === 0) return { status: 'unchanged' };
    let reply: Json;
    try {
      const params = [this.#replica.options.database, ...operations];
      reply = await this.#replica.request('transact', params, options);
    } catch (error) {
      const translated = asOvsdbError(error);
      const isAnswer =
        translated instanceof OvsdbError && !['canceled', 'timed out'].includes(translated.tag);
      if (isAnswer) return { status: 'error', error: translated };
      throw translated;
    }
    return this.#outcome(operations, isJsonArray(reply) ? reply : []);
  }

  #outcome(operations: readonly JsonObject[], reply: readonly Json[]): CommitOutcome {
    let incremented: number | undefined;
    for (const [i, result] of reply.entries()) {
      if (!isJsonObject(result)) continue;
      if (typeof result['error'] === 'string') {
        const text = (name: string): string | undefined =>
          typeof result[name] === 'string' ? result[name] : undefined;
        const error = new OvsdbError(result['error'], text('details'), text('syntax'));
        if (error.tag === 'timed out' && operations[i]?.['op'] === 'wait') return { status: 'try again' };
        if (error.tag === 'aborted' && this.#dryRun) return { status: 'success' };
        log.warn(`transaction error: ${canonicalJson(result)}`);
        return { status: 'error', error };
      }
      if (operations[i]?.['op'] === 'select' && this.#increment !== undefined) {
        const rows = result['rows'];
        const row = isJsonArray(rows) ? rows[0] : undefined;
        if (isJsonObject(row)) incremented = Number(row[this.#increment.column]);
      }
      if (typeof result['uuid'] === 'object' && operations[i]?.['op'] === 'insert') {
        const [, uuid] = result['uuid'] as unknown as [string, string];
        this.#inserted.set(String(operations[i]['uuid-name']).slice(3).replaceAll('_', '-'), uuid);
      }
    }
    return incremented === undefined ? { status: 'success' } : { status: 'success', incremented };
  }

  readonly #inserted = new Map<string, string>();

  /** After a commit: the lasting UUID of a row that was inserted as `uuid`. */
  insertedUuid(uuid: string): string | undefined {
    return this.#inserted.get(uuid);
  }

  #draftOperations(draft: Draft): JsonObject[] {
    const { table, uuid } = draft;
    const where = this.#where(uuid);
    // Other rows live as long as something refers to them, and go by themselves.
    if (draft.deleted) return table.isRoot ? [{ op: 'delete', table: table.name, where }] : [];
    const row: Record<string, Json> = {};
    for (const index of draft.assigned) {
      const column = table.columns[index]!;
      row[column.name] = datumToJson(column.type, draft.cells[index]!, this.#named);
    }
    if (draft.old === undefined)
      return [{ op: 'insert', table: table.name, row, 'uuid-name': symbolOf(uuid) }];
    const operations: JsonObject[] = [];
    if (Object.keys(row).length > 0) operations.push({ op: 'update', table: table.name, where, row });
    // Only now: a part may refer to a row whose insertion came after it.
    const mutations = [...draft.mutations].flatMap(([index, steps]) => {
      const column = table.columns[index]!;
      return steps.map(([mutator, part]): Json => [column.name, mutator, this.#mutationJson(column, part)]);
    });
    if (mutations.length > 0) operations.push({ op: 'mutate', table: table.name, where, mutations });
    return operations;
  }

  #where(uuid: string): Json {
    return [['_uuid', '==', this.isNew(uuid) ? ['named-uuid', symbolOf(uuid)] : ['uuid', uuid]]];
  }

  readonly #named = (uuid: string): string | undefined => (this.isNew(uuid) ? symbolOf(uuid) : undefined);

  #column(table: string, column: string): ColumnSchema {
    const schema = this.schemaOf(table).columnByName.get(column);
    if (schema === undefined)
      throw new OvsdbError('unknown column', `No column ${column} in table ${table}.`);
    return schema;
  }

  #draft(table: string, uuid: string): Draft {
    let draft = this.#drafts.get(uuid);
    if (draft === undefined) {
      const old = this.#replica.table(table).get(uuid);
      if (old === undefined) throw new OvsdbError('internal error', `no row ${uuid} in table ${table}`);
      const schema = this.schemaOf(table);
      draft = {
        table: schema,
        uuid,
        old,
        cells: [...old.cells],
        assigned: new Set(),
        mutations: new Map(),
        deleted: false,
      };
      this.#drafts.set(uuid, draft);
    }
    return draft;
  }
}

/** Name of a row being inserted, within its transaction. */
function symbolOf(uuid: string): string {
  return `row${uuid.replaceAll('-', '_')}`;
}

/** A `wait` that does not wait: fails at once when the row is no longer what the replica shows. */
function waitFor(table: TableSchema, row: Row, columns: readonly ColumnSchema[]): JsonObject {
  const values: Record<string, Json> = {};
  for (const column of columns) values[column.name] = datumToJson(column.type, row.cells[column.index]!);
  return {
    op: 'wait',
    table: table.name,
    where: [['_uuid', '==', ['uuid', row.uuid]]],
    columns: columns.map((column) => column.name),
    until: '==',
    rows: [values],
    timeout: 0,
  };
}

export interface RetryOptions extends CallOptions {
  /** Most attempts; without limit by default. */
  readonly maxTries?: number;
}

/**
 * Repeats `work` in fresh transactions until one commits or fails for good; gives that transaction's outcome.
 *
 * @param options limit the whole; past `maxTries` the outcome is `'try again'`.
 */
export async function transactUntilDone<Rows extends RowTypes>(
  replica: Replica<Rows>,
  work: (transaction: Transaction<Rows>) => void,
  { signal, timeoutMs, maxTries = Infinity }: RetryOptions = {},
): Promise<CommitOutcome> {
  const late = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  for (let tries = 1; ; tries++) {
    const options: CallOptions = {
      signal,
      timeoutMs: late === undefined ? undefined : Math.max(0, late - performance.now()),
    };
    const before = replica.changeNumber;
    const transaction = new Transaction(replica);
    work(transaction);
    const outcome = await transaction.commit(options);
    if (outcome.status !== 'try again' || tries >= maxTries) return outcome;
    await changedSince(replica, before, options);
  }
}

/**
 * Resolves when the replica has changed since `changeNumber` was read; rejects when it is closed instead, or when the
 * options end the waiting.
 */
export async function changedSince<Rows extends RowTypes>(
  replica: Replica<Rows>,
  changeNumber: number,
  options: CallOptions = {},
): Promise<void> {
  if (replica.changeNumber !== changeNumber) return;
  if (replica.state === 'closed') throw new OvsdbError('canceled', 'replica closed');
  let stop = (): void => undefined;
  const changed = new Promise<void>((resolve, reject) => {
    const offs = [
      replica.onChange(() => finish(resolve)),
      replica.onState((state, error) => {
        if (state === 'closed') finish(() => reject(error ?? new OvsdbError('canceled', 'replica closed')));
      }),
    ];
    stop = () => {
      for (const off of offs) off();
    };
    const finish = (settle: () => void): void => {
      stop();
      settle();
    };
  });
  await limited(changed, options, () => stop());
}
