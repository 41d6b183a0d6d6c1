/** The commands of ovsdb-tool(1), one row each. */
import fs from 'node:fs';
import type { CommandSpec } from '@ovs-node/common/command';
import { systemClock } from '@ovs-node/common/clock';
import { FatalError, strerror } from '@ovs-node/common/errors';
import { PEER_VERSION } from '@ovs-node/common/version';
import { ERROR_TAGS, OvsdbError, syntaxError } from 'ovsdb-client/data/error';
import { type Json, canonicalJson, isJsonArray } from 'ovsdb-client/data/json';
import { parseTypedJson } from 'ovsdb-client/data/json-check';
import { schemaEquals } from 'ovsdb-client/schema';
import { writeNewLog } from '../storage/log-file.js';
import { lockDatabaseFile } from '../storage/lock-file.js';
import { LogReader, MAGIC_CLUSTERED, MAGIC_STANDALONE } from '../storage/log-reader.js';
import {
  FileDatabase,
  createDatabaseFile,
  readDatabase,
  readSchema,
  snapshotRecords,
} from '../storage/standalone.js';
import { execute } from '../transact/execute.js';
import { type ToolOptions, defaultDatabase, readSchemaFile } from './context.js';
import { showLog } from './show-log.js';

type Result = number | void | Promise<number | void>;
type Command = CommandSpec<ToolOptions, Result>;

/** Writes one line to standard output. */
function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const NO_CLUSTERS = 'clustered databases are not supported';

const refuseCluster = (): never => {
  throw new FatalError(NO_CLUSTERS);
};

export const COMMANDS: readonly Command[] = [
  {
    name: 'create',
    usage: '[db [schema]]',
    min: 0,
    max: 2,
    run: (_options, [db, schema]) => {
      const file = db ?? defaultDatabase();
      createDatabaseFile(file, readSchemaFile(schema));
    },
  },
  { name: 'create-cluster', usage: 'db contents local', min: 3, max: 3, run: refuseCluster },
  { name: 'join-cluster', usage: 'db name local remote...', min: 4, max: Infinity, run: refuseCluster },
  { name: 'compact', usage: '[db [dst]]', min: 0, max: 2, run: (_options, [db, dst]) => compact(db, dst) },
  {
    name: 'convert',
    usage: '[db [schema [dst]]]',
    min: 0,
    max: 3,
    run: (_options, [db, schema, dst]) => convert(db, schema, dst),
  },
  {
    name: 'needs-conversion',
    usage: '',
    min: 0,
    max: 2,
    run: (_options, [db, schema]) => {
      const own = readSchema(db ?? defaultDatabase());
      print(schemaEquals(own, readSchemaFile(schema)) ? 'no' : 'yes');
    },
  },
  {
    name: 'db-name',
    usage: '[db]',
    min: 0,
    max: 1,
    run: (_o, [db]) => print(readSchema(db ?? defaultDatabase()).name),
  },
  {
    name: 'db-version',
    usage: '[db]',
    min: 0,
    max: 1,
    run: (_o, [db]) => print(readSchema(db ?? defaultDatabase()).version),
  },
  {
    name: 'db-cksum',
    usage: '[db]',
    min: 0,
    max: 1,
    run: (_o, [db]) => print(readSchema(db ?? defaultDatabase()).cksum),
  },
  { name: 'db-cid', usage: 'db', min: 1, max: 1, run: (_o, [db]) => clusterOnly(db!) },
  { name: 'db-sid', usage: 'db', min: 1, max: 1, run: (_o, [db]) => clusterOnly(db!) },
  { name: 'db-local-address', usage: 'db', min: 1, max: 1, run: (_o, [db]) => clusterOnly(db!) },
  {
    name: 'db-is-clustered',
    usage: 'db',
    min: 1,
    max: 1,
    run: (_o, [db]) => testMagic(db!, MAGIC_CLUSTERED),
  },
  {
    name: 'db-is-standalone',
    usage: 'db',
    min: 1,
    max: 1,
    run: (_o, [db]) => testMagic(db!, MAGIC_STANDALONE),
  },
  {
    name: 'schema-name',
    usage: '[schema]',
    min: 0,
    max: 1,
    run: (_o, [schema]) => print(readSchemaFile(schema).name),
  },
  {
    name: 'schema-version',
    usage: '[schema]',
    min: 0,
    max: 1,
    run: (_o, [schema]) => print(readSchemaFile(schema).version),
  },
  {
    name: 'schema-cksum',
    usage: '[schema]',
    min: 0,
    max: 1,
    run: (_o, [schema]) => print(readSchemaFile(schema).cksum),
  },
  {
    name: 'query',
    usage: '[db] trns',
    min: 1,
    max: 2,
    run: (options, args) => transact(options, args, true),
  },
  {
    name: 'transact',
    usage: '[db] trns',
    min: 1,
    max: 2,
    run: (options, args) => transact(options, args, false),
  },
  {
    name: 'show-log',
    usage: '[db]',
    min: 0,
    max: 1,
    run: (options, [db]) =>
      showLog(db ?? defaultDatabase(), options.more, (text) => process.stdout.write(text)),
  },
  { name: 'check-cluster', usage: 'db...', min: 1, max: Infinity, run: (_o, files) => checkCluster(files) },
  {
    name: 'compare-versions',
    usage: 'a op b',
    min: 3,
    max: 3,
    run: (_o, [a, op, b]) => compareVersions(a!, op!, b!),
  },
  // Handled before the others, since it prints the text of --help.
  { name: 'help', usage: '', min: 0, max: Infinity, run: () => undefined },
  {
    name: 'list-commands',
    usage: '',
    min: 0,
    max: Infinity,
    run: () => {
      print('The available commands are:');
      for (const { name, usage } of COMMANDS) print(`  ${name.padEnd(23)} ${usage}`);
    },
  },
  {
    name: 'cluster-to-standalone',
    usage: 'db clusterdb',
    min: 2,
    max: 2,
    run: (_o, [, db]) => {
      if (magicOf(db!) !== MAGIC_CLUSTERED) throw new FatalError('Database is not clustered db.');
      refuseCluster();
    },
  },
];

