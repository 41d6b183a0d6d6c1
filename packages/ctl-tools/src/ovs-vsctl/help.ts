/** `ovs-vsctl --help`: the commands and options, each with what it is for. */
import { defaultDbRemote } from '@ovs-node/common/dirs';
import { streamHelp } from '@ovs-node/common/stream-options';
import { vlogHelp } from '@ovs-node/common/vlog-options';
import { vswitchSchema } from 'ovsdb-client/vswitch/schema';
import { RECORD_NAMES } from './records.js';

/** A command's words and explanation, and the column of the latter where it is not its group's. */
type Row = readonly [words: string, what: string, column?: number];
/** A group of commands: title, rows, and the column of the explanations. */
type Group = readonly [title: string, rows: readonly Row[], column?: number];

const GROUPS: readonly Group[] = [
  [
    'Open vSwitch commands:',
    [
      ['init', 'initialize database, if not yet initialized'],
      ['show', 'print overview of database contents'],
      ['emer-reset', 'reset configuration to clean state'],
    ],
  ],
  [
    'Bridge commands:',
    [
      ['add-br BRIDGE', 'create a new bridge named BRIDGE'],
      ['add-br BRIDGE PARENT VLAN', 'create new fake BRIDGE in PARENT on VLAN'],
      ['del-br BRIDGE', 'delete BRIDGE and all of its ports'],
      ['list-br', 'print the names of all the bridges'],
      ['br-exists BRIDGE', 'exit 2 if BRIDGE does not exist'],
      ['br-to-vlan BRIDGE', 'print the VLAN which BRIDGE is on'],
      ['br-to-parent BRIDGE', 'print the parent of BRIDGE'],
      ['br-set-external-id BRIDGE KEY VALUE', 'set KEY on BRIDGE to VALUE'],
      ['br-set-external-id BRIDGE KEY', 'unset KEY on BRIDGE'],
      ['br-get-external-id BRIDGE KEY', 'print value of KEY on BRIDGE'],
      ['br-get-external-id BRIDGE', 'list key-value pairs on BRIDGE', 27],
    ],
  ],
  [
    'Port commands (a bond is considered to be a single port):',
    [
      ['list-ports BRIDGE', 'print the names of all the ports on BRIDGE'],
      ['add-port BRIDGE PORT', 'add network device PORT to BRIDGE'],
      ['add-bond BRIDGE PORT IFACE...', 'add bonded port PORT in BRIDGE from IFACES'],
      ['del-port [BRIDGE] PORT', 'delete PORT (which may be bonded) from BRIDGE'],
      ['port-to-br PORT', 'print name of bridge that contains PORT'],
    ],
  ],
  [
    'Interface commands (a bond consists of multiple interfaces):',
    [
      ['list-ifaces BRIDGE', 'print the names of all interfaces on BRIDGE'],
      ['iface-to-br IFACE', 'print name of bridge that contains IFACE'],
    ],
  ],
  [
    'Controller commands:',
    [
      ['get-controller BRIDGE', 'print the controllers for BRIDGE'],
      ['del-controller BRIDGE', 'delete the controllers for BRIDGE'],
      ['[--inactivity-probe=MSECS]', ''],
      ['set-controller BRIDGE TARGET...', 'set the controllers for BRIDGE'],
      ['get-fail-mode BRIDGE', 'print the fail-mode for BRIDGE'],
      ['del-fail-mode BRIDGE', 'delete the fail-mode for BRIDGE'],
      ['set-fail-mode BRIDGE MODE', 'set the fail-mode for BRIDGE to MODE'],
    ],
    27,
  ],
  [
    'Manager commands:',
    [
      ['get-manager', 'print the managers'],
      ['del-manager', 'delete the managers'],
      ['[--inactivity-probe=MSECS]', ''],
      ['set-manager TARGET...', 'set the list of managers to TARGET...'],
    ],
    27,
  ],
  [
    'SSL commands:',
    [
      ['get-ssl', 'print the SSL configuration'],
      ['del-ssl', 'delete the SSL configuration'],
      ['set-ssl PRIV-KEY CERT CA-CERT', 'set the SSL configuration'],
    ],
  ],
  [
    'Auto Attach commands:',
    [
      ['add-aa-mapping BRIDGE I-SID VLAN', 'add Auto Attach mapping to BRIDGE'],
      ['del-aa-mapping BRIDGE I-SID VLAN', 'delete Auto Attach mapping VLAN from BRIDGE'],
      ['get-aa-mapping BRIDGE', 'get Auto Attach mappings from BRIDGE'],
    ],
    35,
  ],
  ['Switch commands:', [['emer-reset', 'reset switch to known good state']]],
  [
    'Database commands:',
    [
      ['list TBL [REC]', 'list RECord (or all records) in TBL'],
      ['find TBL CONDITION...', 'list records satisfying CONDITION in TBL'],
      ['get TBL REC COL[:KEY]', 'print values of COLumns in RECord in TBL'],
      ['set TBL REC COL[:KEY]=VALUE', 'set COLumn values in RECord in TBL'],
      ['add TBL REC COL [KEY=]VALUE', 'add (KEY=)VALUE to COLumn in RECord in TBL'],
      ['remove TBL REC COL [KEY=]VALUE', 'remove (KEY=)VALUE from COLumn'],
      ['clear TBL REC COL', 'clear values from COLumn in RECord in TBL'],
      ['create TBL COL[:KEY]=VALUE', 'create and initialize new record'],
      ['destroy TBL REC', 'delete RECord from TBL'],
      ['wait-until TBL REC [COL[:KEY]=VALUE]', 'wait until condition is true'],
    ],
  ],
];

