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
