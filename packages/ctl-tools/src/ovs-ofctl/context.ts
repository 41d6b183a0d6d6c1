/** What the commands of ovs-ofctl share: settings, connections, names of ports and tables. */
import { errnoName, FatalError, strerror } from '@ovs-node/common/errors';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { PROTO } from '@ovs-node/flow/field-types';
import { OFPP, parsePort, type PortMap } from '@ovs-node/flow/ports';
import type { TableMap } from '@ovs-node/openflow/actions/row';
import {
  BadReply,
  type ConnectionHandlers,
  ConnectionError,
  ErrorReply,
  formatVersions,
  isMultipartReply,
  OfConnection,
  unwanted,
} from '@ovs-node/openflow/connection';
import { explainToLog } from '@ovs-node/openflow/explain-log';
import { type Decoded, encodeMessage, HEADER_LENGTH } from '@ovs-node/openflow/messages/codec';
import { tableNames } from '@ovs-node/openflow/messages/table-names';
import type { MultipartRequest, OfMessage, PhyPort } from '@ovs-node/openflow/messages/types';
import type { FlowTextOptions } from '@ovs-node/openflow/text/flow';
import { paintNormalized } from '@ovs-node/flow/match-normalize';
import { colorMatch, type Colors, parseColors } from '@ovs-node/openflow/text/color';
import { printMessage, type PrintOptions } from '@ovs-node/openflow/text/message';
import { hex } from '@ovs-node/openflow/text/numbers';
import { OF12 } from '@ovs-node/openflow/version';
import {
  formatProtocols,
  type ProtocolRow,
  PROTOCOLS,
  protocolRow,
  protocolsOfVersions,
} from '@ovs-node/openflow/text/protocols';
import { MessageOutput } from './input.js';
import { openFailure, openTarget, type SocketKind } from './target.js';
import { BUNDLE_PROTOCOLS } from './versions.js';

const log = vlog('vconn');
const ofctlLog = vlog('ofctl');
const troubleLimit = new RateLimit(1, 5);

export interface SortCriterion {
  /** A field's name; undefined: the priority. */
  readonly field: string | undefined;
  readonly descending: boolean;
}

export interface Settings {
  /** OpenFlow versions to offer, bit n for version n on the wire. */
  versions: number;
  /** -O was given, but no version. */
  anyVersion: boolean;
  /** Protocols allowed by -O and -F. */
  protocols: number;
  strict: boolean;
  readOnly: boolean;
  /** --readd: replace flows that are as wanted, too. */
  readd: boolean;
  /** compose-packet writes a capture file. */
  pcap: boolean;
  /** --bundle: modifications are one transaction. */
  bundle: boolean;
  /** --may-create: a group that is modified may be new. */
  mayCreate: boolean;
  color: 'always' | 'never' | 'auto';
  stats: boolean;
  /** Undefined: accept names, and show them on a terminal. */
  names: boolean | undefined;
  verbosity: number;
  timestamp: boolean;
  packetInFormat: 'standard' | 'nxt_packet_in' | 'nxt_packet_in2' | undefined;
  readonly sort: SortCriterion[];
  timeout: number | undefined;
}

/** A connection that is ready, with what is said of it in errors. */
export interface Switch {
  readonly connection: OfConnection;
  readonly name: string;
  /** The stream it goes over. */
  readonly streamName: string;
  /** The protocol (a bit of `PROTO`) in use for flows. */
  protocol: number;
}

/** Is what --color says so of standard output? */
function wantsColors(when: Settings['color']): boolean {
  const terminal = process.env['TERM'] ?? '';
  if (when === 'auto') return process.stdout.isTTY === true && terminal !== '' && terminal !== 'dumb';
  return when === 'always';
}

export class OfctlContext {
  readonly settings: Settings;
  /** Whether the program has to end by itself after some time. */
  readonly isTimed: boolean;
  /** Undefined: none. */
  readonly colors: Colors | undefined;
  private readonly portMaps = new Map<string, Promise<PortMap>>();
  private readonly tableMaps = new Map<string, Promise<TableMap>>();
  private readonly open = new Set<OfConnection>();
  /** Tells the log what is wrong with messages. */
  readonly explain = explainToLog();

