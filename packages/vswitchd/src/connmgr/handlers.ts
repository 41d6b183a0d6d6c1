/**
 * What the switch does on each request: one row per message. A message without a row is refused, as one that a switch
 * does not take (OFPBRC_BAD_TYPE).
 */
import { errorMessage } from '@ovs-node/common/errors';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { OFPP } from '@ovs-node/flow/ports';
import { OfError } from '@ovs-node/openflow/errors';
import { isDelete } from '@ovs-node/openflow/messages/flow';
import { protocolsOfVersions } from '@ovs-node/openflow/text/protocols';
import { decodeContinuation } from '@ovs-node/openflow/messages/continuation';
import {
  type BundleControl,
  type FlowMod,
  type MessageOf,
  NO_BUFFER,
  type OfMessage,
  type OfMessageType,
  PC,
  type PortMod,
} from '@ovs-node/openflow/messages/types';
import type { Bundled, BundledKind, BundledMessage } from './bundles.js';
import { asyncFromWire, asyncToWire } from './async-masks.js';
import { DEFAULT_MISS_SEND_LEN, type RequestContext, type SwitchConnection } from './connection.js';
import { finishPacketOut, packetProblem, startPacketOut } from '../ofproto/packet-out.js';
import type { OfPort } from '../ofproto/ports.js';
import { resume } from '../ofproto/resume.js';
import { Rule } from '../ofproto/rule.js';
import { TLV_LIMITS } from '../ofproto/tlv-table.js';
import { switchFeatures } from './features.js';
import { MODIFIABLE } from './port-watch.js';
import { queueConfig, queuePorts } from './queues.js';
import { answerMultipart } from './statistics.js';
import type { Switchboard } from './switchboard.js';
import { ctFilter } from './ct-flush.js';

const log = vlog('connmgr');
const rate = new RateLimit(5, 5);

type Result = OfError | undefined | Promise<OfError | undefined>;
/** What waits for the datapath, to be begun when the request has been carried out. */
type Later = (() => Promise<void>)[];
type Handler<T extends OfMessageType> = (
  board: Switchboard,
  msg: MessageOf<T>,
  context: RequestContext,
) => Result | void;

/** The port that is to be changed, or why it cannot be. */
function portToChange({ ofproto }: Switchboard, { portNo, hwAddr }: PortMod): OfPort | OfError {
  const port = ofproto.port(portNo);
  if (port === undefined) return new OfError('OFPPMFC_BAD_PORT', `port ${portNo}`);
  return port.phy.hwAddr === hwAddr ? port : new OfError('OFPPMFC_BAD_HW_ADDR', `port ${portNo}`);
}

/**
 * Changes the configuration of a port. A device is brought up or down later; where that fails, the port's configuration
 * goes back to what it was, as the peer's does.
 * @param later gets what is still to be done for it.
 */
function changePort(
  board: Switchboard,
  port: OfPort,
  portMod: PortMod,
  { connection }: RequestContext,
  later: Later,
): void {
  const { ofproto } = board;
  const before = port.phy;
  // There is nothing of a patch port that could be turned off.
  const modifiable = port.isPatch ? MODIFIABLE & ~PC.PORT_DOWN : MODIFIABLE;
  ofproto.setPortConfig(port.ofport, portMod.config, portMod.mask & modifiable);
  if (((before.config ^ port.phy.config) & PC.PORT_DOWN) !== 0) {
    later.push(() =>
      ofproto.turnPort(port).catch((error: unknown) => {
        log.warnRl(rate, `${ofproto.name}: ${port.name}: ${errorMessage(error)}`);
        ofproto.setPortConfig(port.ofport, before.config, PC.PORT_DOWN);
      }),
    );
  }
  if (port.phy.config !== before.config) board.portStatus('modify', port.phy, before, connection);
  board.ports.noted(port.ofport);
}

/** The answer to a request that left something to be done later: when that is done, or at once when it was refused. */
function when(later: Later, error: OfError | undefined): Result {
  if (error || later.length === 0) return error;
  return Promise.all(later.map((work) => work())).then(() => undefined);
}

const BUNDLE_REPLIES: Partial<Record<BundleControl, BundleControl>> = {
  open_request: 'open_reply',
  close_request: 'close_reply',
  commit_request: 'commit_reply',
  discard_request: 'discard_reply',
  // Of a number that has no meaning the peer has this to say.
  unknown: 'open_request',
};

