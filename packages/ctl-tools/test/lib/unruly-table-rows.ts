/** Switches that say of their tables what they should not. */
import { answering, byte, good, type Row, word } from './unruly-rows.js';
import type { Answers, Request } from './unruly-switch.js';

/** Features of a table that can do nothing; `length` is what the entry says of itself. */
const table = (id: number, { name = '', length = 64, properties = '' } = {}): string =>
  `${word(length)}${byte(id)}${'00'.repeat(5)}${Buffer.from(name).toString('hex').padEnd(64, '0')}${'00'.repeat(24)}${properties}`;
const FEATURES_OF_TABLES = [
  '-O OpenFlow13 dump-table-features @',
  '-O OpenFlow15 dump-table-features @',
  '-O OpenFlow13 mod-table @ t0 name:x',
  '-O OpenFlow13 --names dump-flows @',
  '-O OpenFlow13 add-flow @ table=t0,actions=drop',
];
const TABLE_FEATURES = 12;
/** Answers of tables' features, each for one request; other requests get good ones. */
const tablesIn = (parts: (q: Request) => readonly (Buffer | 'end')[]): Answers =>
  answering((q) => (q.stats === TABLE_FEATURES && q.bytes.length === 16 ? parts(q) : [good(q)]));

/** The configuration of a table; bit 2 of `config` is eviction, bit 3 vacancy events. */
const desc = (id: number, config: number, properties = ''): string =>
  `${word(8 + properties.length / 2)}${byte(id)}00${word(0)}${word(config)}${properties}`;
const LIFETIME = '0002000800000004';
const VACANCY = '000300080a140500';
const MOD_TABLES = ['evict', 'noevict', 'vacancy:10,20', 'novacancy'].flatMap((setting) => [
  `-O OpenFlow14 --no-names mod-table @ 1 ${setting}`,
  `-O OpenFlow15 --no-names mod-table @ ALL ${setting}`,
]);
const MOD_ONE_TABLE = [
  '-O OpenFlow14 --no-names mod-table @ 1 evict',
  '-O OpenFlow14 --no-names mod-table @ 1 vacancy:10,20',
  '-O OpenFlow15 --no-names mod-table @ 1 noevict',
];
const TABLE_DESC = 14;
/** Of so many messages that the log drops some, which is a matter of time; what is sent is compared all the same. */
const QUIET = ['-t', '5'];