  constructor(settings: Settings, isTimed: boolean) {
    this.settings = settings;
    this.isTimed = isTimed;
    const colors = wantsColors(settings.color) ? parseColors(process.env['OVS_COLORS'] ?? '') : undefined;
    this.colors = colors;
    paintNormalized(colors === undefined ? undefined : (text) => colorMatch(text, colors));
  }

  /** Opens `target` and waits for the version to be agreed on. `kind` is the socket of a bridge to use. */
  async connect(
    target: string,
    kind: SocketKind = 'mgmt',
    handlers: ConnectionHandlers = {},
  ): Promise<Switch> {
    const { socket, name } = await openTarget(target, kind);
    return new Promise((resolve, reject) => {
      let ready = false;
      let greeted = false;
      const connection: OfConnection = new OfConnection(
        socket,
        { versions: this.settings.versions, watch: kind === 'snoop', explain: this.explain },
        {
          ...handlers,
          onFrame: (bytes) => {
            log.dbg(() => `${name}: received: ${this.logged(bytes)}`);
            handlers.onFrame?.(bytes);
          },
          onSend: (bytes) => {
            if (!greeted) ofctlLog.dbg(() => `connecting to ${name}`);
            greeted = true;
            log.dbg(() => `${name}: sent (Success): ${this.logged(bytes)}`);
          },
          onTrouble: (text, level = 'warn') => log[`${level}Rl`](troubleLimit, `${name}: ${text}`),
          onReady: (version, theirs) => {
            ready = true;
            handlers.onReady?.(version, theirs);
            log.dbg(() => `${name}: negotiated ${negotiation(version, this.settings.versions, theirs)}`);
            const protocol = PROTOCOLS.find((p) => p.version === version)?.bit ?? PROTO.OF10_STD;
            // The connection's constructor has returned by now: nothing is received before the next turn.
            resolve({ connection, name: target, streamName: name, protocol });
          },
          onClose: (reason) => {
            if (!ready) reject(connectFailure(target, name, greeted, reason));
            else handlers.onClose?.(reason);
          },
        },
      );
      this.open.add(connection);
    });
  }

  /** A message as the log shows it, without the end of its last line. */
  private logged(bytes: Uint8Array): string {
    const { colors, explain } = this;
    return printMessage(bytes, { verbosity: 1, colors, explain }).replace(/\n$/, '');
  }

  closeAll(): void {
    for (const c of this.open) c.close();
    this.open.clear();
  }

  /** Sends a request and prints its replies, an error too. */
  async dump(sw: Switch, request: OfMessage): Promise<void> {
    // Names are asked for on connections of their own, once the request is on its way: replies wait for them.
    const out = this.showNames ? undefined : new MessageOutput(this.plainOptions(1));
    const waiting: Uint8Array[] = [];
    let stray: Uint8Array | undefined;
    try {
      await sw.connection.requestFrames(request, (bytes) => {
        if (out) out.print(bytes);
        else waiting.push(bytes.slice());
        if (request.type === 'multipart_request' && !isMultipartReply(bytes)) stray = bytes.slice();
      });
    } catch (e) {
      if (!(e instanceof ErrorReply)) {
        out?.flush();
        throw conversationFailure(request.type === 'multipart_request' ? LOST_DUMP : talkingTo(sw), e);
      }
      waiting.push(e.bytes);
    }
    const last = out ?? new MessageOutput(await this.printOptions(sw.streamName, 1));
    for (const bytes of waiting) last.print(bytes);
    last.flush();
    if (stray !== undefined) throw this.badReply(stray);
  }

  /** A request with its replies as values; an error ends the program. */
  async transact(sw: Switch, request: OfMessage, how: RequestManner = {}): Promise<Decoded[]> {
    const replies: Decoded[] = [];
    await this.eachReply(sw, request, (decoded) => replies.push(decoded), how);
    return replies;
  }

  /** A request whose replies are handed over as they come; an error ends the program. */
  async eachReply(
    sw: Switch,
    request: OfMessage,
    onReply: (decoded: Decoded) => void,
    how: RequestManner = {},
  ): Promise<void> {
    try {
      await sw.connection.request(request, onReply, how.xid);
    } catch (e) {
      throw await this.requestFailure(sw, e, how);
    }
  }

