/** `ovs-ofctl --help`: the commands from their table, and the options, each with what it is for. */
import { daemonHelp } from '@ovs-node/common/daemon-options';
import { streamHelp } from '@ovs-node/common/stream-options';
import { vlogHelp } from '@ovs-node/common/vlog-options';
import { COMMANDS, type HelpGroup, type HelpLine } from './commands.js';

const INTRODUCTION =
  'ovs-ofctl: OpenFlow switch management utility\nusage: ovs-ofctl [OPTIONS] COMMAND [ARG...]\n';

/** The commands in the order of the help, which goes by use; those of the table that have lines there. */
const ORDER = [
  'show dump-desc dump-tables dump-table-features dump-table-desc mod-port mod-table get-frags set-frags dump-ports',
  'dump-ports-desc dump-flows dump-aggregate queue-stats add-flow add-flows mod-flows del-flows replace-flows',
  'diff-flows packet-out monitor snoop add-group add-groups mod-group del-groups insert-buckets remove-buckets',
  'dump-group-features dump-groups dump-group-stats queue-get-config add-meter mod-meter del-meters dump-meters',
  'meter-stats meter-features add-tlv-map del-tlv-map dump-tlv-map dump-ipfix-bridge dump-ipfix-flow ct-flush-zone',
  'ct-flush probe ping benchmark ofp-parse ofp-parse-pcap',
]
  .join(' ')
  .split(' ');

const OPTIONS: readonly HelpLine[] = [
  ['--strict', 'use strict match for flow commands'],
  ['--read-only', 'do not execute read/write commands'],
  ['--readd', "replace flows that haven't changed"],
  ['-F, --flow-format=FORMAT', 'force particular flow format'],
  ['-P, --packet-in-format=FRMT', 'force particular packet in format'],
  ['-m, --more', 'be more verbose printing OpenFlow'],
  ['--timestamp', '(monitor, snoop) print timestamps'],
  ['-t, --timeout=SECS', 'give up after SECS seconds'],
  ['--sort[=field]', 'sort in ascending order'],
  ['--rsort[=field]', 'sort in descending order'],
  ['--names', 'show port names instead of numbers'],
  ['--no-names', 'show port numbers, but not names'],
  ['--unixctl=SOCKET', 'set control socket name'],
  ['--color[=always|never|auto]', 'control use of color in output'],
  ['-h, --help', 'display this help message'],
  ['-V, --version', 'display version information'],
];

const VERSION_OPTIONS = `
OpenFlow version options:
  -V, --version           display version information
  -O, --protocols         set allowed OpenFlow versions
                          (default: OpenFlow10, OpenFlow11, OpenFlow12, OpenFlow13, OpenFlow14, OpenFlow15)
`;

const WORDS_WIDTH = 27;

/** Words that fill their column have the rest two blanks behind them; words that end a line have it on the next. */
function line([words, what]: HelpLine): string {
  if (what === '') return `  ${words}\n`;
  if (words.endsWith('\n')) return `  ${words}${' '.repeat(3 + WORDS_WIDTH)}${what}\n`;
  return `  ${words.length > WORDS_WIDTH ? `${words} ` : words.padEnd(WORDS_WIDTH)} ${what}\n`;
}

function group(name: HelpGroup): string {
  const rows = ORDER.map((command) => COMMANDS.find((row) => row.name === command)?.help);
  return rows
    .flatMap((help) => (help?.[0] === name ? (help.slice(1) as HelpLine[]) : []))
    .map(line)
    .join('');
}

/** The whole text. */
export function helpText(): string {
  return (
    `${INTRODUCTION}\nFor OpenFlow switches:\n${group('switch')}` +
    `\nFor OpenFlow switches and controllers:\n${group('controller')}` +
    'SWITCH or TARGET is an active OpenFlow connection method.\n' +
    `\nOther commands:\n${group('other')}` +
    `\n${streamHelp('OpenFlow', { active: true, defaultPort: 6653 })}` +
    `${daemonHelp('ovs-ofctl')}${VERSION_OPTIONS}${vlogHelp('ovs-ofctl')}` +
    `\nOther options:\n${OPTIONS.map(line).join('')}`
  );
}
