import { Duplex, PassThrough } from 'node:stream';
import test from 'ava';
import { coverageCounter } from '@ovs-node/common/coverage';
import { OfConnection } from '../src/connection.js';
import { ConnectionError, ErrorReply, formatVersions } from '../src/connection-types.js';
import { type Decoded, decodeMessage, encodeMessage, UnencodableError } from '../src/messages/codec.js';
import { OfError } from '../src/errors.js';
import { makeFlowMod } from '../src/messages/flow-mod.js';
import type { OfMessage } from '../src/messages/types.js';

/** The two ends of a stream. */
function pair(): [Duplex, Duplex] {
  const [a, b] = [new PassThrough(), new PassThrough()];
  return [Duplex.from({ readable: a, writable: b }), Duplex.from({ readable: b, writable: a })];
}

/** A peer made by hand: what it sends is bytes, what it gets is messages. */
class ByHand {
  readonly sent: Uint8Array[] = [];
  readonly duplex: Duplex;
  constructor() {
    const { sent } = this;
    this.duplex = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        sent.push(new Uint8Array(chunk));
        done();
      },
    });
  }
  push(...parts: (Uint8Array | string)[]): void {
    for (const p of parts) this.duplex.push(typeof p === 'string' ? Buffer.from(p, 'hex') : p);
  }
  messages(): OfMessage[] {
    return this.sent.map((b) => (decodeMessage(b) as { msg: OfMessage }).msg);
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const ALL = 0b1111110;
const OF13 = 1 << 4;

test('two ends agree on the highest common version', async (t) => {
  const [a, b] = pair();
  const ready: number[] = [];
  const one = new OfConnection(a, { versions: ALL }, { onReady: (v) => ready.push(v) });
  const two = new OfConnection(b, { versions: (1 << 1) | OF13 }, { onReady: (v) => ready.push(v) });
  await settle();
  t.deepEqual(ready, [4, 4]);
  t.is(one.version, 4);
  t.is(two.version, 4);
});

test('a hello without a bitmap means all versions up to its own', async (t) => {
  const hand = new ByHand();
  const c = new OfConnection(hand.duplex, { versions: ALL });
  hand.push('0300000800000001');
  await settle();
  t.is(c.version, 3);
});

test('a stream that is not taken over, for want of a version, is left alone', (t) => {
  const hand = new ByHand();
  t.throws(() => new OfConnection(hand.duplex, { versions: 0 }), { instanceOf: UnencodableError });
  t.deepEqual([hand.sent, hand.duplex.eventNames().includes('data')], [[], false]);
});

test('messages in single bytes arrive as messages', async (t) => {
  const hand = new ByHand();
  const seen: OfMessage[] = [];
  new OfConnection(hand.duplex, { versions: ALL }, { onMessage: ({ msg }) => seen.push(msg) });
  const bytes = Buffer.concat([
    encodeMessage({ type: 'hello', versions: ALL }, 6, 1),
    encodeMessage({ type: 'features_request' }, 6, 2),
    encodeMessage({ type: 'barrier_request' }, 6, 3),
  ]);
  for (const byte of bytes) hand.push(Uint8Array.of(byte));
  await settle();
  t.deepEqual(
    seen.map((m) => m.type),
    ['features_request', 'barrier_request'],
  );
});

test('no common version: an error that says so, and the end', async (t) => {
  const hand = new ByHand();
  let reason: Error | undefined;
  const c = new OfConnection(hand.duplex, { versions: OF13 }, { onClose: (e) => (reason = e) });
  hand.push(encodeMessage({ type: 'hello', versions: 2 }, 1, 7));
  await settle();
  t.true(c.isClosed);
  t.regex(
    String(reason?.message),
    /^version negotiation failed \(we support version 0x04, peer supports version 0x01\)/,
  );
  const [, error] = hand.messages();
  t.is(error.type === 'error' && error.error.name, 'OFPHFC_INCOMPATIBLE');
});

test('an echo request is answered', async (t) => {
  const hand = new ByHand();
  new OfConnection(hand.duplex, { versions: ALL });
  hand.push('0400000800000001', '0402000c00000063deadbeef');
  await settle();
  t.is(Buffer.from(hand.sent[1]).toString('hex'), '0403000c00000063deadbeef');
});

test('who asks and does not read is not read from, until it has read', async (t) => {
  for (const [name, bytes] of [
    ['echo', encodeMessage({ type: 'echo_request', data: new Uint8Array(60_000) }, 4, 2)],
    ['bad messages', Buffer.concat([Buffer.from('0463ea60 00000007', 'hex'), new Uint8Array(59_992)])],
    ['another version', Buffer.concat([Buffer.from('0363ea60 00000007', 'hex'), new Uint8Array(59_992)])],
  ] as const) {
    const [a, b] = pair();
    const c = new OfConnection(a, { versions: OF13, answerErrors: true });
    b.write(encodeMessage({ type: 'hello', versions: OF13 }, 4, 1));
    for (let i = 0; i < 100; i++) b.write(bytes);
    await settle();
    t.true(c.queued < 500_000, `${name}: ${c.queued} bytes wait`);
    let got = 0;
    for await (const chunk of b) {
      got += (chunk as Buffer).length;
      if (got >= 100 * bytes.length) break;
    }
    t.pass(`${name}: all is answered`);
  }
});

test('a message that cannot be decoded is answered with its error and the connection lives', async (t) => {
  const hand = new ByHand();
  const seen: OfMessage[] = [];
  const c = new OfConnection(
    hand.duplex,
    { versions: ALL, answerErrors: true },
    { onMessage: ({ msg }) => seen.push(msg) },
  );
  hand.push('0400000800000001', '046300080000002a', '0405000800000002');
  await settle();
  t.false(c.isClosed);
  t.deepEqual(
    seen.map((m) => m.type),
    ['features_request'],
  );
  const error = decodeMessage(hand.sent[1]) as { xid: number; msg: OfMessage };
  t.is(error.xid, 0x2a);
  t.is(error.msg.type === 'error' && error.msg.error.name, 'OFPBRC_BAD_TYPE');
  t.is(error.msg.type === 'error' && Buffer.from(error.msg.error.data).toString('hex'), '046300080000002a');
});

test('a bad error message is answered by a switch only, as by the peer', async (t) => {
  for (const answerErrors of [false, true]) {
    const hand = new ByHand();
    new OfConnection(hand.duplex, { versions: ALL, answerErrors });
    hand.push('0400000800000001', '040100080000002a');
    await settle();
    t.is(hand.sent.length, answerErrors ? 2 : 1);
  }
});

test('what is refused by its type is not looked into', async (t) => {
  const hand = new ByHand();
  const refused = new OfError('OFPBRC_IS_SECONDARY');
  const seen: string[] = [];
  new OfConnection(
    hand.duplex,
    { versions: ALL, answerErrors: true, refuses: (type) => (type === 'flow_mod' ? refused : undefined) },
    { onMessage: ({ msg }) => seen.push(msg.type) },
  );
  // A flow-mod with a match of no type, and a barrier.
  const flowMod = `040e00380000002a${'00'.repeat(40)}ffff000000000000`;
  hand.push('0400000800000001', flowMod, '041400080000002b');
  await settle();
  t.is(Buffer.from(hand.sent[1]).toString('hex'), `040100440000002a0001000a${flowMod}`);
  t.deepEqual(seen, ['barrier_request']);
});

test('a message in another version is told of, and passed over', async (t) => {
  const hand = new ByHand();
  const told: string[] = [];
  const seen: string[] = [];
  const c = new OfConnection(
    hand.duplex,
    { versions: ALL },
    {
      onTrouble: (text, level) => told.push(`${level}: ${text}`),
      onMessage: ({ msg }) => seen.push(msg.type),
    },
  );
  hand.push('0400000800000001', '0105000800000002', '0414000800000003');
  await settle();
  t.false(c.isClosed);
  t.deepEqual(told, ['err: received OpenFlow version 0x01 != expected 04']);
  t.deepEqual(seen, ['barrier_request']);
});

test('a length of less than a header ends the connection', async (t) => {
  const hand = new ByHand();
  let reason: Error | undefined;
  const c = new OfConnection(hand.duplex, { versions: ALL }, { onClose: (e) => (reason = e) });
  hand.push('0400000800000001', '0405000400000002');
  await settle();
  t.true(c.isClosed);
  t.true(reason instanceof ConnectionError);
});

test('anything before the hello ends the connection', async (t) => {
  const hand = new ByHand();
  const c = new OfConnection(hand.duplex, { versions: ALL });
  hand.push('0405000800000002');
  await settle();
  t.true(c.isClosed);
});

test('a request resolves after the last part of its reply', async (t) => {
  const hand = new ByHand();
  const c = new OfConnection(hand.duplex, { versions: OF13 });
  hand.push('0400000800000001');
  await settle();
  const names: string[] = [];
  const done = c.request(
    {
      type: 'multipart_request',
      request: {
        type: 'aggregate',
        filter: {
          match: new (await import('@ovs-node/flow/match')).Match(),
          tableId: 255,
          cookie: 0n,
          cookieMask: 0n,
          outPort: 0xffffffff,
          outGroup: 0xffffffff,
        },
      },
      more: false,
    },
    ({ msg }) => names.push(msg.type),
  );
  const { xid } = decodeMessage(hand.sent[1]) as { xid: number };
  const reply = (more: boolean): Uint8Array =>
    encodeMessage(
      {
        type: 'multipart_reply',
        reply: { type: 'aggregate', stats: { packetCount: 1n, byteCount: 2n, flowCount: 3 } },
        more,
      },
      4,
      xid,
    );
  hand.push(reply(true));
  await settle();
  t.is(names.length, 1);
  hand.push(reply(false));
  await done;
  t.is(names.length, 2);
});

/** A switch that refuses flow-mods of table 7, says how many messages it got, and tells of two groups, each in a part. */
async function withSwitch(
  version = 5,
): Promise<{ readonly controller: OfConnection; readonly got: string[] }> {
  const [a, b] = pair();
  const got: string[] = [];
  const group = (groupId: number) => ({
    groupType: 'all' as const,
    groupId,
    buckets: [],
    selection: undefined,
  });
  const aSwitch: OfConnection = new OfConnection(
    a,
    { versions: 1 << version },
    {
      onMessage: ({ msg, xid }) => {
        const inner =
          msg.type === 'bundle_add' ? (decodeMessage(msg.message) as { msg: OfMessage }).msg : msg;
        got.push(msg.type === 'bundle_control' ? msg.control : msg.type);
        if (inner.type === 'flow_mod' && inner.flowMod.tableId === 7)
          aSwitch.send({ type: 'error', error: new OfError('OFPFMFC_EPERM') }, xid);
        if (msg.type === 'barrier_request') aSwitch.send({ type: 'barrier_reply' }, xid);
        if (msg.type === 'bundle_control') {
          const control = msg.control.replace('request', 'reply') as typeof msg.control;
          aSwitch.send({ ...msg, control }, xid);
        }
        if (msg.type !== 'multipart_request') return;
        for (const [groupId, more] of [
          [1, true],
          [2, false],
        ] as const)
          aSwitch.send(
            { type: 'multipart_reply', reply: { type: 'group_desc', groups: [group(groupId)] }, more },
            xid,
          );
      },
    },
  );
  const controller = new OfConnection(b, { versions: 1 << version });
  await settle();
  return { controller, got };
}

const flowModOf = (tableId: number): OfMessage => ({
  type: 'flow_mod',
  flowMod: makeFlowMod({ command: 'add', priority: 1, tableId }),
});

test('statistics are whole, however many parts they come in', async (t) => {
  const { controller } = await withSwitch();
  const { groups } = await controller.statistics({ type: 'group_desc', group: 1 });
  t.deepEqual(
    groups.map(({ groupId }) => groupId),
    [1, 2],
  );
});

test('what is carried out is refused by the first error to one of its messages, after the others', async (t) => {
  const { controller, got } = await withSwitch();
  await controller.carryOut(flowModOf(1), flowModOf(2));
  const error = await t.throwsAsync(controller.carryOut(flowModOf(1), flowModOf(7), flowModOf(2)), {
    instanceOf: ErrorReply,
  });
  t.is(error.error.name, 'OFPFMFC_EPERM');
  t.deepEqual(got.slice(-4), ['flow_mod', 'flow_mod', 'flow_mod', 'barrier_request']);
  // What cannot be sent keeps the others back.
  const before = got.length;
  await t.throwsAsync(
    controller.carryOut(flowModOf(1), { type: 'flow_age' }, { type: 'set_flow_format', format: 'nxm' }),
    {
      message: 'OpenFlow 1.4 has no message set_flow_format',
    },
  );
  await settle();
  t.is(got.length, before);
});

test('a bundle is committed, or discarded when one of its messages is refused', async (t) => {
  const { controller, got } = await withSwitch();
  await controller.bundle([flowModOf(1), flowModOf(2)]);
  t.deepEqual(got, ['open_request', 'bundle_add', 'bundle_add', 'barrier_request', 'commit_request']);
  await t.throwsAsync(controller.bundle([flowModOf(7)]), { instanceOf: ErrorReply });
  t.is(got.at(-1), 'discard_request');
});

test('a request answered with an error rejects with it', async (t) => {
  const hand = new ByHand();
  const c = new OfConnection(hand.duplex, { versions: OF13 });
  hand.push('0400000800000001');
  await settle();
  const done = c.request({ type: 'barrier_request' });
  const { xid } = decodeMessage(hand.sent[1]) as { xid: number };
  hand.push(encodeMessage({ type: 'error', error: new OfError('OFPBRC_EPERM') }, 4, xid));
  const e = await t.throwsAsync(done, { instanceOf: ErrorReply });
  t.is(e.error.name, 'OFPBRC_EPERM');
});

test('what waits to be sent goes before the connection is closed, and counts as sent', async (t) => {
  const hand = new ByHand();
  const c = new OfConnection(hand.duplex, { versions: OF13 });
  hand.push('0400000800000001');
  await settle();
  const sent = coverageCounter('vconn_sent');
  const before = sent.total;
  for (const xid of [1, 2]) c.sendSoon(encodeMessage({ type: 'barrier_request' }, 4, xid));
  t.is(sent.total - before, 2);
  t.is(hand.sent.length, 1, 'the hello');
  c.close();
  await settle();
  t.is(Buffer.concat(hand.sent.slice(1)).toString('hex'), '04140008000000010414000800000002');
});

test('what the other side asks is no reply, whatever its xid', async (t) => {
  const hand = new ByHand();
  const seen: string[] = [];
  const c = new OfConnection(
    hand.duplex,
    { versions: OF13 },
    { onMessage: ({ msg }) => seen.push(msg.type) },
  );
  hand.push(encodeMessage({ type: 'hello', versions: OF13 }, 4, 1));
  await settle();
  const asked = c.ask({ type: 'barrier_request' }, 'barrier_reply');
  const xid = (decodeMessage(hand.sent.at(-1)!) as Decoded).xid;
  for (const msg of [
    { type: 'flow_mod', flowMod: makeFlowMod({ command: 'add', priority: 0 }) },
    { type: 'features_request' },
    { type: 'barrier_reply' },
  ] as const satisfies OfMessage[])
    hand.push(encodeMessage(msg, 4, xid));
  t.is((await asked).type, 'barrier_reply');
  t.deepEqual(seen, ['flow_mod', 'features_request']);
});

test('the end of a connection rejects what waits', async (t) => {
  const hand = new ByHand();
  const c = new OfConnection(hand.duplex, { versions: OF13 });
  hand.push('0400000800000001');
  await settle();
  const done = c.request({ type: 'barrier_request' });
  hand.duplex.push(null);
  await t.throwsAsync(done, { instanceOf: ConnectionError });
});

test('versions in words', (t) => {
  t.is(formatVersions(1 << 1), 'version 0x01');
  t.is(formatVersions((1 << 1) | (1 << 2)), 'version 0x02 and earlier');
  t.is(formatVersions((1 << 1) | (1 << 3)), 'versions 0x01, 0x03');
  t.is(formatVersions(ALL), 'version 0x06 and earlier');
  t.is(formatVersions((1 << 1) | (1 << 31)), 'versions 0x01, 0x1f');
});

test('an error of another version is let pass, when it is one', async (t) => {
  const hand = new ByHand();
  const bad: (string | undefined)[] = [];
  const onBadMessage = ({ name }: OfError): number => bad.push(name);
  new OfConnection(hand.duplex, { versions: ALL, answerErrors: true }, { onBadMessage });
  hand.push('0300000800000001', '020100080000000a', '0201000c0000000b00010001');
  await settle();
  t.deepEqual(bad, []);
  const names = hand.messages().flatMap((m) => (m.type === 'error' ? [m.error.name] : []));
  t.deepEqual(names, ['OFPBRC_BAD_VERSION']);
});

test('on demand, messages that came in one piece are taken one by one, and the end after the last', async (t) => {
  const hand = new ByHand();
  const told: string[] = [];
  const c = new OfConnection(
    hand.duplex,
    { versions: OF13, onDemand: true },
    {
      onFrame: (bytes) => told.push(`came ${bytes[7]}`),
      onSend: (bytes) => told.push(`went ${bytes[1]}`),
      onClose: () => told.push('end'),
    },
  );
  const one = (): Promise<number> =>
    new Promise((resolve) =>
      c.take((bytes) => {
        c.take(undefined);
        resolve(bytes[7]);
      }),
    );
  // Replies and requests alike, what cannot be read, and an echo request, which is not answered.
  hand.push('0400000800000001', '0413000800000002046300080000000304020008000000040415');
  await settle();
  t.is(await one(), 2);
  t.is(await one(), 3);
  hand.duplex.push(null);
  await settle();
  t.is(await one(), 4);
  t.deepEqual(told.slice(2), ['came 2', 'came 3', 'came 4']);
  c.take(() => t.fail('half a message'));
  t.deepEqual(told.slice(5), ['end']);
  t.true(c.isClosed);
});

test('on demand, a message of another version is refused before the next is taken', async (t) => {
  const hand = new ByHand();
  const told: string[] = [];
  const c = new OfConnection(
    hand.duplex,
    { versions: OF13, onDemand: true },
    { onFrame: (bytes) => told.push(`came ${bytes[7]}`), onSend: (bytes) => told.push(`went ${bytes[7]}`) },
  );
  hand.push('0400000800000001', '02050008000000020415000800000003');
  await settle();
  const taken: number[] = [];
  c.take((bytes) => taken.push(bytes[7]));
  await settle();
  t.deepEqual(taken, [3]);
  t.deepEqual(told.slice(2), ['came 2', 'went 2', 'came 3']);
});
