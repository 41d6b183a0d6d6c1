/**
 * Answers to statistics (multipart) requests. Long ones are made page by page, each when the reader has taken what
 * was sent before: a dump of a million flows to a tool that hangs costs one page, and less than one message.
 */
import { OFPP } from '@ovs-node/flow/ports';
import { OfError } from '@ovs-node/openflow/errors';
import { METER, MF } from '@ovs-node/openflow/messages/meter-types';
import { encodeMultipart, ReplyParts } from '@ovs-node/openflow/messages/reply-parts';
import { haveSameAbilities } from '@ovs-node/openflow/messages/table-abilities';
import { tableFeatures } from '@ovs-node/openflow/messages/table-features';
import type {
  FlowFilter,
  MessageOf,
  MultipartReply,
  MultipartRequest,
  TableFeatures,
} from '@ovs-node/openflow/messages/types';
import { allActionBits } from '@ovs-node/openflow/text/action-bits';
import { INTERNAL_TABLE } from '../ofproto/flow-tables.js';
import { MAX_BANDS, MAX_METERS } from '../ofproto/meter-table.js';
import { MAX_GROUP } from '../ofproto/group-table.js';
import type { Rule } from '../ofproto/rule.js';
import type { RequestContext } from './connection.js';
import { switchDesc } from './features.js';
import { portStatistics } from './port-stats.js';
import { queueConfig, queuePorts, queueStats } from './queues.js';
import type { Switchboard } from './switchboard.js';

/** Items of a list that are looked up at a time. */
const PAGE = 128;
/** Features of a table are long. */
const TABLES_PAGE = 12;
/** OFPMBT13_DROP. */
const DROP_BAND = 1;
const GROUP_KINDS = 4;
/** OFPGFC_*: weights of select groups, liveness, chaining. */
const GROUP_CAPABILITIES = 7;

type Request = MessageOf<'multipart_request'>;
type RequestType = MultipartRequest['type'];
type RequestBody<T extends RequestType> = MultipartRequest extends infer R
  ? R extends { readonly type: infer U }
    ? T extends U
      ? R
      : never
    : never
  : never;
type Result = OfError | undefined | Promise<OfError | undefined>;

/** One request being answered. */
class Answer {
  readonly board: Switchboard;
  readonly context: RequestContext;
  readonly #request: Request;

  constructor(board: Switchboard, request: Request, context: RequestContext) {
    this.board = board;
    this.context = context;
    this.#request = request;
  }

  get version(): number {
    return this.context.connection.version;
  }

