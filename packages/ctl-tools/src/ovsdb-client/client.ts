/**
 * ovsdb-client: asks an OVSDB server, from the command line. Commands are rows; which of SERVER, DATABASE and TABLE a
 * command takes is part of its row, since each may be left out when there is only one it can mean.
 */
import { readFileSync } from 'node:fs';
import { defaultDbRemote } from '@ovs-node/common/dirs';
import { FatalError, errorMessage, strerror } from '@ovs-node/common/errors';
import { type OptionSpec, parseCommandLine } from '@ovs-node/common/getopt';
import { sslOptionsWithout, streamHelp } from '@ovs-node/common/stream-options';
import { parseTimeout, runTool, startTimeout } from '@ovs-node/common/tool';
import { vlogHelp, vlogOptions } from '@ovs-node/common/vlog-options';
import { OvsdbError } from 'ovsdb-client/data/error';
import { type Json, canonicalJson, isJsonArray, parseJson } from 'ovsdb-client/data/json';
import { jsonSyntaxError, parseTypedJson } from 'ovsdb-client/data/json-check';
import { columnTypeToJson } from 'ovsdb-client/data/type-json';
import { UUID_COLUMN, VERSION_COLUMN, schemaFromJson } from 'ovsdb-client/schema';
import { type TableStyle, formatTable, prettyJson, tableOptions } from '../lib/table.js';
import { asOvsdbError } from 'ovsdb-client/replica/replica';
import { Connection } from './connection.js';
import { dump } from './dump.js';
import { lockCommand } from './locks.js';
import { monitor, monitorCond, monitorCondSince } from './monitor.js';

const NAME = 'ovsdb-client';

export interface ClientContext {
  readonly connection: Connection;
  readonly database: string;
  readonly args: readonly string[];
  readonly style: TableStyle;
  readonly print: (text: string) => void;
}

interface ClientCommand {
  readonly name: string;
  /** What stands before the command's own arguments. */
  readonly takes: 'server' | 'database';
  readonly usage: string;
  readonly what: string;
  readonly min: number;
  readonly max: number;
  readonly run: (context: ClientContext) => Promise<void>;
}

const COMMANDS: readonly ClientCommand[] = [
  {
    name: 'list-dbs',
    takes: 'server',
    usage: '',
    what: 'list databases available on SERVER',
    min: 0,
    max: 0,
    run: listDatabases,
  },
  {
    name: 'get-schema',
    takes: 'database',
    usage: '',
    what: 'retrieve schema for DATABASE from SERVER',
    min: 0,
    max: 0,
    run: getSchema,
  },
  {
    name: 'get-schema-version',
    takes: 'database',
    usage: '',
    what: 'retrieve schema for DATABASE from SERVER and report only its\n    version number on stdout',
    min: 0,
    max: 0,
    run: async ({ connection, database, print }) =>
      print(`${(await connection.schema(database)).schema.version}\n`),
  },
  {
    name: 'get-schema-cksum',
    takes: 'database',
    usage: '',
    what: 'retrieve schema for DATABASE from SERVER and report only its\n    checksum on stdout',
    min: 0,
    max: 0,
    run: async ({ connection, database, print }) =>
      print(`${(await connection.schema(database)).schema.cksum}\n`),
  },
  {
    name: 'list-tables',
    takes: 'database',
    usage: '',
    what: 'list tables for DATABASE on SERVER',
    min: 0,
    max: 0,
    run: listTables,
  },
  {
    name: 'list-columns',
    takes: 'database',
    usage: '[TABLE]',
    what: 'list columns in TABLE (or all tables) in DATABASE on SERVER',
    min: 0,
    max: 1,
    run: listColumns,
  },
  {
    name: 'transact',
    takes: 'server',
    usage: 'TRANSACTION',
    what: 'run TRANSACTION (params for "transact" request) on SERVER\n    and print the results as JSON on stdout',
    min: 1,
    max: 1,
    run: transact,
  },
  {
    name: 'query',
    takes: 'server',
    usage: 'TRANSACTION',
    what: 'run TRANSACTION (params for "transact" request) on SERVER,\n    as read-only, and print the results as JSON on stdout',
    min: 1,
    max: 1,
    run: query,
  },
  {
    name: 'monitor',
    takes: 'database',
    usage: 'TABLE [COLUMN,...]...',
    what: 'monitor contents of COLUMNs in TABLE in DATABASE on SERVER.\n    COLUMNs may include !initial, !insert, !delete, !modify\n    to avoid seeing the specified kinds of changes.',
    min: 1,
    max: Infinity,
    run: monitor,
  },
  {
    name: 'monitor-cond',
    takes: 'database',
    usage: 'CONDITION TABLE [COLUMN,...]...',
    what: 'monitor contents that match CONDITION of COLUMNs in TABLE in\n    DATABASE on SERVER.\n    COLUMNs may include !initial, !insert, !delete, !modify\n    to avoid seeing the specified kinds of changes.',
    min: 2,
    max: 3,
    run: monitorCond,
  },
  {
    name: 'monitor-cond-since',
    takes: 'database',
    usage: '[LASTID] CONDITION TABLE [COLUMN,...]...',
    what: 'monitor contents that match CONDITION of COLUMNs in TABLE in\n    DATABASE on SERVER, since change after LASTID.\n    LASTID specifies transaction ID after which the monitoring\n    starts, which works only for cluster mode. If ignored, it\n    defaults to an all-zero uuid.\n    Other arguments are the same as in monitor-cond.',
    min: 2,
    max: 4,
    run: monitorCondSince,
  },
  {
    name: 'needs-conversion',
    takes: 'server',
    usage: 'SCHEMA',
    what: "tests whether SCHEMA's db on SERVER needs conversion.",
    min: 1,
    max: 1,
    run: needsConversion,
  },
  {
    name: 'dump',
    takes: 'database',
    usage: '[TABLE [COLUMN]...]',
    what: 'dump contents of TABLE (or all tables) in DATABASE on SERVER\n    to stdout',
    min: 0,
    max: Infinity,
    run: dump,
  },
  ...(
    [
      ['lock', 'create or wait for LOCK in SERVER'],
      ['steal', 'steal LOCK from SERVER'],
      ['unlock', 'unlock LOCK from SERVER'],
    ] as const
  ).map(([name, what]): ClientCommand => ({
    name,
    takes: 'server',
    usage: 'LOCK',
    what,
    min: 1,
    max: 1,
    run: lockCommand(name),
  })),
];