const GOOD = desc(1, 12, LIFETIME + VACANCY);
/** Bodies of the parts of a description of which something cannot be read. */
const BAD_DESCS: readonly (readonly [what: string, bodies: readonly string[]])[] = [
  ['twice', [desc(1, 4, '0002000800000001') + desc(1, 8, VACANCY)]],
  ['twice in parts', [desc(1, 4, '0002000800000001'), desc(1, 8, VACANCY)]],
  ['of another type behind it', [GOOD + 'ff']],
  ['that begin too short', ['0004' + GOOD, GOOD]],
  ['that begin with length 0', ['0000000000000000' + GOOD]],
  ['that begin too long', [`00400100${'00'.repeat(4)}`, GOOD]],
  ['that begin with half of one', ['000801', GOOD]],
  ['that end with half of one', [desc(2, 4) + '0008', GOOD]],
  ['with a length that is odd', [`${word(12)}01000000000000000000`, GOOD]],
  ['with a strange property', [desc(1, 12, `${LIFETIME}00f0000800000000${VACANCY}`)]],
  ['with a strange property in another', [desc(2, 12, `00f0000800000000${VACANCY}`) + GOOD]],
  ['with a strange property in another in parts', [desc(2, 12, `00f0000800000000${VACANCY}`), GOOD]],
  ['with a property that is too long', [desc(1, 12, `${LIFETIME}0003001000000000`)]],
  ['with a property that is too long in another', [desc(2, 12, `${LIFETIME}0003001000000000`) + GOOD]],
  [
    'with a property that is too long in another before all others',
    [desc(2, 12, `${LIFETIME}0003001000000000`), GOOD],
  ],
  [
    'with a property that is too long in another behind all others',
    [desc(3, 0), desc(2, 12, `${VACANCY}0003001000000000`)],
  ],
  ['with a property that is too short', [desc(1, 12, `${LIFETIME}0003000200000000`)]],
  ['with a property of length 0', [desc(1, 12, `${LIFETIME}0003000000000000`)]],
  ['with an eviction that is too short', [desc(1, 12, `${VACANCY}0002000400000000`)]],
  ['with an eviction that is too long', [desc(1, 12, `${VACANCY}0002000c000000040000000000000000`)]],
  ['with a vacancy that is too short', [desc(1, 12, `${LIFETIME}0003000400000000`)]],
  ['with an eviction of strange flags', [desc(1, 12, `${VACANCY}00020008fffffff8`)]],
  ['with a vacancy that is none', [desc(1, 12, `${LIFETIME}00030008ff0aff00`)]],
  ['with properties twice', [desc(1, 12, `${LIFETIME}${VACANCY}0002000800000001000300081e281400`)]],
  ['with an experimenter', [desc(1, 12, `${LIFETIME}ffff000c000023200000000100000000`)]],
  ['with a configuration of strange bits', [desc(1, 0xffff, LIFETIME + VACANCY)]],
  ['with eviction and no flags', [desc(1, 4)]],
  ['with flags and no eviction', [desc(1, 0, LIFETIME + VACANCY)]],
  ['with vacancy events and no limits', [desc(1, 8)]],
  ['with padding that is not zero', [desc(1, 4, LIFETIME).replace('010000', '01ff00')]],
  ['of a table behind one that has other properties', [desc(0, 12, LIFETIME + VACANCY) + desc(1, 0)]],
];
/** What comes in place of a description. */
const OTHER_ANSWERS: readonly (readonly [what: string, answer: (q: Request) => readonly Buffer[]])[] = [
  ['with an error', (q) => [q.error(1, 1)]],
  ['with an error that is none', (q) => [q.error(200, 1)]],
  [
    'with an error of something else first',
    (q) => [q.error(1, 1, { xid: 0x7777 }), q.part(TABLE_DESC, GOOD)],
  ],
  ['with a barrier reply', (q) => [q.barrierReply()]],
  ['with a message of no type', (q) => [q.say(99, '00')]],
  ['with statistics of another kind', (q) => [q.part(0, '00'.repeat(1056))]],
  ['with statistics of no kind', (q) => [q.part(99, '00')]],
  ['with features', (q) => [q.part(TABLE_FEATURES, table(1))]],
  ['with less than a header of statistics', (q) => [q.say(19, '000e')]],
  ['and then with an error', (q) => [q.part(TABLE_DESC, GOOD, { more: true }), q.error(1, 1)]],
  ['and then with something else', (q) => [q.part(TABLE_DESC, GOOD, { more: true }), q.part(13)]],
  [
    'and then of another transaction',
    (q) => [
      q.part(TABLE_DESC, desc(2, 4), { more: true }),
      q.part(TABLE_DESC, desc(1, 4), { xid: 0x7777 }),
      q.part(TABLE_DESC, GOOD),
    ],
  ],
  ['twice', (q) => [q.part(TABLE_DESC, GOOD), q.part(TABLE_DESC, desc(1, 0))]],
];
const descsIn = (parts: (q: Request) => readonly Buffer[]): Answers =>
  answering((q) => (q.stats === TABLE_DESC ? parts(q) : [good(q)]));

