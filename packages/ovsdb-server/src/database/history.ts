/**
 * The last commits of a database with an identifier each, so that a client that lost its connection gets what it
 * missed instead of everything.
 *
 * Limits: so many commits, and so many rows in all of them; a commit larger than that empties the history. Old
 * deltas cost little beyond their own objects, because rows are shared with the database as long as they live.
 */
import { type DatabaseDelta, addDelta } from 'ovsdb-client/data/row';
import { newUuid } from 'ovsdb-client/data/uuid';

const MAX_COMMITS = 100;
const MAX_ROWS = 10_000;

interface Entry {
  /** The state after this commit. */
  readonly id: string;
  readonly delta: DatabaseDelta;
  readonly rows: number;
}

export class History {
  #entries: Entry[] = [];
  #rows = 0;
  /** The state before the oldest entry. */
  #baseId: string;

  constructor(id: string) {
    this.#baseId = id;
  }

  /** The identifier of the present state. */
  get lastId(): string {
    return this.#entries.at(-1)?.id ?? this.#baseId;
  }

  /** Adds a commit. */
  add(delta: DatabaseDelta): void {
    let rows = 0;
    for (const table of delta.values()) rows += table.rows.size;
    this.#entries.push({ id: newUuid(), delta, rows });
    this.#rows += rows;
    while (this.#entries.length > MAX_COMMITS || this.#rows > MAX_ROWS) {
      const oldest = this.#entries.shift()!;
      this.#rows -= oldest.rows;
      this.#baseId = oldest.id;
    }
  }

  /** The sum of all commits after the state `id`; undefined when that state is not known (any more). */
  since(id: string): DatabaseDelta | undefined {
    let start = id === this.#baseId ? 0 : -1;
    for (let i = this.#entries.length - 1; i >= 0 && start < 0; i--)
      if (this.#entries[i]!.id === id) start = i + 1;
    if (start < 0) return undefined;
    const sum: DatabaseDelta = new Map();
    for (const { delta } of this.#entries.slice(start)) {
      for (const { table, rows } of delta.values()) {
        for (const rowDelta of rows.values()) addDelta(sum, table, rowDelta);
      }
    }
    return sum;
  }
}
