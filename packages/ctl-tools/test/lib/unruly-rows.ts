/** What unruly switches say, and to which command lines. */
import { type Answers, type Oddity, type Request, TYPE } from './unruly-switch.js';

/** What a switch says to `commands`, where `@` is the switch. */
export interface Row {
  readonly what: string;
  readonly commands: readonly string[];
  readonly answers: Answers;
  /** By default those that show the conversation. */
  readonly options?: readonly string[];
  /** Only these lines are compared of what is printed. */
  readonly lines?: RegExp;
}

const OTHER = 0x7777;
const HEX = {
  portStatus10: `02${'00'.repeat(7)}${'00'.repeat(48)}`,
};
const PACKET_IN = 10;
const PORT_STATUS = 12;

/** Asides that are no answer to anything. */
const asides = (q: Request): Buffer[] => [
  q.say(TYPE.ECHO_REQUEST, '6162', { xid: OTHER }),
  q.say(PORT_STATUS, HEX.portStatus10, { xid: 0 }),
  q.say(TYPE.ECHO_REPLY, '', { xid: OTHER }),
  q.error(1, 1, { xid: OTHER }),
  q.barrierReply({ xid: OTHER }),
  q.say(TYPE.HELLO, '', { xid: OTHER }),
  q.say(77, '', { xid: OTHER }),
  q.say(PACKET_IN, '00', { xid: 0 }),
];

const FEATURES10 = `${'00'.repeat(8)}00000100 01 000000 00000087 00000fff`;
const FEATURES = `${'00'.repeat(8)}00000100 01 00 0000 00000047 00000000`;
const CONFIG = '00000080';
/** Bodies of multipart replies that may not be empty, by their kind. */
const GOOD_BODIES: Readonly<Record<number, string>> = {
  0: '00'.repeat(1056),
  2: '00'.repeat(24),
  8: '00'.repeat(40),
  11: '00'.repeat(16),
  12: `0040${'00'.repeat(62)}`,
};

/** A good answer to what is asked. */
export function good(q: Request): Buffer {
  if (q.isBarrier) return q.barrierReply();
  if (q.type === (q.version === 1 ? 20 : 22)) return q.say(q.type + 1, '0000000100000000');
  // NXT_TLV_TABLE_REQUEST; other requests of vendors have no reply.
  if (q.type === TYPE.EXPERIMENTER && q.bytes.readUInt32BE(12) === 25)
    return q.say(TYPE.EXPERIMENTER, `000023200000001a${'00'.repeat(16)}`);
  if (q.type === TYPE.ECHO_REQUEST) return q.say(TYPE.ECHO_REPLY, q.bytes.subarray(8).toString('hex'));
  if (q.type === 5) return q.say(6, q.version === 1 ? FEATURES10 : FEATURES);
  if (q.type === 7) return q.say(8, CONFIG);
  if (q.stats !== undefined) return q.part(q.stats, GOOD_BODIES[q.stats] ?? '');
  return Buffer.alloc(0);
}

/** Command lines for a switch in any version. */
const IN_ALL: readonly string[] = [
  'show @',
  'dump-desc @',
  'dump-tables @',
  'get-frags @',
  'set-frags @ drop',
  'dump-ports @',
  'dump-ports @ p1',
  'dump-ports-desc @',
  'dump-flows @',
  '--no-stats dump-flows @',
  '--names dump-flows @',
  'dump-aggregate @',
  '--no-names add-flow @ actions=drop',
  'add-flow @ actions=drop',
  'mod-port @ p1 up',
  'probe @',
  'replace-flows @ -',
  'diff-flows @ /dev/null',
  'queue-stats @',
  'queue-get-config @ 1',
  'dump-tlv-map @',
  'dump-ipfix-bridge @',
  'dump-ipfix-flow @',
  'dump-groups @',
  'dump-group-stats @',
  'dump-group-features @',
  'benchmark @ 5 3',
];

/** Command lines of later versions. */
const LATER: readonly string[] = [
  '-O OpenFlow13 dump-meters @',
  '-O OpenFlow13 meter-stats @',
  '-O OpenFlow13 meter-features @',
  '-O OpenFlow13 dump-table-features @',
  '-O OpenFlow15 dump-table-features @',
  '-O OpenFlow14 dump-table-desc @',
  '-O OpenFlow14 mod-table @ 0 evict',
  '-O OpenFlow13 mod-table @ 0 name:x',
  '-O OpenFlow15 mod-table @ 0 name:x',
  '-O OpenFlow11 mod-table @ 0 drop',
  '-O OpenFlow13 --no-names add-group @ group_id=1,type=all',
  '-O OpenFlow14 --bundle --no-names add-flow @ actions=drop',
];

