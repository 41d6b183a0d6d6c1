/**
 * Answers drawn by lot, the same for whoever asks the same: replies of the kind that is asked for and others, whole and
 * spoilt, with parts and transaction ids as they should be and not.
 */
import { generate, KINDS } from '@ovs-node/openflow/testkit/diff-run';
import { spoil } from '@ovs-node/openflow/testkit/mutate';
import { Random } from '@ovs-node/openflow/testkit/random';
import { OfError } from '@ovs-node/openflow/errors';
import { decodeMessage } from '@ovs-node/openflow/messages/codec';
import { type Answers, type Request, TYPE } from './unruly-switch.js';

/** The kind of message that answers a request; undefined: none does. */
function answerKind({ bytes }: Request): string | undefined {
  const decoded = decodeMessage(bytes);
  if (decoded instanceof OfError) return undefined;
  const { msg } = decoded;
  if (msg.type === 'multipart_request') return `reply:${msg.request.type}`;
  return msg.type.endsWith('_request') ? msg.type.replace(/_request$/, '_reply') : undefined;
}

/** Long ones cost time and show no more. */
const LONGEST = 4000;

function draw(r: Random, kind: string, version: number): Uint8Array | undefined {
  for (let tries = 0; tries < 5; tries++) {
    const bytes = generate(r, kind, version);
    if (bytes && bytes.length < LONGEST) return bytes;
  }
  return undefined;
}

function setXid(bytes: Uint8Array, xid: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(xid, 4);
  return copy;
}

const isMultipart = (bytes: Uint8Array): boolean =>
  bytes[1] === (bytes[0] === 1 ? 17 : 19) && bytes.length >= 12;

/** A switch whose answers are drawn from `seed`. How many connections there were before counts, too. */
export function randomAnswers(seed: number): Answers {
  let connections = 0;
  return (q) => {
    if (q.index < 0) {
      connections++;
      return [];
    }
    // Nobody expects an answer to these.
    if (q.type === TYPE.ECHO_REPLY || q.type === TYPE.ERROR) return [];
    const r = new Random(seed * 1009 + connections * 101 + q.index);
    const kind = answerKind(q);
    const out: (Buffer | 'end')[] = [];
    const one = (wanted: string | undefined, isBad: boolean, more: boolean): void => {
      const bytes = draw(r, wanted ?? r.pick(KINDS), q.version);
      if (!bytes) return;
      const message = Buffer.from(
        isBad ? spoil(r, bytes, draw(r, r.pick(KINDS), q.version) ?? bytes) : bytes,
      );
      if (r.chance(0.97)) message[0] = q.version;
      if (isMultipart(message)) message[11] = more ? message[11] | 1 : message[11] & ~1;
      out.push(setXid(message, r.chance(wanted === undefined ? 0.2 : 0.9) ? q.xid : r.u32()));
    };
    while (r.chance(0.3)) one(undefined, r.chance(0.3), false);
    if (kind === undefined) {
      if (r.chance(0.1)) out.push(q.error(r.below(20), r.below(20)));
    } else {
      while (r.chance(0.3)) one(r.chance(0.9) ? kind : undefined, r.chance(0.1), true);
      if (r.chance(0.15)) out.push(q.error(r.below(20), r.below(20)));
      else one(kind, r.chance(0.25), false);
    }
    // What is awaited comes or the end does.
    if (kind !== undefined) {
      if (r.chance(0.05)) out.push('end');
      else out.push(setXid(draw(r, kind, q.version) ?? q.say(TYPE.ECHO_REPLY), q.xid));
      const last = out.at(-1)!;
      if (last !== 'end' && isMultipart(last)) last[11] &= ~1;
    }
    return out;
  };
}
