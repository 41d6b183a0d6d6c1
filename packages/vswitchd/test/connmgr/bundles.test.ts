import test from 'ava';
import { encodeMessage, OF14, type OfMessage } from '@ovs-node/openflow';
import { parseFlow } from '@ovs-node/openflow/text/flow';
import { BundleRoom, Bundles } from '../../src/connmgr/bundles.js';

test('a bundle left alone is over when its time has come, however the time is rounded', (t) => {
  // 31978.849790413256 + 3000 - 31978.849790413256 is less than 3000.
  const opened = 31978.849790413256;
  const bundles = new Bundles(() => 3000);
  const open = { type: 'bundle_control', bundleId: 1, control: 'open_request', flags: 0 } as const;
  t.is(
    bundles.control(open, new Uint8Array(16), opened, () => undefined),
    undefined,
  );
  t.deepEqual(bundles.expire(opened + 2999), []);
  const due = bundles.nextDeadline!;
  t.deepEqual(
    bundles.expire(due).map(({ error }) => error.name),
    ['OFPBFC_TIMEOUT'],
  );
  t.is(bundles.nextDeadline, undefined);
});

test('what a bundle takes is what its messages take when they have been read', (t) => {
  const room = new BundleRoom();
  const { left } = room;
  const bundles = new Bundles(undefined, room);
  // Each in 16 bytes becomes an object with an array of its own.
  const actions = Array.from({ length: 2500 }, () => 'note:01').join(',');
  const message = encodeMessage(
    { type: 'flow_mod', flowMod: parseFlow(`actions=${actions}`, 'add') },
    OF14,
    1,
  );
  const add = { type: 'bundle_add', bundleId: 1, flags: 0, message } as const satisfies OfMessage;
  t.is(bundles.add(add, encodeMessage(add, OF14, 1), 0, {}), undefined);
  t.true(left - room.left > 2500 * 200);
  bundles.clear();
  t.is(room.left, left);
});

test('the bundles of all connections share their room, which those that end give back', (t) => {
  const room = new BundleRoom(5000);
  const [some, others] = [new Bundles(undefined, room), new Bundles(undefined, room)];
  const message = encodeMessage({ type: 'flow_mod', flowMod: parseFlow('actions=drop', 'add') }, OF14, 1);
  const add = { type: 'bundle_add', bundleId: 1, flags: 0, message } as const satisfies OfMessage;
  const request = encodeMessage(add, OF14, 1);
  const fill = (bundles: Bundles): string => {
    for (let n = 0; ; n++) {
      const error = bundles.add(add, request, 0, {});
      if (error) return `${n} messages, ${error.name}`;
    }
  };
  some.add(add, request, 0, {});
  // The bundle for which there is no room is discarded.
  const rest = fill(others);
  t.regex(rest, /^[1-9] messages, OFPBFC_MSG_TOO_MANY$/);
  t.is(others.size, 0);
  t.is(fill(others), rest);
  some.clear();
  t.not(fill(others), rest);
  t.is(room.left, 5000);
});
