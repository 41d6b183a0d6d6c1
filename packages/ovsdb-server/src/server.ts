/** The server: databases, remotes, sessions, locks, roles. Programs wire it to options and control commands. */
import path from 'node:path';
import { type Clock, systemClock } from '@ovs-node/common/clock';
import { vlog } from '@ovs-node/common/vlog';
import { compareStrings } from 'ovsdb-client/data/atom';
import { ERROR_TAGS, OvsdbError } from 'ovsdb-client/data/error';
import type { Json } from 'ovsdb-client/data/json';
import { newUuid } from 'ovsdb-client/data/uuid';
import { schemaFromJson } from 'ovsdb-client/schema';
import { Backup } from './backup.js';
import type { Database } from './database/database.js';
import { HostedDatabase } from './database/hosted.js';
import { RemoteSet } from './remote-set.js';
import { ServerDatabase } from './server-schema.js';
import { LockTable } from './session/locks.js';
import { DatabaseSession, type SessionHost } from './session/session.js';
import { FileDatabase } from './storage/standalone.js';
import { DatabaseTls, type TlsSource } from './tls-source.js';
import { Relay, type RelayHost, parseRelay } from './upstream/relay.js';

const log = vlog('ovsdb_server');

export interface ServerOptions {
  readonly clock?: Clock;
  /** Write whole values to the files instead of differences. */
  readonly noDiff?: boolean;
}

export class OvsdbServer implements SessionHost, RelayHost {
  readonly serverId = newUuid();
  readonly locks = new LockTable();
  readonly clock: Clock;
  readonly remotes: RemoteSet;
  readonly backup: Backup;
  /** Off: monitor_cond and what builds on it are unknown methods, for tests of old clients. */
  monitorCond = true;
  readonly #noDiff: boolean;
  readonly #databases = new Map<string, HostedDatabase>();
  readonly #relays = new Map<string, Relay>();
  readonly #sessions = new Set<DatabaseSession>();
  readonly #serverDatabase = new ServerDatabase();
  #tls: DatabaseTls | undefined;

