/**
 * A database as the server runs it: transactions that wait, durability, compaction.
 *
 * A transaction whose `wait` is not satisfied stays in a list and is tried again after each commit and when its
 * time is over.
 */
import type { Clock, Timer } from '@ovs-node/common/clock';
import { JsonRpcError } from '@ovs-node/common/jsonrpc/session';
import { vlog } from '@ovs-node/common/vlog';
import { ERROR_TAGS, OvsdbError } from 'ovsdb-client/data/error';
import { type Json, isJsonObject } from 'ovsdb-client/data/json';
import type { FileDatabase } from '../storage/standalone.js';
import type { Identity } from '../transact/access.js';
import { type ExecuteResult, execute } from '../transact/execute.js';
import { TransactionLog } from '../transaction-log.js';
import { OPERATIONS, READ_ONLY_OPERATIONS } from '../transact/operations.js';
import type { Database } from './database.js';

const log = vlog('ovsdb_server');

/** Who asks for a transaction. */
export interface Requester {
  holdsLock(name: string): boolean;
  readonly readOnly: boolean;
  /** Undefined where roles do not apply. */
  readonly identity: Identity | undefined;
}

/** Where transactions that change anything go instead of being run here. */
export interface Forwarder {
  forward(operations: readonly Json[]): { results: Promise<Json[]>; cancel: () => boolean };
  /** Transactions that wait for their answer. */
  readonly pendingCount: number;
}

interface PendingTransaction {
  readonly operations: readonly Json[];
  readonly requester: Requester;
  readonly createdAt: number;
  timer: Timer | undefined;
  readonly finish: (results: Json[] | Promise<Json[]>) => void;
  readonly fail: (error: unknown) => void;
}

/** A transaction that waits; `cancel` takes it away without an answer. */
export interface Submitted {
  readonly results: Json[] | Promise<Json[]>;
  cancel(): boolean;
}

export class HostedDatabase {
  readonly database: Database;
  /** Undefined for databases in memory. */
  readonly file: FileDatabase | undefined;
  readonly #forwarder: Forwarder | undefined;
  readonly #clock: Clock;
  readonly #pending = new Set<PendingTransaction>();
  readonly transactionLog: TransactionLog;
  #retryScheduled = false;

  constructor(database: Database, file: FileDatabase | undefined, clock: Clock, forwarder?: Forwarder) {
    this.database = database;
    this.file = file;
    this.#forwarder = forwarder;
    this.#clock = clock;
    this.transactionLog = new TransactionLog(database);
    database.onCommit(() => this.#committed());
  }

  /** Runs a transaction; the results come at once unless it waits for a condition or for the disk. */
  submit(operations: readonly Json[], requester: Requester): Submitted {
    if (this.#forwarder !== undefined && !operations.every(isReadOnly)) {
      return this.#forwarder.forward(operations);
    }
    const createdAt = this.#clock.now();
    const result = this.#execute(operations, requester, 0);
    if (result.status === 'done') return { results: this.#answer(result), cancel: () => false };
    let pending: PendingTransaction;
    const results = new Promise<Json[]>((resolve, reject) => {
      pending = { operations, requester, createdAt, timer: undefined, finish: resolve, fail: reject };
    });
    this.#pending.add(pending!);
    this.#arm(pending!, result.timeoutMs);
    return { results, cancel: () => this.#drop(pending!) };
  }

  #execute(operations: readonly Json[], requester: Requester, elapsedMs: number): ExecuteResult {
    return execute(this.database, operations, {
      holdsLock: (name) => requester.holdsLock(name),
      readOnly: requester.readOnly,
      identity: requester.identity,
      elapsedMs,
    });
  }

  #answer(result: ExecuteResult & { status: 'done' }): Json[] | Promise<Json[]> {
    if (!result.durable || this.database.sync === undefined) return result.results;
    return this.database.sync().then(
      () => result.results,
      (error: unknown) => {
        if (!(error instanceof OvsdbError)) throw error;
        return [...result.results, error.toJson()];
      },
    );
  }

  #arm(pending: PendingTransaction, timeoutMs: number): void {
    pending.timer?.cancel();
    pending.timer = undefined;
    if (timeoutMs === Infinity) return;
    const left = Math.max(0, pending.createdAt + timeoutMs - this.#clock.now());
    pending.timer = this.#clock.setTimer(left, () => this.#retry(pending));
  }

  #retry(pending: PendingTransaction): void {
    if (!this.#pending.has(pending)) return;
    try {
      const elapsed = this.#clock.now() - pending.createdAt;
      const result = this.#execute(pending.operations, pending.requester, elapsed);
      if (result.status === 'pending') {
        this.#arm(pending, result.timeoutMs);
        return;
      }
      this.#drop(pending);
      pending.finish(this.#answer(result));
    } catch (error) {
      this.#drop(pending);
      pending.fail(error);
    }
  }

  #drop(pending: PendingTransaction): boolean {
    pending.timer?.cancel();
    return this.#pending.delete(pending);
  }

  #committed(): void {
    if (this.#pending.size > 0 && !this.#retryScheduled) {
      this.#retryScheduled = true;
      queueMicrotask(() => {
        this.#retryScheduled = false;
        for (const pending of this.#pending) this.#retry(pending);
      });
    }
    if (this.file?.shouldCompact() === true) void this.#compactQuietly();
  }

  async #compactQuietly(): Promise<void> {
    try {
      await this.file!.compact();
    } catch (error) {
      log.warn(`${this.database.name}: compaction failed: ${(error as Error).message}`);
    }
  }

  /** Transactions that wait. */
  get pendingCount(): number {
    return this.#pending.size + (this.#forwarder?.pendingCount ?? 0);
  }

  /** Answers every waiting transaction with "canceled". */
  cancelAll(): void {
    for (const pending of this.#pending) {
      pending.timer?.cancel();
      pending.fail(new JsonRpcError(ERROR_TAGS.canceled));
    }
    this.#pending.clear();
  }

  async close(): Promise<void> {
    this.cancelAll();
    await this.file?.close();
  }
}

/** An operation that cannot change anything, a wrong one among them: it fails wherever it is run. */
function isReadOnly(operation: Json): boolean {
  if (!isJsonObject(operation)) return true;
  const { op } = operation;
  return typeof op !== 'string' || !OPERATIONS.has(op) || READ_ONLY_OPERATIONS.has(op);
}
