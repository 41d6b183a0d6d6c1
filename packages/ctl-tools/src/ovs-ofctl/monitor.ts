/**
 * monitor and snoop: print what a switch sends until it hangs up or `ovs-appctl -t ovs-ofctl exit` ends it; in the
 * background with --detach. ovs-ofctl(8), "OpenFlow Switch Monitoring Commands".
 */
import fs from 'node:fs';
import { errorMessage, FatalError, errnoName, strerror } from '@ovs-node/common/errors';
import { setConsoleWriter, vlog } from '@ovs-node/common/vlog';
import type { UnixctlServer } from '@ovs-node/common/unixctl';
import { decodeMessage, encodeMessage } from '@ovs-node/openflow/messages/codec';
import {
  NO_BUFFER,
  type PacketInFormat,
  type SwitchConfig,
  WHOLE_PACKET,
} from '@ovs-node/openflow/messages/types';
import { OfError } from '@ovs-node/openflow/errors';
import { printMessage, type PrintOptions } from '@ovs-node/openflow/text/message';
import { parseMonitor } from '@ovs-node/openflow/text/parse-monitor';
import { versionNames } from '@ovs-node/openflow/text/protocols';
import { OF10, OF13 } from '@ovs-node/openflow/version';
import type { OfctlContext, Switch } from './context.js';
import { headerOf, nameOf } from './exchange.js';
import { parseOrFail } from './flow-commands.js';
import { registerMonitorCommands } from './monitor-control.js';
import { writeStderr } from './stderr.js';
import { fetchConfig } from './switch-commands.js';

const log = vlog('ofctl');

const ECHO_REPLY = 3;
const PACKET_INS: readonly (string | undefined)[] = ['OFPT_PACKET_IN', 'NXT_PACKET_IN', 'NXT_PACKET_IN2'];
const INVALID_TTL_VERSIONS = (1 << 1) | (1 << 2) | (1 << 3);

/** Standard error, or the file that ofctl/set-output-file put in its place. */
export class Output {
  private fd: number | undefined;

  write(text: string): void {
    try {
      if (this.fd === undefined) writeStderr(text);
      else fs.writeSync(this.fd, text, null, 'latin1');
    } catch {
      // Nobody reads it, or there is no room: who is asked to go on does.
    }
  }

  /**
   * Writes to `file` from now on, and the log's console too.
   * @throws the errno error of opening it, and leaves the output as it was.
   */
  open(file: string): void {
    const fd = fs.openSync(file, 'w', 0o666);
    setConsoleWriter((line) => fs.writeSync(fd, line));
    if (this.fd !== undefined) fs.closeSync(this.fd);
    this.fd = fd;
  }
}

/** Prints messages. */
class Printer {
  readonly output = new Output();
  private options: PrintOptions;
  private learn: (() => Promise<PrintOptions>) | undefined;
  private readonly timestamp: boolean;

  /** @param learn gets the options with names, which are asked for once there is something to print; undefined: none are. */
  constructor(options: PrintOptions, timestamp: boolean, learn: (() => Promise<PrintOptions>) | undefined) {
    this.options = options;
    this.timestamp = timestamp;
    this.learn = learn;
  }

  /** Whether it may print. */
  get isReady(): boolean {
    return this.learn === undefined;
  }

  /** Resolves when it may print. Rejects when names cannot be had. */
  async getReady(): Promise<void> {
    if (this.learn === undefined) return;
    this.options = await this.learn();
    this.learn = undefined;
  }

  print(bytes: Uint8Array): void {
    const stamp = this.timestamp ? `${timestamp(new Date())}: ` : '';
    this.output.write(stamp + printMessage(bytes, this.options));
  }

  /** A message of ours. */
  sent(bytes: Uint8Array, verbosity: number, label = 'send: '): void {
    // What is wrong with it is told in between.
    this.output.write(label);
    this.output.write(printMessage(bytes, { ...this.options, verbosity }));
  }
}

/** `2026-11-28 12:16:32.961`, in UTC. */
export function timestamp(time: Date): string {
  return time.toISOString().replace('T', ' ').slice(0, 23);
}

export interface Monitored {
  readonly sw: Switch;
  readonly printer: Printer;
  /** Resolves when the printer may print. Ends the program when it never may. */
  ready(): Promise<void>;
  /** Has what the switch sends wait, or printed. */
  block(isBlocked: boolean): void;
  /** Waits for the reply to a barrier. */
  onBarrier: (() => void) | undefined;
}

