/** The fuzz target `ovsdb` (`scripts/fuzz.mjs`): JSON on the wire of a server, as a stranger may send it. */
import { Duplex } from 'node:stream';
import { FakeClock } from '@ovs-node/common/testkit/index';
import { setLevels } from '@ovs-node/common/vlog';
import { type Json, type JsonObject, isJsonArray, isJsonObject, parseJson } from 'ovsdb-client/data/json';
import { Database } from '../src/database/database.js';
import { HostedDatabase } from '../src/database/hosted.js';
import { LockTable } from '../src/session/locks.js';
import { DatabaseSession, type SessionHost } from '../src/session/session.js';
import { TEST_SCHEMA_JSON, testSchema } from './lib/schema.js';

for (const module of ['jsonrpc', 'ovsdb_server']) setLevels(module, null, 'off');

const UUID = '00000000-0000-4000-8000-000000000001';

const OPERATIONS: Json[] = [
  {
    op: 'insert',
    table: 'all',
    'uuid-name': 'a',
    row: { s: 'x', i3: ['set', [1, 2]], m: ['map', [['k', 'v']]] },
  },
  { op: 'insert', table: 'leaf', uuid: UUID, row: { name: 'l', next: ['set', []] } },
  {
    op: 'insert',
    table: 'all',
    row: { i3: 1, strong: ['uuid', UUID], weak: ['named-uuid', 'a'], r: 1.5, b: true },
  },
  {
    op: 'select',
    table: 'all',
    where: [
      ['i', '>=', 0],
      ['m', 'includes', ['map', [['k', 'v']]]],
    ],
    columns: ['s'],
  },
  { op: 'update', table: 'all', where: [['_uuid', '==', ['uuid', UUID]]], row: { e: ['set', ['x', 'y']] } },
  {
    op: 'mutate',
    table: 'all',
    where: [true],
    mutations: [
      ['i', '+=', 1],
      ['is', 'insert', ['set', [1]]],
      ['m', 'delete', ['set', ['k']]],
    ],
  },
  { op: 'delete', table: 'idx', where: [['name', '!=', 'q']] },
  { op: 'wait', table: 'idx', where: [], columns: ['name'], until: '==', rows: [{ name: 'z' }], timeout: 0 },
  { op: 'wait', table: 'idx', where: [], columns: ['name'], until: '!=', rows: [] },
  { op: 'commit', durable: true },
  { op: 'abort' },
  { op: 'comment', comment: 'c' },
  { op: 'assert', lock: 'l' },
];

const REQUESTS: [string, Json][] = [
  ...OPERATIONS.map((operation): [string, Json] => ['transact', ['T', operation]]),
  ['transact', ['T', ...OPERATIONS.slice(0, 6)]],
  ['monitor', ['T', 'm', { all: [{ columns: ['s', 'i'], select: { initial: false } }] }]],
  ['monitor_cond', ['T', ['m', 2], { all: [{ where: [['i', '<', 5], false] }], idx: [{}] }]],
  ['monitor_cond_since', ['T', 3, { leaf: {} }, UUID]],
  ['monitor_cond_change', ['m', 'n', { all: [{ where: [['s', '==', 'x']] }] }]],
  ['monitor_cancel', ['m']],
  ['lock', ['l']],
  ['steal', ['l']],
  ['unlock', ['l']],
  ['get_schema', ['T']],
  ['list_dbs', []],
  ['get_server_id', []],
  ['set_db_change_aware', [true]],
  ['convert', ['T', TEST_SCHEMA_JSON]],
  ['echo', ['x']],
];

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

export const tokens: Uint8Array[] = [
  '{}',
  '[]',
  '[["set",[]]]',
  '["set",[1]]',
  '["map",[["a","b"]]]',
  `["uuid","${UUID}"]`,
  '["named-uuid","a"]',
  'null',
  'true',
  '-1',
  '1e308',
  '9223372036854775808',
  '9007199254740993',
  '"\\u0000"',
  '"\\ud800"',
  '"__proto__"',
  ',',
  '"',
  '\\',
].map(bytes);

/** A request of each kind, alone and after others. */
export function seeds(): Uint8Array[] {
  const texts = REQUESTS.map(([method, params], id) => JSON.stringify({ id, method, params }));
  return [...texts, texts.join(''), `${texts[0]}{"id":null,"method":"cancel","params":[0]}`].map(bytes);
}

/** A byte stream without another end: what is written to it is kept. */
class Wire extends Duplex {
  text = '';
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const clock = new FakeClock();
const locks = new LockTable();
let hosted = new HostedDatabase(new Database(testSchema()), undefined, clock);
const host: SessionHost = {
  serverId: UUID,
  locks,
  readOnly: false,
  monitorCond: true,
  database: (name) => (name === 'T' ? hosted : undefined),
  hasDatabase: (name) => name === 'T',
  databaseNames: () => ['T'],
  convert: () => {},
};

/** Errors that are plain text: any other text is the message of an exception that nobody meant. */
const TEXTS = new Set(['unknown method', 'unknown monitor', 'invalid parameters', 'canceled']);
/** Rows and deltas kept from one input to the next; then the database begins anew. */
const INPUTS_PER_DATABASE = 500;
let inputs = 0;

/** Feeds a connection. Whatever comes, each request has a reply, and no error is an exception of the program. */
export function run(input: Uint8Array): string {
  if (++inputs % INPUTS_PER_DATABASE === 0) {
    hosted.cancelAll();
    hosted = new HostedDatabase(new Database(testSchema()), undefined, clock);
  }
  const wire = new Wire();
  const session = new DatabaseSession(host, wire, {
    name: 'fuzz',
    settings: () => ({ readOnly: false, role: '' }),
  });
  wire.emit('data', Buffer.from(input));
  session.uncork();
  const outcome = outcomeOf(wire.text);
  session.rpc.close();
  wire.destroy();
  return outcome;
}

function outcomeOf(text: string): string {
  const outcomes: string[] = [];
  for (const reply of text === ''
    ? []
    : (parseJson(`[${text.replaceAll('}{"id"', '},{"id"')}]`) as JsonObject[])) {
    const { error, result } = reply;
    if (typeof error === 'string' && !TEXTS.has(error)) throw new Error(`reply: ${error}`);
    outcomes.push(
      errorOf(error) ?? (isJsonArray(result) ? result.map((one) => errorOf(one) ?? '').join() : 'ok'),
    );
  }
  return outcomes.slice(-3).join(';');
}

/** What an error is, without what it is about. */
function errorOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (!isJsonObject(value) || typeof value['error'] !== 'string') return undefined;
  const details = value['details'];
  return `${value['error']} ${typeof details === 'string' ? details.replaceAll(/"[^"]*"|\d+/g, '').slice(0, 60) : ''}`;
}
