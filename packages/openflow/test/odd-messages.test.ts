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
