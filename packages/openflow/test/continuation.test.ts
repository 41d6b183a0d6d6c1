import test from 'ava';
import { parseActions } from '../src/actions/text.js';
import { OfError } from '../src/errors.js';
import { type Continuation, decodeContinuation, encodeContinuation } from '../src/messages/continuation.js';
import { printMessage } from '../src/text/message.js';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

/** A packet-in of OpenFlow 1.3 with a continuation that has every property of the peer's, and one of nobody's. */
const MESSAGE = hex(`
  0404011800000000000023200000001e00000032505400000002505400000001080045000020000000004011668f0a0000010a0000020001
  0002000c0755aabbccdd00000000000000050005010000000006000c800000040000000100000000000800b800000000800000144170a4eb
  244676fea5ddaa862bddb538000000008001000600050000800100040000000080020008000001058003000400000000800400050700000080
  060018000000000000001000000002ffff00000000000080050010000000000000000000000063800600080000000080060018000000000000
  001000000002ffff00000000000080070018000000000000001000000002ffff000000000000800800080000000980f1000861626364`);

test('what is in a continuation is printed as the peer prints it', (t) => {
  t.is(
    printMessage(MESSAGE),
    `NXT_PACKET_IN2 (OF1.3) (xid=0x0): total_len=46 in_port=1 (via action) data_len=46 (unbuffered)
 continuation.bridge=eba47041-fe76-4624-86aa-dda538b5dd2b
 continuation.stack=(top) 0x5 0 (bottom)
 continuation.mirrors=0x105
 continuation.conntracked=true
 continuation.actions=unroll_xlate(table=7, cookie=0),output:2,unroll_xlate(table=7, cookie=99),unroll_xlate(table=7, cookie=99),output:2
 continuation.action_set=output:2
 continuation.odp_port=9
`,
  );
});

const WHOLE: Continuation = {
  bridge: Uint8Array.from({ length: 16 }, (_, i) => i + 1),
  stack: [
    { value: 0x1234n, bytes: 2 },
    { value: 7n, bytes: 16 },
  ],
  mirrors: 5,
  conntracked: true,
  actions: [
    { type: 'unroll_xlate', tableId: 3, cookie: 9n },
    ...parseActions('resubmit(,5),output:4'),
    ...parseActions('meter:4,clear_actions,write_actions(output:3,group:7)'),
    { type: 'unroll_xlate', tableId: 0, cookie: 0n },
    ...parseActions('output:1'),
  ],
  actionSet: parseActions('output:7'),
  odpPort: 12,
};

test('a continuation comes back as it was, instructions included', (t) => {
  for (const version of [1, 2, 4, 6]) {
    const back = decodeContinuation(encodeContinuation(WHOLE, version), version);
    if (back instanceof OfError) return t.fail(`${version}: ${back.toString()}`);
    const { actions, ...rest } = WHOLE;
    t.like(back, rest as object);
    t.deepEqual(
      back.actions.map((each) => each.type),
      actions.map((each) => each.type),
      `version ${version}`,
    );
  }
});

test('a jump and metadata travel as actions', (t) => {
  const actions = parseActions('write_metadata:0x5/0x7,goto_table:8');
  const bytes = encodeContinuation({ ...WHOLE, actions }, 4);
  const back = decodeContinuation(bytes, 4);
  t.deepEqual(back instanceof OfError ? back.toString() : back.actions.map((each) => each.type), [
    'unroll_xlate',
    'set_field',
    'resubmit',
  ]);
});

test('bytes that are no continuation are refused, what is unknown unless it is to be passed over', (t) => {
  const refused = (text: string): string => {
    const result = decodeContinuation(hex(text), 4);
    return result instanceof OfError ? result.toString() : 'taken';
  };
  t.is(refused('8000 0006 3132 0000'), 'OFPBPC_BAD_LEN');
  t.is(refused(`8001 0085 ${'78'.repeat(129)} 000000`), 'OFPBPC_BAD_LEN');
  t.is(refused('8006 0004 0000 0000'), 'OFPBPC_BAD_LEN');
  t.is(refused('8007 0009 3132 3334 3500 0000 0000 0000'), 'OFPBRC_BAD_LEN');
  t.is(refused('8008 0004 0000 0000'), 'OFPBPC_BAD_LEN');
  t.is(refused('8000'), 'OFPBPC_BAD_LEN');
  t.is(refused('80f1 0008 6162 6364'), 'OFPBPC_BAD_TYPE');
  t.is(refused(''), 'taken');
  t.false(decodeContinuation(hex('80f1 0008 6162 6364'), 4, true) instanceof OfError);
});
