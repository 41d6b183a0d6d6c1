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
import { bundle } from './bundle-command.js';
import { ctFlush, ctFlushZone, dumpTlvMap, queueGetConfig, tlvMap } from './extension-commands.js';
import {
  addGroups,
  dumpGroups,
  dumpGroupStats,
  groupMod,
  modGroup,
  parseGroupCommand,
} from './group-commands.js';
import { dumpMeters, meterFeatures, meterMod } from './meter-commands.js';
import { dumpTableDesc, dumpTableFeatures, modTable } from './table-commands.js';
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
  row('dump-table-features', 'switch', [1, 1], dumpTableFeatures, [
    'switch',
    ['dump-table-features SWITCH', 'print table features'],
  ]),
  row('dump-table-desc', 'switch', [1, 1], dumpTableDesc, [
    'switch',
    ['dump-table-desc SWITCH', 'print table description (OF1.4+)'],
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
  row('queue-get-config', 'switch [port [queue]]', [1, 3], queueGetConfig, [
    'switch',
    ['queue-get-config SWITCH [PORT]', 'print queue config for PORT'],
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
  writing('add-meter', 'switch meter', [2, 2], (c, args) => meterMod(c, args, 'add'), [
    'switch',
    ['add-meter SWITCH METER', 'add meter described by METER'],
  ]),
  writing('mod-meter', 'switch meter', [2, 2], (c, args) => meterMod(c, args, 'modify'), [
    'switch',
    ['mod-meter SWITCH METER', 'modify specific METER'],
  ]),
  writing('del-meter', 'switch meter', [1, 2], (c, args) => meterMod(c, args, 'delete')),
  writing('del-meters', 'switch', [1, 2], (c, args) => meterMod(c, args, 'delete'), [
    'switch',
    ['del-meters SWITCH [METER]', 'delete meters matching METER'],
  ]),
  row('dump-meter', 'switch meter', [1, 2], (c, args) => dumpMeters(c, args, 'meter_config')),
  row('dump-meters', 'switch', [1, 2], (c, args) => dumpMeters(c, args, 'meter_config'), [
    'switch',
    ['dump-meters SWITCH [METER]', 'print METER configuration'],
  ]),
  row('meter-stats', 'switch [meter]', [1, 2], (c, args) => dumpMeters(c, args, 'meter'), [
    'switch',
    ['meter-stats SWITCH [METER]', 'print meter statistics'],
  ]),
  row('meter-features', 'switch', [1, 1], meterFeatures, [
    'switch',
    ['meter-features SWITCH', 'print meter features'],
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
  writing('mod-table', 'switch mod', [3, 3], modTable, [
    'switch',
    ['mod-table SWITCH MOD', 'modify flow table behavior'],
    ['    OF1.1/1.2 MOD: controller, continue, drop', ''],
    ['    OF1.4+ MOD: evict, noevict, vacancy:low,high, novacancy', ''],
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
  row('dump-ipfix-bridge', 'switch', [1, 1], (c, [sw]) => dumpStats(c, sw, { type: 'ipfix_bridge' }), [
    'switch',
    ['dump-ipfix-bridge SWITCH', 'print ipfix stats of bridge'],
  ]),
  row('dump-ipfix-flow', 'switch', [1, 1], (c, [sw]) => dumpStats(c, sw, { type: 'ipfix_flow' }), [
    'switch',
    ['dump-ipfix-flow SWITCH', 'print flow ipfix of a bridge'],
  ]),
  row('ct-flush-zone', 'switch zone', [2, 2], ctFlushZone, [
    'switch',
    ['ct-flush-zone SWITCH ZONE', 'flush conntrack entries in ZONE'],
  ]),
  row('ct-flush', 'switch [zone=N] [ct-orig-tuple [ct-reply-tuple]]', [1, 4], ctFlush, [
    'switch',
    ['ct-flush SWITCH [ZONE] [CT_ORIG_TUPLE [CT_REPLY_TUPLE]]\n', 'flush conntrack entries specified'],
    [' '.repeat(28) + 'by CT_ORIG/REPLY_TUPLE and ZONE', ''],
  ]),
  writing('ofp-parse', 'file', [1, 1], ofpParse, [
    'other',
    ['ofp-parse FILE', 'print messages read from FILE'],
  ]),
  writing('ofp-parse-pcap', 'pcap', [1, MANY], ofpParsePcap, [
    'other',
    ['ofp-parse-pcap PCAP', 'print OpenFlow read from PCAP'],
  ]),
  writing('add-group', 'switch group', [1, 2], (c, args) => groupMod(c, args, 'add'), [
    'switch',
    ['add-group SWITCH GROUP', 'add group described by GROUP'],
  ]),
  writing('add-groups', 'switch file', [2, 2], addGroups, [
    'switch',
    ['add-groups SWITCH FILE', 'add group from FILE'],
  ]),
  writing('mod-group', 'switch group', [1, 2], modGroup, [
    'switch',
    ['[--may-create] mod-group SWITCH GROUP   modify specific group', ''],
  ]),
  writing('del-groups', 'switch [group]', [1, 2], (c, args) => groupMod(c, args, 'delete'), [
    'switch',
    ['del-groups SWITCH [GROUP]', 'delete matching GROUPs'],
  ]),
  writing('insert-buckets', 'switch [group]', [1, 2], (c, args) => groupMod(c, args, 'insert_bucket'), [
    'switch',
    ['insert-buckets SWITCH [GROUP] add buckets to GROUP', ''],
  ]),
  writing('remove-buckets', 'switch [group]', [1, 2], (c, args) => groupMod(c, args, 'remove_bucket'), [
    'switch',
    ['remove-buckets SWITCH [GROUP] remove buckets from GROUP', ''],
  ]),
  row('dump-groups', 'switch [group]', [1, 2], dumpGroups, [
    'switch',
    ['dump-groups SWITCH [GROUP]', 'print group description'],
  ]),
  row('dump-group-stats', 'switch [group]', [1, 2], dumpGroupStats, [
    'switch',
    ['dump-group-stats SWITCH [GROUP]', 'print group statistics'],
  ]),
  row('dump-group-features', 'switch', [1, 1], (c, [sw]) => dumpStats(c, sw, { type: 'group_features' }), [
    'switch',
    ['dump-group-features SWITCH', 'print group features'],
  ]),
  writing('bundle', 'switch file', [2, 2], bundle),
  row('add-tlv-map', 'switch map', [2, 2], (c, args) => tlvMap(c, args, 'add'), [
    'switch',
    ['add-tlv-map SWITCH MAP', 'add TLV option MAPpings'],
  ]),
  row('del-tlv-map', 'switch [map]', [1, 2], (c, args) => tlvMap(c, args, 'delete'), [
    'switch',
    ['del-tlv-map SWITCH [MAP] delete TLV option MAPpings', ''],
  ]),
  row('dump-tlv-map', 'switch', [1, 1], dumpTlvMap, [
    'switch',
    ['dump-tlv-map SWITCH      print TLV option mappings', ''],
  ]),
  // `help` is answered with the options, where the text is made.
  row('help', '', [0, MANY], () => undefined),
  row('list-commands', '', [0, MANY], listCommands),
  writing('parse-flow', '', [1, 1], parseFlow),
  writing('parse-flows', '', [1, 1], parseFlows),
  writing('parse-group', '', [1, 1], parseGroupCommand),
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
