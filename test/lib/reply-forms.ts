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
      ? itemsOf(body, name === 'OFPST_METER reply' ? 4 : 0).sort()
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
