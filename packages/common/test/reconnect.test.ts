import test from 'ava';
import { Reconnect } from '../src/reconnect.js';

test('failed attempts back off from 1 s to 8 s', (t) => {
  const r = new Reconnect();
  let now = 0;
  const waits: number[] = [];
  r.enable(now);
  for (let i = 0; i < 6; i++) {
    const due = r.deadline();
    waits.push(due - now);
    now = due;
    t.is(r.run(now), 'connect');
    r.connecting(now);
    r.disconnected(now);
  }
  t.deepEqual(waits, [0, 1000, 2000, 4000, 8000, 8000]);
  t.is(r.attempts, 6);
});

test('an attempt that hangs is given up', (t) => {
  const r = new Reconnect();
  r.enable(0);
  r.connecting(0);
  t.is(r.run(999), 'none');
  t.is(r.run(1000), 'disconnect');
});

test('silence is probed once, then ends the connection; activity keeps it', (t) => {
  const r = new Reconnect();
  r.enable(0);
  r.connecting(0);
  r.established(0);
  r.activity(3000);
  t.is(r.run(7999), 'none');
  t.is(r.run(8000), 'probe');
  t.is(r.state, 'idle');
  r.activity(9000);
  t.is(r.state, 'active');
  t.is(r.run(14000), 'probe');
  t.is(r.run(18999), 'none');
  t.is(r.run(19000), 'disconnect');
});

test('without a probe interval nothing is due on a quiet connection', (t) => {
  const r = new Reconnect({ probeInterval: 0 });
  r.enable(0);
  r.connecting(0);
  r.established(0);
  t.is(r.deadline(), Infinity);
});

test('a connection that lasted resets the backoff, a short one does not', (t) => {
  const r = new Reconnect();
  r.enable(0);
  for (let i = 0; i < 3; i++) {
    r.connecting(0);
    r.disconnected(0);
  }
  t.is(r.backoff, 4000);
  r.connecting(10_000);
  r.established(10_000);
  r.disconnected(11_000);
  t.is(r.backoff, 8000);
  r.connecting(20_000);
  r.established(20_000);
  r.disconnected(29_000);
  t.is(r.backoff, 1000);
  r.disable(29_000);
  t.is(r.deadline(), Infinity);
});

test('other servers are tried without a wait', (t) => {
  const r = new Reconnect();
  r.freeTries = 2;
  r.enable(0);
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    t.is(r.run(r.deadline()), 'connect');
    r.connecting(0);
    r.disconnected(0);
    waits.push(r.backoff);
  }
  t.deepEqual(waits, [0, 0, 1000, 2000]);
});
