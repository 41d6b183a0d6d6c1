/** Commands on flow tables as such: dump-table-features, dump-table-desc, mod-table. */
import { FatalError } from '@ovs-node/common/errors';
import { OfError } from '@ovs-node/openflow/errors';
import { decodeMessage } from '@ovs-node/openflow/messages/codec';
import type { TableDesc, TableFeatures, TableMod, Vacancy } from '@ovs-node/openflow/messages/table-types';
import { ALL_TABLES, type MessageOf, type OfMessage } from '@ovs-node/openflow/messages/types';
import { printMessage } from '@ovs-node/openflow/text/message';
import { formatTableFeatures } from '@ovs-node/openflow/text/print-table';
import { versionNames } from '@ovs-node/openflow/text/protocols';
import { readTable } from '@ovs-node/openflow/text/tables';
import { OF11, OF12, OF13, OF14, OF15 } from '@ovs-node/openflow/version';
import { readNumber } from '@ovs-node/openflow/text/numbers';
import { type OfctlContext, type Switch, talkingTo } from './context.js';
import { conversationFailure, headerOf, isErrorMessage, nameOf } from './exchange.js';
import { eachTable, multipart } from './parts.js';

function needVersion(sw: Switch, from: number, command: string): void {
  if (sw.connection.version >= from) return;
  throw new FatalError(`${command} needs OpenFlow 1.${from - 1} or later ('-O OpenFlow1${from - 1}')`);
}

const ALL_FEATURES: OfMessage = multipart({ type: 'table_features', tables: [] });

export async function dumpTableFeatures(c: OfctlContext, [target]: readonly string[]): Promise<void> {
  const sw = await c.connect(target);
  needVersion(sw, OF13, 'dump-table-features');
  // What is as in the table before is not said again, in whichever part of the reply that was.
  const tables: TableFeatures[] = [];
  await c.eachPart(sw, ALL_FEATURES, async (bytes) => {
    const header = headerOf(bytes, c.explain);
    if (header instanceof OfError) throw new FatalError(`decode error: ${header.toString()}`);
    if (isErrorMessage(header)) {
      process.stdout.write(printMessage(bytes, c.plainOptions(1)));
      return false;
    }
    if (nameOf(header) !== 'OFPST_TABLE_FEATURES reply') throw c.badReply(bytes);
    const decoded = decodeMessage(bytes, { explain: c.explain });
    if (decoded instanceof OfError) throw new FatalError(`decode error: ${decoded.toString()}`);
    const { msg } = decoded;
    if (msg.type === 'multipart_reply' && msg.reply.type === 'table_features')
      tables.push(...msg.reply.tables);
    return header.more;
  });
  const text = formatTableFeatures(tables, sw.connection.version).replace(/^\n/, '');
  process.stdout.write(text === '' ? '\n' : text);
}

export async function dumpTableDesc(c: OfctlContext, [target]: readonly string[]): Promise<void> {
  const sw = await c.connect(target);
  needVersion(sw, OF14, 'dump-table-desc');
  await c.dump(sw, multipart({ type: 'table_desc' }));
}

/** What a setting of mod-table changes, and the versions that can say it. */
interface Setting {
  readonly versions: readonly number[];
  readonly change: Partial<TableMod> | { readonly name: string };
}

const OF11_TO_12 = [OF11, OF12];
const OF14_UP = [OF14, OF15];
const NO_VACANCY: Vacancy = { down: 0, up: 0, vacancy: 0 };
const NO_CHANGE: TableMod = {
  tableId: 0,
  miss: 'default',
  eviction: undefined,
  evictionFlags: undefined,
  vacancyEvents: undefined,
  vacancy: NO_VACANCY,
};

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

/** What is taken for the configuration of a table that the switch says nothing of. */
const NO_DESC = {
  eviction: undefined,
  evictionFlags: 0,
  vacancyEvents: undefined,
  vacancy: NO_VACANCY,
} as const;

