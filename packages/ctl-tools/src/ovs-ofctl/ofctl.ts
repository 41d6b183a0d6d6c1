/** ovs-ofctl: options, the table of commands, and running one. */
import fs from 'node:fs';
import os from 'node:os';
import { commandLineWords, fromByteText, toByteText, writeByteText } from '@ovs-node/common/byte-text';
import { EarlyExit, FatalError } from '@ovs-node/common/errors';
import { findCommand } from '@ovs-node/common/command';
import { daemonOptions, type DaemonSettings, defaultDaemonSettings } from '@ovs-node/common/daemon-options';
import {
  exitEarly,
  listOptions,
  type OptionSpec,
  parseCommandLine,
  parseOptions,
} from '@ovs-node/common/getopt';
import { sslOptionsWithout } from '@ovs-node/common/stream-options';
import { becomeUser, checkUser } from '@ovs-node/common/privilege';
import { parseTimeout, runTool, startTimeout } from '@ovs-node/common/tool';
import { versionLine } from '@ovs-node/common/version';
import { chownLogFile, setConsoleWriter, setLevels } from '@ovs-node/common/vlog';
import { setProgramModules } from '@ovs-node/common/vlog-spec';
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
import { OF10, versionFromName, VERSIONS } from '@ovs-node/openflow/version';
import { useByteText } from '@ovs-node/openflow/wire';
import { bundleVersions } from './versions.js';
import { OfctlContext, type Settings } from './context.js';
import { COMMANDS, type OfctlCommand } from './commands.js';
import { helpText } from './help.js';
import { MODULES } from './modules.js';
import { type Awaited, prepareMonitor } from './monitor.js';
import { writeStderr } from './stderr.js';

const ALL_VERSIONS = VERSIONS.reduce((bits, { version }) => bits | (1 << version), 0);

function parseVersions(text: string): number {
  let versions = 0;
  for (const name of text.split(/[ ,\t\r\n]+/).filter((s) => s !== '')) {
    const version = versionFromName(name);
    if (version === undefined) throw new FatalError(`Unknown OpenFlow version: "${name}"`);
    versions |= 1 << version;
  }
  return versions;
}