/** What is left to do for a message of a bundle when all of them have gone well. */
type Finish = () => void;

/**
 * Begins with one message of a bundle: what cannot be taken back is left for later.
 * @returns the rest of the work, or the error.
 */
function beginBundled(
  board: Switchboard,
  { msg, xid }: BundledMessage,
  context: RequestContext,
  isAtomic: boolean,
  later: Later,
  now: number,
): OfError | Finish | undefined {
  const { ofproto } = board;
  const { connection } = context;
  if (msg instanceof Rule) return asked(board, { connection, xid }, () => ofproto.tables.addDraft(msg, now));
  switch (msg.type) {
    case 'flow_mod':
      return flowMod(board, msg.flowMod, { connection, xid }, now);
    case 'group_mod': {
      const error = ofproto.groupMod(msg.groupMod, now);
      if (error) return error;
      const after = ofproto.groups.get(msg.groupMod.groupId);
      return () => board.forward({ msg, after }, connection, xid);
    }
    case 'port_mod': {
      if (isAtomic) return new OfError('OFPBFC_MSG_FAILED', 'ports do not change at once');
      const port = portToChange(board, msg.portMod);
      return port instanceof OfError ? port : () => changePort(board, port, msg.portMod, context, later);
    }
    case 'packet_out': {
      const started = startPacketOut(ofproto, msg.packetOut, now, protocolsOf(connection));
      return started instanceof OfError ? started : () => finishPacketOut(ofproto, started, now);
    }
  }
}

/**
 * Carries out the messages of a bundle, all or none; the one that fails is answered with its own error first. A packet
 * goes through the tables as the messages before it leave them, but is only sent when all has been done.
 */
function commit(
  board: Switchboard,
  messages: readonly BundledMessage[],
  context: RequestContext,
  isAtomic: boolean,
  later: Later,
): OfError | undefined {
  const finishes: Finish[] = [];
  const { now } = board;
  const failed = board.ofproto.transaction(now, () => {
    for (const message of messages) {
      const begun = beginBundled(board, message, context, isAtomic, later, now);
      if (begun instanceof OfError) return { message, error: begun };
      if (begun) finishes.push(begun);
    }
    return undefined;
  });
  if (failed) {
    const { message, error } = failed;
    context.connection.reply({ type: 'error', error: error.quoting(message.request) }, message.xid);
    return new OfError('OFPBFC_MSG_FAILED', error.detail);
  }
  // The reply comes after what the bundle changed.
  board.monitors.flush();
  for (const finish of finishes) finish();
  return undefined;
}

/** PROTO bits of a connection's version. */
function protocolsOf({ version }: SwitchConnection): number {
  return protocolsOfVersions(1 << version);
}

/** Carries a flow-mod out. */
function flowMod(board: Switchboard, mod: FlowMod, requester: Requester, now: number): OfError | undefined {
  return unknownBuffer(board, mod) ?? asked(board, requester, () => board.ofproto.flowMod(mod, now));
}

/** Who asks for a change. */
type Requester = Pick<RequestContext, 'connection' | 'xid'>;

/**
 * Carries a change of flows out. Only what it does itself is the change of who asked for it: flows that go with their group
 * or meter, or that a packet teaches, nobody has asked for, as the peer sees it.
 */
function asked(
  { monitors }: Switchboard,
  { connection, xid }: Requester,
  change: () => OfError | undefined,
): OfError | undefined {
  monitors.requester = { connection, xid };
  try {
    return change();
  } finally {
    monitors.requester = undefined;
  }
}

/**
 * Packets are never buffered, so there is none of that number; deletions have no use for one. What cannot be anyway is said
 * first.
 */
function unknownBuffer(board: Switchboard, mod: FlowMod): OfError | undefined {
  if (mod.bufferId === NO_BUFFER || isDelete(mod.command)) return undefined;
  return board.ofproto.tables.problem(mod) ?? new OfError('OFPBRC_BUFFER_UNKNOWN', `buffer ${mod.bufferId}`);
}

