/** `ovs-ofctl --help`: the commands and options, each with what it is for. */
import { streamHelp } from '@ovs-node/common/stream-options';
import { vlogHelp } from '@ovs-node/common/vlog-options';

type Entries = readonly (readonly [words: string, what: string])[];

const GROUPS: readonly (readonly [title: string, entries: Entries])[] = [
  [
    'For OpenFlow switches:',
    [
      ['show SWITCH', 'show OpenFlow information'],
      ['dump-desc SWITCH', 'print switch description'],
      ['dump-tables SWITCH', 'print table stats'],
      ['mod-port SWITCH IFACE ACT', 'modify port behavior'],
      ['get-frags SWITCH', 'print fragment handling behavior'],
      ['set-frags SWITCH FRAG_MODE', 'set fragment handling behavior'],
      ['dump-ports SWITCH [PORT]', 'print port statistics'],
      ['dump-ports-desc SWITCH [PORT]', 'print port descriptions'],
      ['dump-flows SWITCH', 'print all flow entries'],
      ['dump-flows SWITCH FLOW', 'print matching FLOWs'],
      ['dump-aggregate SWITCH', 'print aggregate flow statistics'],
      ['dump-aggregate SWITCH FLOW', 'print aggregate stats for FLOWs'],
      ['queue-stats SWITCH [PORT [QUEUE]]', 'dump queue stats'],
      ['add-flow SWITCH FLOW', 'add flow described by FLOW'],
      ['add-flows SWITCH FILE', 'add flows from FILE'],
      ['mod-flows SWITCH FLOW', 'modify actions of matching FLOWs'],
      ['del-flows SWITCH [FLOW]', 'delete matching FLOWs'],
      ['packet-out SWITCH IN_PORT ACTIONS PACKET...', 'execute ACTIONS on PACKET'],
      ['monitor SWITCH [MISSLEN] [invalid_ttl]', 'print packets received from SWITCH'],
      ['snoop SWITCH', 'snoop on SWITCH and its controller'],
    ],
  ],
  [
    'For OpenFlow switches and controllers:',
    [
      ['probe TARGET', 'probe whether TARGET is up'],
      ['ping TARGET [N]', 'latency of N-byte echos'],
    ],
  ],
  ['Other commands:', [['ofp-parse FILE', 'print messages read from FILE']]],
];

const OPTIONS: Entries = [
  ['-O, --protocols', 'set allowed OpenFlow versions (default: OpenFlow10)'],
  ['--strict', 'use strict match for flow commands'],
  ['--read-only', 'do not execute read/write commands'],
  ['-F, --flow-format=FORMAT', 'force particular flow format'],
  ['-P, --packet-in-format=FRMT', 'force particular packet in format'],
  ['-m, --more', 'be more verbose printing OpenFlow'],
  ['--timestamp', '(monitor, snoop) print timestamps'],
  ['-t, --timeout=SECS', 'give up after SECS seconds'],
  ['--sort[=field]', 'sort in ascending order'],
  ['--rsort[=field]', 'sort in descending order'],
  ['--names', 'show port names instead of numbers'],
  ['--no-names', 'show port numbers, but not names'],
  ['-h, --help', 'display this help message'],
  ['-V, --version', 'display version information'],
];

function lines(entries: Entries): string {
  return entries.map(([words, what]) => `  ${words.padEnd(27)} ${what}\n`).join('');
}

/** The whole text. */
export function helpText(): string {
  let out = 'ovs-ofctl: OpenFlow switch management utility\nusage: ovs-ofctl [OPTIONS] COMMAND [ARG...]\n';
  for (const [title, entries] of GROUPS) {
    out += `\n${title}\n${lines(entries)}`;
    if (title.includes('controllers')) out += 'SWITCH or TARGET is an active OpenFlow connection method.\n';
  }
  out += `\n${streamHelp('OpenFlow', { active: true, defaultPort: 6653 })}${vlogHelp('ovs-ofctl')}`;
  return `${out}\nOther options:\n${lines(OPTIONS)}`;
}
