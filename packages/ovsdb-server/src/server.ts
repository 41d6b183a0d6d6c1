/** The server: databases, remotes, sessions, locks. Programs wire it to options and control commands. */
import path from 'node:path';
import { type Clock, systemClock } from '@ovs-node/common/clock';
import { vlog } from '@ovs-node/common/vlog';
import { ERROR_TAGS, OvsdbError } from 'ovsdb-client/data/error';
import type { Json } from 'ovsdb-client/data/json';
import { compareStrings } from 'ovsdb-client/data/atom';
import { newUuid } from 'ovsdb-client/data/uuid';
import { schemaFromJson } from 'ovsdb-client/schema';
import { HostedDatabase } from './database/hosted.js';
import { RemoteSet } from './remote-set.js';
import { LockTable } from './session/locks.js';
import { DatabaseSession, type SessionHost } from './session/session.js';
import { ServerDatabase } from './server-schema.js';
import { FileDatabase } from './storage/standalone.js';

const log = vlog('ovsdb_server');

export interface ServerOptions {
  readonly clock?: Clock;
  /** Write whole values to the files instead of differences. */
  readonly noDiff?: boolean;
}

export class OvsdbServer implements SessionHost {
  readonly serverId = newUuid();
  readonly locks = new LockTable();
  readonly clock: Clock;
  readonly remotes: RemoteSet;
  readonly #noDiff: boolean;
  readonly #databases = new Map<string, HostedDatabase>();
  readonly #sessions = new Set<DatabaseSession>();
  readonly #serverDatabase = new ServerDatabase();

  constructor(options: ServerOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.#noDiff = options.noDiff === true;
    const { database } = this.#serverDatabase;
    this.#databases.set(database.name, new HostedDatabase(database, undefined, this.clock));
    this.#serverDatabase.put(database.schema);
    this.remotes = new RemoteSet(this, this.clock, (stream, name, readOnly) => {
      const session = new DatabaseSession(this, stream, { name, readOnly });
      this.#sessions.add(session);
      session.rpc.onClose(() => this.#sessions.delete(session));
      return session;
    });
  }

  database(name: string): HostedDatabase | undefined {
    return this.#databases.get(name);
  }

  databaseNames(): readonly string[] {
    return [...this.#databases.keys()];
  }

  /** Names in the order the control commands list them. */
  sortedNames(): readonly string[] {
    return this.databaseNames().toSorted(compareStrings);
  }

  /** Every connection. */
  get sessions(): ReadonlySet<DatabaseSession> {
    return this.#sessions;
  }

  /** Opens a database file and serves it. Throws `OvsdbError`. */
  addDatabase(file: string): HostedDatabase {
    const absolute = path.resolve(file);
    const opened = FileDatabase.open(absolute, {
      wall: () => this.clock.wall(),
      onDamage: (error) => log.err(error.message),
      noDiff: this.#noDiff,
      name: file,
    });
    const { database } = opened;
    if (this.#databases.has(database.name)) {
      void opened.close();
      throw new OvsdbError(ERROR_TAGS.ovsdb, `${database.name}: duplicate database name`);
    }
    const hosted = new HostedDatabase(database, opened, this.clock);
    this.#databases.set(database.name, hosted);
    this.#serverDatabase.put(database.schema);
    this.#databasesChanged();
    return hosted;
  }

  /** Stops serving a database. False when there is none of this name that may go. */
  removeDatabase(name: string): boolean {
    const hosted = this.#databases.get(name);
    if (hosted === undefined || hosted.database === this.#serverDatabase.database) return false;
    this.#databases.delete(name);
    for (const session of this.#sessions) session.databaseRemoved(hosted);
    this.#serverDatabase.remove(name);
    void hosted.close();
    this.#databasesChanged();
    return true;
  }

  /** Clients that do not follow `_Server` learn of new and removed databases by being disconnected. */
  #databasesChanged(): void {
    for (const session of this.#sessions) {
      if (!session.dbChangeAware) session.rpc.close(new Error('database list changed'));
    }
    this.remotes.refresh();
  }

  /** Replaces the schema of a database; its rows are kept as far as the new schema has a place for them. */
  convert(hosted: HostedDatabase, schemaJson: Json): void {
    const schema = schemaFromJson(schemaJson);
    const { name } = hosted.database;
    if (hosted.file === undefined) {
      throw new OvsdbError(ERROR_TAGS.notAllowed, `${name}: database cannot be converted`);
    }
    if (schema.name !== name) {
      throw new OvsdbError(
        ERROR_TAGS.constraint,
        `schema of database ${name} cannot become one named ${schema.name}`,
      );
    }
    const database = hosted.file.convert(schema);
    this.#databases.set(name, new HostedDatabase(database, hosted.file, this.clock));
    hosted.cancelAll();
    for (const session of this.#sessions) {
      if (session.databaseRemoved(hosted) && !session.dbChangeAware) {
        // Later, so that whoever asked for the conversion gets the answer.
        setImmediate(() => session.rpc.close(new Error('database was converted')));
      }
    }
    this.#serverDatabase.put(schema);
    this.remotes.refresh();
  }

  async close(): Promise<void> {
    await this.remotes.close();
    for (const session of this.#sessions) session.rpc.close();
    for (const hosted of this.#databases.values()) await hosted.close();
  }
}