  /** As `eachReply`, for replies that are not looked into, or by others. */
  async eachFrame(
    sw: Switch,
    request: OfMessage | readonly OfMessage[],
    onFrame: (bytes: Uint8Array) => void,
    how: RequestManner = {},
  ): Promise<void> {
    try {
      await sw.connection.requestFrames(request, onFrame, how.xid);
    } catch (e) {
      throw await this.requestFailure(sw, e, how);
    }
  }

  /** What to throw for a request that failed; an error reply is printed. */
  async requestFailure(sw: Switch, e: unknown, how: RequestManner = {}): Promise<Error> {
    const { lost = talkingTo(sw), bad } = how;
    if (bad !== undefined && (e instanceof ErrorReply || e instanceof BadReply)) return new FatalError(bad);
    if (e instanceof ErrorReply && lost === LOST_REPLY) return this.badReply(e.bytes.subarray(HEADER_LENGTH));
    if (!(e instanceof ErrorReply)) return conversationFailure(lost, e);
    process.stderr.write(printMessage(e.bytes, await this.printOptions(sw.streamName, 2)));
    return new FatalError('');
  }

  /**
   * Sends a message that has no reply, and a barrier; resolves to the error message that came instead of nothing.
   */
  async tryNoReply(sw: Switch, msg: OfMessage): Promise<ErrorReply | undefined> {
    const failed: { error?: ErrorReply } = {};
    const request = sw.connection
      .request(msg, (_, bytes) => (failed.error = unwanted(bytes)))
      .catch((e: unknown) => {
        if (e instanceof ErrorReply) failed.error = e;
      });
    try {
      await sw.connection.request({ type: 'barrier_request' });
    } catch (e) {
      // An error is an answer, too.
      if (!(e instanceof ErrorReply)) throw conversationFailure(talkingTo(sw), e);
    }
    // The barrier's reply says that no error will come any more.
    void request;
    return failed.error;
  }

  /** `tryNoReply` where an error ends the program. */
  async noReply(sw: Switch, msg: OfMessage): Promise<void> {
    const error = await this.tryNoReply(sw, msg);
    if (error) throw await this.requestFailure(sw, error);
  }

  /** What is said of a reply that is none: what is left of it, as if it were a message. */
  badReply(bytes: Uint8Array): FatalError {
    return new FatalError(`received bad reply: ${printMessage(bytes, this.plainOptions(1))}`);
  }

  get showNames(): boolean {
    return this.settings.names ?? process.stdout.isTTY === true;
  }

  /** How to print messages without names; `more` on top of -m. */
  plainOptions(more: number): PrintOptions {
    return { verbosity: this.settings.verbosity + more, colors: this.colors, explain: this.explain };
  }

  /** How to print messages of a switch; `more` on top of -m. @param target where its names are asked for. */
  async printOptions(target: string, more: number): Promise<PrintOptions> {
    if (!this.showNames) return this.plainOptions(more);
    const tables = await this.tables(target);
    return { ...this.plainOptions(more), ports: await this.ports(target), tables };
  }

  /** Names that flow text may use. @param first what is asked for first, which shows in the log. */
  async acceptNames(target: string, first: 'tables' | 'ports' = 'tables'): Promise<FlowTextOptions> {
    const { explain } = this;
    if (this.settings.names === false) return { explain };
    if (first === 'ports') await this.ports(target);
    const tables = await this.tables(target);
    return { ports: await this.ports(target), tables, explain };
  }

  ports(target: string): Promise<PortMap> {
    return remember(this.portMaps, target, async () =>
      nameMap((await this.portsOf(target)).map((p) => [p.portNo, p.name])),
    );
  }

  /** The ports of a switch, over a connection of their own. */
  async portsOf(target: string): Promise<readonly PhyPort[]> {
    const sw = await this.connect(target);
    const list = await this.fetchPorts(sw);
    sw.connection.close();
    return list;
  }

  /** Names of tables, where text may use them. */
  async acceptTables(target: string): Promise<TableMap | undefined> {
    return this.settings.names === false ? undefined : this.tables(target);
  }

