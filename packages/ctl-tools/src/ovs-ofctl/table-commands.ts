/** Commands on flow tables as such: dump-table-features, dump-table-desc, mod-table. */
import { FatalError } from '@ovs-node/common/errors';
import { ErrorReply } from '@ovs-node/openflow/connection';
import type { Decoded } from '@ovs-node/openflow/messages/codec';
import type { TableDesc, TableFeatures, TableMod, Vacancy } from '@ovs-node/openflow/messages/table-types';
import { ALL_TABLES, type MessageOf, type OfMessage } from '@ovs-node/openflow/messages/types';
import { printMessage } from '@ovs-node/openflow/text/message';
import { formatTableFeatures } from '@ovs-node/openflow/text/print-table';
import { versionNames } from '@ovs-node/openflow/text/protocols';
import { readTable } from '@ovs-node/openflow/text/tables';
import { OF11, OF12, OF13, OF14, OF15 } from '@ovs-node/openflow/version';
import { readNumber } from '@ovs-node/openflow/text/numbers';
import { LOST_DUMP, LOST_REPLY, type OfctlContext, type Switch } from './context.js';

function needVersion(sw: Switch, from: number, command: string): void {
  if (sw.connection.version >= from) return;
  throw new FatalError(`${command} needs OpenFlow 1.${from - 1} or later ('-O OpenFlow1${from - 1}')`);
}

const ALL_FEATURES: OfMessage = {
  type: 'multipart_request',
  request: { type: 'table_features', tables: [] },
  more: false,
};

function featuresOf(replies: readonly Decoded[]): TableFeatures[] {
  return replies.flatMap(({ msg }) =>
    msg.type === 'multipart_reply' && msg.reply.type === 'table_features' ? msg.reply.tables : [],
  );
}

export async function dumpTableFeatures(c: OfctlContext, [target]: readonly string[]): Promise<void> {
  const sw = await c.connect(target);
  needVersion(sw, OF13, 'dump-table-features');
  const replies: Decoded[] = [];
  let error = '';
  let stray: Uint8Array | undefined;
  try {
    await sw.connection.request(ALL_FEATURES, (decoded, bytes) => {
      replies.push(decoded);
      if (decoded.msg.type !== 'multipart_reply') stray = bytes.slice();
    });
  } catch (e) {
    if (!(e instanceof ErrorReply)) throw await c.requestFailure(sw, e, { lost: LOST_DUMP });
    error = `${printMessage(e.bytes, c.plainOptions(1))}\n`;
  }
  if (stray !== undefined) throw c.badReply(stray);
  const text = formatTableFeatures(featuresOf(replies), sw.connection.version);
  process.stdout.write(text.replace(/^\n/, '') + error);
}

export async function dumpTableDesc(c: OfctlContext, [target]: readonly string[]): Promise<void> {
  const sw = await c.connect(target);
  needVersion(sw, OF14, 'dump-table-desc');
  await c.dump(sw, { type: 'multipart_request', request: { type: 'table_desc' }, more: false });
}

/** What a setting of mod-table changes, and the versions that can say it. */
interface Setting {
  readonly versions: readonly number[];
  readonly change: Partial<TableMod> | { readonly name: string };
}

const OF11_TO_12 = [OF11, OF12];
const OF14_UP = [OF14, OF15];
const NO_VACANCY: Vacancy = { down: 0, up: 0, vacancy: 0 };

/** Reads `LOW,HIGH`. */
function parseVacancy(text: string): Vacancy {
  const [low, high] = text.split(',').filter((word) => word !== '');
  if (low === undefined) throw new FatalError('Vacancy down value missing');
  const number = (word: string, which: string): number => {
    const n = Number(readNumber(word) ?? -1n);
    if (n < 0 || n > 100) throw new FatalError(`Invalid vacancy ${which} value "${word}"`);
    return n;
  };
  const down = number(low, 'down');
  if (high === undefined) throw new FatalError('Vacancy up value missing');
  const up = number(high, 'up');
  if (down > up) {
    throw new FatalError(
      'Invalid vacancy range, vacancy up should be greater than vacancy down (OFPBPC_BAD_VALUE)',
    );
  }
  return { down, up, vacancy: 0 };
}

function parseSetting(text: string): Setting {
  switch (text) {
    case 'controller':
    case 'continue':
    case 'drop':
      return { versions: OF11_TO_12, change: { miss: text } };
    case 'evict':
    case 'noevict':
      return { versions: OF14_UP, change: { eviction: text === 'evict' } };
    case 'novacancy':
      return { versions: OF14_UP, change: { vacancyEvents: false, vacancy: NO_VACANCY } };
    default:
  }
  // The start of the word is enough, even nothing of it.
  const word = text.split(':', 1)[0];
  if ('vacancy'.startsWith(word)) {
    const range = text.replace(/^:*[^:]*:?/, '');
    return { versions: OF14_UP, change: { vacancyEvents: true, vacancy: parseVacancy(range) } };
  }
  if (text.startsWith('name:')) {
    return { versions: [OF13, OF14, OF15], change: { name: text.slice('name:'.length) } };
  }
  throw new FatalError(`invalid table_mod setting ${text}`);
}

