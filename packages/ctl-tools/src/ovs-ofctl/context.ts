/** What the commands of ovs-ofctl share: settings, connections, names of ports and tables. */
import { errnoName, FatalError, strerror } from '@ovs-node/common/errors';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { PROTO } from '@ovs-node/flow/field-types';
import { parsePort, type PortMap } from '@ovs-node/flow/ports';
import type { TableMap } from '@ovs-node/openflow/actions/row';
import { OfConnection } from '@ovs-node/openflow/connection';
import { formatVersions } from '@ovs-node/openflow/connection-types';
import { OfError } from '@ovs-node/openflow/errors';
import { explainToLog } from '@ovs-node/openflow/explain-log';
import { xidOf } from '@ovs-node/openflow/messages/codec';
import type { MessageOf, OfMessage, PhyPort } from '@ovs-node/openflow/messages/types';
import type { FlowTextOptions } from '@ovs-node/openflow/text/flow';
import { paintNormalized } from '@ovs-node/flow/match-normalize';
import { colorMatch, type Colors, parseColors } from '@ovs-node/openflow/text/color';
import { printMessage, type PrintOptions } from '@ovs-node/openflow/text/message';
import { hex } from '@ovs-node/openflow/text/numbers';
import {
  formatProtocols,
  type ProtocolRow,
  PROTOCOLS,
  protocolRow,
  protocolsOfVersions,
} from '@ovs-node/openflow/text/protocols';
import {
  badMessageLimit,
  conversationFailure,
  Exchange,
  headerOf,
  isErrorMessage,
  LOST_DUMP,
  swappedHex,
  UNSENT,
} from './exchange.js';
import { MessageOutput } from './input.js';
import { eachPort, eachTable, replyKey } from './parts.js';
import { connectFailure, openFailure, openTarget, type SocketKind } from './target.js';
import { BUNDLE_PROTOCOLS } from './versions.js';

