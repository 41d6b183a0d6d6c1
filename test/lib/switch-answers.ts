/**
 * The same OpenFlow messages, good and bad, to two switches: what each answers and sends by itself, byte for byte, and
 * whether it keeps the connection.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { decodeHeader, decodeMessage, encodeMessage } from '@ovs-node/openflow/messages/codec';
import { OfError } from '@ovs-node/openflow/errors';
import type { Action } from '@ovs-node/openflow/actions/types';
import { ALL_TABLES, type OfMessage } from '@ovs-node/openflow/messages/types';
import { generate, KINDS } from '@ovs-node/openflow/testkit/diff-run';
import { flowMod } from '@ovs-node/openflow/testkit/requests';
import { spoil } from '@ovs-node/openflow/testkit/mutate';
import { asidesInForm } from './reply-forms.js';
import { Random } from '@ovs-node/openflow/testkit/random';
import { type Answer, errorName, nameOf, Talk } from './talk.js';

/** The types of ICMP that conntrack knows an answer to. */
const ANSWERED_ICMP = [0, 8, 13, 14, 15, 16];

/** What the peer's daemon dies or hangs by, if `msg` is that. Ours is to take it. */
function poisonIn(msg: OfMessage): string | undefined {
  switch (msg.type) {
    case 'ct_flush': {
      const { ipProto, orig } = msg.flush;
      const isIcmp = ipProto === 1 || ipProto === 58;
      return isIcmp && orig.src !== 0n && orig.dst !== 0n && !ANSWERED_ICMP.includes(orig.icmpType)
        ? 'flushing the connection of an ICMP type that has no answer ends the peer'
        : undefined;
    }
    case 'group_mod':
      return msg.groupMod.command === 'insert_bucket' && msg.groupMod.buckets.length === 0
        ? 'inserting no buckets into a group makes the peer hang'
        : undefined;
    case 'multipart_request': {
      if (msg.request.type !== 'flow_monitor') return undefined;
      const isUsed = new Set<number>();
      for (const { id, command } of msg.request.monitors) {
        if (command === 'delete' && isUsed.has(id))
          return 'a flow monitor that begins and ends in one request is used after it has been freed';
        isUsed.add(id);
      }
      return undefined;
    }
    case 'packet_out':
      return isUncovered(msg.packetOut.actions)
        ? 'taking the label of encap(mpls) off again by decap ends the peer'
        : undefined;
    default:
      return undefined;
  }
}

const MPLS: readonly number[] = [0x8847, 0x8848];
/** Whether decap finds what encap(mpls) put on. */
function isUncovered(actions: readonly Action[]): boolean {
  const outside: number[] = [];
  for (const action of actions) {
    if (action.type === 'encap') outside.push(action.packetType & 0xffff);
    else if (action.type === 'decap' && MPLS.includes(outside.pop() ?? 0)) return true;
    else if (action.type === 'clone' && isUncovered(action.actions)) return true;
  }
  return false;
}

/** What the peer does not survive once a packet comes to it: bundles by an algorithm, or over fields, without a name. */
function isDeadly(actions: readonly Action[]): boolean {
  return actions.some((action) => {
    if (action.type === 'bundle' || action.type === 'bundle_load')
      return typeof action.algorithm === 'number' || typeof action.fields === 'number';
    return (action.type === 'clone' || action.type === 'write_actions') && isDeadly(action.actions);
  });
}

/**
 * Whether a flow of table 0 ends with a look-up in table 0, which finds the flow again: how often is a matter of when a
 * datapath gives up, and of what it has of that flow by then.
 */
function goesRound(msg: OfMessage): boolean {
  if (msg.type !== 'flow_mod') return false;
  const { tableId, actions } = msg.flowMod;
  const last = actions.at(-1)?.type;
  return (tableId === 0 || tableId === ALL_TABLES) && (last === 'decap' || last === 'debug_recirc');
}