function parseProtocols(text: string): number {
  const names = text.split(',').filter((s) => s !== '');
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

/** The words that --color takes, those of GNU's ls(1), in any case. */
const COLOR_WORDS: Readonly<Record<string, Settings['color']>> = {
  always: 'always',
  yes: 'always',
  force: 'always',
  never: 'never',
  no: 'never',
  none: 'never',
  auto: 'auto',
  tty: 'auto',
  'if-tty': 'auto',
};

/** The value of --color; without one it is `auto`. */
function parseColor(value = 'auto'): Settings['color'] {
  const when = Object.entries(COLOR_WORDS).find(([word]) => word === value.toLowerCase())?.[1];
  if (when === undefined) throw new FatalError(`incorrect value \`${value}' for --color`);
  return when;
}

const NAME = 'ovs-ofctl';
const VERSION_LINES = ['OpenFlow versions 0x1:0x6'];
const SSL_OPTIONS = sslOptionsWithout('bootstrap-ca-cert', 'peer-ca-cert');

/** Options that others share and that name files: these names are Unicode, and so is what is said of them. */
function shared(rows: readonly OptionSpec[]): OptionSpec[] {
  return rows.map((row) => {
    const { apply } = row;
    if (apply === undefined || row.name === 'verbose') return row;
    return {
      ...row,
      apply: (value, program) => {
        const name = value === undefined ? undefined : fromByteText(value);
        if (name === value) return apply(value, program);
        const writer = setConsoleWriter((line) => fs.writeSync(2, line));
        try {
          apply(name, program);
        } catch (e) {
          throw e instanceof FatalError ? new FatalError(toByteText(e.message), e.status) : e;
        } finally {
          setConsoleWriter(writer);
        }
      },
    };
  });
}

const PACKET_IN_FORMATS: Readonly<Record<string, Settings['packetInFormat']>> = {
  standard: 'standard',
  openflow10: 'standard',
  nxm: 'nxt_packet_in',
  nxt_packet_in: 'nxt_packet_in',
  nxt_packet_in2: 'nxt_packet_in2',
};

/** The options in front of --help, in the peer's order, which shows in `--option` and in what is ambiguous. */
function firstOptions(s: Settings): OptionSpec[] {
  return [
    {
      name: 'timeout',
      short: 't',
      arg: 'required',
      apply: (v) => void (s.timeout = parseTimeout(v as string)),
    },
    { name: 'strict', apply: () => void (s.strict = true) },
    { name: 'readd', apply: () => void (s.readd = true) },
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
  ];
}

/** Those behind --help. */
function otherOptions(s: Settings): OptionSpec[] {
  return [
    { name: 'option', short: 'o', apply: () => exitEarly(listOptions(optionTable(defaultSettings()))) },
    { name: 'bundle', apply: () => void (s.bundle = true) },
    { name: 'color', arg: 'optional', apply: (v) => void (s.color = parseColor(v)) },
    { name: 'may-create', apply: () => void (s.mayCreate = true) },
    { name: 'pcap', apply: () => void (s.pcap = true) },
    // What compose-packet does anyway.
    { name: 'raw', apply: () => undefined },
    { name: 'read-only', apply: () => void (s.readOnly = true) },
  ];
}

function protocolsOption(s: Settings): OptionSpec {
  return {
    name: 'protocols',
    short: 'O',
    arg: 'required',
    apply: (v) => {
      const versions = parseVersions(v as string);
      // None at all are all of them, whatever else would restrict them.
      s.anyVersion = versions === 0;
      s.versions = s.anyVersion ? ALL_VERSIONS : versions;
    },
  };
}

/** --user, which is looked at before the options behind it. */
function userOption(row: OptionSpec, d: DaemonSettings): OptionSpec {
  const apply: OptionSpec['apply'] = (value, program) => {
    row.apply?.(value, program);
    checkUser(value!, d.pidfile);
  };
  return { ...row, apply };
}

/** All options, in the peer's order. */
function optionTable(s: Settings, d: DaemonSettings = defaultDaemonSettings()): OptionSpec[] {
  const daemon = shared(daemonOptions(d)).map((row) => (row.name === 'user' ? userOption(row, d) : row));
  const isSocket = (row: OptionSpec): boolean => row.name === 'unixctl';
  return [
    ...firstOptions(s),
    ...daemon.filter(isSocket),
    { name: 'help', short: 'h', apply: () => exitEarly(helpText()) },
    ...otherOptions(s),
    ...daemon.filter((row) => !isSocket(row)),
    {
      name: 'version',
      short: 'V',
      apply: () => exitEarly([versionLine(NAME), ...VERSION_LINES, ''].join('\n')),
    },
    protocolsOption(s),
    ...shared(vlogOptions),
    ...shared(SSL_OPTIONS),
  ];
}

function defaultSettings(): Settings {
  return {
    versions: 1 << OF10,
    anyVersion: false,
    protocols: PROTO_ANY,
    strict: false,
    readOnly: false,
    readd: false,
    pcap: false,
    bundle: false,
    mayCreate: false,
    color: 'never',
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
  if (settings.bundle) settings.versions = bundleVersions(settings.versions);
  const byVersion = protocolsOfVersions(settings.versions);
  if ((settings.protocols & byVersion) === 0) {
    throw new FatalError(
      `None of the enabled OpenFlow versions (${versionNames(settings.versions)}) supports any of the enabled flow formats (${formatProtocols(settings.protocols)}).  (Use -O to enable additional OpenFlow versions or -F to enable additional flow formats.)`,
    );
  }
  settings.protocols &= byVersion;
  if (!settings.anyVersion) settings.versions &= versionsOfProtocols(settings.protocols);
  return new OfctlContext(settings, startTimeout(settings.timeout));
}

/** Unlike the other tools, the peer's ovs-ofctl says on the console that it normalized a match. */
function tellInformation(): void {
  setProgramModules(MODULES);
  setLevels(null, 'console', 'info');
}

/**
 * Has texts be byte text from here on: what is given and what comes from switches is repeated as it is.
 *
 * @returns what ends that.
 */
function beginByteText(): () => void {
  useByteText(true);
  writeByteText(true);
  const writer = setConsoleWriter(writeStderr);
  return () => {
    useByteText(false);
    writeByteText(false);
    setConsoleWriter(writer);
  };
}

/**
 * Runs a command other than monitor and snoop, within the process: what it prints goes to standard output.
 *
 * @param args byte text, as is what is printed.
 * @returns the exit status. @throws FatalError, EarlyExit
 */
export async function runCommand(args: string[]): Promise<number> {
  tellInformation();
  const settings = defaultSettings();
  const daemon = defaultDaemonSettings();
  const line = parseCommandLine(
    {
      name: NAME,
      options: optionTable(settings, daemon),
      order: 'permute',
    },
    args,
  );
  const context = settle(settings);
  if (daemon.user !== null) {
    becomeUser({
      spec: daemon.user,
      pidfile: daemon.pidfile,
      usesNetwork: false,
      inherited: false,
      giveFiles: ({ uid, gid }) => chownLogFile(uid, gid),
    });
  }
  const name = line.operands[0];
  const { spec, args: words } = findCommand(COMMANDS, line.operands);
  if (name === 'help') throw new EarlyExit(helpText());
  if (settings.readOnly && (spec as OfctlCommand).writes) {
    throw new FatalError(`'${spec.name}' command does not work in read only mode`);
  }
  try {
    return (await spec.run(context, words)) ?? 0;
  } finally {
    context.closeAll();
  }
}

/**
 * Closes standard output, for a process that goes to the background: what it printed while it started is all there is,
 * and who reads it waits for the end.
 */
function letGoOfStdout(): void {
  fs.closeSync(1);
  // The lowest number that is free, which is 1.
  fs.openSync(os.devNull, 'w');
}

/**
 * Runs monitor or snoop, which obey a control socket and can go to the background.
 *
 * @param words the operands, as byte text.
 */
async function runMonitor(
  command: 'monitor' | 'snoop',
  args: string[],
  words: readonly string[],
): Promise<void> {
  // Other commands are spared the time that this takes to load.
  const { runDaemon } = await import('@ovs-node/common/daemon');
  const settings = defaultSettings();
  let awaited: Awaited | undefined;
  tellInformation();
  return runDaemon(
    {
      name: NAME,
      options: [
        ...firstOptions(settings),
        ...otherOptions(settings),
        protocolsOption(settings),
        ...SSL_OPTIONS,
      ],
      help: helpText,
      versionLines: VERSION_LINES,
      logModule: null,
      keepsStdout: true,
      keepsStderr: true,
      tellsMemory: false,
      unixctlFailure: 'failed to create unixctl server',
      check: (line) => void findCommand(COMMANDS, line.operands),
      prepare: async () => {
        const endByteText = beginByteText();
        awaited = await prepareMonitor(settle(settings), command, words);
        // The files of a daemon have names in Unicode.
        endByteText();
      },
      start: async ({ unixctl, exit }) => {
        beginByteText();
        const running = awaited!.print(unixctl, exit);
        if (process.connected) letGoOfStdout();
        return running;
      },
    },
    args,
  );
}

/** The operands among `args`, as far as they can be read without minding what the options say. */
function operandsOf(args: readonly string[]): readonly string[] {
  const walk = parseOptions(args, optionTable(defaultSettings()), 'permute');
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
  const given = commandLineWords(args);
  const [command, ...words] = operandsOf(given);
  if (command === 'monitor' || command === 'snoop') return runMonitor(command, args, words);
  beginByteText();
  return runTool(NAME, runCommand, { args: given, lostOutput: 'told' });
}
