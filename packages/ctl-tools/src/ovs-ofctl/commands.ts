/** The commands of ovs-ofctl: one row each, in the order of the peer's list-commands. The help derives from them. */
import type { CommandSpec } from '@ovs-node/common/command';
import {
  checkVlan,
  encodeErrorReply,
  encodeHello,
  parseActionsCommand,
  parseInstructionsCommand,
  parseKeyValue,
  parseNxm,
  parseOfp10Match,
  parseOfp11Match,
  parseOxm,
  printError,
} from './codec-commands.js';
import type { OfctlContext } from './context.js';
import { addFlows, dumpAggregate, dumpFlows, flowMod } from './flow-commands.js';
import { diffFlows, replaceFlows } from './flow-set-commands.js';
import { composePacketCommand, ofpParsePcap, parsePacket, parsePcap } from './packet-commands.js';
import { packetOut } from './packet-out.js';
import { ofpParse, ofpPrint, parseFlow, parseFlows } from './parse-commands.js';
import {
  benchmark,
  dumpPorts,
  dumpPortsDesc,
  dumpStats,
  getFrags,
  modPort,
  ping,
  probe,
  queueStats,
  setFrags,
  show,
} from './switch-commands.js';

/** The result of a command is the exit status, 0 when it is nothing. */
type Outcome = void | number;

/** A line of the help: the words of the command line, and what they do. */
export type HelpLine = readonly [words: string, what: string];

/** Parts of the help that commands are listed in. */
export type HelpGroup = 'switch' | 'controller' | 'other';

export interface OfctlCommand extends CommandSpec<OfctlContext, Promise<Outcome> | Outcome> {
  /** Refused by --read-only, as the peer does: what changes a switch, and oddly what only prints. */
  readonly writes?: true;
  /** Absent for commands that are for tests of the program. */
  readonly help?: readonly [group: HelpGroup, ...lines: HelpLine[]];
}

/** monitor and snoop: `ofctl` takes them before a table of commands is looked at. */
function runsAsDaemon(): never {
  throw new Error('not run from the table');
}

/** A row: name, usage, number of arguments, what runs, and the lines of the help. */
function row(
  name: string,
  usage: string,
  [min, max]: readonly [number, number],
  run: OfctlCommand['run'],
  help?: OfctlCommand['help'],
): OfctlCommand {
  return { name, usage, min, max, run, ...(help ? { help } : {}) };
}

/** A row of a command that --read-only refuses. */
function writing(...args: Parameters<typeof row>): OfctlCommand {
  return { ...row(...args), writes: true };
}

const MANY = Infinity;