  /** A reply in the format of the request. */
  #message(reply: MultipartReply): MessageOf<'multipart_reply'> {
    const { format } = this.#request;
    return { type: 'multipart_reply', reply, more: false, ...(format === undefined ? {} : { format }) };
  }

  /** Sends a reply. */
  send(reply: MultipartReply): void {
    const { connection, xid } = this.context;
    for (const bytes of encodeMultipart(this.#message(reply), connection.version, xid))
      connection.replyBytes(bytes);
  }

  /** Sends a list page by page; an empty one is a page as well. */
  async sendPages<T>(
    items: readonly T[],
    page: (items: readonly T[]) => MultipartReply,
    size = PAGE,
  ): Promise<undefined> {
    const { connection, xid } = this.context;
    const parts = new ReplyParts(connection.version, xid, (bytes) => connection.replyBytes(bytes));
    for (let at = 0; at === 0 || at < items.length; at += size) {
      if (connection.isClosed) return;
      parts.add(this.#message(page(items.slice(at, at + size))));
      await connection.room();
    }
    parts.end();
  }
}

const BODIES: { readonly [T in RequestType]: (request: RequestBody<T>, answer: Answer) => Result } = {
  desc: (_request, answer) => {
    answer.send({ type: 'desc', desc: switchDesc(answer.board) });
    return undefined;
  },

  flow: async ({ filter }, answer) => {
    await answer.board.syncStats();
    const { now, ofproto } = answer.board;
    const rules: Rule[] = [];
    ofproto.tables.forEach(filter satisfies FlowFilter, (rule) => rules.push(rule));
    return answer.sendPages(rules, (page) => ({ type: 'flow', flows: page.map((rule) => rule.stats(now)) }));
  },

  aggregate: async ({ filter }, answer) => {
    await answer.board.syncStats();
    answer.send({ type: 'aggregate', stats: answer.board.ofproto.aggregate(filter) });
    return undefined;
  },

  table: (_request, answer) => {
    answer.send({ type: 'table', tables: answer.board.ofproto.tableStats() });
    return undefined;
  },

  port: async ({ portNo }, answer) => {
    const ports = await portStatistics(answer.board, portNo);
    return answer.sendPages(ports, (page) => ({ type: 'port', ports: page }));
  },

  port_desc: ({ portNo }, answer) => {
    const { ofproto } = answer.board;
    const ports = ofproto.portsInOrder().filter((port) => portNo === OFPP.ANY || port.ofport === portNo);
    return answer.sendPages(ports, (page) => ({ type: 'port_desc', ports: page.map((port) => port.phy) }));
  },

  queue: ({ portNo, queueId }, answer) => {
    const ports = queuePorts(answer.board, portNo, queueId);
    if (ports instanceof OfError) return ports;
    return answer.sendPages(ports, (page) => ({ type: 'queue', queues: page.map(queueStats) }));
  },

  group: async ({ group }, answer) => {
    await answer.board.syncStats();
    const { now, ofproto } = answer.board;
    return answer.sendPages(ofproto.groups.select(group), (page) => ({
      type: 'group',
      groups: page.map((each) => each.stats(ofproto.tables.groupUsers(each.id), now)),
    }));
  },
  // Before OpenFlow 1.5 the request does not name a group.
  group_desc: ({ group }, answer) =>
    answer.sendPages(answer.board.ofproto.groups.select(group), (page) => ({
      type: 'group_desc',
      groups: page.map((each) => each.desc),
    })),
  group_features: (_request, answer) => {
    const each = <T>(value: T): T[] => Array.from({ length: GROUP_KINDS }, () => value);
    answer.send({
      type: 'group_features',
      features: {
        types: (1 << GROUP_KINDS) - 1,
        capabilities: GROUP_CAPABILITIES,
        maxGroups: each(MAX_GROUP),
        actions: each(allActionBits(answer.version)),
      },
    });
    return undefined;
  },

  meter: async ({ meter }, answer) => {
    const { now, ofproto } = answer.board;
    const error = checkMeter(answer, meter);
    if (error) return error;
    const stats = await ofproto.meters.stats(meter, (id) => ofproto.tables.meterUsers(id), now);
    return answer.sendPages(stats, (page) => ({ type: 'meter', meters: page }));
  },
  meter_config: ({ meter }, answer) =>
    checkMeter(answer, meter) ??
    answer.sendPages(answer.board.ofproto.meters.select(meter), (page) => ({
      type: 'meter_config',
      meters: page,
    })),
  meter_features: (_request, answer) => {
    answer.send({
      type: 'meter_features',
      features: {
        maxMeters: MAX_METERS,
        bandTypes: 1 << DROP_BAND,
        capabilities: MF.KBPS | MF.PKTPS | MF.BURST | MF.STATS,
        maxBands: MAX_BANDS,
        maxColor: 0,
      },
    });
    return undefined;
  },

  table_features: ({ tables }, answer) => {
    const { tables: ours } = answer.board.ofproto;
    if (tables.length > 0) {
      const error = changeTables(answer, tables);
      if (error) return error;
    }
    const ids = Array.from({ length: INTERNAL_TABLE }, (_, id) => id);
    const page = (some: readonly number[]): MultipartReply => ({
      type: 'table_features',
      tables: some.map((id) => {
        const { name, maxFlows } = ours.table(id);
        return tableFeatures(id, INTERNAL_TABLE, name, maxFlows, answer.version);
      }),
    });
    return answer.sendPages(ids, page, TABLES_PAGE);
  },
  table_desc: (_request, answer) => {
    const ids = Array.from({ length: INTERNAL_TABLE }, (_, id) => id);
    const page = (some: readonly number[]): MultipartReply => ({
      type: 'table_desc',
      tables: some.map((id) => answer.board.ofproto.tables.table(id).desc(id)),
    });
    return answer.sendPages(ids, page, INTERNAL_TABLE);
  },
  queue_desc: (request, answer) => {
    const ports = queuePorts(answer.board, request.portNo, request.queueId);
    if (ports instanceof OfError) return ports;
    return answer.sendPages(ports, (page) => ({ type: 'queue_desc', queues: page.map(queueConfig) }));
  },
  flow_monitor: ({ monitors }, { board, context: { connection, xid } }) =>
    board.monitors.request(monitors, connection, xid),
  ipfix_bridge: () => new OfError('NXST_NOT_CONFIGURED', 'IPFIX is not supported yet'),
  ipfix_flow: () => new OfError('NXST_NOT_CONFIGURED', 'IPFIX is not supported yet'),
};

/** Bits of the configuration in table features: that tables are to make room, and to tell of their vacancy. */
const TABLE_CONFIG = 0xc;

/**
 * Changes what a controller may change of tables: their names. All else that it says has to be so already, but for metadata.
 * The command of the first table is that of all: to replace them is to name them all.
 */
function changeTables({ board, version }: Answer, wanted: readonly TableFeatures[]): OfError | undefined {
  const named = new Set<number>();
  for (const { tableId } of wanted) {
    if (tableId > INTERNAL_TABLE) return new OfError('OFPTFFC_BAD_TABLE', `table ${tableId}`);
    if (named.has(tableId)) return new OfError('NXTFFC_DUP_TABLE', `table ${tableId}`);
    named.add(tableId);
  }
  const refused = (why: string): OfError => new OfError('OFPTFFC_EPERM', why);
  const command = (version >= 6 && wanted[0]!.command) || 'replace';
  if (named.has(INTERNAL_TABLE)) return refused(`table ${INTERNAL_TABLE} is the switch's own`);
  if (command === 'replace' ? named.size < INTERNAL_TABLE : command !== 'modify')
    return refused(`${command} of ${named.size} tables`);
  for (const features of wanted) {
    const { tableId, config } = features;
    const { name, maxFlows, settings } = board.ofproto.tables.table(tableId);
    // The database's name of a table is not for controllers to change; to say less of it is no change.
    if (!settings.name.startsWith(features.name) && settings.name !== '')
      return refused(`the name of table ${tableId} is configured`);
    const isConfigured = version >= 5 && (config & TABLE_CONFIG) !== 0;
    const ours = tableFeatures(tableId, INTERNAL_TABLE, name, maxFlows, version);
    if (isConfigured || !haveSameAbilities(features, ours))
      return refused(`table ${tableId} cannot do other things`);
  }
  for (const { tableId, name } of wanted) board.ofproto.tables.table(tableId).name = name;
  return undefined;
}

function checkMeter({ board }: Answer, meter: number): OfError | undefined {
  if (meter === METER.ALL || board.ofproto.meters.has(meter)) return undefined;
  return new OfError('OFPMMFC_UNKNOWN_METER', `meter ${meter}`);
}

/** Answers a statistics request. @returns the error to answer with instead. */
export function answerMultipart(board: Switchboard, msg: Request, context: RequestContext): Result {
  const answer = BODIES[msg.request.type] as (request: MultipartRequest, answer: Answer) => Result;
  return answer(msg.request, new Answer(board, msg, context));
}
