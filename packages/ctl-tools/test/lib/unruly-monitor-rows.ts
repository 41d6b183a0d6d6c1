/** What switches say to monitors while they set up, and of names to those who print them. */
import { answering, good, type Row } from './unruly-rows.js';
import { type Request, TYPE } from './unruly-switch.js';

const VERSIONS = ['OpenFlow10', 'OpenFlow11', 'OpenFlow13', 'OpenFlow15'];
const inAll = (commands: readonly string[]): string[] =>
  VERSIONS.flatMap((version) => commands.map((command) => `-O ${version} ${command}`));

/** Statistics of flow monitors, which are an extension up to OpenFlow 1.2. */
const isWatch = (q: Request): boolean => q.stats === 0xffff || q.stats === 16;
const updates = (q: Request): Buffer =>
  q.part(q.stats!, q.stats === 16 ? '' : `0000232000000002${q.version === 1 ? '00000000' : ''}`);

/** What tells a monitor to set up, as the switch that it is said by makes it. */
const SET_PACKET_IN_FORMAT = 16;
const SET_FLOW_FORMAT = 12;
const asks = (q: Request, subtype: number): boolean =>
  q.type === TYPE.EXPERIMENTER && q.bytes.readUInt32BE(12) === subtype;
/** The last request of one that sets up, which a barrier ends. */
const setUp = (q: Request, last: number): readonly (Buffer | 'end')[] =>
  q.isBarrier && q.index >= last ? [good(q), q.say(TYPE.ECHO_REPLY), packetIn(q), 'end'] : [good(q)];

/** A packet that came in at port 1. */
function packetIn(q: Request): Buffer {
  const packet = '00'.repeat(42);
  if (q.version === 1) return q.say(10, `ffffffff002a00010000${packet}`, { xid: 0 });
  const match = '0001000c800000040000000100000000';
  return q.say(10, `ffffffff002a0100${q.version < 4 ? '' : '0'.repeat(16)}${match}0000${packet}`, { xid: 0 });
}

const NAME = Buffer.from('p1').toString('hex').padEnd(32, '0');
/** Ports of which 1 has a name. */
function ports(q: Request): Buffer {
  if (q.type === 5) {
    const port = q.version === 1 ? `00010a0000000001${NAME}${'00'.repeat(24)}` : '';
    return q.say(6, `${'00'.repeat(8)}0000010001000000${'00'.repeat(8)}${port}`);
  }
  const is14 = q.version >= 5;
  const speeds = is14 ? `00000020${'00'.repeat(28)}` : '00'.repeat(24);
  const head = is14 ? '0000000100480000' : '0000000100000000';
  return q.part(13, `${head}0a00000000010000${NAME}${'00'.repeat(8)}${speeds}`);
}
const asksPorts = (q: Request): boolean => q.stats === 13 || (q.type === 5 && q.version === 1);

/** NXT_PACKET_IN2 with properties: a packet, more of them, and a continuation. */
const packetIn2 = (q: Request, more = '', continuation = '', packet = '00'.repeat(14)): Buffer =>
  q.say(TYPE.EXPERIMENTER, `000023200000001e${property(0, packet)}${more}${continuation}`, { xid: 0 });

/** A property with its padding; `length` is what it says of itself. */
function property(type: number, body: string, length = 4 + body.length / 2): string {
  const text = [type, length].map((n) => n.toString(16).padStart(4, '0')).join('') + body;
  return text.padEnd(Math.ceil(text.length / 16) * 16, '0');
}
const CONTINUATION = 8;
const TABLE_ID = 4;

/** Packets of which some wait, and some cannot be read. */
const waiting = (q: Request): readonly Buffer[] => [
  packetIn2(q, '', property(CONTINUATION, '00000000')),
  packetIn2(q, property(TABLE_ID, '05'), property(CONTINUATION, '000000000102030405060708')),
  packetIn2(q, '', property(CONTINUATION, '')),
  packetIn2(q, '', property(CONTINUATION, '00')),
  packetIn2(q, '', property(CONTINUATION, '00000000', 2)),
  packetIn2(q, property(TABLE_ID, '')),
  packetIn2(q, property(0x700, '01'), property(CONTINUATION, '0000000001020304')),
  q.say(TYPE.EXPERIMENTER, `000023200000001e${property(TABLE_ID, '05')}`, { xid: 0 }),
  q.say(10, '00'.repeat(11), { xid: 0 }),
  q.say(TYPE.ECHO_REPLY),
];

export const MONITOR_ROWS: readonly Row[] = [
  {
    what: 'has packets that wait',
    // Log lines would begin within the line that tells of what cannot be read.
    options: ['-t', '5', '-vconsole:off'],
    commands: inAll(['monitor @ resume', '-m -m -m monitor @ resume', 'monitor @']),
    answers: answering((q) => (q.isBarrier && q.index !== 2 ? [good(q), ...waiting(q), 'end'] : [good(q)])),
  },
  {
    what: 'has flows watched',
    commands: inAll([
      'monitor @ watch:',
      '-m monitor @ watch:',
      '-m --names monitor @ watch:in_port=1,out_port=2 watch:!initial,table=1',
      '-m -m -m monitor @ watch:!add,ip',
    ]),
    answers: answering((q) => {
      if (isWatch(q)) return [updates(q)];
      return asks(q, SET_PACKET_IN_FORMAT) || q.isBarrier ? setUp(q, 0) : [good(q)];
    }),
  },
  {
    what: 'has no forms of packets',
    commands: inAll([
      'monitor @',
      '-m -m -m monitor @',
      '-P standard monitor @',
      '-P nxt_packet_in monitor @',
      '-P nxt_packet_in2 --names monitor @',
    ]),
    answers: answering((q) =>
      asks(q, SET_PACKET_IN_FORMAT) ? [q.error(1, 2)] : setUp(q, q.version === 1 ? 3 : 1),
    ),
  },
  {
    what: 'has one form of packets',
    commands: ['-O OpenFlow10 monitor @', '-O OpenFlow10 -P nxt_packet_in2 monitor @'],
    answers: answering((q) =>
      asks(q, SET_PACKET_IN_FORMAT) && q.index === 0 ? [q.error(1, 2)] : setUp(q, 3),
    ),
  },
  {
    what: 'has one form of flows',
    commands: ['', '-m -m -m ', '--color=always '].map(
      (more) => `-O OpenFlow10 ${more}--no-names add-flow @ reg0=1,actions=drop`,
    ),
    answers: answering((q) => [asks(q, SET_FLOW_FORMAT) ? q.error(1, 2) : good(q)]),
  },
  {
    what: 'has names for who asks',
    commands: inAll(['--names monitor @', '--names -m monitor @', '--no-names monitor @']),
    answers: answering((q) => (asksPorts(q) ? [ports(q)] : setUp(q, 1))),
  },
  {
    what: 'has no names for who looks on',
    commands: inAll(['--names snoop @', '--no-names snoop @']),
    answers: (q) => (q.index < 0 ? [q.say(TYPE.HELLO), packetIn(q), packetIn(q), 'end'] : [good(q)]),
  },
  {
    what: 'refuses names',
    commands: inAll(['--names monitor @', '--names -m -m monitor @ watch:table=1']),
    answers: answering((q) => {
      if (isWatch(q)) return [updates(q)];
      return asksPorts(q) ? [q.error(1, 1)] : setUp(q, 1);
    }),
  },
  {
    what: 'hangs up on who asks for names',
    commands: inAll(['--names monitor @']),
    answers: answering((q) => (asksPorts(q) ? ['end'] : setUp(q, 1))),
  },
];
