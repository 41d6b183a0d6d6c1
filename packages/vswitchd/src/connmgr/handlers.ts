/**
 * What the switch does on each request: one row per message. A message without a row is refused, as one that a switch
 * does not take (OFPBRC_BAD_TYPE).
 */
import { OfError } from '@ovs-node/openflow/errors';
import {
  type MessageOf,
  NO_BUFFER,
  type OfMessage,
  type OfMessageType,
  PC,
} from '@ovs-node/openflow/messages/types';
import { asyncFromWire, asyncToWire } from './async-masks.js';
import type { RequestContext } from './connection.js';
import { switchFeatures } from './features.js';
import { MODIFIABLE } from './port-watch.js';
import { answerMultipart } from './statistics.js';
import type { Switchboard } from './switchboard.js';

type Result = OfError | undefined | Promise<OfError | undefined>;
type Handler<T extends OfMessageType> = (
  board: Switchboard,
  msg: MessageOf<T>,
  context: RequestContext,
) => Result | void;

/** Refuses what only the primary controller, or one of several equal ones, may do. */
function checkRole({ connection }: RequestContext): OfError | undefined {
  return connection.isSecondary
    ? new OfError('OFPBRC_IS_SECONDARY', 'the connection has the secondary role')
    : undefined;
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
      !connection.isSecondary &&
      config.frag !== 'reassemble' &&
      config.frag !== board.ofproto.settings.frag
    ) {
      board.ofproto.configure({ frag: config.frag }, board.now);
    }
    connection.invalidTtlToController = config.invalidTtlToController ?? false;
    connection.missSendLen = config.missSendLen;
  },

  flow_mod: (board, { flowMod }, context) => {
    const refused = checkRole(context);
    if (refused) return refused;
    // Packets are never buffered, so there is none of that number.
    if (flowMod.bufferId !== NO_BUFFER)
      return new OfError('OFPBRC_BUFFER_UNKNOWN', `buffer ${flowMod.bufferId}`);
    return board.ofproto.flowMod(flowMod, board.now);
  },

  packet_out: (board, { packetOut }, context) =>
    checkRole(context) ?? board.ofproto.packetOut(packetOut, board.now),

  barrier_request: (_board, _msg, { connection, xid }) => connection.reply({ type: 'barrier_reply' }, xid),

  port_mod: (board, { portMod }, context) => {
    const refused = checkRole(context);
    if (refused) return refused;
    const port = board.ofproto.port(portMod.portNo);
    if (port === undefined) return new OfError('OFPPMFC_BAD_PORT', `port ${portMod.portNo}`);
    if (port.phy.hwAddr !== portMod.hwAddr)
      return new OfError('OFPPMFC_BAD_HW_ADDR', `port ${portMod.portNo}`);
    const before = port.phy.config;
    if (((before ^ portMod.config) & portMod.mask & PC.PORT_DOWN) !== 0) {
      return new OfError('OFPBRC_EPERM', `port ${portMod.portNo}: devices cannot be brought up or down yet`);
    }
    board.ofproto.setPortConfig(port.ofport, portMod.config, portMod.mask & MODIFIABLE);
    if (port.phy.config !== before) board.portStatus('modify', port.phy, context.connection);
    board.ports.noted(port.ofport);
    return undefined;
  },

  role_request: (board, { role, generationId }, { connection, xid }) => {
    if (role !== 'nochange') {
      if (role !== 'equal' && generationId !== undefined && !board.advanceGeneration(generationId)) {
        return new OfError('OFPRRFC_STALE', `generation ${generationId} is older than ${board.generation}`);
      }
      board.setRole(connection, role);
    }
    connection.reply({ type: 'role_reply', role: connection.role, generationId: board.generation }, xid);
    return undefined;
  },

  get_async_request: (_board, _msg, { connection, xid }) => {
    const config = asyncToWire(connection.asyncConfig, connection.version);
    connection.reply({ type: 'get_async_reply', config }, xid);
  },
  set_async: (_board, { config }, { connection }) => {
    connection.asyncConfig = asyncFromWire(config, connection.version);
  },

  multipart_request: (board, msg, context) => answerMultipart(board, msg, context),

  set_flow_format: (_board, { format }, { connection }) => {
    connection.flowFormat = format;
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
  /** Translations are not paused yet, so no continuation is one of ours. */
  resume: () => new OfError('NXR_NOT_SUPPORTED', 'pause is not supported'),

  echo_reply: () => undefined,
  error: () => undefined,
};

/** Carries a request out. @returns the error to answer with. */
export function handleRequest(board: Switchboard, msg: OfMessage, context: RequestContext): Result {
  const handler = HANDLERS[msg.type] as Handler<OfMessageType> | undefined;
  if (handler === undefined) return new OfError('OFPBRC_BAD_TYPE', `a switch does not take ${msg.type}`);
  return handler(board, msg, context) ?? undefined;
}