  /** Restricts the versions that connections from now on may use. */
  allowVersions(versions: number): void {
    this.settings.versions = versions;
    this.settings.protocols = protocolsOfVersions(versions);
  }

  tables(target: string): Promise<TableMap> {
    return remember(this.tableMaps, target, async () => {
      const sw = await this.connect(target);
      const { connection } = sw;
      const names: (readonly [number, string])[] = [];
      let stray: Uint8Array | undefined;
      const ask = (request: MultipartRequest): OfMessage => ({
        type: 'multipart_request',
        request,
        more: false,
      });
      try {
        // The names of tables are in their statistics before 1.3, and in their features from then on.
        if (connection.version > OF12) {
          const request = ask({ type: 'table_features', tables: [] });
          await connection.requestFrames(request, (bytes) => {
            if (isMultipartReply(bytes)) names.push(...tableNames(bytes));
            else stray = bytes.slice(HEADER_LENGTH);
          });
        } else {
          await connection.request(ask({ type: 'table' }), ({ msg }, bytes) => {
            if (msg.type === 'multipart_reply' && msg.reply.type === 'table')
              names.push(...msg.reply.tables.map((t) => [t.tableId, t.name] as const));
            else stray = bytes.slice(HEADER_LENGTH);
          });
        }
      } catch (e) {
        throw await this.requestFailure(sw, e, { lost: LOST_REPLY });
      }
      if (stray !== undefined) throw this.badReply(stray);
      connection.close();
      return nameMap(names.filter(([, name]) => name !== ''));
    });
  }

  /** The ports of a switch. */
  async fetchPorts(sw: Switch): Promise<readonly PhyPort[]> {
    // Before 1.3 the features have the ports, as many as one message holds.
    if (sw.connection.version <= 3) {
      const bad = `${sw.streamName}: received bad features reply`;
      const [{ msg }] = await this.transact(sw, { type: 'features_request' }, { bad });
      if (msg.type !== 'features_reply') throw new FatalError(bad);
      if (msg.features.ports.length > 0) return msg.features.ports;
    }
    const request = { type: 'port_desc', portNo: OFPP.ANY } as const;
    const replies = await this.transact(
      sw,
      { type: 'multipart_request', request, more: false },
      { lost: LOST_REPLY },
    );
    return replies.flatMap(({ msg, xid, version }) => {
      if (msg.type === 'multipart_reply' && msg.reply.type === 'port_desc') return msg.reply.ports;
      throw this.badReply(encodeMessage(msg, version, xid).subarray(HEADER_LENGTH));
    });
  }

  /** A port by number or name. @throws FatalError */
  async portNumber(target: string, text: string): Promise<number> {
    const plain = parsePort(text);
    if (plain !== undefined) return plain;
    const port = this.settings.names === false ? undefined : parsePort(text, await this.ports(target));
    if (port === undefined) throw new FatalError(`${target}: unknown port \`${text}'`);
    return port;
  }

  /** Changes the flow format of a connection to a protocol, if the switch will. */
  async trySetProtocol(sw: Switch, want: number): Promise<boolean> {
    const wanted = protocolRow(want);
    let now = protocolRow(sw.protocol);
    if (now.version !== wanted.version) return false;
    if (now.nxm !== wanted.nxm) {
      const error = await this.tryNoReply(sw, {
        type: 'set_flow_format',
        format: wanted.nxm ? 'nxm' : 'openflow10',
      });
      if (error) return false;
      now = PROTOCOLS.find((p) => p.version === 1 && p.nxm === wanted.nxm && p.tableId === now.tableId)!;
      sw.protocol = now.bit;
    }
    if (now.tableId !== wanted.tableId) {
      const error = await this.tryNoReply(sw, { type: 'flow_mod_table_id', enable: wanted.tableId });
      if (error) return false;
      sw.protocol = want;
      sw.connection.tableIdExtension = wanted.tableId;
    }
    return true;
  }

  /** The first protocol that -O and -F allow among those that can carry flows; undefined: there is none. */
  readonly chooseProtocol = (usable: number): ProtocolRow | undefined =>
    PROTOCOLS.find((p) => (usable & this.settings.protocols & p.bit) !== 0);