const log = vlog('vconn');
const ofctlLog = vlog('ofctl');
/** What counts together of the messages that go and come. */
const messageLimit = new RateLimit(600, 600);

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
  readonly exchange: Exchange;
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
  async connect(target: string, kind: SocketKind = 'mgmt'): Promise<Switch> {
    const { socket, name } = await openTarget(target, kind);
    return new Promise((resolve, reject) => {
      let exchange: Exchange | undefined;
      let greeted = false;
      const connection: OfConnection = new OfConnection(
        socket,
        {
          versions: this.settings.versions,
          onDemand: true,
          watch: kind === 'snoop',
          explain: this.explain,
        },
        {
          onFrame: (bytes) => log.dbgRl(messageLimit, () => `${name}: received: ${this.logged(bytes)}`),
          onSend: (bytes, error) => {
            if (!greeted) ofctlLog.dbg(() => `connecting to ${name}`);
            greeted = true;
            const result = error === undefined ? 'Success' : strerror(errnoName(error));
            log.dbgRl(messageLimit, () => `${name}: sent (${result}): ${this.logged(bytes)}`);
          },
          onTrouble: (text, level = 'warn') => log[`${level}Rl`](badMessageLimit, `${name}: ${text}`),
          onReady: (version, theirs) => {
            log.dbg(() => `${name}: negotiated ${negotiation(version, this.settings.versions, theirs)}`);
            const protocol = PROTOCOLS.find((p) => p.version === version)?.bit ?? PROTO.OF10_STD;
            // The connection's constructor has returned by now: nothing is received before the next turn.
            exchange = new Exchange(connection, name, this.explain);
            resolve({ connection, exchange, name: target, streamName: name, protocol });
          },
          onClose: (reason) => {
            if (exchange) exchange.end(reason);
            else reject(agreementFailure(target, name, greeted, reason));
          },
        },
      );
      this.open.add(connection);
    });
  }

  /** Whether a switch was asked for names, and another connection to it goes unnoticed: the log does not show messages. */
  get hasTalked(): boolean {
    return this.settings.names !== false && !log.debugging && !ofctlLog.debugging;
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
    if (request.type === 'multipart_request') {
      await this.dumpParts(sw, request);
      return;
    }
    const reply = await this.transact(sw, request);
    const out = new MessageOutput(await this.printOptions(sw.streamName, 1));
    out.print(reply);
    out.flush();
  }

  /** `dump` for multipart requests. @param xid by default the next. */
  async dumpParts(sw: Switch, request: MessageOf<'multipart_request'>, xid?: number): Promise<void> {
    const wanted = replyKey(request, sw.connection.version);
    let out: MessageOutput | undefined;
    try {
      const print = async (bytes: Uint8Array): Promise<boolean> => {
        // Names are asked for on connections of their own, once there is something to print.
        out ??= new MessageOutput(await this.printOptions(sw.streamName, 1));
        out.print(bytes);
        const header = headerOf(bytes, this.explain);
        if (isErrorMessage(header)) return false;
        if (header instanceof OfError || header.wire.key !== wanted)
          throw new FatalError(
            `received bad reply: ${printMessage(bytes, await this.printOptions(sw.streamName, 1))}`,
          );
        return header.more;
      };
      await this.eachPart(sw, request, print, { lent: true, xid });
    } finally {
      out?.flush();
    }
  }

  /**
   * Sends a multipart request, and hands over what comes with its transaction id for as long as there is more. What breaks
   * the conversation ends the program.
   *
   * @param how `lent`: messages are only lent, each until `hasMore` resolves; `xid`: that of the request, by default the next.
   */
  async eachPart(
    sw: Switch,
    request: OfMessage,
    hasMore: (bytes: Uint8Array) => Promise<boolean>,
    how: { readonly lent?: boolean; readonly xid?: number | undefined } = {},
  ): Promise<void> {
    const { exchange } = sw;
    const { lent = false } = how;
    const xid = await exchange.send(request, how.xid).catch((e: unknown) => {
      throw conversationFailure(UNSENT, e);
    });
    for (let more = true; more;) {
      const bytes = await exchange.receive(lent).catch((e: unknown) => {
        throw conversationFailure(LOST_DUMP, e);
      });
      if (xidOf(bytes) === xid) more = await hasMore(bytes);
      else
        ofctlLog.dbg(
          () => `received reply with xid ${swappedHex(xidOf(bytes))} != expected ${swappedHex(xid)}`,
        );
    }
  }

  /** Sends a request and resolves to what answers it, whatever it is. @param lost what is said when nothing does. */
  async transact(sw: Switch, request: OfMessage, lost = talkingTo(sw)): Promise<Uint8Array> {
    try {
      return await sw.exchange.transact(request);
    } catch (e) {
      throw conversationFailure(lost, e);
    }
  }

  /** Sends a message that has no reply, and a barrier; resolves to what came as its reply all the same. */
  async tryNoReply(sw: Switch, msg: OfMessage): Promise<Uint8Array | undefined> {
    try {
      return await sw.exchange.transactNoReply(msg);
    } catch (e) {
      throw conversationFailure(talkingTo(sw), e);
    }
  }

  /** `tryNoReply` where a reply ends the program. */
  async noReply(sw: Switch, msg: OfMessage): Promise<void> {
    const reply = await this.tryNoReply(sw, msg);
    if (reply) throw await this.refused(sw, reply);
  }

  /** What to throw when a message that has no reply got one, which is printed. */
  async refused(sw: Switch, reply: Uint8Array): Promise<Error> {
    process.stderr.write(printMessage(reply, await this.printOptions(sw.streamName, 2)));
    return new FatalError('');
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

  /** A message that refuses what was tried, as the log shows it whatever -m says. */
  refusal(bytes: Uint8Array): string {
    const { colors, explain } = this;
    return printMessage(bytes, { verbosity: 2, colors, explain });
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
    const list: PhyPort[] = [];
    for await (const port of eachPort(this, sw)) list.push(port);
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
      const names: (readonly [number, string])[] = [];
      for await (const { tableId, name } of eachTable(this, sw)) names.push([tableId, name]);
      sw.connection.close();
      return nameMap(names.filter(([, name]) => name !== ''));
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
      const reply = await this.tryNoReply(sw, {
        type: 'set_flow_format',
        format: wanted.nxm ? 'nxm' : 'openflow10',
      });
      if (reply) return this.refusedProtocol(sw, reply);
      now = PROTOCOLS.find((p) => p.version === 1 && p.nxm === wanted.nxm && p.tableId === now.tableId)!;
      sw.protocol = now.bit;
    }
    if (now.tableId !== wanted.tableId) {
      const reply = await this.tryNoReply(sw, { type: 'flow_mod_table_id', enable: wanted.tableId });
      if (reply) return this.refusedProtocol(sw, reply);
      sw.protocol = want;
    }
    return true;
  }

  private refusedProtocol({ streamName }: Switch, reply: Uint8Array): false {
    ofctlLog.dbg(() => `${streamName}: failed to set protocol, switch replied: ${this.refusal(reply)}`);
    return false;
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
    this.requireAllowed(this.usableForMods(carried));
    const sw = await this.connect(target);
    await this.fitProtocol(sw, carried);
    return sw;
  }

  /** Those of the protocols that can carry some flow modifications that can also carry how they are to be sent. */
  usableForMods(carried: number): number {
    return this.settings.bundle ? carried & BUNDLE_PROTOCOLS : carried;
  }

  /** Whether a connection as it is now is one for flow modifications that `carried` protocols can carry. */
  carries(sw: Switch, carried: number): boolean {
    return (this.usableForMods(carried) & this.settings.protocols & sw.protocol) !== 0;
  }

  /** Makes a connection one for flow modifications that `carried` protocols can carry. @throws FatalError */
  async fitProtocol(sw: Switch, carried: number): Promise<void> {
    if (this.carries(sw, carried)) return;
    const usable = this.usableForMods(carried);
    for (const { bit } of PROTOCOLS) {
      const isAllowed = (bit & usable & this.settings.protocols) !== 0;
      if (bit !== sw.protocol && isAllowed && (await this.trySetProtocol(sw, bit))) return;
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

/**
 * Names and numbers both ways. A name that comes with another number is no name any more, and a number that comes with
 * another name has none; neither makes a name of what it came with.
 */
function nameMap(entries: readonly (readonly [number, string])[]): PortMap & TableMap {
  type Node = { readonly number: number; readonly name: string; isAmbiguous: boolean };
  const byName = new Map<string, Node>();
  const byNumber = new Map<number, Node>();
  for (const [number, name] of entries) {
    const named = byName.get(name);
    const node = named ?? byNumber.get(number);
    if (node === undefined) {
      const added = { number, name, isAmbiguous: false };
      byName.set(name, added);
      byNumber.set(number, added);
    } else if (named === undefined || named.number !== number) node.isAmbiguous = true;
  }
  const only = (node: Node | undefined): Node | undefined => (node?.isAmbiguous === true ? undefined : node);
  return {
    nameToNumber: (name) => only(byName.get(name))?.number,
    numberToName: (n) => only(byNumber.get(n))?.name,
  };
}

/** What two sides have agreed on. */
function negotiation(version: number, ours: number, theirs: number): string {
  return `OpenFlow version ${hex(version, 2)} (we support ${formatVersions(ours)}, peer supports ${formatVersions(theirs)})`;
}

/**
 * That a stream ended before a version was agreed on.
 *
 * @param greeted whether the other side was still there to be greeted.
 */
function agreementFailure(
  target: string,
  name: string,
  greeted: boolean,
  reason: Error | undefined,
): FatalError {
  const code = reason === undefined ? 'ECONNRESET' : errnoName(reason);
  return greeted ? connectFailure(target, code) : openFailure(target, name, code);
}

/** What is said when a conversation breaks in the middle of a request. */
export const talkingTo = ({ streamName }: Pick<Switch, 'streamName'>): string => `talking to ${streamName}`;