/** A running monitor, as a daemon's `start` returns it. */
export interface RunningMonitor {
  stop(): void;
}

async function setConfig(c: OfctlContext, sw: Switch, change: Partial<SwitchConfig>): Promise<void> {
  const config = { ...(await fetchConfig(c, sw)), ...change };
  await c.noReply(sw, { type: 'set_config', config });
  if (change.invalidTtlToController !== true) return;
  const after = await fetchConfig(c, sw);
  if (after.invalidTtlToController !== true) {
    throw new FatalError(
      "setting invalid_ttl_to_controller failed (this switch probably doesn't support this feature)",
    );
  }
}

/** Asks to be told of changes of flows, and prints those that match already; with -m what it asks, too. */
async function startWatching(c: OfctlContext, sw: Switch, text: string, id: number): Promise<void> {
  const names = await c.acceptNames(sw.name);
  const { request } = parseOrFail(() => parseMonitor(text, id, names));
  const { version } = sw.connection;
  const asked = {
    type: 'multipart_request' as const,
    request: { type: 'flow_monitor' as const, monitors: [request] },
    more: false,
    // Before 1.3 flow monitors are an extension of Nicira's.
    ...(version < OF13 ? { format: 'nxm' as const } : {}),
  };
  const xid = sw.connection.nextXid();
  if (c.settings.verbosity > 0)
    process.stdout.write(printMessage(encodeMessage(asked, version, xid), c.plainOptions(2)));
  await c.dumpParts(sw, asked, xid);
}

/** What to do for one word after the switch, known before it is connected to. */
type Step = (c: OfctlContext, sw: Switch) => Promise<void>;

/** Reads the words after the switch. @throws FatalError */
function monitorSteps(c: OfctlContext, words: readonly string[]): { steps: Step[]; resume: boolean } {
  const steps: Step[] = [];
  let monitors = 0;
  let resume = false;
  for (const word of words) {
    if (/^\d/.test(word)) {
      const missSendLen = Number.parseInt(word, 10) & 0xffff;
      steps.push((context, sw) => setConfig(context, sw, { missSendLen }));
    } else if (word === 'invalid_ttl') {
      c.settings.versions &= INVALID_TTL_VERSIONS;
      if (c.settings.versions === 0) {
        throw new FatalError(
          `invalid_ttl requires one of the OpenFlow versions ${versionNames(INVALID_TTL_VERSIONS)} but none is enabled (use -O)`,
        );
      }
      steps.push((context, sw) => setConfig(context, sw, { invalidTtlToController: true }));
    } else if (word.startsWith('watch:')) {
      const id = monitors++;
      steps.push((context, sw) => startWatching(context, sw, word.slice('watch:'.length), id));
    } else if (word === 'resume') {
      resume = true;
      steps.push((context, sw) => setConfig(context, sw, { missSendLen: WHOLE_PACKET }));
    } else {
      steps.push(() => {
        throw new FatalError(`${word}: unsupported "monitor" argument`);
      });
    }
  }
  return { steps, resume };
}

/** Asks for packets in a form of the extension; gives whether the switch has it, which the log is told. */
async function tryPacketInFormat(c: OfctlContext, sw: Switch, format: PacketInFormat): Promise<boolean> {
  const reply = await c.tryNoReply(sw, { type: 'set_packet_in_format', format });
  log.dbg(() =>
    reply
      ? `${sw.streamName}: failed to set packet in format to nx_packet_in, controller replied: ${c.refusal(reply)}.`
      : `${sw.streamName}: using user-specified packet in format ${format}`,
  );
  return reply === undefined;
}

async function setPacketInFormat(c: OfctlContext, sw: Switch): Promise<void> {
  const wanted = c.settings.packetInFormat;
  if (wanted !== undefined) {
    await c.noReply(sw, { type: 'set_packet_in_format', format: wanted });
    return;
  }
  // The richest that the switch has.
  if (await tryPacketInFormat(c, sw, 'nxt_packet_in2')) return;
  if (sw.connection.version === OF10) await tryPacketInFormat(c, sw, 'nxt_packet_in');
}

/**
 * Sends a packet back that the switch holds a continuation for. What the switch knows by the continuation, user data and
 * how long the packet was, it is not told again (as by the peer).
 */