function help(): string {
  const rows = COMMANDS.map(({ name, takes, usage, what }) => {
    const place = takes === 'server' ? '[SERVER]' : '[SERVER] [DATABASE]';
    return `  ${[name, place, usage].filter((word) => word !== '').join(' ')}\n    ${what}\n`;
  });
  return `${NAME}: Open vSwitch database JSON-RPC client
usage: ${NAME} [OPTIONS] COMMAND [ARG...]

Valid commands are:

${rows.join('\n')}
The default SERVER is ${defaultDbRemote()}.
The default DATABASE is Open_vSwitch.
${streamHelp('SERVER', { active: true, passive: true, bootstrap: true })}
Output formatting options:
  -f, --format=FORMAT         set output formatting to FORMAT
                              ("table", "html", "csv", or "json")
  --no-headings               omit table heading row
  --pretty                    pretty-print JSON in output
  --bare                      equivalent to "--format=list --data=bare --no-headings"
  --timestamp                 timestamp "monitor" output
  -t, --timeout=SECS          limit the time the command may take
${vlogHelp(NAME)}
Other options:
  -h, --help                  display this help message
  -V, --version               display version information
`;
}

/** Runs the program. */
export function ovsdbClient(): Promise<void> {
  return runTool(NAME, main);
}

async function main(args: string[]): Promise<void> {
  const style: TableStyle = { format: 'table', cells: 'string', headings: true, pretty: false };
  let timeout: number | undefined;
  const options: OptionSpec[] = [
    ...tableOptions(style),
    { name: 'timestamp' },
    {
      name: 'timeout',
      short: 't',
      arg: 'required',
      apply: (value) => (timeout = parseTimeout(value as string)),
    },
    ...vlogOptions,
    ...sslOptionsWithout('peer-ca-cert'),
  ];
  const { operands } = parseCommandLine({ name: NAME, options, help, order: 'permute' }, args);
  const [name, ...words] = operands;
  if (name === undefined) throw new FatalError('missing command name; use --help for help');
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) throw new FatalError(`unknown command '${name}'; use --help for help`);
  startTimeout(timeout);
  const server = isServer(words[0]) ? (words.shift() as string) : defaultDbRemote();
  const isWrong = (): boolean => words.length < command.min || words.length > command.max;
  if (command.takes === 'server' && isWrong()) throw invalidSyntax(name);
  const connection = await Connection.open(server);
  try {
    const database =
      command.takes === 'server' ? '' : chooseDatabase(await connection.databases(), words, command);
    if (isWrong()) throw invalidSyntax(name);
    await command.run({
      connection,
      database,
      args: words,
      style,
      print: (text) => process.stdout.write(text),
    });
  } finally {
    connection.close();
  }
}

