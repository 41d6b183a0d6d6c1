/** The package's door: what most programs need. Every module can also be imported by its own name. */
export { Match } from '@ovs-node/flow/match';
export { formatMac, formatMacBytes, parseMac } from '@ovs-node/flow/addr-text';
export { parseMatch, formatMatch } from '@ovs-node/flow/match-text';
export { FlowSyntaxError } from '@ovs-node/flow/errors';
export { formatPort, OFPP, parsePort, type PortMap } from '@ovs-node/flow/ports';
export { setTlsConfig, type TlsConfig } from '@ovs-node/common/tls-config';
export type * from './actions/types.js';
export { formatActions, parseActions } from './actions/text.js';
export { type ConnectOptions, connectSwitch } from './connect.js';
export { OfConnection } from './connection.js';
export {
  ConnectionError,
  type ConnectionHandlers,
  type ConnectionOptions,
  ErrorReply,
} from './connection-types.js';
export { type ErrorName, errorFromNumbers, errorNumbers, OfError } from './errors.js';
export { type Explain, type ExplanationKey, explanationText } from './explain.js';
export { explainToLog } from './explain-log.js';
export {
  type Decoded,
  type DecodeOptions,
  decodeHeader,
  decodeMessage,
  encodeMessage,
  OversizeError,
  UnencodableError,
} from './messages/codec.js';
export { inPortOf, type MatchedValue, matchedValue } from './match/values.js';
export { makeFlowFilter, makeFlowMod } from './messages/flow-mod.js';
export { BUCKET } from './messages/group-types.js';
export { makeBucket, makeFlowMonitor, makeGroupMod, makePacketOut } from './messages/makers.js';
export { METER, MF } from './messages/meter-types.js';
export { FMF } from './messages/monitor-types.js';
export { EVICTION } from './messages/table-types.js';
export { MultipartReassembly } from './messages/reassembly.js';
export { encodeMultipart, ReplyParts } from './messages/reply-parts.js';
export * from './messages/types.js';
export { type FlowTextOptions, formatFlow, type FormatFlowOptions, parseFlow } from './text/flow.js';
export { parseGroup } from './text/parse-group.js';
export { parseMeter } from './text/parse-meter.js';
export { formatMessage, printMessage, type PrintOptions } from './text/message.js';
export {
  ALL_VERSIONS,
  OF10,
  OF11,
  OF12,
  OF13,
  OF14,
  OF15,
  type OfVersion,
  versionFromName,
  versionName,
} from './version.js';
