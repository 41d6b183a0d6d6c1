/** What the cases of answer-cases.ts are made of, and what they have in common. */
import { encodeMessage, wireFormOf } from '@ovs-node/openflow/messages/codec';
import type { OfMessage } from '@ovs-node/openflow/messages/types';
import { bundle, bundled, LISTEN, listenTo } from './answer-requests.js';
import { type BothSides, VERSION_NUMBERS } from './both-sides.js';

/** One subject; it is asked in each version, with connections of all versions listening. */
export interface AnswerCase {
  readonly name: string;
  /** By default all. */
  readonly versions?: readonly number[];
  readonly run: (sides: BothSides, version: number) => Promise<void>;
}

/** Sends those of the messages that the version has, one after the other. */
export async function send(sides: BothSides, version: number, ...messages: OfMessage[]): Promise<void> {
  for (const message of messages)
    if (wireFormOf(message, version) !== undefined) await sides.send(version, message);
}

/** A message as the extension of OpenFlow 1.0 has it, in any version. */
export function ofExtension(message: OfMessage, version: number): Uint8Array {
  const format = message.type === 'flow_mod' ? { format: 'nxm' } : {};
  const bytes = encodeMessage({ ...message, ...format } as OfMessage, 1, XID);
  bytes[0] = version;
  return bytes;
}
/** A transaction id of messages that are made in bytes. */
export const XID = 0x20000000;

/** Has all connections ask for what is sent without being asked for. */
export async function listen(sides: BothSides): Promise<void> {
  for (const v of VERSION_NUMBERS) {
    const [packetIn, flowRemoved] = v >= 5 ? [0x3f, 0x3f] : [7, 0xf];
    const others = { portStatus: 7, roleStatus: 7, tableStatus: 0x18, requestForward: 3 };
    await sides.send(v, LISTEN);
    const { errors } = await sides.send(v, listenTo({ packetIn, flowRemoved, ...others }));
    if (errors.length > 0) throw new Error(`version ${v} does not listen`);
  }
}

/** Messages in a bundle that is committed. */
export async function inBundle(
  sides: BothSides,
  version: number,
  messages: readonly OfMessage[],
  flags = 3,
): Promise<void> {
  await sides.send(version, bundle('open_request', flags));
  for (const message of messages) await sides.send(version, bundled(version, message, flags));
  await sides.send(version, bundle('commit_request', flags));
}

export const WITH_BUNDLES = [4, 5, 6] as const;
export const LEARN = 'learn(table=9,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])';