export const COMMANDS: readonly OfctlCommand[] = [
  row('show', 'switch', [1, 1], show, ['switch', ['show SWITCH', 'show OpenFlow information']]),
  row('monitor', 'switch [misslen] [invalid_ttl] [watch:[...]]', [1, 3], runsAsDaemon, [
    'switch',
    ['monitor SWITCH [MISSLEN] [invalid_ttl] [watch:[...]]\n', 'print packets received from SWITCH'],
  ]),
  row('snoop', 'switch', [1, 1], runsAsDaemon, [
    'switch',
    ['snoop SWITCH', 'snoop on SWITCH and its controller'],
  ]),
  row('dump-desc', 'switch', [1, 1], (c, [sw]) => dumpStats(c, sw, { type: 'desc' }), [
    'switch',
    ['dump-desc SWITCH', 'print switch description'],
  ]),
  row('dump-tables', 'switch', [1, 1], (c, [sw]) => dumpStats(c, sw, { type: 'table' }), [
    'switch',
    ['dump-tables SWITCH', 'print table stats'],
  ]),
  row('dump-flows', 'switch', [1, 2], dumpFlows, [
    'switch',
    ['dump-flows SWITCH', 'print all flow entries'],
    ['dump-flows SWITCH FLOW', 'print matching FLOWs'],
  ]),
  row('dump-aggregate', 'switch', [1, 2], dumpAggregate, [
    'switch',
    ['dump-aggregate SWITCH', 'print aggregate flow statistics'],
    ['dump-aggregate SWITCH FLOW', 'print aggregate stats for FLOWs'],
  ]),
  row('queue-stats', 'switch [port [queue]]', [1, 3], queueStats, [
    'switch',
    ['queue-stats SWITCH [PORT [QUEUE]]', 'dump queue stats'],
  ]),
  writing('add-flow', 'switch flow', [2, 2], (c, args) => flowMod(c, args, 'add'), [
    'switch',
    ['add-flow SWITCH FLOW', 'add flow described by FLOW'],
  ]),
  writing('add-flows', 'switch file', [2, 2], addFlows, [
    'switch',
    ['add-flows SWITCH FILE', 'add flows from FILE'],
  ]),
  writing(
    'mod-flows',
    'switch flow',
    [2, 2],
    (c, args) => flowMod(c, args, c.settings.strict ? 'modify_strict' : 'modify'),
    ['switch', ['mod-flows SWITCH FLOW', 'modify actions of matching FLOWs']],
  ),
  writing(
    'del-flows',
    'switch [flow]',
    [1, 2],
    (c, args) => flowMod(c, args, c.settings.strict ? 'delete_strict' : 'delete'),
    ['switch', ['del-flows SWITCH [FLOW]', 'delete matching FLOWs']],
  ),
  writing('replace-flows', 'switch file', [2, 2], replaceFlows, [
    'switch',
    ['replace-flows SWITCH FILE', 'replace flows with those in FILE'],
  ]),
  writing('diff-flows', 'source1 source2', [2, 2], diffFlows, [
    'switch',
    ['diff-flows SOURCE1 SOURCE2', 'compare flows from two sources'],
  ]),
  writing('packet-out', 'switch "in_port=<port> packet=<hex data> actions=..."', [2, MANY], packetOut, [
    'switch',
    ['packet-out SWITCH IN_PORT ACTIONS PACKET...\n', 'execute ACTIONS on PACKET'],
  ]),
  row('dump-ports', 'switch [port]', [1, 2], dumpPorts, [
    'switch',
    ['dump-ports SWITCH [PORT]', 'print port statistics'],
  ]),
  row('dump-ports-desc', 'switch [port]', [1, 2], dumpPortsDesc, [
    'switch',
    ['dump-ports-desc SWITCH [PORT]', 'print port descriptions'],
  ]),
  writing('mod-port', 'switch iface act', [3, 3], modPort, [
    'switch',
    ['mod-port SWITCH IFACE ACT', 'modify port behavior'],
  ]),
  row('get-frags', 'switch', [1, 1], getFrags, [
    'switch',
    ['get-frags SWITCH', 'print fragment handling behavior'],
  ]),
  writing('set-frags', 'switch frag_mode', [2, 2], setFrags, [
    'switch',
    ['set-frags SWITCH FRAG_MODE', 'set fragment handling behavior'],
    ['    FRAG_MODE: normal, drop, reassemble, nx-match', ''],
  ]),
  row('probe', 'target', [1, 1], probe, ['controller', ['probe TARGET', 'probe whether TARGET is up']]),
  row('ping', 'target [n]', [1, 2], ping, ['controller', ['ping TARGET [N]', 'latency of N-byte echos']]),
  row('benchmark', 'target n count', [3, 3], benchmark, [
    'controller',
    ['benchmark TARGET N COUNT', 'bandwidth of COUNT N-byte echos'],
  ]),
  writing('ofp-parse', 'file', [1, 1], ofpParse, [
    'other',
    ['ofp-parse FILE', 'print messages read from FILE'],
  ]),
  writing('ofp-parse-pcap', 'pcap', [1, MANY], ofpParsePcap, [
    'other',
    ['ofp-parse-pcap PCAP', 'print OpenFlow read from PCAP'],
  ]),
  // `help` is answered with the options, where the text is made.
  row('help', '', [0, MANY], () => undefined),
  row('list-commands', '', [0, MANY], listCommands),
  writing('parse-flow', '', [1, 1], parseFlow),
  writing('parse-flows', '', [1, 1], parseFlows),
  writing('parse-nx-match', '', [0, 0], parseNxm),
  writing('parse-nxm', '', [0, 0], parseNxm),
  writing('parse-oxm', '', [1, 1], parseOxm),
  writing('parse-actions', '', [1, 1], parseActionsCommand),
  writing('parse-instructions', '', [1, 1], parseInstructionsCommand),
  writing('parse-ofp10-match', '', [0, 0], parseOfp10Match),
  writing('parse-ofp11-match', '', [0, 0], parseOfp11Match),
  writing('parse-pcap', '', [1, MANY], parsePcap),
  writing('check-vlan', '', [2, 2], checkVlan),
  writing('print-error', '', [1, 1], printError),
  writing('encode-error-reply', '', [2, 2], encodeErrorReply),
  writing('ofp-print', '', [1, 2], ofpPrint),
  writing('encode-hello', '', [1, 1], encodeHello),
  writing('parse-key-value', '', [1, MANY], parseKeyValue),
  row('compose-packet', '', [1, 2], composePacketCommand),
  row('parse-packet', '', [0, 0], parsePacket),
];

function listCommands(): void {
  const lines = COMMANDS.map(({ name, usage }) => `  ${name.padEnd(23)} ${usage}\n`);
  process.stdout.write(`The available commands are:\n${lines.join('')}`);
}
