import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { needing, run, tmpDir } from '@ovs-node/common/testkit/index';
import {
  type Json,
  canonicalJson,
  isJsonArray,
  isJsonObject,
  parseJson,
  stringifyJson,
} from 'ovsdb-client/data/json';
import { OvsdbServer } from '../src/server.js';
import { createDatabaseFile, readDatabase } from '../src/storage/standalone.js';
import { rowToJson } from '../src/transact/row-json.js';
import { transactions } from './lib/arbitrary.js';
import { call, connect, startPeerServer } from './lib/client.js';
import { testSchema } from './lib/schema.js';

const TABLES = ['all', 'leaf', 'idx'];

/** Rows have no order; index errors name the two rows in any order. */
function normalize(results: Json): string {
  // A name that no insertion defines stands for a UUID of the server's choice.
  return normalizeRows(results).replaceAll(/(?!0{8}-)[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}/g, 'UUID');
}

function normalizeRows(results: Json): string {
  if (!isJsonArray(results)) return canonicalJson(results);
  return canonicalJson(
    results.map((result) => {
      if (!isJsonObject(result)) return result;
      if (isJsonArray(result['rows']))
        return { rows: result['rows'].map((row) => canonicalJson(row)).sort() };
      const details = result['details'];
      if (typeof details === 'string' && details.startsWith('Transaction causes multiple rows')) {
        return { error: result['error']!, details: details.slice(0, details.indexOf('  First row')) };
      }
      // Which of several mistakes in a row or of several violations is found first is not defined.
      if (result['error'] === 'referential integrity violation') return { error: result['error'] };
      if (result['error'] === 'syntax error' || result['error'] === 'constraint violation')
        return { error: 'bad' };
      return result;
    }),
  );
}

const dump = (): Json[] =>
  TABLES.map((table) => ({ op: 'select', table, where: [], columns: ['_uuid', ...COLUMNS[table]!] }));
const COLUMNS: Record<string, string[]> = Object.fromEntries(
  TABLES.map((table) => [table, [...testSchema().tables.get(table)!.columnByName.keys()]]),
);

needing(test, 'peer')(
  'random transactions have the same replies and leave the same contents as on the peer',
  async (t) => {
    const dir = tmpDir(t);
    const ownFile = path.join(dir, 'own.db');
    const peerFile = path.join(dir, 'peer.db');
    createDatabaseFile(ownFile, testSchema());
    createDatabaseFile(peerFile, testSchema());
    const server = new OvsdbServer();
    server.addDatabase(ownFile);
    await server.remotes.add(`punix:${dir}/own.sock`);
    const peer = startPeerServer(dir, peerFile);
    const own = await connect(`${dir}/own.sock`);
    const other = await connect(peer.socket);
    // Three monitors on each: the changes they are told of must be the same, too. (The peer sends empty changes when
    // a column changes that only a condition names; so all that conditions name is monitored.)
    const columns = (table: string): Json => COLUMNS[table]!;
    const requests: [string, Json][] = [
      ['monitor', Object.fromEntries(TABLES.map((table) => [table, [{ columns: columns(table) }]]))],
      ['monitor_cond', Object.fromEntries(TABLES.map((table) => [table, [{ columns: columns(table) }]]))],
      [
        'monitor_cond',
        {
          all: [
            {
              columns: ['s', 'i', 'is', 'm'],
              where: [
                ['i', '>', 0],
                ['s', '==', 'a'],
                ['is', 'includes', ['set', [1, 2]]],
              ],
            },
          ],
          idx: [{ columns: ['k', 'name'], where: [['name', '!=', 'a']] }],
        },
      ],
    ];
    const notes: [string[], string[]] = [[], []];
    for (const [i, session] of [own, other].entries()) {
      session.onNotification((method, params) =>
        notes[i]!.push(canonicalJson([method, ...(params as Json[])])),
      );
      for (const [n, [method, request]] of requests.entries()) await call(session, method, ['T', n, request]);
    }
    let compared = 0;
    const compareNotes = (operations: Json): void => {
      compared += notes[0].length;
      const [a, b] = notes.map((list) => list.splice(0).sort().join('\n')) as [string, string];
      if (a !== b) throw new Error(`updates for ${stringifyJson(operations)}\nown:  ${a}\npeer: ${b}`);
    };
    const wipe = TABLES.map((table): Json => ({ op: 'delete', table, where: [] }));
    try {
      await fc.assert(
        fc.asyncProperty(transactions, async (list) => {
          await call(own, 'transact', ['T', ...wipe]);
          await call(other, 'transact', ['T', ...wipe]);
          notes[0].length = notes[1].length = 0;
          for (const operations of list) {
            const [a, b] = await Promise.all([
              call(own, 'transact', ['T', ...operations]),
              call(other, 'transact', ['T', ...operations]),
            ]);
            if (normalize(a) !== normalize(b)) {
              throw new Error(
                `for ${stringifyJson(operations)}\nown:  ${normalize(a)}\npeer: ${normalize(b)}`,
              );
            }
            compareNotes(operations);
          }
          const [a, b] = await Promise.all([
            call(own, 'transact', ['T', ...dump()]),
            call(other, 'transact', ['T', ...dump()]),
          ]);
          if (normalize(a) !== normalize(b))
            throw new Error(`contents\nown:  ${normalize(a)}\npeer: ${normalize(b)}`);
        }),
        {
          includeErrorInReport: true,
          numRuns: Number(process.env['FUZZ_RUNS'] ?? 150),
          seed: Number(process.env['FUZZ_SEED'] ?? 1),
        },
      );
      t.true(compared > 100, `${compared} updates compared`);
      // Both files, read by this code, hold what both servers said, but for the ephemeral column.
      const contents = (file: string): string =>
        canonicalJson(
          [...readDatabase(file).tables.values()].map((table) =>
            [...table.slots.values()]
              .map((slot) => canonicalJson([slot.uuid, rowToJson(slot.row!, table.schema.columns)]))
              .sort(),
          ),
        );
      t.is(contents(ownFile), contents(peerFile));
      // And the peer reads the file that was written here.
      const persistent = TABLES.map((table): Json => {
        const names = COLUMNS[table]!.filter((name) => name !== 'gone');
        return { op: 'select', table, where: [], columns: ['_uuid', ...names] };
      });
      const read = await run('ovsdb-tool', ['query', ownFile, JSON.stringify(['T', ...persistent])]);
      t.is(normalize(parseJson(read.stdout)), normalize(await call(own, 'transact', ['T', ...persistent])));
    } finally {
      own.close();
      other.close();
      await peer.stop();
      await server.close();
    }
  },
);