function invalidSyntax(command: string): FatalError {
  return new FatalError(`invalid syntax for '${command}' (use --help for help)`);
}

function isServer(word: string | undefined): boolean {
  return word !== undefined && /^p?(unix|tcp|ssl):/.test(word);
}

/** Takes the database's name off `words` when they begin with one; else it is the only one, or Open_vSwitch. */
function chooseDatabase(databases: readonly string[], words: string[], command: ClientCommand): string {
  const first = words[0];
  if (first !== undefined && databases.includes(first) && words.length > command.min) {
    // A table may be called as its database is: with nothing behind it, it is the table.
    const isTable = command.min > 0 && words.length === command.min;
    if (!isTable) return words.shift() as string;
  }
  const real = databases.filter((each) => !each.startsWith('_'));
  if (real.includes('Open_vSwitch')) return 'Open_vSwitch';
  if (real.length === 1) return real[0] as string;
  throw new FatalError(
    real.length === 0
      ? 'no databases on server'
      : 'no default database for this command, please specify a database name',
  );
}

async function listDatabases({ connection, print }: ClientContext): Promise<void> {
  for (const name of await connection.databases()) print(`${name}\n`);
}

async function getSchema({ connection, database, print }: ClientContext): Promise<void> {
  print(`${canonicalJson((await connection.schema(database)).json)}\n`);
}

async function listTables({ connection, database, style, print }: ClientContext): Promise<void> {
  const { schema } = await connection.schema(database);
  print(formatTable({ columns: ['Table'], rows: [...schema.tables.keys()].map((name) => [name]) }, style));
}

async function listColumns({ connection, database, args, style, print }: ClientContext): Promise<void> {
  const { schema } = await connection.schema(database);
  const [only] = args;
  // A table that is not there has no columns.
  const tables = [...schema.tables.values()].filter((table) => only === undefined || table.name === only);
  const rows = tables.flatMap((table) =>
    [...table.columns, UUID_COLUMN, VERSION_COLUMN].map((column) => [
      ...(only === undefined ? [table.name] : []),
      column.name,
      canonicalJson(columnTypeToJson(column.type)),
    ]),
  );
  print(formatTable({ columns: [...(only === undefined ? ['Table'] : []), 'Column', 'Type'], rows }, style));
}

/** `[DATABASE, OPERATION…]` as the user typed it. @throws FatalError */
function parseTransaction(text: string): Json[] {
  let json: Json;
  try {
    json = parseTypedJson(text);
  } catch (error) {
    throw new FatalError(`"${text}": ${errorMessage(error)}`);
  }
  if (!isJsonArray(json) || typeof json[0] !== 'string') throw new FatalError('not a valid OVSDB query');
  return [...json];
}

function printJson(json: Json, { style, print }: ClientContext): void {
  print(`${style.pretty ? prettyJson(json) : canonicalJson(json)}\n`);
}

async function runTransaction({ connection }: ClientContext, params: Json[]): Promise<Json> {
  try {
    return (await connection.session.request('transact', params)) as Json;
  } catch (error) {
    const known = asOvsdbError(error);
    if (known instanceof OvsdbError)
      throw new FatalError(`transaction returned error: ${canonicalJson(known.toJson())}`);
    throw new FatalError(`${connection.server}: transact failed (${errorMessage(known)})`);
  }
}

async function transact(context: ClientContext): Promise<void> {
  printJson(await runTransaction(context, parseTransaction(context.args[0] as string)), context);
}

/** As `transact`, undone: the last operation aborts, and its error is left out of the output. */
async function query(context: ClientContext): Promise<void> {
  const operations = parseTransaction(context.args[0] as string);
  const reply = await runTransaction(context, [...operations, { op: 'abort' }]);
  printJson(isJsonArray(reply) ? reply.slice(0, -1) : reply, context);
}

async function needsConversion({ connection, args, print }: ClientContext): Promise<void> {
  const file = args[0] as string;
  const fail = (why: string): never => {
    throw new FatalError(`failed to read schema: ${why}`);
  };
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    fail(`"${file}" could not be read as JSON (error opening "${file}": ${strerror(error)})`);
  }
  const wrong = jsonSyntaxError(text);
  if (wrong !== undefined) fail(`"${file}" could not be read as JSON (${wrong})`);
  const wanted = schemaFromJson(parseJson(text));
  const { schema } = await connection.schema(wanted.name);
  print(schema.version === wanted.version && schema.cksum === wanted.cksum ? 'no\n' : 'yes\n');
}
