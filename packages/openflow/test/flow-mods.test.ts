import test from 'ava';
import { W } from '@ovs-node/flow/layout';
import { decodeMessage, encodeMessage } from '../src/messages/codec.js';
import { OfError } from '../src/errors.js';
import { printMessage } from '../src/text/message.js';
import { FW10 } from '../src/match/ofp10.js';
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

/** A MODIFY of OpenFlow 1.0 whose match has these fields and no others. */
function modify10(fields: number): Uint8Array {
  const bytes = Buffer.alloc(72);
  bytes.set([1, 14, 0, 72]);
  bytes.writeUInt32BE(FW10.ALL & ~fields, 8);
  bytes.writeUInt16BE(1, 56);
  bytes.writeUInt32BE(0xffffffff, 64);
  return bytes;
}

// Seen in what the peer's switch does with each beside a flow of all packets, which it leaves as it is for all but the
// first two.
const SAID: readonly (readonly [name: string, fields: number, ethernet: boolean])[] = [
  ['nothing', 0, false],
  ['in_port', FW10.IN_PORT, false],
  ['dl_src', FW10.DL_SRC, true],
  ['dl_vlan_pcp', FW10.DL_VLAN_PCP, true],
  ['dl_type', FW10.DL_TYPE, true],
  ['nw_tos', FW10.NW_TOS, true],
  ['nw_proto', FW10.NW_PROTO, true],
  ['nw_src', 63 << FW10.NW_SRC_SHIFT, true],
  ['nw_dst', 63 << FW10.NW_DST_SHIFT, true],
  ['tp_src', FW10.TP_SRC, true],
  ['tp_dst', FW10.TP_DST, true],
];

for (const [name, fields, ethernet] of SAID) {
  test(`OpenFlow 1.0: a match on ${name} is ${ethernet ? '' : 'not '}one on Ethernet packets`, (t) => {
    const decoded = decodeMessage(modify10(fields));
    if (decoded instanceof OfError || decoded.msg.type !== 'flow_mod') throw new Error('no flow-mod');
    t.is(decoded.msg.flowMod.match.mask[W.PACKET_TYPE] !== 0, ethernet);
  });
}
