import test from 'ava';
import { OfError } from '../src/errors.js';
import { decodeMessage } from '../src/messages/codec.js';
import { encodeMultipart } from '../src/messages/reply-parts.js';
import { MultipartReassembly } from '../src/messages/reassembly.js';
import type { MessageOf } from '../src/messages/types.js';
import { FLOWS } from './mini-switch.js';

type Reply = MessageOf<'multipart_reply'>;

function flows(n: number, more: boolean): Reply {
  const list = Array.from({ length: n }, () => FLOWS[0]);
  return { type: 'multipart_reply', reply: { type: 'flow', flows: list }, more };
}
const tables: Reply = { type: 'multipart_reply', reply: { type: 'table', tables: [] }, more: false };

/** The bytes of a part, which matter by their number only. */
const PART = new Uint8Array(100);

test('the pages of a long reply become the reply again', (t) => {
  const r = new MultipartReassembly();
  let whole: Reply | undefined;
  for (const bytes of encodeMultipart(flows(2000, false), 4, 9)) {
    t.is(whole, undefined);
    const decoded = decodeMessage(bytes);
    if (decoded instanceof OfError) return t.fail(decoded.toString());
    const result = r.add(decoded.msg as Reply, decoded.xid, bytes, 0);
    t.false(result instanceof OfError);
    whole = result as Reply | undefined;
  }
  if (whole?.reply.type !== 'flow') return t.fail();
  t.is(whole.reply.flows.length, 2000);
  t.false(whole.more);
  t.is(r.bytes, 0);
});

test('messages of several xids do not mix', (t) => {
  const r = new MultipartReassembly();
  t.is(r.add(flows(1, true), 1, PART, 0), undefined);
  t.is(r.add(flows(2, true), 2, PART, 0), undefined);
  const first = r.add(flows(3, false), 1, PART, 0) as Reply;
  t.is(first.reply.type === 'flow' && first.reply.flows.length, 4);
  t.is(r.bytes, 100);
});

test('parts beyond the limit are refused, and what was kept of their message goes', (t) => {
  const r = new MultipartReassembly({ bytes: 250 });
  r.add(flows(1, true), 1, PART, 0);
  r.add(flows(1, true), 2, PART, 0);
  const refused = r.add(flows(1, true), 1, PART, 0);
  t.is((refused as OfError).name, 'OFPBRC_MULTIPART_BUFFER_OVERFLOW');
  t.is(r.bytes, 100);
  t.false(r.add(flows(1, false), 2, PART, 0) instanceof OfError);
  t.is(r.bytes, 0);
});

test('a part of another type ends the message', (t) => {
  const r = new MultipartReassembly();
  r.add(flows(1, true), 1, PART, 0);
  t.is((r.add(tables, 1, PART, 0) as OfError).name, 'OFPBRC_BAD_STAT');
  t.is(r.bytes, 0);
});

test('a message whose rest does not come is given up', (t) => {
  const r = new MultipartReassembly({ patience: 1000 });
  r.add(flows(1, true), 1, PART, 0);
  r.add(flows(1, true), 2, PART, 500);
  t.is(r.nextDeadline, 1000);
  t.deepEqual(r.run(999), []);
  const expired = r.run(1000);
  t.deepEqual(
    expired.map((e) => [e.xid, e.error.name]),
    [[1, 'OFPBRC_MULTIPART_REPLY_TIMEOUT']],
  );
  t.is(expired[0]?.error.data.length, PART.length, 'the first part is quoted');
  t.is(r.bytes, 100);
  t.is(r.nextDeadline, 1500);
});
