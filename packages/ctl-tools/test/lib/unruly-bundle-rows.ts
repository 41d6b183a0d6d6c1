/** Switches that answer the messages of a bundle otherwise than they were asked. */
import type { Row } from './unruly-rows.js';
import { type Answers, type Oddity, type Request, TYPE } from './unruly-switch.js';

const FLOWS = [
  '-O OpenFlow13 --bundle --no-names add-flow @ actions=drop',
  '-O OpenFlow14 --bundle --no-names add-flow @ actions=drop',
];
const COMMANDS = [
  ...FLOWS,
  '-O OpenFlow15 --bundle --no-names add-group @ group_id=1,type=all',
  '-O OpenFlow14 --bundle --no-names replace-flows @ /dev/null',
  '-O OpenFlow14 --no-names bundle @ /dev/null',
  '-O OpenFlow14 --no-names bundle @ bundled',
  '-O OpenFlow14 --bundle --no-names add-flows @ flows',
];

/** OpenFlow 1.3 has bundles as an extension, ONF's. */
const ONF = '4f4e4600';
const ONF_CONTROL = '000008fc';
const ONF_ADD = '000008fd';
const CONTROL = 33;
const ADD = 34;

/** Where the bundle's own part of a message begins; undefined: it is of no bundle. */
function bodyAt({ bytes, version, type }: Request): number | undefined {
  if (version > 4) return type === CONTROL || type === ADD ? 8 : undefined;
  return type === TYPE.EXPERIMENTER && bytes.toString('hex', 8, 12) === ONF ? 16 : undefined;
}

const isAdd = ({ bytes, version, type }: Request): boolean =>
  version > 4 ? type === ADD : bytes.toString('hex', 12, 16) === ONF_ADD;

/** A control message with `body`. */
const saying = (q: Request, body: string, odd: Oddity = {}): Buffer =>
  q.version > 4 ? q.say(CONTROL, body, odd) : q.say(TYPE.EXPERIMENTER, ONF + ONF_CONTROL + body, odd);

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');

/** A control message: by default the reply to `q`. */
export function control(
  q: Request,
  { id = 0, plus = 1, flags = 3 } = {},
  rest = '',
  odd: Oddity = {},
): Buffer {
  const kind = q.bytes.readUInt16BE(bodyAt(q)! + 4);
  return saying(q, hex(id, 8) + hex(kind + plus, 4) + hex(flags, 4) + rest, odd);
}

const KIND = { open: 0, commit: 4, discard: 6 } as const;
type Step = keyof typeof KIND | 'add' | 'barrier';

function stepOf(q: Request): Step | undefined {
  if (q.isBarrier) return 'barrier';
  const at = bodyAt(q);
  if (at === undefined) return undefined;
  if (isAdd(q)) return 'add';
  const kind = q.bytes.readUInt16BE(at + 4);
  return (Object.keys(KIND) as (keyof typeof KIND)[]).find((step) => KIND[step] === kind);
}

type Saying = (q: Request) => readonly (Buffer | 'end')[];
/** Answers some steps by `odd`, the others well. */
export const bundle =
  (odd: Partial<Record<Step, Saying>>): Answers =>
  (q) => {
    if (q.index < 0) return [];
    const step = stepOf(q);
    const saying = step && odd[step];
    if (saying) return saying(q);
    if (step === 'barrier') return [q.barrierReply()];
    if (step === 'add' || step === undefined) return q.stats === undefined ? [] : [q.part(q.stats)];
    return [control(q)];
  };

const OTHER = 0x7777;
/** OFPET_BUNDLE_FAILED, out of bundles. */
const NO_BUNDLE = [17, 2] as const;

