/** What a switch sends to be compared with what another sends, without what differs from one to the other for good reasons. */
import { OfError } from '@ovs-node/openflow/errors';
import { decodeHeader } from '@ovs-node/openflow/messages/codec';

/** Replies that are lists in no order: of hash tables with a random basis, or that have been larger. */
const UNORDERED = /ST_(GROUP|GROUP_DESC|METER|METER_CONFIG|FLOW) reply$/;

/**
 * Messages in hex: the parts of a multipart reply in one, lists without an order sorted, and no ages of ports, which began
 * before time was stopped.
 */
export function comparable(messages: readonly Uint8Array[]): string[] {
  const out: string[] = [];
  let parts: Uint8Array[] = [];
  for (const bytes of messages) {
    const header = decodeHeader(bytes);
    if (header instanceof OfError || header.wire.stats !== 'reply') {
      out.push(Buffer.from(bytes).toString('hex'));
      continue;
    }
    parts.push(bytes.subarray(header.bodyAt));
    if (header.more) continue;
    const body = Buffer.concat(parts);
    parts = [];
    const { name } = header.wire;
    if (name === 'OFPST_PORT reply') forgetAges(body, bytes[0]);
    const items = UNORDERED.test(name)
      ? itemsOf(body, name === 'OFPST_METER reply' ? 4 : 0)
          .map((item) => (isMisaligned(item, bytes[0], name) ? MISALIGNED : item))
          .sort()
      : [body.toString('hex')];
    // The length is that of the last part.
    out.push(
      [bytes.subarray(0, 2), bytes.subarray(4, 8)].map((each) => Buffer.from(each).toString('hex')).join(''),
      name,
      ...items,
    );
  }
  return out;
}

/**
 * Messages that nobody asked for: those of packets by themselves, for they come by way of the datapath; flows that have gone
 * as well, for the peer tells of them some time after; changes of flows in one list, for it is left open how many of them
 * are told in one message.
 */
export function asidesInForm(messages: readonly Uint8Array[]): {
  readonly packets: readonly string[];
  readonly removed: readonly string[];
  readonly updates: string;
  readonly rest: readonly string[];
} {
  const named = messages.map((bytes) => {
    const header = decodeHeader(bytes);
    return { bytes, name: header instanceof OfError ? '' : header.wire.name };
  });
  const hex = (wanted: RegExp): string[] =>
    named.filter(({ name }) => wanted.test(name)).map(({ bytes }) => Buffer.from(bytes).toString('hex'));
  const isUpdate = ({ bytes, name }: (typeof named)[number]): boolean =>
    name.endsWith('FLOW_MONITOR reply') && Buffer.from(bytes).readUInt32BE(4) === 0;
  const updates = named.filter(isUpdate).map(({ bytes }) => {
    const header = decodeHeader(bytes);
    return Buffer.from(bytes.subarray(header instanceof OfError ? 0 : header.bodyAt)).toString('hex');
  });
  const rest = named.filter((each) => !isUpdate(each) && !/PACKET_IN|FLOW_REMOVED/.test(each.name));
  return {
    packets: hex(/PACKET_IN/).map((each) =>
      each.replace(BRIDGE, (_, property: string) => property.padEnd(40, '0')),
    ),
    removed: hex(/FLOW_REMOVED/),
    updates: updates.join(''),
    rest: comparable(rest.map(({ bytes }) => bytes)),
  };
}

/** A flow-removed message without its duration, for flows that go when their time is over: how soon is left open. */
export function forgetDuration(message: Uint8Array): Uint8Array {
  const header = decodeHeader(message);
  const at = header instanceof OfError ? undefined : DURATION_AT[header.wire.key];
  const copy = Buffer.from(message);
  if (at !== undefined) copy.fill(0, at, at + 8);
  // Since OpenFlow 1.5 it is one of a list, whose first it is.
  else if (copy.includes(OXS_DURATION))
    copy.fill(0, copy.indexOf(OXS_DURATION) + 4, copy.indexOf(OXS_DURATION) + 12);
  return copy;
}
const DURATION_AT: Readonly<Record<string, number>> = {
  OFPT10_FLOW_REMOVED: 60,
  NXT_FLOW_REMOVED: 28,
  OFPT11_FLOW_REMOVED: 20,
};
const OXS_DURATION = Buffer.from('80020008', 'hex');

/** A property of a continuation: which bridge it is of, by a number that each run makes anew. */
const BRIDGE = /(80000014)[0-9a-f]{32}/;

/**
 * Flows of OpenFlow 1.0's own statistics with `controller` in its form with properties: the peer pads those to the whole
 * message, in which they stand 4 bytes beside, and nobody can read them, nor can it itself. In all other replies they are
 * compared.
 */
const MISALIGNED = 'a flow whose properties the peer misplaces';
const CONTROLLER_2 = '000023200025';
function isMisaligned(item: string, version: number, name: string): boolean {
  return version === 1 && name === 'OFPST_FLOW reply' && item.includes(CONTROLLER_2);
}

/** Items that each have their length at an offset. */
function itemsOf(body: Buffer, lengthAt: number): string[] {
  const out: string[] = [];
  for (let at = 0; at + 8 <= body.length;) {
    const length = Math.max(8, body.readUInt16BE(at + lengthAt));
    out.push(body.toString('hex', at, at + length));
    at += length;
  }
  return out;
}

function forgetAges(body: Buffer, version: number): void {
  if (version < 4) return;
  for (let at = 0; at + 16 <= body.length;) {
    const age = version === 4 ? at + 104 : at + 8;
    body.fill(0, age, age + 8);
    at += version === 4 ? 112 : Math.max(16, body.readUInt16BE(at));
  }
}