const VERSIONS = ['OpenFlow10', 'OpenFlow11', 'OpenFlow12', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15'];

export const COMMANDS: readonly string[] = [
  ...IN_ALL,
  ...IN_ALL.map((command) => `-O OpenFlow13 ${command}`),
  ...LATER,
];

/** Every command in every version. */
export const ALL_COMMANDS: readonly string[] = [
  ...VERSIONS.flatMap((version) => IN_ALL.map((command) => `-O ${version} ${command}`)),
  ...LATER,
];

/** Monitors, and the index of the last request that they set up with. */
const MONITORS = ['monitor @', '-O OpenFlow13 monitor @', '-O OpenFlow15 monitor @', 'monitor -m @'];
const LAST_OF_SETUP = 1;
const SNOOPS = ['snoop @', '-O OpenFlow13 snoop @'];
/** Tells a monitor, once it is set up, or a snoop from the start, what `what` is, and hangs up. */
const telling = (what: string, messages: (q: Request) => readonly Buffer[]): readonly Row[] => [
  {
    what: `tells a monitor ${what}`,
    commands: MONITORS,
    answers: answering((q) => {
      if (q.index < LAST_OF_SETUP) return [];
      return q.index === LAST_OF_SETUP ? [q.barrierReply(), ...messages(q), 'end'] : [];
    }),
  },
  {
    what: `tells a snoop ${what}`,
    commands: SNOOPS,
    answers: (q) => (q.index < 0 ? [q.say(TYPE.HELLO), ...messages(q), 'end'] : []),
  },
];
/** All errors that one message may name, and some that none may. */
const ERROR_TYPES = 20;
const ERROR_CODES = 12;
const EXPERIMENTER_ERROR = 0xffff;

/** Answers to what is asked; nothing to what is sent back. */
export const answering =
  (answer: (q: Request) => readonly (Buffer | 'end')[]): Answers =>
  (q) =>
    q.index < 0 || q.type === TYPE.ECHO_REPLY || q.type === TYPE.ERROR ? [] : answer(q);

/** Numbers in hexadecimal. */
export const byte = (n: number): string => n.toString(16).padStart(2, '0');
export const word = (n: number): string => n.toString(16).padStart(4, '0');

const STATS_VENDOR = 0xffff;
const IPFIX = { bridge: '00002320 00000003', flow: '00002320 00000004' };
const counters = (n: number, id: number): string =>
  `${Array.from({ length: 10 }, (_, i) => (n + i).toString(16).padStart(16, '0')).join('')}${id.toString(16).padStart(8, '0')}00000000`;
const IPFIX_COMMANDS = ['OpenFlow10', 'OpenFlow13', 'OpenFlow15'].flatMap((version) =>
  ['bridge', 'flow'].map((what) => `-O ${version} dump-ipfix-${what} @`),
);
const ipfix = (q: Request, body: string, odd: Oddity = {}): Buffer => {
  const subtype = q.bytes.readUInt32BE(q.version === 1 ? 16 : 20);
  return q.part(
    STATS_VENDOR,
    `00002320${subtype.toString(16).padStart(8, '0')}${q.version === 1 ? '00000000' : ''}${body}`,
    odd,
  );
};

/** What is answered to echoes and is no echo. */
const WRONG_ECHOES: readonly (readonly [what: string, answer: (q: Request) => readonly Buffer[]])[] = [
  ['an error', (q) => [q.error(1, 1)]],
  ['something else', (q) => [q.barrierReply()]],
  ['nothing', (q) => [q.say(TYPE.ECHO_REPLY)]],
  ['other bytes', (q) => [q.say(TYPE.ECHO_REPLY, '0102030405')]],
  ['more bytes', (q) => [q.say(TYPE.ECHO_REPLY, `${q.bytes.subarray(8).toString('hex')}00`)]],
  ['less bytes', (q) => [q.say(TYPE.ECHO_REPLY, q.bytes.subarray(9).toString('hex'))]],
  ['messages of no type', (q) => [q.say(99, '00')]],
  ['messages that are too short', (q) => [q.say(TYPE.ERROR, '00')]],
  [
    'those of others first',
    (q) => [q.error(1, 1, { xid: OTHER }), q.say(TYPE.ECHO_REPLY, '01', { xid: OTHER }), good(q)],
  ],
];
const ECHOES = ['benchmark @ 5 2', 'probe @', '-O OpenFlow13 benchmark @ 0 2'];

export const ROWS: readonly Row[] = [
  {
    what: 'has statistics of IPFIX',
    commands: IPFIX_COMMANDS,
    answers: answering((q) => (q.stats === undefined ? [good(q)] : [ipfix(q, counters(1, 5))])),
  },
  {
    what: 'has statistics of IPFIX in parts',
    commands: IPFIX_COMMANDS,
    answers: answering((q) =>
      q.stats === undefined
        ? [good(q)]
        : [ipfix(q, counters(1, 5), { more: true }), ipfix(q, counters(100, 9))],
    ),
  },
  {
    what: 'has several statistics of IPFIX',
    commands: IPFIX_COMMANDS,
    answers: answering((q) =>
      q.stats === undefined ? [good(q)] : [ipfix(q, counters(2 ** 32, 5) + counters(1, 0xffffffff))],
    ),
  },
  {
    what: 'has no statistics of IPFIX',
    commands: IPFIX_COMMANDS,
    answers: answering((q) => (q.stats === undefined ? [good(q)] : [ipfix(q, '')])),
  },
  {
    what: 'cuts statistics of IPFIX off',
    commands: IPFIX_COMMANDS,
    answers: answering((q) => (q.stats === undefined ? [good(q)] : [ipfix(q, counters(1, 5).slice(0, -16))])),
  },
  {
    what: 'answers with other statistics of IPFIX',
    commands: IPFIX_COMMANDS,
    answers: answering((q) =>
      q.stats === undefined
        ? [good(q)]
        : [
            q.part(
              STATS_VENDOR,
              `${IPFIX.flow.replaceAll(' ', '')}${q.version === 1 ? '00000000' : ''}${counters(1, 5)}`,
            ),
          ],
    ),
  },
  {
    what: 'says much before the answer',
    commands: COMMANDS,
    answers: answering((q) => [...asides(q), good(q)]),
  },
  {
    what: 'says much behind the answer',
    commands: COMMANDS,
    answers: answering((q) => [good(q), ...asides(q)]),
  },
  {
    what: 'says much with the hello',
    commands: COMMANDS,
    answers: (q) => (q.index < 0 ? [q.say(0), ...asides(q)] : q.type === TYPE.ECHO_REPLY ? [] : [good(q)]),
  },
  {
    what: 'answers twice',
    commands: COMMANDS,
    answers: answering((q) => [good(q), good(q)]),
  },
  ...WRONG_ECHOES.map(([what, answer]) => ({
    what: `answers echoes with ${what}`,
    commands: ECHOES,
    answers: answering(answer),
  })),
  ...WRONG_ECHOES.map(([what, answer]) => ({
    what: `answers pings with ${what}`,
    commands: ['ping @ 5', 'ping @ 1', '-O OpenFlow13 ping @'],
    answers: answering(answer),
    // Of messages that do not match, the peer prints pieces of its memory, and warns of what they are not.
    options: ['-t', '4', '-vofp_msgs:off'],
    lines: /^(Reply does not match request|\d+ bytes from).*/,
  })),
  {
    what: 'answers two echoes and hangs up',
    commands: ['ping @ 5', 'benchmark @ 5 4'],
    answers: answering((q) => (q.index < 2 ? [good(q)] : ['end'])),
  },
  {
    what: 'has always more to say',
    commands: ['-O OpenFlow13 dump-table-features @', '-O OpenFlow13 dump-groups @', 'dump-ports @'],
    answers: answering((q) => [q.part(q.stats!, '', { more: true })]),
  },
  {
    what: 'answers in another version',
    commands: COMMANDS.slice(0, 6),
    answers: answering((q) => [q.say(6, '', { version: 2 }), q.barrierReply({ version: 3 }), good(q)]),
  },
  ...telling('types that there are not', (q) =>
    [30, 77, 255].flatMap((type) => [q.say(type), q.say(type, '00'.repeat(20))]),
  ),
  ...telling('messages that are too short', (q) =>
    Array.from({ length: 36 }, (_, type) => q.say(type, '00'.repeat(type % 5))),
  ),
  ...telling('messages of other versions', (q) =>
    [0, 1, 2, 4, 6, 7, 0x99].flatMap((version) => [
      q.say(TYPE.ECHO_REQUEST, '6162', { version }),
      q.say(PACKET_IN, '', { version }),
      q.say(99, '', { version }),
      q.error(1, 1, { version }),
    ]),
  ),
  ...telling('hellos with strange elements', (q) =>
    ['', '0001000800000010', '0001000400000000', '0002000800000000', '00010000', '000100080000', 'ff'].map(
      (body) => q.say(TYPE.HELLO, body),
    ),
  ),
  ...telling('errors of every type', (q) =>
    Array.from({ length: ERROR_TYPES * ERROR_CODES }, (_, i) =>
      q.error(Math.floor(i / ERROR_CODES), i % ERROR_CODES),
    ).concat(
      q.say(TYPE.ERROR, '00'),
      q.say(TYPE.ERROR, `${word(EXPERIMENTER_ERROR)}0001`),
      q.say(TYPE.ERROR, `${word(EXPERIMENTER_ERROR)}000100002320${'00'.repeat(8)}`),
      q.say(TYPE.ERROR, `b0c200000000232000010208${'00'.repeat(8)}`),
    ),
  ),
  ...telling('half a message', (q) => [q.say(PACKET_IN, '00', { length: 60 })]),
  ...telling('a length that is less than that of a header', (q) => [q.say(PACKET_IN, '', { length: 7 })]),
  ...telling('barrier replies and echoes', (q) => [q.barrierReply(), ...asides(q)]),
];