/** The actions that a message leaves in the switch, or has it carry out. */
function actionsIn(msg: OfMessage): readonly Action[] {
  switch (msg.type) {
    case 'packet_out':
      return msg.packetOut.actions;
    case 'flow_mod':
      return msg.flowMod.actions;
    case 'group_mod':
      return msg.groupMod.buckets.flatMap(({ actions }) => actions);
    default:
      return [];
  }
}

/** Our datapath has no helpers for connections yet: packets that ask for one end there. */
const asksForHelper = (actions: readonly Action[]): boolean =>
  actions.some((a) => (a.type === 'ct' && a.alg !== 0) || (a.type === 'clone' && asksForHelper(a.actions)));

/** Why a message is not for the peer: it would not survive it, or answers from beside the message. */
export function poison(message: Uint8Array, { errors }: Answer): string | undefined {
  if (nameOf(message).endsWith('FLOW_MONITOR request') && errors.length > 0)
    return 'the error of a bad flow monitor request quotes what is behind it, which may end the peer';
  const decoded = decodeMessage(message);
  return decoded instanceof OfError ? undefined : poisonIn(decoded.msg);
}

/**
 * Whether a message is for neither switch: the peer would die by it and it leaves traces, now or in a bundle, or as one of
 * several parts; or it is a packet-out that our datapath cannot carry out; or a flow that packets go through without end.
 */
export function isForNeither(message: Uint8Array): boolean {
  const known = decodeHeader(message);
  if (!(known instanceof OfError) && known.more && known.wire.name.endsWith('FLOW_MONITOR request'))
    return true;
  const decoded = decodeMessage(message);
  if (decoded instanceof OfError) return false;
  const { msg } = decoded;
  if (msg.type !== 'bundle_add')
    return isDeadly(actionsIn(msg)) || goesRound(msg) || (leavesTraces(msg) && isBad(msg));
  const inner = decodeMessage(msg.message);
  if (inner instanceof OfError) return false;
  return isDeadly(actionsIn(inner.msg)) || goesRound(inner.msg) || isBad(inner.msg);
}

const isBad = (msg: OfMessage): boolean =>
  poisonIn(msg) !== undefined || (msg.type === 'packet_out' && asksForHelper(msg.packetOut.actions));

/** Whether a message that is sent to ours alone makes it another switch than the peer's. */
const leavesTraces = ({ type }: OfMessage): boolean => type === 'multipart_request' || type === 'packet_out';

/** The answers to a message; none of the peer's where it is not for the peer. */
export async function askBoth(
  peer: Talk,
  ours: Talk,
  message: Uint8Array,
  mark: number,
): Promise<[Answer | undefined, Answer]> {
  const answer = ours.send(message, mark);
  // Most need no look at ours first.
  const isClear = !nameOf(message).endsWith('FLOW_MONITOR request') && poison(message, NOTHING) === undefined;
  const theirs = isClear ? peer.send(message, mark) : undefined;
  const mine = await answer;
  if (theirs) return [await theirs, mine];
  return [poison(message, mine) === undefined ? await peer.send(message, mark) : undefined, mine];
}
const NOTHING: Answer = { errors: [], replies: [], isClosed: false };

/** What differed, by message. */
export interface Comparison {
  readonly sent: number;
  /** To how many both answered with an error. */
  readonly refused: number;
  readonly differences: readonly string[];
}