/** What a bundle keeps of a message; or what is wrong with it whatever the switch holds: it is not even taken. */
function admit(board: Switchboard, msg: BundledKind, connection: SwitchConnection): Bundled | OfError {
  const { ofproto } = board;
  switch (msg.type) {
    case 'flow_mod': {
      const { flowMod: mod } = msg;
      return unknownBuffer(board, mod) ?? ofproto.tables.problem(mod) ?? ofproto.tables.draft(mod) ?? msg;
    }
    case 'packet_out':
      return packetProblem(ofproto, msg.packetOut, protocolsOf(connection)) ?? msg;
    default:
      return msg;
  }
}

const HANDLERS: { readonly [T in OfMessageType]?: Handler<T> } = {
  features_request: (board, _msg, { connection, xid }) => {
    connection.reply({ type: 'features_reply', features: switchFeatures(board, connection.version) }, xid);
  },

  get_config_request: (board, _msg, { connection, xid }) => {
    const { missSendLen, invalidTtlToController } = connection;
    const { frag } = board.ofproto.settings;
    connection.reply(
      { type: 'get_config_reply', config: { frag, invalidTtlToController, missSendLen } },
      xid,
    );
  },

  set_config: (board, { config }, { connection }) => {
    if (
      !(connection.isSecondary && connection.kind === 'primary') &&
      config.frag !== 'reassemble' &&
      config.frag !== board.ofproto.settings.frag
    ) {
      board.ofproto.configure({ frag: config.frag }, board.now);
    }
    if (config.invalidTtlToController !== undefined)
      connection.invalidTtlToController = config.invalidTtlToController;
    connection.missSendLen = config.missSendLen;
  },

  flow_mod: (board, msg, context) => flowMod(board, msg.flowMod, context, board.now),

  packet_out: (board, { packetOut }, { connection }) =>
    board.ofproto.packetOut(packetOut, board.now, protocolsOf(connection)),

  barrier_request: (_board, _msg, { connection, xid }) => connection.reply({ type: 'barrier_reply' }, xid),

  port_mod: (board, { portMod }, context) => {
    const port = portToChange(board, portMod);
    if (port instanceof OfError) return port;
    const later: Later = [];
    changePort(board, port, portMod, context, later);
    return when(later, undefined);
  },

  group_mod: (board, msg, { connection, xid }) => {
    const { ofproto, now } = board;
    const error = ofproto.groupMod(msg.groupMod, now);
    if (error) return error;
    board.forward({ msg, after: ofproto.groups.get(msg.groupMod.groupId) }, connection, xid);
    return undefined;
  },

  meter_mod: (board, msg, { connection, xid }) => {
    const error = board.ofproto.meters.apply(msg.meterMod, board.now);
    if (error) return error;
    // As it has become, if it is there.
    const [meter = msg.meterMod.meter] = board.ofproto.meters.select(msg.meterMod.meter.meterId);
    board.forward({ msg: { ...msg, meterMod: { ...msg.meterMod, meter } } }, connection, xid);
    return undefined;
  },

  bundle_control: (board, msg, context) => {
    const { connection, xid, bytes } = context;
    const later: Later = [];
    const error = connection.bundles.control(msg, bytes, board.now, (messages, isAtomic) =>
      commit(board, messages, context, isAtomic, later),
    );
    if (error) return when(later, error);
    const control = BUNDLE_REPLIES[msg.control];
    if (control !== undefined)
      connection.reply({ type: 'bundle_control', bundleId: msg.bundleId, control, flags: 0 }, xid);
    return when(later, undefined);
  },
  bundle_add: (board, msg, { connection, bytes }) =>
    connection.bundles.add(msg, bytes, board.now, connection.decoding, (added) =>
      admit(board, added, connection),
    ),

  table_mod: (board, { tableMod }) => board.ofproto.tables.tableMod(tableMod),

  queue_get_config_request: (board, { portNo }, { connection, xid }) => {
    // OpenFlow 1.0 asks for one port.
    const ports =
      portNo === OFPP.ANY && connection.version === 1
        ? new OfError('OFPQOFC_BAD_PORT', 'any port')
        : queuePorts(board, portNo, 0);
    if (ports instanceof OfError) return ports;
    connection.reply({ type: 'queue_get_config_reply', portNo, queues: ports.map(queueConfig) }, xid);
    return undefined;
  },

  ct_flush_zone: (board, { zone }) => board.flushConnections({ zone }),
  ct_flush: (board, { flush }) => board.flushConnections(ctFilter(flush)),

  role_request: (board, { role, generationId, isExtension = false }, { connection, xid }) => {
    if (role !== 'nochange') {
      if (role !== 'equal' && generationId !== undefined && !board.advanceGeneration(generationId)) {
        return new OfError('OFPRRFC_STALE', `generation ${generationId} is older than ${board.generation}`);
      }
      board.setRole(connection, role);
    }
    const { generation } = board;
    connection.reply(
      { type: 'role_reply', role: connection.role, generationId: generation, isExtension },
      xid,
    );
    return undefined;
  },

  get_async_request: (_board, _msg, { connection, xid }) => {
    const config = asyncToWire(connection.asyncConfig, connection.version);
    connection.reply({ type: 'get_async_reply', config }, xid);
  },
  set_async: (_board, { config, isWhole = false }, { connection }) => {
    const { asyncConfig: before, version } = connection;
    const said = asyncFromWire(config, version);
    // Who asks for messages means to get them.
    if (connection.kind === 'service' && connection.missSendLen === 0)
      connection.missSendLen = DEFAULT_MISS_SEND_LEN;
    connection.asyncConfig = isWhole
      ? said
      : {
          primary: { ...before.primary, ...said.primary },
          secondary: { ...before.secondary, ...said.secondary },
        };
  },

  flow_monitor_cancel: (board, { id }, { connection }) => board.monitors.cancel(id, connection),

  multipart_request: (board, msg, context) => answerMultipart(board, msg, context),

  set_flow_format: (_board, { format }, { connection }) => {
    if (format !== 'unknown') connection.flowFormat = format;
  },
  set_packet_in_format: (_board, { format }, { connection }) => {
    connection.packetInFormat = format;
  },
  flow_mod_table_id: (_board, { enable }, { connection }) => {
    connection.tableIdExtension = enable;
  },
  set_controller_id: (board, { controllerId }, { connection }) => {
    connection.controllerId = controllerId;
    board.updateMisses(connection.kind === 'primary');
  },
  /** Ages of flows are always in the extended statistics. */
  flow_age: () => undefined,
  tlv_table_mod: (board, msg) => board.ofproto.tables.tlvMod(msg),
  tlv_table_request: (board, _msg, { connection, xid }) => {
    const { mappings } = board.ofproto.tables.tlv;
    connection.reply({ type: 'tlv_table_reply', ...TLV_LIMITS, mappings }, xid);
  },

  resume: (board, { packetIn }, { connection }) => {
    const bytes = packetIn.continuation ?? new Uint8Array(0);
    const continuation = decodeContinuation(bytes, connection.version);
    if (continuation instanceof OfError) return continuation;
    return resume(board.ofproto, packetIn, continuation, board.now);
  },

  echo_reply: () => undefined,
};

