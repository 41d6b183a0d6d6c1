import test from 'ava';
import { decodeMessage, encodeMessage } from '../src/messages/codec.js';
import { OfError } from '../src/errors.js';
import { printMessage } from '../src/text/message.js';
import { parseFlow } from '../src/text/flow.js';
import { FLOW_MODS } from './fixtures/flow-mods.js';

for (const [version, hex, text] of FLOW_MODS) {
  const name = `OpenFlow 1.${version - 1}: ${text}`;
  const bytes = new Uint8Array(Buffer.from(hex, 'hex'));

  test(`${name}: is printed`, (t) => {
    t.is(printMessage(bytes), `${text}\n`);
  });

  test(`${name}: decodes to what encodes to the same bytes`, (t) => {
    const decoded = decodeMessage(bytes);
    if (decoded instanceof OfError) {
      t.fail(decoded.detail);
      return;
    }
    const again = encodeMessage(decoded.msg, version, decoded.xid);
    t.is(Buffer.from(again).toString('hex'), hex);
  });

  test(`${name}: cut or stretched at any place it is refused, not thrown at`, (t) => {
    for (let n = 0; n < bytes.length; n++) {
      const cut = bytes.slice(0, n);
      t.true(decodeMessage(cut) instanceof OfError, `first ${n} bytes`);
      if (n < 8) continue;
      // With a length that agrees, what is left may be a whole message; it must not throw.
      cut[2] = n >> 8;
      cut[3] = n & 255;
      t.notThrows(() => decodeMessage(cut));
    }
  });
}

test('a flow of text is one of bytes and the reverse', (t) => {
  const flowMod = parseFlow('priority=7,tcp,nw_src=10.0.0.0/8,tp_dst=80,actions=LOCAL,controller:128', 'add');
  const bytes = encodeMessage({ type: 'flow_mod', flowMod, format: 'openflow10' }, 1, 1);
  const [, hex] = FLOW_MODS.find(([v, , text]) => v === 1 && text.includes('priority=7,tcp'))!;
  t.is(Buffer.from(bytes).toString('hex').slice(16), hex.slice(16));
});
