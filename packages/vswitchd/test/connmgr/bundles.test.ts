import test from 'ava';
import { Bundles } from '../../src/connmgr/bundles.js';

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