export const TABLE_ROWS: readonly Row[] = [
  {
    what: 'has tables in parts',
    commands: FEATURES_OF_TABLES,
    answers: tablesIn((q) => [
      q.part(TABLE_FEATURES, table(0, { name: 't0' }) + table(1), { more: true }),
      q.part(TABLE_FEATURES, table(2) + table(3)),
    ]),
  },
  {
    what: 'has tables in parts and then an error',
    commands: FEATURES_OF_TABLES,
    answers: tablesIn((q) => [
      q.part(TABLE_FEATURES, table(0, { name: 't0' }) + table(1), { more: true }),
      q.error(1, 1),
    ]),
  },
  {
    what: 'has tables in parts and then something else',
    commands: FEATURES_OF_TABLES,
    answers: tablesIn((q) => [
      q.part(TABLE_FEATURES, table(0, { name: 't0' }) + table(1), { more: true }),
      q.part(0, '00'.repeat(1056)),
    ]),
  },
  {
    what: 'has tables in parts and then one of no type',
    commands: FEATURES_OF_TABLES,
    answers: tablesIn((q) => [q.part(TABLE_FEATURES, table(0, { name: 't0' }), { more: true }), q.say(99)]),
  },
  {
    what: 'says tables twice, in the wrong order',
    commands: FEATURES_OF_TABLES,
    answers: tablesIn((q) => [
      q.part(TABLE_FEATURES, table(7) + table(0, { name: 't0' }), { more: true }),
      q.part(TABLE_FEATURES, table(9), { more: true, xid: 0x5555 }),
      q.part(TABLE_FEATURES, table(0, { name: 't0' }) + table(7), { more: true }),
      q.part(TABLE_FEATURES, table(0, { name: 't0' })),
    ]),
  },
  {
    what: 'hangs up amid tables',
    commands: FEATURES_OF_TABLES,
    answers: tablesIn((q) => [
      q.part(TABLE_FEATURES, table(0, { name: 't0' }) + table(1), { more: true }),
      'end',
    ]),
  },
  ...[
    ['too short', table(1, { length: 56 })],
    ['too long', table(1, { length: 72 })],
    ['of an odd length', table(1, { length: 66 })],
    ['of length 0', table(1, { length: 0 })],
    ['of all tables', table(255)],
    ['with a strange property', table(1, { length: 72, properties: '00f0000800000000' })],
    ['with a property that is too long', table(1, { length: 72, properties: '0000001000000000' })],
    ['with a property of length 0', table(1, { length: 72, properties: '0000000000000000' })],
    ['with a strange action', table(1, { length: 72, properties: '0004000800770004' })],
    ['with a strange field', table(1, { length: 72, properties: '0008000877770004' })],
    ['with a command', `004001ff${table(1).slice(8)}`],
  ].map(([what, entry]) => ({
    what: `has a table ${what}`,
    commands: FEATURES_OF_TABLES,
    answers: tablesIn((q) => [
      q.part(TABLE_FEATURES, table(0, { name: 't0' }) + entry + table(2, { name: 't2' })),
    ]),
  })),
  {
    what: 'tells the configuration of two tables',
    options: QUIET,
    commands: MOD_TABLES,
    answers: descsIn((q) => [q.part(TABLE_DESC, desc(1, 4, LIFETIME) + desc(3, 12, LIFETIME + VACANCY))]),
  },
  {
    what: 'tells the configuration of two tables in parts',
    options: QUIET,
    commands: MOD_TABLES,
    answers: descsIn((q) => [
      q.part(TABLE_DESC, desc(3, 12, LIFETIME + VACANCY), { more: true }),
      q.part(TABLE_DESC, desc(1, 4, LIFETIME)),
    ]),
  },
  {
    what: 'tells the configuration of other tables',
    options: QUIET,
    commands: MOD_TABLES,
    answers: descsIn((q) => [q.part(TABLE_DESC, desc(0, 4, LIFETIME) + desc(3, 12, LIFETIME + VACANCY))]),
  },
  {
    what: 'tells the configuration of no table',
    commands: MOD_TABLES,
    answers: descsIn((q) => [q.part(TABLE_DESC)]),
  },
  ...BAD_DESCS.map(([what, bodies]) => ({
    what: `tells the configuration of tables ${what}`,
    commands: MOD_ONE_TABLE,
    answers: descsIn((q) =>
      bodies.map((body, i) => q.part(TABLE_DESC, body, { more: i + 1 < bodies.length })),
    ),
  })),
  ...OTHER_ANSWERS.map(([what, answer]) => ({
    what: `answers who asks for the configuration of tables ${what}`,
    commands: MOD_ONE_TABLE,
    answers: descsIn(answer),
  })),
];