/** Sends a table-mod that changes one thing and says the rest as it is. */
async function changeDesc(
  c: OfctlContext,
  sw: Switch,
  now: TableDesc,
  change: Partial<TableMod>,
): Promise<void> {
  const sets = change.eviction !== undefined;
  await c.noReply(sw, {
    type: 'table_mod',
    tableMod: {
      tableId: now.tableId,
      miss: 'default',
      // What is not said about eviction turns it off; vacancy events stay.
      eviction: undefined,
      evictionFlags: sets ? undefined : now.evictionFlags,
      vacancyEvents: now.vacancyEvents,
      vacancy: { ...now.vacancy, vacancy: 0 },
      ...change,
    },
  });
}

async function fetchDescs(c: OfctlContext, sw: Switch): Promise<TableDesc[]> {
  const request = { type: 'table_desc' } as const;
  const replies = await c.transact(
    sw,
    { type: 'multipart_request', request, more: false },
    { lost: LOST_REPLY },
  );
  return replies.flatMap(({ msg }) =>
    msg.type === 'multipart_reply' && msg.reply.type === 'table_desc' ? msg.reply.tables : [],
  );
}

/** Gives a table a name: OpenFlow 1.5 changes one table, before all are told anew. */
async function rename(c: OfctlContext, sw: Switch, tableId: number, name: string): Promise<void> {
  const tables = featuresOf(await c.transact(sw, ALL_FEATURES, { lost: LOST_REPLY }));
  const { version } = sw.connection;
  const changed = tables.map((t) => (t.tableId === tableId ? { ...t, name } : t));
  const told: TableFeatures[] =
    version >= OF15
      ? changed
          .filter((t) => t.tableId === tableId)
          .map((t) => ({ ...t, command: 'modify' as const, properties: [] }))
      : changed;
  await c.eachFrame(sw, pages(told), () => undefined);
}

/** Bytes of tables' features that go into one message: what the header of a multipart request leaves. */
const PAGE_BYTES = 0xffff - 16;
/** Bytes of a table's features, properties apart. */
const FEATURES_BYTES = 64;
/** Bytes of a property, whose body has a header and is padded. */
const propertyBytes = (body: Uint8Array): number => (body.length + 4 + 7) & ~7;

/** A request about many tables, in parts that fit a message. */
function pages(tables: readonly TableFeatures[]): MessageOf<'multipart_request'>[] {
  const parts: TableFeatures[][] = [[]];
  let bytes = 0;
  for (const t of tables) {
    const size = t.properties.reduce((sum, p) => sum + propertyBytes(p.body), FEATURES_BYTES);
    if (bytes + size > PAGE_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(t);
    bytes += size;
  }
  return parts.map((part, i) => ({
    type: 'multipart_request',
    request: { type: 'table_features', tables: part },
    more: i + 1 < parts.length,
  }));
}

export async function modTable(c: OfctlContext, [target, table, text]: readonly string[]): Promise<void> {
  const all = table.toLowerCase() === 'all';
  // The names are asked for even where there is none.
  const names = await c.acceptTables(target);
  const tableId = all ? ALL_TABLES : readTable(table, names);
  if (tableId === undefined) throw new FatalError(`unknown table "${table}"`);
  const { versions, change } = parseSetting(text);
  if ('name' in change && tableId === ALL_TABLES) {
    throw new FatalError(`invalid table_mod setting ${text}`);
  }
  const wanted = versions.reduce((bits, v) => bits | (1 << v), 0);
  if ((c.settings.versions & wanted) === 0) {
    throw new FatalError(`table_mod '${text}' requires one of the OpenFlow versions ${versionNames(wanted)}`);
  }
  c.allowVersions(c.settings.versions & wanted);
  const sw = await c.connect(target);
  if ('name' in change) {
    await rename(c, sw, tableId, change.name);
  } else if (sw.connection.version < OF13) {
    await c.noReply(sw, {
      type: 'table_mod',
      tableMod: {
        tableId,
        miss: 'default',
        eviction: undefined,
        evictionFlags: undefined,
        vacancyEvents: undefined,
        vacancy: NO_VACANCY,
        ...change,
      },
    });
  } else {
    for (const desc of await fetchDescs(c, sw)) {
      if (tableId === ALL_TABLES || desc.tableId === tableId) await changeDesc(c, sw, desc, change);
    }
  }
}