/** The file itself behind symbolic links: replaced in place, links stay. */
function realFile(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

function compact(db: string | undefined, dst: string | undefined): void {
  rewrite(db ?? defaultDatabase(), dst, `compacted by ovsdb-tool ${PEER_VERSION}`, undefined);
}

function convert(db: string | undefined, schemaFile: string | undefined, dst: string | undefined): void {
  const schema = readSchemaFile(schemaFile);
  rewrite(db ?? defaultDatabase(), dst, `converted by ovsdb-tool ${PEER_VERSION}`, schema);
}

/** Reads a database and writes it compactly to `dst`, or over itself; by a rename, so that no reader sees half. */
function rewrite(
  db: string,
  dst: string | undefined,
  comment: string,
  schema: ReturnType<typeof readSchemaFile> | undefined,
): void {
  const source = realFile(db);
  const target = dst === undefined ? source : realFile(dst);
  const temporary = `${target}.tmp`;
  const lock = lockFor(target, dst ?? db);
  try {
    const database = readDatabase(db, schema);
    fs.rmSync(temporary, { force: true });
    writeNewLog(temporary, snapshotRecords(database, Date.now(), comment), 'wx', dst ?? db);
    rename(temporary, target);
  } finally {
    lock.release();
  }
}

function lockFor(file: string, name: string): ReturnType<typeof lockDatabaseFile> {
  try {
    return lockDatabaseFile(file, name);
  } catch (error) {
    if (!(error instanceof OvsdbError)) throw error;
    throw new FatalError(error.details ?? error.message);
  }
}

function rename(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    throw new FatalError(`failed to rename "${from}" to "${to}" (${strerror(error)})`);
  }
}