/** What may come in place of the reply to a control message. */
const REPLIES: readonly (readonly [what: string, answer: Saying])[] = [
  ['with another id', (q) => [control(q, { id: 1 })]],
  ['with other flags', (q) => [control(q, { flags: 0xffff })]],
  ['with the request', (q) => [control(q, { plus: 0 })]],
  ['with the reply to something else', (q) => [control(q, { plus: 3 })]],
  ['with a control message of no type', (q) => [control(q, { plus: 95 })]],
  ['with another id and type', (q) => [control(q, { id: 1, plus: 3 })]],
  ['with a reply that is too short', (q) => [saying(q, '00000000')]],
  ['with a reply that is too long', (q) => [control(q, {}, '0000000000000000')]],
  ['with a property of ONF', (q) => [control(q, {}, 'ffff000c4f4e460000000000 00000000')]],
  ['with a barrier reply', (q) => [q.barrierReply()]],
  ['with an echo reply', (q) => [q.say(TYPE.ECHO_REPLY, '6162')]],
  ['with a message of a bundle', (q) => [q.say(ADD, `00000000 00000003 ${'00'.repeat(4)}${hex(q.xid, 8)}`)]],
  ['with a message of no type', (q) => [q.say(99, '00')]],
  ['with ports', (q) => [q.part(13)]],
  ['with an error', (q) => [q.error(...NO_BUNDLE)]],
  ['with an error that is none', (q) => [q.error(200, 1)]],
  ['with an error that is too short', (q) => [q.say(TYPE.ERROR, '0011')]],
  ['with an error of something else', (q) => [q.error(...NO_BUNDLE, { xid: OTHER }), control(q)]],
  ['with an error of something else that is none', (q) => [q.error(200, 1, { xid: OTHER }), control(q)]],
  ['behind an error and badly', (q) => [q.error(...NO_BUNDLE, { xid: OTHER }), control(q, { id: 1 })]],
  ['with another transaction id first', (q) => [control(q, {}, '', { xid: OTHER }), control(q)]],
  ['twice, first badly', (q) => [control(q, { id: 1 }), control(q)]],
  ['by hanging up', () => ['end']],
  ['behind an error by hanging up', (q) => [q.error(...NO_BUNDLE, { xid: OTHER }), 'end']],
];

/** Refuses what was put into the bundle, the first message twice, when it is asked whether all has been seen to. */
const refusing = (): Answers => {
  let added: Request[] = [];
  return bundle({
    open: (q) => {
      added = [];
      return [control(q)];
    },
    add: (q) => {
      added.push(q);
      return [];
    },
    barrier: (q) => [
      ...[...added, ...added.slice(0, 1)].map((add) => add.error(1, 1)),
      ...added.map((add) => add.error(200, 1)),
      q.barrierReply(),
    ],
  });
};

/** What may come in place of the reply to the barrier before the end of a bundle. */
const BARRIERS: readonly (readonly [what: string, answer: Saying])[] = [
  ['with an error', (q) => [q.error(1, 1)]],
  ['with an error of something else first', (q) => [q.error(1, 1, { xid: OTHER }), q.barrierReply()]],
  ['with the reply to something else', (q) => [saying(q, `00000000${hex(5, 4)}0003`)]],
  ['with a message of no type', (q) => [q.say(99)]],
  ['with a barrier reply that is too long', (q) => [q.say(21, '00')]],
];

/** What files are in the folder that the commands are run in. */
export const BUNDLE_FILES = {
  bundled: 'flow add in_port=1,actions=2\ngroup add group_id=1,type=all\n',
  flows: `in_port=1,actions=2\nin_port=2,actions=${'1,'.repeat(40)}1\n`,
};

export const BUNDLE_ROWS: readonly Row[] = [
  { what: 'takes a bundle', commands: COMMANDS, answers: bundle({}) },
  {
    what: 'answers the open of a bundle with a message of another version',
    commands: FLOWS.slice(0, 1),
    answers: bundle({ open: (q) => [control(q, {}, '', { version: 2 })] }),
  },
  { what: 'refuses each message of a bundle', commands: COMMANDS, answers: refusing() },
  ...(['open', 'commit'] as const).flatMap((step) =>
    REPLIES.map(([what, answer]) => ({
      what: `answers the ${step} of a bundle ${what}`,
      commands: FLOWS,
      answers: bundle({ [step]: answer }),
    })),
  ),
  // The peer does not survive a second error of no message of the bundle.
  ...REPLIES.filter(([what]) => !/an error( of something else)?$|behind an error/.test(what)).map(
    ([what, answer]) => ({
      what: `answers the discard of a bundle ${what}`,
      commands: FLOWS.slice(1),
      answers: bundle({ barrier: (q) => [q.error(1, 1, { xid: OTHER }), q.barrierReply()], discard: answer }),
    }),
  ),
  ...BARRIERS.map(([what, answer]) => ({
    what: `answers the barrier of a bundle ${what}`,
    commands: FLOWS,
    answers: bundle({ barrier: answer }),
  })),
];
