import test from 'ava';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { formatNxMatch, parseNxMatch } from '../src/text/nx-match.js';

const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');

/** Text, and the bytes it spells. */
const PAIRS = [
  ['<any>', ''],
  ['NXM_OF_IN_PORT(0001)', '000000020001'],
  ['NXM_OF_ETH_TYPE(0800), NXM_OF_IP_SRC_W(c0a80000/ffff0000)', '00000602080000000f08c0a80000ffff0000'],
  ['NXM_NX_COOKIE_W(0000000000000001/000000000000000f)', '00013d100000000000000001000000000000000f'],
  ['OXM_OF_METADATA(0000000000000001)', '800004080000000000000001'],
] as const;

for (const [text, bytes] of PAIRS) {
  test(`${text} to bytes and back`, (t) => {
    t.is(hex(parseNxMatch(text)), bytes);
    t.is(formatNxMatch(new Uint8Array(Buffer.from(bytes, 'hex'))), text);
  });
}

test('a header may be 8 hexadecimal digits', (t) => {
  t.is(hex(parseNxMatch('00000002(0001)')), '000000020001');
});

const BAD = [
  ['junk', 'junk: missing ( at end of nx_match'],
  ['NXM_OF_FOO(01)', "NXM_OF_FOO(01): unknown field `NXM_OF_FOO'"],
  ['NXM_OF_IN_PORT(01)', 'expected to read 2 bytes but got 1'],
  ['NXM_OF_IN_PORT(0001', 'NXM_OF_IN_PORT(0001: missing ) following field NXM_OF_IN_PORT'],
  ['NXM_OF_IP_SRC_W(c0a80000)', 'NXM_OF_IP_SRC_W(c0a80000): missing / in masked field NXM_OF_IP_SRC_W'],
  ['NXM_OF_IN_PORT_W(0001/ffff)', "NXM_OF_IN_PORT_W(0001/ffff): unknown field `NXM_OF_IN_PORT_W'"],
] as const;

for (const [text, message] of BAD) {
  test(`${text} is refused`, (t) => {
    t.throws(() => parseNxMatch(text), { instanceOf: FlowSyntaxError, message });
  });
}
