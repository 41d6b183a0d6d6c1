import test from 'ava';
import { printMessage } from '../src/text/message.js';
import { useByteText } from '../src/wire.js';
import { ODD_MESSAGES } from './fixtures/odd-messages.js';

// As the tool that prints them: names come out byte for byte.
useByteText(true);

for (const { what, hex, text } of ODD_MESSAGES) {
  test(`printed as by the peer: ${what}`, (t) => {
    t.is(printMessage(new Uint8Array(Buffer.from(hex, 'hex')), { verbosity: 2 }), text);
  });
}

test('of statistics of ports and queues, only how many there are is printed when little is to be', (t) => {
  const print = (hex: string): string =>
    printMessage(new Uint8Array(Buffer.from(hex, 'hex')), { verbosity: 0 });
  t.is(print(`01110074000000010004000000010000${'00'.repeat(100)}`), 'OFPST_PORT reply (xid=0x1): 1 ports\n');
  t.is(
    print(`0111002c00000001000500000001000000000002${'00'.repeat(24)}`),
    'OFPST_QUEUE reply (xid=0x1): 1 queues\n',
  );
});

test('errors that quote one another are printed one after the other, as many as fit into a message', (t) => {
  let message = Buffer.from('0402000800000001', 'hex');
  for (let depth = 0; depth < 5000; depth++) {
    const error = Buffer.from('040100000000000100010001', 'hex');
    error.writeUInt16BE(12 + message.length, 2);
    message = Buffer.concat([error, message]);
  }
  const lines = printMessage(message, { verbosity: 2 }).split('\n');
  t.is(lines.length, 5002);
  t.deepEqual(new Set(lines.slice(0, 5000)), new Set(['OFPT_ERROR (OF1.3) (xid=0x1): OFPBRC_BAD_TYPE']));
  t.is(lines[5000], 'OFPT_ECHO_REQUEST (OF1.3) (xid=0x1): 0 bytes of payload');
});