/**
 * The configuration of a table. Parts of the reply behind the one that has it are read all the same; where none has it, and
 * the last cannot be read to its end, what was read of the table that is at fault there is taken, as by the peer.
 */
async function fetchDesc(c: OfctlContext, sw: Switch, tableId: number): Promise<TableDesc | typeof NO_DESC> {
  let found: TableDesc | undefined;
  let begun: TableDesc | undefined;
  await c.eachPart(sw, multipart({ type: 'table_desc' }), async (bytes) => {
    const header = headerOf(bytes, c.explain);
    if (header instanceof OfError || nameOf(header) !== 'OFPST_TABLE_DESC reply') throw c.badReply(bytes);
    if (found === undefined) {
      const decoded = decodeMessage(bytes, { explain: c.explain });
      const msg = decoded instanceof OfError ? decoded.partial : decoded.msg;
      if (msg?.type === 'multipart_reply' && msg.reply.type === 'table_desc') {
        found = msg.reply.tables.find((t) => t.tableId === tableId);
        begun = msg.reply.begun;
      }
    }
    return header.more;
  });
  return found ?? begun ?? NO_DESC;
}

/**
 * Changes one thing of tables and says the rest as it is. With what is known of one table's eviction by then the next are
 * taken for tables whose eviction is to be set, as by the peer.
 */
async function changeDescs(
  c: OfctlContext,
  sw: Switch,
  tableIds: readonly number[],
  change: Partial<TableMod>,
): Promise<void> {
  let mod: TableMod = { ...NO_CHANGE, ...change };
  for (const tableId of tableIds) {
    const { eviction, evictionFlags, vacancyEvents, vacancy } = await fetchDesc(c, sw, tableId);
    if (mod.eviction !== undefined) mod = { ...mod, vacancyEvents, vacancy: { ...vacancy, vacancy: 0 } };
    else if (mod.vacancyEvents !== undefined) mod = { ...mod, eviction, evictionFlags };
    await c.noReply(sw, { type: 'table_mod', tableMod: { ...mod, tableId } });
  }
}

/** Gives a table a name: OpenFlow 1.5 changes one table, before all are told anew. */
async function rename(c: OfctlContext, sw: Switch, tableId: number, name: string): Promise<void> {
  const tables: TableFeatures[] = [];
  for await (const table of eachTable(c, sw)) if ('properties' in table) tables.push(table);
  if (!tables.some((t) => t.tableId === tableId)) {
    throw new FatalError(`switch does not have table ${tableId}`);
  }
  const { version } = sw.connection;
  const changed = tables.map((t) => (t.tableId === tableId ? { ...t, name } : t));
  const told: TableFeatures[] =
    version >= OF15
      ? changed
          .filter((t) => t.tableId === tableId)
          .map((t) => ({ ...t, command: 'modify' as const, properties: [] }))
      : changed;
  let replies: readonly Uint8Array[];
  try {
    replies = await sw.exchange.transactParts(pages(told));
  } catch (e) {
    throw conversationFailure(talkingTo(sw), e);
  }
  for (const reply of replies)
    if (isErrorMessage(headerOf(reply, c.explain))) throw await c.refused(sw, reply);
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
  // As by the peer, what was allowed before the setting narrowed it says whether tables can be described.
  const isDescribed = OF14_UP.some((version) => (c.settings.versions & (1 << version)) !== 0);
  c.allowVersions(c.settings.versions & wanted);
  const sw = await c.connect(target);
  if ('name' in change) {
    await rename(c, sw, tableId, change.name);
  } else if (!isDescribed) {
    await c.noReply(sw, { type: 'table_mod', tableMod: { ...NO_CHANGE, ...change, tableId } });
  } else {
    needVersion(sw, OF14, 'dump-table-desc');
    const all = Array.from({ length: ALL_TABLES - 1 }, (_, id) => id);
    await changeDescs(c, sw, tableId === ALL_TABLES ? all : [tableId], change);
  }
}