/** What only the primary controller, or one of several equal ones, may do. */
const PRIMARY_ONLY: ReadonlySet<OfMessageType> = new Set([
  'flow_mod',
  'packet_out',
  'port_mod',
  'group_mod',
  'meter_mod',
  'table_mod',
  'bundle_control',
  'bundle_add',
  'tlv_table_mod',
]);

/** The error for messages of a type on a connection, whatever is in them; echoes are answered by the connection. */
export function refusal(type: OfMessageType, connection: SwitchConnection): OfError | undefined {
  if (type !== 'echo_request' && !Object.hasOwn(HANDLERS, type)) {
    return new OfError('OFPBRC_BAD_TYPE', `a switch does not take ${type}`);
  }
  return connection.isSecondary && PRIMARY_ONLY.has(type)
    ? new OfError('OFPBRC_IS_SECONDARY', 'the connection has the secondary role')
    : undefined;
}

/** Carries a request out. @returns the error to answer with. */
export function handleRequest(board: Switchboard, msg: OfMessage, context: RequestContext): Result {
  const handler = HANDLERS[msg.type] as Handler<OfMessageType> | undefined;
  if (handler === undefined) return new OfError('OFPBRC_BAD_TYPE', `a switch does not take ${msg.type}`);
  try {
    return handler(board, msg, context) ?? undefined;
  } finally {
    board.monitors.flush();
  }
}