  constructor(options: ServerOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.#noDiff = options.noDiff === true;
    const { database } = this.#serverDatabase;
    this.#databases.set(database.name, new HostedDatabase(database, undefined, this.clock));
    this.#serverDatabase.put({ name: database.name, schema: database.schema });
    this.backup = new Backup(this);
    this.remotes = new RemoteSet(this, this.clock, (stream, name, settings) => {
      const session = new DatabaseSession(this, stream, { name, settings });
      this.#sessions.add(session);
      session.rpc.onClose(() => this.#sessions.delete(session));
      return session;
    });
  }

  database(name: string): HostedDatabase | undefined {
    return this.#databases.get(name);
  }

  /** Is there, or will there be, a database of this name? A relay's comes when its source has told the schema. */
  hasDatabase(name: string): boolean {
    return this.#databases.has(name) || this.#relays.has(name);
  }

  /** Names of all databases, sorted. */
  databaseNames(): readonly string[] {
    return [...new Set([...this.#databases.keys(), ...this.#relays.keys()])].sort(compareStrings);
  }

  isReserved(name: string): boolean {
    return name === this.#serverDatabase.database.name;
  }

  /** Backups take no changes from clients. */
  get readOnly(): boolean {
    return this.backup.active;
  }

  /** Databases in files. */
  replicable(): readonly HostedDatabase[] {
    return [...this.#databases.values()].filter((hosted) => hosted.file !== undefined);
  }

  /** Every connection. */
  get sessions(): ReadonlySet<DatabaseSession> {
    return this.#sessions;
  }

  /** Takes keys and certificates from files or from columns of databases. Throws an `Error` with the peer's line. */
  setTls(source: TlsSource): void {
    this.#tls = new DatabaseTls(this, source);
  }

  /** Serves a database file, or follows a source (`relay:DB:REMOTE`). Throws `OvsdbError`. */
  addDatabase(argument: string): HostedDatabase | undefined {
    if (argument.startsWith('relay:')) {
      this.#addRelay(argument);
      return undefined;
    }
    return this.#addFile(argument);
  }

  #addRelay(argument: string): void {
    const relay = parseRelay(argument);
    if (relay === undefined) throw new OvsdbError(ERROR_TAGS.ovsdb, `${argument}: invalid syntax`);
    this.#refuseDuplicate(relay.name);
    this.#relays.set(relay.name, new Relay(relay.name, relay.sources, this.clock, this));
    this.#serverDatabase.put({ name: relay.name, model: 'relay', connected: false, leader: false });
    this.#databasesChanged();
  }

  #refuseDuplicate(name: string): void {
    if (this.hasDatabase(name)) throw new OvsdbError(ERROR_TAGS.ovsdb, `${name}: duplicate database name`);
  }

  #addFile(file: string): HostedDatabase {
    const absolute = path.resolve(file);
    if (this.replicable().some((hosted) => hosted.file!.file === absolute)) {
      throw new OvsdbError(ERROR_TAGS.ovsdb, `${file}: already open`);
    }
    const opened = FileDatabase.open(absolute, {
      clock: this.clock,
      onDamage: (error) => log.err(error.message),
      noDiff: this.#noDiff,
      name: file,
    });
    const { database } = opened;
    try {
      this.#refuseDuplicate(database.name);
    } catch (error) {
      void opened.close();
      throw error;
    }
    const hosted = new HostedDatabase(database, opened, this.clock);
    this.#databases.set(database.name, hosted);
    this.#serverDatabase.put({ name: database.name, schema: database.schema });
    this.#databasesChanged();
    return hosted;
  }

  /** Stops serving a database. False when there is none of this name that may go. */
  removeDatabase(name: string): boolean {
    if (!this.hasDatabase(name) || this.isReserved(name)) return false;
    const hosted = this.#databases.get(name);
    this.#databases.delete(name);
    this.#relays.get(name)?.close();
    this.#relays.delete(name);
    if (hosted !== undefined) {
      hosted.cancelAll();
      for (const session of this.#sessions) session.databaseRemoved(hosted);
    }
    this.#serverDatabase.remove(name);
    void hosted?.close();
    this.#databasesChanged();
    return true;
  }

  /** Clients that do not follow `_Server` learn of new and removed databases by being disconnected. */
  #databasesChanged(): void {
    this.#closeUnaware('database list changed');
    this.remotes.refresh();
    this.#tls?.refresh();
  }

  #closeUnaware(reason: string): void {
    for (const session of this.#sessions) if (!session.dbChangeAware) session.rpc.close(new Error(reason));
  }

  /**
   * Replaces the schema of a database; its rows are kept as far as the new schema has a place for them. Clients that
   * do not follow `_Server` are disconnected, once `convert`'s caller has answered. Throws `OvsdbError`.
   */
  convert(hosted: HostedDatabase, schemaJson: Json): void {
    const schema = schemaFromJson(schemaJson);
    const { name } = hosted.database;
    if (schema.name !== name) {
      throw new OvsdbError(
        'invalid parameters',
        `new schema name (${schema.name}) does not match database name (${name})`,
      );
    }
    if (hosted.file === undefined) {
      throw new OvsdbError(ERROR_TAGS.notAllowed, `${name}: database cannot be converted`);
    }
    this.#replace(name, hosted, new HostedDatabase(hosted.file.convert(schema), hosted.file, this.clock));
    this.#serverDatabase.put({ name, schema });
    setImmediate(() => this.#closeUnaware('database was converted'));
  }

  /** Puts another database object in the place of one: monitors end, what waits is canceled. */
  #replace(name: string, old: HostedDatabase | undefined, now: HostedDatabase): void {
    this.#databases.set(name, now);
    if (old !== undefined) {
      old.cancelAll();
      for (const session of this.#sessions) session.databaseRemoved(old);
    }
    this.remotes.refresh();
    this.#tls?.refresh();
  }

  relayDatabase(relay: Relay, database: Database): void {
    const { name } = relay;
    const old = this.#databases.get(name);
    this.#replace(name, old, new HostedDatabase(database, undefined, this.clock, relay));
    this.#serverDatabase.put({
      name,
      model: 'relay',
      connected: relay.connected,
      leader: false,
      schema: database.schema,
    });
    if (old !== undefined) this.#closeUnaware('database schema changed');
  }

  relayChanged(relay: Relay): void {
    const schema = this.#databases.get(relay.name)?.database.schema;
    const { name, connected } = relay;
    this.#serverDatabase.put({ name, model: 'relay', connected, leader: false, schema });
  }

  async close(): Promise<void> {
    this.backup.stop();
    for (const relay of this.#relays.values()) relay.close();
    await this.remotes.close();
    for (const session of this.#sessions) session.rpc.close();
    for (const hosted of this.#databases.values()) await hosted.close();
  }
}