/** The kind of file that the first bytes of a database tell. */
function magicOf(db: string): string {
  const reader = LogReader.open(db);
  reader.close();
  return reader.magic;
}

function checkCluster(files: readonly string[]): never {
  for (const db of files) {
    if (magicOf(db) !== MAGIC_CLUSTERED)
      throw new OvsdbError(ERROR_TAGS.ovsdb, `${db}: cannot identify file type`);
  }
  return refuseCluster();
}

function clusterOnly(db: string): never {
  throw new FatalError(magicOf(db) === MAGIC_CLUSTERED ? NO_CLUSTERS : `${db}: not a clustered database`);
}

function testMagic(db: string, magic: string): number {
  return magicOf(db) === magic ? 0 : 2;
}

const OPERATORS: ReadonlyMap<string, (order: number) => boolean> = new Map([
  ['<', (order: number) => order < 0],
  ['<=', (order: number) => order <= 0],
  ['==', (order: number) => order === 0],
  ['>=', (order: number) => order >= 0],
  ['>', (order: number) => order > 0],
  ['!=', (order: number) => order !== 0],
]);

function compareVersions(a: string, op: string, b: string): number {
  const left = parseVersion(a);
  const right = parseVersion(b);
  const test = OPERATORS.get(op);
  if (test === undefined) throw new FatalError(`${op}: not a relational operator`);
  const order = left[0]! - right[0]! || left[1]! - right[1]! || left[2]! - right[2]!;
  return test(order) ? 0 : 2;
}

function parseVersion(text: string): number[] {
  const match = /^([0-9]+)\.([0-9]+)\.([0-9]+)$/.exec(text);
  if (match === null) throw new FatalError(`${text}: not an OVSDB version number in format x.y.z`);
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

async function transact(
  { rbacRole: role }: ToolOptions,
  args: readonly string[],
  readOnly: boolean,
): Promise<void> {
  const access = role === undefined ? {} : { identity: { role, clientId: undefined } };
  const file = args.length === 2 ? args[0]! : defaultDatabase();
  const operations = parseTransaction(args[args.length - 1]!);
  if (readOnly) {
    const database = readDatabase(file);
    printResults(database.name, operations, (rest) => {
      // Nothing can be written, so that anything which would be is refused when it commits.
      database.persist = () => {
        throw new OvsdbError(ERROR_TAGS.io, `${file}: opened for reading only`);
      };
      const result = execute(database, rest, access);
      return result.status === 'done' ? result.results : undefined;
    });
    return;
  }
  if (magicOf(file) === MAGIC_CLUSTERED) {
    throw new OvsdbError(ERROR_TAGS.ovsdb, `${file}: cannot apply this operation to clustered database file`);
  }
  const opened = FileDatabase.open(file, {
    clock: systemClock,
    onDamage: (error) => {
      throw error;
    },
  });
  try {
    let durable = false;
    printResults(opened.database.name, operations, (rest) => {
      const result = execute(opened.database, rest, access);
      durable = result.status === 'done' && result.durable;
      return result.status === 'done' ? result.results : undefined;
    });
    if (durable) await opened.database.sync!();
  } finally {
    await opened.close();
  }
}

function parseTransaction(text: string): Json {
  try {
    return parseTypedJson(text);
  } catch (error) {
    throw new FatalError(`"${text}": ${(error as Error).message}`);
  }
}

function printResults(
  name: string,
  json: Json,
  run: (operations: readonly Json[]) => Json[] | undefined,
): void {
  if (!isJsonArray(json)) {
    print(canonicalJson(syntaxError(json, 'array expected').toJson()));
    return;
  }
  if (json[0] !== name) {
    print(canonicalJson(syntaxError(json, 'database name expected as first parameter').toJson()));
    return;
  }
  const waits = [new OvsdbError(ERROR_TAGS.notSupported, 'triggers not supported').toJson()];
  print(canonicalJson(run(json.slice(1)) ?? waits));
}