/** Sends generated messages, spoilt more often than not, to both switches, one by one on a connection per version. */
export async function compareAnswers(
  peer: Suite,
  ours: Suite,
  bridge: string,
  { seed, messages }: { readonly seed: number; readonly messages: number },
): Promise<Comparison> {
  const r = new Random(seed);
  const talks = [1, 2, 3, 4, 5, 6].map(
    (v) => [new Talk(peer, bridge, v), new Talk(ours, bridge, v)] as const,
  );
  const differences: string[] = [];
  const noFlows = flowMod({ command: 'delete', tableId: ALL_TABLES });
  const level = async (): Promise<void> => {
    const delAll = encodeMessage(noFlows, 5, LEVEL_XID);
    await Promise.all(talks[4].map((talk) => talk.send(delAll, LEVEL_XID)));
  };
  let refused = 0;
  let before: Uint8Array = new Uint8Array(8);
  for (let sent = 0; sent < messages;) {
    const version = 1 + r.below(6);
    const valid = generate(r, r.pick(r.chance(0.7) ? REQUESTS : KINDS), version);
    if (!valid || valid.length > LONGEST) continue;
    const message = Uint8Array.from(r.chance(0.6) ? spoil(r, valid, before) : valid);
    before = valid;
    if (r.chance(0.9)) message[0] = version;
    // A length that is less than the header's ends a connection.
    if (r.chance(0.002)) message.set([0, r.below(8)], 2);
    new DataView(message.buffer).setUint32(4, 0x10000000 + ++sent);
    if (isForNeither(message)) continue;
    const [talk, ourTalk] = talks[version - 1];
    const mark = 0xbb000000 + sent;
    const [theirs, mine] = await askBoth(talk, ourTalk, message, mark);
    // The packets that it sends come to controllers before what is next.
    if (MAKES_PACKETS.test(nameOf(message))) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    // What was on its way when a connection ended may or may not have come.
    if (mine.isClosed || theirs?.isClosed === true)
      for (const each of [talk, ourTalk]) each.asides.length = 0;
    if (theirs === undefined) continue;
    if (theirs.errors.length > 0 && mine.errors.length > 0) refused++;
    if (!isDeepStrictEqual(theirs, mine)) differences.push(describe(version, message, theirs, mine));
    // What a packet has taught stays in the peer's tables when a bundle that it is in fails.
    if (theirs.errors.some((hex) => errorName(Buffer.from(hex, 'hex')) === 'OFPBFC_MSG_FAILED'))
      await level();
  }
  // What was under way arrives.
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const [i, pair] of talks.entries()) {
    await Promise.all(pair.map((talk) => talk.send(new Uint8Array(0), i)));
    const [theirs, mine] = pair.map(({ asides }) => {
      const { packets, removed, updates, rest } = asidesInForm(asides);
      return [...packets, ...removed, updates, ...rest];
    });
    differences.push(...without(theirs, mine).map((hex) => `version ${i + 1}: the peer alone sends ${hex}`));
    differences.push(...without(mine, theirs).map((hex) => `version ${i + 1}: ours alone sends ${hex}`));
    for (const talk of pair) talk.close();
  }
  return { sent: messages, refused, differences };
}

const LONGEST = 4000;
const LEVEL_XID = 0xcc000000;
/** What a switch may be asked; the other kinds of messages it sends. */
const REQUESTS = KINDS.filter(
  (kind) =>
    !/^reply:|_reply$|^error$|packet_in$|_removed$|_status$|^requestforward$|_paused$|_resumed$/.test(kind),
);
const MAKES_PACKETS = /PACKET_OUT|BUNDLE_CONTROL|RESUME/;
/** How long packets may be under way, ms. */
const SETTLE_MS = 15;

/** What is in one list more often than in another. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const left = [...other];
  return list.filter((each) => {
    const at = left.indexOf(each);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** A difference, for people. */
export function describe(version: number, message: Uint8Array, theirs: Answer, ours: Answer): string {
  const text = ({ errors, replies, isClosed }: Answer): string => {
    const names = errors.map((hex) => `${errorName(Buffer.from(hex, 'hex'))} ${hex.slice(0, 40)}`);
    return `${[...names, ...replies.map(shortened)].join(', ')}${isClosed ? ' closed' : ''}`;
  };
  // Of long replies that which differs.
  const at = differsAt(theirs.replies.join(), ours.replies.join());
  const shortened = (reply: string): string => (reply.length < 600 ? reply : `${reply.slice(0, 40)}…`);
  const near = ({ replies }: Answer): string => replies.join().slice(Math.max(0, at - 80), at + 120);
  return `version ${version}: ${Buffer.from(message).toString('hex')}\n  peer: ${text(theirs)}\n  ours: ${text(ours)}${at < 0 ? '' : `\n  peer at ${at}: ${near(theirs)}\n  ours at ${at}: ${near(ours)}`}`;
}

function differsAt(a: string, b: string): number {
  if (a === b) return -1;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}