const OPTIONS = (): string => `
Options:
  --db=DATABASE               connect to DATABASE
                              (default: ${defaultDbRemote()})
  --no-wait                   do not wait for ovs-vswitchd to reconfigure
  --retry                     keep trying to connect to server forever
  -t, --timeout=SECS          wait at most SECS seconds for ovs-vswitchd
  --dry-run                   do not commit changes to database
  --oneline                   print exactly one line of output per command

Output formatting options:
  -f, --format=FORMAT         set output formatting to FORMAT
                              ("table", "html", "csv", or "json")
  -d, --data=FORMAT           set table cell output formatting to
                              FORMAT ("string", "bare", or "json")
  --no-headings               omit table heading row
  --pretty                    pretty-print JSON in output
  --bare                      equivalent to "--format=list --data=bare --no-headings"
`;

/** The whole text. */
export function helpText(): string {
  const groups = GROUPS.map(([title, rows, column = 28]) => {
    const lines = rows.map(([words, what, at = column]) => {
      if (what === '') return `  ${words}`;
      return `  ${words.length < at ? words.padEnd(at) : `${words}  `}${what}`;
    });
    return `\n${title}\n${lines.join('\n')}\n`;
  });
  return [
    'ovs-vsctl: ovs-vswitchd management utility\nusage: ovs-vsctl [OPTIONS] COMMAND [ARG...]\n',
    ...groups,
    'Potentially unsafe database commands require --force option.\n',
    'Database commands may reference a row in each table in the following ways:\n',
    recordNames(),
    OPTIONS(),
    vlogHelp('ovs-vsctl'),
    '  --no-syslog             equivalent to --verbose=vsctl:syslog:warn\n\n',
    streamHelp('database', { active: true, passive: true, bootstrap: true, ssl: true }),
    '\nOther options:\n  -h, --help                  display this help message\n  -V, --version               display version information\n',
  ].join('');
}

function recordNames(): string {
  const lines: string[] = [];
  for (const table of [...vswitchSchema().tables.keys()].sort()) {
    lines.push(`  ${table}:`, '    by UUID');
    for (const way of RECORD_NAMES) {
      if (way.table !== table) continue;
      if (way.nameTable === undefined) lines.push('    as "."');
      else if (way.refColumn === undefined) lines.push(`    by "${way.nameColumn}"`);
      else lines.push(`    via "${way.refColumn}" of ${way.nameTable} with matching "${way.nameColumn}"`);
    }
  }
  return `${lines.join('\n')}\n`;
}
