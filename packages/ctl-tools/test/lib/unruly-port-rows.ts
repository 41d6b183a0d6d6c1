/** Switches that say of their ports what they should not. */
import { answering, byte, good, type Row, word } from './unruly-rows.js';
import type { Request } from './unruly-switch.js';

const PORT_DESC = 13;
const STATISTICS_OF_PORTS = 4;
const VERSIONS = ['OpenFlow10', 'OpenFlow11', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15'];
const COMMANDS = VERSIONS.flatMap((version) => [
  `-O ${version} dump-ports @ p1`,
  `-O ${version} mod-port @ p1 up`,
]);
const ETHERNET = `00000020${'00'.repeat(4)}${'00000001'.repeat(6)}`;

/** A port in the form of a version; `length` is what it says of itself where it says something. */
function port(
  { version }: Request,
  { name = 'p1', number = 1, length = 72, properties = ETHERNET } = {},
): string {
  const address = '0a0000000001';
  const text = Buffer.from(name).toString('hex').padEnd(32, '0');
  const words = '00000000'.repeat(2);
  if (version === 1) return `${word(number & 0xffff)}${address}${text}${words}${'00000001'.repeat(4)}`;
  const no = number.toString(16).padStart(8, '0');
  if (version < 5) return `${no}00000000${address}0000${text}${words}${'00000001'.repeat(6)}`;
  return `${no}${word(length)}0000${address}0000${text}${words}${properties}`;
}

/** What is said before, in place of or behind the port that is asked for. */
const BODIES: readonly (readonly [what: string, body: (q: Request) => string])[] = [
  ...[0, 1, 39, 40, 41, 48, 71, 73, 80, 144, 145, 0xffff].map(
    (length) => [`of length ${length}`, (q: Request) => port(q, { length }) + port(q)] as const,
  ),
  ...[0, 39, 73, 0xffff].map(
    (length) => [`of length ${length} behind it`, (q: Request) => port(q) + port(q, { length })] as const,
  ),
  ...[1, 3, 4, 6, 8, 20, 39, 40, 47, 63, 70].map(
    (bytes) => [`cut off at ${bytes} bytes`, (q: Request) => port(q).slice(0, 2 * bytes)] as const,
  ),
  ['with a number that is none', (q) => port(q, { name: 'p2', number: 0x10000 }) + port(q)],
  ['with a number that is none and length 0', (q) => port(q, { number: 0x10000, length: 0 })],
  ['with a strange property', (q) => port(q, { length: 80, properties: `00f0000800000000${ETHERNET}` })],
  [
    'with a property that is too long',
    (q) => port(q, { properties: `00000100${ETHERNET.slice(8)}` }) + port(q),
  ],
  [
    'with a property that is too short',
    (q) => port(q, { length: 48, properties: '0000000800000000' }) + port(q),
  ],
  ['with a property of length 0', (q) => port(q, { length: 48, properties: '0000000000000000' }) + port(q)],
];

/** OpenFlow 1.0 to 1.2 tell ports along with features. */
const FEATURES = `${'00'.repeat(8)}0000010001000000${'00'.repeat(8)}`;

type Names = readonly (readonly [number: number, name: string])[];
/** Ports, or tables, of which several have a name or a number. */
const NAMES: readonly Names[] = [
  [
    [1, 'p1'],
    [1, 'p1'],
  ],
  [
    [1, 'p1'],
    [2, 'p1'],
    [2, 'p2'],
  ],
  [
    [1, 'p1'],
    [1, 'p2'],
  ],
  [
    [1, 'p1'],
    [1, 'p2'],
    [2, 'p1'],
  ],
  [
    [1, 'p1'],
    [2, 'p1'],
    [1, 'p2'],
  ],
  [
    [1, 'p1'],
    [2, 'p2'],
    [1, 'p2'],
  ],
  [
    [1, ''],
    [1, 'p1'],
    [2, ''],
    [2, 'p2'],
  ],
];
const BY_NAME = [
  '-O OpenFlow10 dump-ports @ p1',
  '-O OpenFlow10 dump-ports @ p2',
  '-O OpenFlow10 --names dump-ports @',
  '-O OpenFlow10 --names add-flow @ table=p1,actions=output:3',
  '-O OpenFlow10 --names add-flow @ table=p2,actions=output:3',
];
const TABLE = 3;
/** The statistics of ports 1 and 2. */
const STATS = [1, 2].map((n) => word(n) + '00'.repeat(102)).join('');
/** What OpenFlow 1.0 says of a table. */
const table = ([id, name]: Names[number]): string =>
  `${byte(id)}000000${Buffer.from(name).toString('hex').padEnd(64, '0')}${'00'.repeat(28)}`;

function namesOf(q: Request, names: Names): Buffer {
  if (q.type === 5)
    return q.say(6, FEATURES + names.map(([number, name]) => port(q, { number, name })).join(''));
  if (q.stats === TABLE) return q.part(TABLE, names.map(table).join(''));
  return q.stats === STATISTICS_OF_PORTS ? q.part(STATISTICS_OF_PORTS, STATS) : good(q);
}

/** What comes behind the part that has the port. */
const REMAINDERS: readonly (readonly [
  what: string,
  messages: (q: Request) => readonly (Buffer | 'end')[],
])[] = [
  ['another port', (q) => [q.part(PORT_DESC, port(q, { name: 'p2', number: 2 }))]],
  ['the same port', (q) => [q.part(PORT_DESC, port(q)), q.part(PORT_DESC, port(q))]],
  ['a port cut off', (q) => [q.part(PORT_DESC, port(q).slice(0, 40))]],
  ['an error', (q) => [q.error(1, 1)]],
  ['something else', (q) => [q.part(STATISTICS_OF_PORTS)]],
  ['another transaction', (q) => [q.part(PORT_DESC, '', { xid: 0x7777 }), q.part(PORT_DESC)]],
  ['nothing', () => ['end']],
];
const CHANGES = ['no-flood', 'stp', 'no-receive-stp', 'no-packet-in', 'no-forward'];

/** What answers requests of every kind and is something else, of which something is wrong that is logged. */
const OTHERS: readonly (readonly [what: string, message: (q: Request) => Buffer])[] = [
  ['a group with a bucket of no length', (q) => q.say(15, `${'00'.repeat(8)}${'00'.repeat(32)}`)],
  // NXT_SET_ASYNC_CONFIG2, with packets for reasons that there are not.
  ['a configuration of no sense', (q) => q.say(4, '000023200000001b000000080000002a')],
  ['statistics of flows that are cut off', (q) => q.part(1, '00'.repeat(20))],
  ['tables that lack what they must have', (q) => q.part(12, `0040${'00'.repeat(62)}`)],
];

export const PORT_ROWS: readonly Row[] = [
  ...OTHERS.map(([what, message]) => ({
    what: `answers with ${what}`,
    commands: [
      ...COMMANDS,
      ...BY_NAME,
      ...['OpenFlow11', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15'].flatMap((version) => [
        `-O ${version} get-frags @`,
        `-O ${version} diff-flows @ /dev/null`,
        `-O ${version} mod-table @ 0 ${version === 'OpenFlow11' ? 'drop' : 'name:x'}`,
        `-O ${version} monitor @ 65`,
      ]),
    ],
    answers: answering((q) => [q.isBarrier ? good(q) : message(q), 'end']),
  })),
  {
    what: 'has a port to change',
    commands: VERSIONS.flatMap((version) => CHANGES.map((word) => `-O ${version} mod-port @ p1 ${word}`)),
    answers: answering((q) => {
      if (q.type === 5) return [q.say(6, `${FEATURES}${q.version < 4 ? port(q) : ''}`)];
      return [q.stats === PORT_DESC ? q.part(PORT_DESC, port(q)) : good(q)];
    }),
  },
  ...REMAINDERS.map(([what, messages]) => ({
    what: `has a port and behind it ${what}`,
    commands: COMMANDS.slice(4),
    answers: answering((q) =>
      q.stats === PORT_DESC ? [q.part(PORT_DESC, port(q), { more: true }), ...messages(q)] : [good(q)],
    ),
  })),
  {
    what: 'has a port of no number',
    commands: [...COMMANDS, '-O OpenFlow13 add-flow @ in_port=p1,actions=output:"p1"'],
    answers: answering((q) => {
      const number = q.version === 1 ? 0xffff : 0xffffffff;
      if (q.type === 5) return [q.say(6, `${FEATURES}${q.version < 4 ? port(q, { number }) : ''}`)];
      return [q.stats === PORT_DESC ? q.part(PORT_DESC, port(q, { number })) : good(q)];
    }),
  },
  ...BODIES.flatMap(([what, body]) => [
    {
      what: `has a port ${what}`,
      commands: COMMANDS,
      answers: answering((q) => [q.stats === PORT_DESC ? q.part(PORT_DESC, body(q)) : good(q)]),
    },
    {
      what: `has a port ${what} among its features`,
      commands: COMMANDS.slice(0, 4),
      answers: answering((q) => [q.type === 5 ? q.say(6, `${FEATURES}${body(q)}`) : good(q)]),
    },
  ]),
  ...NAMES.map((names) => ({
    what: `has ports and tables ${names.map(([number, name]) => `${name}=${number}`).join(', ')}`,
    commands: BY_NAME,
    answers: answering((q) => [namesOf(q, names)]),
  })),
];
