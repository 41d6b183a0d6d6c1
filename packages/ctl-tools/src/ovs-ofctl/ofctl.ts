/** ovs-ofctl: options, the table of commands, and running one. */
import { FatalError } from '@ovs-node/common/errors';
import { type CommandSpec, findCommand } from '@ovs-node/common/command';
import { runDaemon } from '@ovs-node/common/daemon';
import { daemonOptions, defaultDaemonSettings } from '@ovs-node/common/daemon-options';
import { type OptionSpec, parseCommandLine, parseOptions } from '@ovs-node/common/getopt';
import { sslOptionsWithout } from '@ovs-node/common/stream-options';
import { parseTimeout, runTool, startTimeout } from '@ovs-node/common/tool';
import { setLevels } from '@ovs-node/common/vlog';
import { vlogOptions } from '@ovs-node/common/vlog-options';
import { fieldByName } from '@ovs-node/flow/fields';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import {
  formatProtocols,
  protocolsFromName,
  protocolsOfVersions,
  versionNames,
  versionsOfProtocols,
} from '@ovs-node/openflow/text/protocols';
import { OF10, versionFromName } from '@ovs-node/openflow/version';
import { OfctlContext, type Settings } from './context.js';
import { addFlows, dumpAggregate, dumpFlows, flowMod } from './flow-commands.js';
import { helpText } from './help.js';
import { startMonitor } from './monitor.js';
import { packetOut } from './packet-out.js';
import {
  ofpParse,
  ofpPrint,
  parseActionsCommand,
  parseFlow,
  parseFlows,
  parseInstructionsCommand,
  printError,
} from './parse-commands.js';
import {
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

/** The result is the exit status, 0 when it is nothing. */
type Outcome = void | number;

interface OfctlCommand extends CommandSpec<OfctlContext, Promise<Outcome> | Outcome> {
  /** Changes the switch: refused by --read-only. */
  readonly writes?: true;
}

const COMMANDS: readonly OfctlCommand[] = [
  { name: 'show', usage: 'switch', min: 1, max: 1, run: show },
  {
    name: 'monitor',
    usage: 'switch [misslen] [invalid_ttl] [watch:[...]]',
    min: 1,
    max: 3,
    run: runsAsDaemon,
  },
  { name: 'snoop', usage: 'switch', min: 1, max: 1, run: runsAsDaemon },
  {
    name: 'dump-desc',
    usage: 'switch',
    min: 1,
    max: 1,
    run: (c, [sw]) => dumpStats(c, sw, { type: 'desc' }),
  },
  {
    name: 'dump-tables',
    usage: 'switch',
    min: 1,
    max: 1,
    run: (c, [sw]) => dumpStats(c, sw, { type: 'table' }),
  },
  { name: 'dump-flows', usage: 'switch', min: 1, max: 2, run: dumpFlows },
  { name: 'dump-aggregate', usage: 'switch', min: 1, max: 2, run: dumpAggregate },
  { name: 'queue-stats', usage: 'switch [port [queue]]', min: 1, max: 3, run: queueStats },
  {
    name: 'add-flow',
    usage: 'switch flow',
    min: 2,
    max: 2,
    run: (c, args) => flowMod(c, args, 'add'),
    writes: true,
  },
  { name: 'add-flows', usage: 'switch file', min: 2, max: 2, run: addFlows, writes: true },
  {
    name: 'mod-flows',
    usage: 'switch flow',
    min: 2,
    max: 2,
    run: (c, args) => flowMod(c, args, c.settings.strict ? 'modify_strict' : 'modify'),
    writes: true,
  },
  {
    name: 'del-flows',
    usage: 'switch [flow]',
    min: 1,
    max: 2,
    run: (c, args) => flowMod(c, args, c.settings.strict ? 'delete_strict' : 'delete'),
    writes: true,
  },
  {
    name: 'packet-out',
    usage: 'switch "in_port=<port> packet=<hex data> actions=..."',
    min: 2,
    max: Infinity,
    run: packetOut,
    writes: true,
  },
  { name: 'dump-ports', usage: 'switch [port]', min: 1, max: 2, run: dumpPorts },
  { name: 'dump-ports-desc', usage: 'switch [port]', min: 1, max: 2, run: dumpPortsDesc },
  { name: 'mod-port', usage: 'switch iface act', min: 3, max: 3, run: modPort, writes: true },
  { name: 'get-frags', usage: 'switch', min: 1, max: 1, run: getFrags },
  { name: 'set-frags', usage: 'switch frag_mode', min: 2, max: 2, run: setFrags, writes: true },
  { name: 'probe', usage: 'target', min: 1, max: 1, run: probe },
  { name: 'ping', usage: 'target [n]', min: 1, max: 2, run: ping },
  { name: 'ofp-parse', usage: 'file', min: 1, max: 1, run: ofpParse },
  { name: 'help', usage: '', min: 0, max: Infinity, run: () => void process.stdout.write(helpText()) },
  { name: 'list-commands', usage: '', min: 0, max: Infinity, run: listCommands },
  { name: 'parse-flow', usage: '', min: 1, max: 1, run: parseFlow },
  { name: 'parse-flows', usage: '', min: 1, max: 1, run: parseFlows },
  { name: 'parse-actions', usage: '', min: 1, max: 1, run: parseActionsCommand },
  { name: 'parse-instructions', usage: '', min: 1, max: 1, run: parseInstructionsCommand },
  { name: 'print-error', usage: '', min: 1, max: 1, run: printError },
  { name: 'ofp-print', usage: '', min: 1, max: 2, run: ofpPrint },
];

/** monitor and snoop: `ofctl` takes them before a table of commands is looked at. */
function runsAsDaemon(): never {
  throw new Error('not run from the table');
}

function listCommands(): void {
  const lines = COMMANDS.map(({ name, usage }) => `  ${name.padEnd(23)} ${usage}\n`);
  process.stdout.write(`The available commands are:\n${lines.join('')}`);
}

/** Commands of the peer that are still to come, so that they are refused by name. */
const LATER = new Set(
  (
    'dump-table-features dump-table-desc queue-get-config replace-flows diff-flows add-meter mod-meter del-meter ' +
    'del-meters dump-meter dump-meters meter-stats meter-features mod-table benchmark dump-ipfix-bridge ' +
    'dump-ipfix-flow ct-flush-zone ct-flush ofp-parse-pcap add-group add-groups mod-group del-groups ' +
    'insert-buckets remove-buckets dump-groups dump-group-stats dump-group-features bundle add-tlv-map del-tlv-map ' +
    'dump-tlv-map parse-group parse-nx-match parse-nxm parse-oxm parse-ofp10-match parse-ofp11-match parse-pcap ' +
    'check-vlan encode-error-reply encode-hello parse-key-value compose-packet parse-packet add-groups'
  ).split(' '),
);

function parseVersions(text: string): number {
  let versions = 0;
  for (const name of text.split(/[ ,]+/).filter((s) => s !== '')) {
    const version = versionFromName(name);
    if (version === undefined) throw new FatalError(`Unknown OpenFlow version: "${name}"`);
    versions |= 1 << version;
  }
  if (versions === 0) throw new FatalError(`${text}: no OpenFlow version specified`);
  return versions;
}

function parseProtocols(text: string): number {
  const names = text.split(/[ ,]+/).filter((s) => s !== '');
  let protocols = 0;
  for (const name of names) {
    const bits = protocolsFromName(name);
    if (bits === 0) throw new FatalError(`${name}: unknown flow protocol`);
    protocols |= bits;
  }
  if (protocols === 0) throw new FatalError(`${text}: no flow protocol specified`);
  return protocols;
}

function addSort(settings: Settings, field: string | undefined, descending: boolean): void {
  if (field === undefined || field.toLowerCase() === 'priority') {
    settings.sort.push({ field: undefined, descending });
    return;
  }
  const f = fieldByName(field);
  if (!f) throw new FatalError(`${field}: unknown field name`);
  settings.sort.push({ field: f.name, descending });
}

const PACKET_IN_FORMATS: Readonly<Record<string, Settings['packetInFormat']>> = {
  standard: 'standard',
  openflow10: 'standard',
  nxm: 'nxt_packet_in',
  nxt_packet_in: 'nxt_packet_in',
  nxt_packet_in2: 'nxt_packet_in2',
};

function ownOptions(s: Settings): OptionSpec[] {
  const refuse = (what: string) => (): never => {
    throw new FatalError(`${what} is not supported yet`);
  };
  return [
    {
      name: 'timeout',
      short: 't',
      arg: 'required',
      apply: (v) => void (s.timeout = parseTimeout(v as string)),
    },
    { name: 'strict', apply: () => void (s.strict = true) },
    { name: 'readd', apply: () => undefined },
    {
      name: 'flow-format',
      short: 'F',
      arg: 'required',
      apply: (v) => void (s.protocols = parseProtocols(v as string)),
    },
    {
      name: 'packet-in-format',
      short: 'P',
      arg: 'required',
      apply: (v) => {
        const format = PACKET_IN_FORMATS[v as string];
        if (format === undefined) throw new FatalError(`unknown packet-in format \`${v}'`);
        s.packetInFormat = format;
      },
    },
    { name: 'more', short: 'm', apply: () => void s.verbosity++ },
    { name: 'timestamp', apply: () => void (s.timestamp = true) },
    { name: 'sort', arg: 'optional', apply: (v) => addSort(s, v, false) },
    { name: 'rsort', arg: 'optional', apply: (v) => addSort(s, v, true) },
    { name: 'names', apply: () => void (s.names = true) },
    { name: 'no-names', apply: () => void (s.names = false) },
    { name: 'stats', apply: () => void (s.stats = true) },
    { name: 'no-stats', apply: () => void (s.stats = false) },
    { name: 'bundle', apply: refuse('--bundle') },
    { name: 'color', arg: 'optional', apply: () => undefined },
    { name: 'may-create', apply: () => undefined },
    { name: 'read-only', apply: () => void (s.readOnly = true) },
    {
      name: 'protocols',
      short: 'O',
      arg: 'required',
      apply: (v) => void (s.versions = parseVersions(v as string)),
    },
  ];
}

function defaultSettings(): Settings {
  return {
    versions: 1 << OF10,
    protocols: PROTO_ANY,
    strict: false,
    readOnly: false,
    stats: true,
    names: undefined,
    verbosity: 0,
    timestamp: false,
    packetInFormat: undefined,
    sort: [],
    timeout: undefined,
  };
}

/** What follows from all options together. @throws FatalError */
function settle(settings: Settings): OfctlContext {
  const byVersion = protocolsOfVersions(settings.versions);
  if ((settings.protocols & byVersion) === 0) {
    throw new FatalError(
      `None of the enabled OpenFlow versions (${versionNames(settings.versions)}) supports any of the enabled flow formats (${formatProtocols(settings.protocols)}).  (Use -O to enable additional OpenFlow versions or -F to enable additional flow formats.)`,
    );
  }
  settings.protocols &= byVersion;
  settings.versions &= versionsOfProtocols(settings.protocols);
  startTimeout(settings.timeout);
  return new OfctlContext(settings);
}

/** Unlike the other tools, the peer's ovs-ofctl says on the console that it normalized a match. */
function tellInformation(): void {
  setLevels(null, 'console', 'info');
}

const NAME = 'ovs-ofctl';
const VERSION_LINES = ['OpenFlow versions 0x1:0x6'];

async function main(args: string[]): Promise<number> {
  tellInformation();
  const settings = defaultSettings();
  const line = parseCommandLine(
    {
      name: NAME,
      options: [
        ...ownOptions(settings),
        ...daemonOptions(defaultDaemonSettings()),
        ...vlogOptions,
        ...sslOptionsWithout('bootstrap-ca-cert', 'peer-ca-cert'),
      ],
      order: 'permute',
      help: helpText,
      versionLines: VERSION_LINES,
    },
    args,
  );
  const context = settle(settings);
  const name = line.operands[0];
  if (name !== undefined && LATER.has(name)) throw new FatalError(`'${name}' command is not supported yet`);
  const { spec, args: words } = findCommand(COMMANDS, line.operands);
  if (settings.readOnly && (spec as OfctlCommand).writes) {
    throw new FatalError(`'${spec.name}' command does not work in read only mode`);
  }
  try {
    return (await spec.run(context, words)) ?? 0;
  } finally {
    context.closeAll();
  }
}

/** Runs monitor or snoop, which obey a control socket and can go to the background. */
function runMonitor(command: 'monitor' | 'snoop', args: string[]): Promise<void> {
  const settings = defaultSettings();
  tellInformation();
  return runDaemon(
    {
      name: NAME,
      options: [...ownOptions(settings), ...sslOptionsWithout('bootstrap-ca-cert', 'peer-ca-cert')],
      help: helpText,
      versionLines: VERSION_LINES,
      logModule: null,
      keepsStderr: true,
      unixctlFailure: 'failed to create unixctl server',
      check: (line) => void findCommand(COMMANDS, line.operands),
      start: ({ commandLine, unixctl, exit }) =>
        startMonitor(settle(settings), command, commandLine.operands.slice(1), unixctl, exit),
    },
    args,
  );
}

/** The operands among `args`, as far as they can be read without minding what the options say. */
function operandsOf(args: readonly string[]): readonly string[] {
  const options = [
    ...ownOptions(defaultSettings()),
    ...daemonOptions(defaultDaemonSettings()),
    { name: 'help', short: 'h' },
    { name: 'version', short: 'V' },
    ...vlogOptions,
    ...sslOptionsWithout('bootstrap-ca-cert', 'peer-ca-cert'),
  ];
  const walk = parseOptions(args, options, 'permute');
  try {
    for (;;) {
      const step = walk.next();
      if (step.done === true) return step.value;
    }
  } catch {
    return [];
  }
}

/** Runs the program. */
export function ofctl(args: string[] = process.argv.slice(2)): Promise<void> {
  const [command] = operandsOf(args);
  if (command === 'monitor' || command === 'snoop') return runMonitor(command, args);
  return runTool(NAME, main, args);
}