  /** Refuses protocols none of which -O and -F allow. @throws FatalError */
  requireAllowed(usable: number): void {
    const allowed = this.settings.protocols;
    if ((usable & allowed) !== 0) return;
    throw new FatalError(
      `none of the usable flow formats (${formatProtocols(usable)}) is among the allowed flow formats (${formatProtocols(allowed)})`,
    );
  }

  /** Opens a switch for flow modifications that `carried` protocols can carry. */
  async connectForFlowMods(target: string, carried: number): Promise<Switch> {
    const allowed = this.settings.protocols;
    const usable = this.settings.bundle ? carried & BUNDLE_PROTOCOLS : carried;
    this.requireAllowed(usable);
    const sw = await this.connect(target);
    if ((usable & allowed & sw.protocol) !== 0) return sw;
    for (const { bit } of PROTOCOLS) {
      if (bit !== sw.protocol && (bit & usable & allowed) !== 0 && (await this.trySetProtocol(sw, bit)))
        return sw;
    }
    throw new FatalError(
      `switch does not support any of the usable flow formats (${formatProtocols(usable)})`,
    );
  }

  /** Chooses the richest protocol for reading flows that the filter allows. */
  async setDumpProtocol(sw: Switch, usable: number): Promise<void> {
    this.requireAllowed(usable);
    const order = [
      PROTO.OF15_OXM,
      PROTO.OF14_OXM,
      PROTO.OF13_OXM,
      PROTO.OF12_OXM,
      PROTO.OF11_STD,
      PROTO.OF10_NXM,
      PROTO.OF10_STD,
    ];
    for (const bit of order) {
      if ((bit & usable & this.settings.protocols) !== 0 && (await this.trySetProtocol(sw, bit))) return;
    }
    throw new FatalError(
      `switch does not support any of the usable flow formats (${formatProtocols(usable)})`,
    );
  }
}

function remember<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let value = cache.get(key);
  if (!value) {
    value = make();
    cache.set(key, value);
  }
  return value;
}

/** Names and numbers both ways; a name that two have is none. */
function nameMap(entries: readonly (readonly [number, string])[]): PortMap & TableMap {
  const numbers = new Map<string, number | undefined>();
  const names = new Map<number, string>();
  for (const [number, name] of entries) numbers.set(name, numbers.has(name) ? undefined : number);
  for (const [number, name] of entries) if (numbers.get(name) === number) names.set(number, name);
  return { nameToNumber: (name) => numbers.get(name), numberToName: (n) => names.get(n) };
}

/** What two sides have agreed on. */
function negotiation(version: number, ours: number, theirs: number): string {
  return `OpenFlow version ${hex(version, 2)} (we support ${formatVersions(ours)}, peer supports ${formatVersions(theirs)})`;
}

/** @param greeted whether the other side was still there to be greeted. */
function connectFailure(
  target: string,
  name: string,
  greeted: boolean,
  reason: Error | undefined,
): FatalError {
  const code = reason === undefined ? 'ECONNRESET' : errnoName(reason);
  if (!greeted) return openFailure(target, name, code);
  return new FatalError(`${target}: failed to connect to socket (${strerror(code)})`);
}

/** What is said when a conversation breaks: in the middle of a request; of a dump; of a reply that others need. */
export const talkingTo = ({ streamName }: Pick<Switch, 'streamName'>): string => `talking to ${streamName}`;
export const LOST_DUMP = 'OpenFlow packet receive failed';
export const LOST_REPLY = 'OpenFlow receive failed';

/** How a request is made. */
export interface RequestManner {
  /** Its transaction id, where it is not the next one. */
  readonly xid?: number;
  /** What is said when there is no reply; `talkingTo` when absent. */
  readonly lost?: string;
  /** What is said of a reply that is none, instead of printing an error. */
  readonly bad?: string;
}

/** The error of a connection that broke in the middle of a request. */
export function conversationFailure(lost: string, e: unknown): Error {
  if (e instanceof FatalError) return e;
  if (e instanceof ConnectionError || (e instanceof Error && 'code' in e)) {
    const code = errnoName(e);
    const text = (e as ConnectionError).code === 'EOF' ? 'End of file' : strerror(code);
    return new FatalError(`${lost} (${text})`);
  }
  return e instanceof Error ? e : new Error(String(e));
}