function resumePacket(c: OfctlContext, bytes: Uint8Array, sw: Switch, printer: Printer): void {
  const decoded = decodeMessage(bytes, { explain: c.explain });
  if (decoded instanceof OfError) {
    printer.output.write(`decoding packet-in failed: ${decoded.toString()}`);
    return;
  }
  if (decoded.msg.type !== 'packet_in') return;
  const { userdata: _, ...packetIn } = decoded.msg.packetIn;
  if (packetIn.continuation === undefined || packetIn.continuation.length === 0) return;
  const resumed = { ...packetIn, bufferId: NO_BUFFER, totalLen: packetIn.packet.length };
  const reply = encodeMessage({ type: 'resume', packetIn: resumed }, sw.connection.version, 0);
  printer.sent(reply, c.settings.verbosity + 2);
  sw.connection.sendBytes(reply);
}

/**
 * Prints what a switch sends, and answers what a controller has to answer.
 *
 * @param fail ends the program with the error that keeps names from being had.
 */
function monitorSwitch(
  c: OfctlContext,
  sw: Switch,
  printer: Printer,
  answers: { readonly echoes: boolean; readonly resumes: boolean },
  fail: (e: unknown) => void,
): Monitored {
  let isBlocked = true;
  let isWaiting = false;
  const tell = (bytes: Uint8Array): void => {
    const name = nameOf(headerOf(bytes, c.explain));
    printer.print(bytes);
    if (name === 'OFPT_BARRIER_REPLY') monitored.onBarrier?.();
    else if (name === 'OFPT_ECHO_REQUEST' && answers.echoes) sw.connection.sendBytes(echoReply(bytes));
    else if (answers.resumes && PACKET_INS.includes(name)) resumePacket(c, bytes, sw, printer);
  };
  const taker = (bytes: Uint8Array): void => {
    if (printer.isReady) {
      tell(bytes);
      return;
    }
    // What comes meanwhile waits.
    isWaiting = true;
    takeOrWait();
    monitored.ready().then(
      () => {
        isWaiting = false;
        tell(bytes);
        takeOrWait();
      },
      () => undefined,
    );
  };
  const takeOrWait = (): void => sw.connection.take(isBlocked || isWaiting ? undefined : taker);
  const monitored: Monitored = {
    sw,
    printer,
    onBarrier: undefined,
    ready: () =>
      printer.getReady().catch((e: unknown) => {
        fail(e);
        throw e;
      }),
    block: (blocks) => {
      isBlocked = blocks;
      takeOrWait();
    },
  };
  return monitored;
}

/** The reply to an echo request, in its version. */
function echoReply(request: Uint8Array): Uint8Array {
  const reply = request.slice();
  reply[1] = ECHO_REPLY;
  return reply;
}

/** The words of a connection's end. */
function lostWords(reason: Error | undefined): string {
  return `ovs-ofctl: vconn_recv (${reason ? strerror(errnoName(reason)) : 'End of file'})\n`;
}

/** A switch that is connected to and asked for what there is to print. */
export interface Awaited {
  /**
   * Begins to print.
   *
   * @param exit ends the program.
   */
  print(unixctl: UnixctlServer, exit: (status: number) => void): RunningMonitor;
}

/** Connects for `monitor` or `snoop` and asks for what there is to print, which waits meanwhile. @throws FatalError */
export async function prepareMonitor(
  c: OfctlContext,
  command: 'monitor' | 'snoop',
  [target, ...words]: readonly string[],
): Promise<Awaited> {
  const isMonitor = command === 'monitor';
  const { steps, resume } = isMonitor ? monitorSteps(c, words) : { steps: [], resume: false };
  const sw = await c.connect(target, isMonitor ? 'mgmt' : 'snoop');
  for (const step of steps) await step(c, sw);
  if (isMonitor) await setPacketInFormat(c, sw);
  const print: Awaited['print'] = (unixctl, exit) => {
    let stopped = false;
    // Who looks on has no names.
    const learn = isMonitor && c.showNames ? () => c.printOptions(sw.streamName, 2) : undefined;
    const printer = new Printer(c.plainOptions(2), c.settings.timestamp, learn);
    const end = (words: string): void => {
      if (stopped) return;
      printer.output.write(words);
      exit(1);
    };
    const fail = (e: unknown): void =>
      end(`ovs-ofctl: ${e instanceof FatalError ? e.message : errorMessage(e)}\n`);
    const monitored = monitorSwitch(c, sw, printer, { echoes: isMonitor, resumes: resume }, fail);
    registerMonitorCommands(unixctl, c, monitored);
    sw.exchange.onEnd = (reason) => end(lostWords(reason));
    monitored.block(false);
    return {
      stop: () => {
        stopped = true;
        c.closeAll();
      },
    };
  };
  return { print };
}
