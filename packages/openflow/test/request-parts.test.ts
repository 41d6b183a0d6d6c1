import test from 'ava';
import { Match } from '@ovs-node/flow/match';
import { OfError } from '../src/errors.js';
import { decodeMessage, encodeMessage } from '../src/messages/codec.js';
import { RequestParts } from '../src/messages/request-parts.js';
import type { MultipartRequest } from '../src/messages/types.js';
import { watch } from '../src/testkit/requests.js';

const part = (request: MultipartRequest, more: boolean, xid = 9, version = 5): Uint8Array =>
  encodeMessage({ type: 'multipart_request', request, more }, version, xid);
const monitor = (id: number, more: boolean): Uint8Array => {
  const bytes = encodeMessage(watch({ id, match: new Match() }), 5, 9);
  bytes[11] = more ? 1 : 0;
  return bytes;
};

test('what is no part is passed on as it came', (t) => {
  const parts = new RequestParts();
  const last = part({ type: 'desc' }, false);
  t.is(parts.add(last, 0), last);
  const old = part({ type: 'desc' }, true, 9, 3);
  t.is(parts.add(old, 0), old, 'before OpenFlow 1.3 there are none');
  t.is(parts.bytes, 0);
});

test('lists are joined', (t) => {
  const parts = new RequestParts();
  t.is(parts.add(monitor(1, true), 0), undefined);
  t.is(parts.add(monitor(2, true), 0), undefined);
  const whole = parts.add(monitor(3, false), 0);
  t.true(whole instanceof Uint8Array);
  const decoded = decodeMessage(whole as Uint8Array);
  if (decoded instanceof OfError || decoded.msg.type !== 'multipart_request') return t.fail();
  const { request } = decoded.msg;
  t.deepEqual(request.type === 'flow_monitor' && request.monitors.map(({ id }) => id), [1, 2, 3]);
  t.is(parts.bytes, 0);
});

test('a list may be longer than a message can say', (t) => {
  const parts = new RequestParts();
  const count = 3000;
  let whole: ReturnType<RequestParts['add']>;
  for (let id = 1; id <= count; id++) whole = parts.add(monitor(id, id < count), 0);
  t.true((whole as Uint8Array).length > 0xffff);
  const decoded = decodeMessage(whole as Uint8Array);
  if (decoded instanceof OfError || decoded.msg.type !== 'multipart_request') return t.fail();
  const { request } = decoded.msg;
  t.is(request.type === 'flow_monitor' && request.monitors.length, count);
});

test('what is no list can have one part that says something', (t) => {
  const parts = new RequestParts();
  const port = part({ type: 'port', portNo: 1 }, false);
  const nothing = Uint8Array.from(port.subarray(0, 16));
  nothing.set([0, 16], 2);
  nothing[11] = 1;
  t.is(parts.add(nothing, 0), undefined);
  t.deepEqual(parts.add(port, 0), port);
  parts.add(part({ type: 'port', portNo: 1 }, true), 0);
  const refused = parts.add(port, 0);
  t.is((refused as OfError).name, 'OFPBRC_BAD_STAT');
  t.is((refused as OfError).data[11], 1, 'the first part is quoted, as it came');
});

test('a part of another type ends the request', (t) => {
  const parts = new RequestParts();
  parts.add(part({ type: 'desc' }, true), 0);
  t.is((parts.add(part({ type: 'table' }, false), 0) as OfError).name, 'OFPBRC_BAD_STAT');
  t.is(parts.bytes, 0);
});

test('parts beyond the limit are refused, and what was kept of their request goes', (t) => {
  const parts = new RequestParts({ bytes: 40 });
  parts.add(part({ type: 'desc' }, true, 1), 0);
  parts.add(part({ type: 'desc' }, true, 2), 0);
  t.is((parts.add(part({ type: 'desc' }, true, 1), 0) as OfError).name, 'OFPBRC_MULTIPART_BUFFER_OVERFLOW');
  t.is(parts.bytes, 16);
});

test('a request whose rest does not come is given up', (t) => {
  const parts = new RequestParts({ patience: 1000 });
  parts.add(part({ type: 'desc' }, true, 1), 0);
  parts.add(part({ type: 'desc' }, true, 2), 500);
  t.is(parts.nextDeadline, 1000);
  t.deepEqual(parts.run(999), []);
  t.deepEqual(
    parts.run(1000).map(({ xid, error }) => [xid, error.name]),
    [[1, 'OFPBRC_MULTIPART_REQUEST_TIMEOUT']],
  );
  t.is(parts.nextDeadline, 1500);
});

test('each part gives its request new time', (t) => {
  const parts = new RequestParts({ patience: 1000 });
  parts.add(part({ type: 'desc' }, true, 1), 0);
  parts.add(part({ type: 'desc' }, true, 2), 500);
  parts.add(part({ type: 'desc' }, true, 1), 600);
  t.is(parts.nextDeadline, 1500);
  t.deepEqual(
    parts.run(1600).map(({ xid }) => xid),
    [2, 1],
  );
  t.is(parts.nextDeadline, undefined);
});
