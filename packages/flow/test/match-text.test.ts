import test from 'ava';
import { setLevels } from '@ovs-node/common/vlog';
import { PROTO_ANY, PROTO_NXM_OXM_ANY, PROTO } from '../src/field-types.js';
import { FIELDS } from '../src/fields.js';
import { parseKeyValues } from '../src/key-value.js';
import { normalizeMatch } from '../src/match-normalize.js';
import { formatMatch, parseMatch, parseMatchProtocols } from '../src/match-text.js';
import { matchEquals, matchSubsumes } from '../src/match-fields.js';
import { fixture, textOrError } from './fixtures.js';

setLevels('ofp_match', null, 'off');
setLevels('ofp_port', null, 'off');

const PROTOCOLS: Record<number, string> = {
  [PROTO_ANY]: 'any',
  [PROTO_NXM_OXM_ANY]: 'NXM,OXM',
  [PROTO_NXM_OXM_ANY | PROTO.OF11_STD]: 'NXM,OXM,OpenFlow11',
};

test('a match is read, refused and printed as the peer does', (t) => {
  for (const [text, expected, protocols] of fixture('match.tsv')) {
    let usable: string | undefined;
    const actual = textOrError(() => {
      const parsed = parseMatchProtocols(text!);
      normalizeMatch(parsed.match);
      usable = PROTOCOLS[parsed.protocols];
      return formatMatch(parsed.match);
    });
    t.is(actual, expected!, text);
    if (protocols !== undefined) t.is(usable, protocols, text);
  }
});

test('what formatMatch prints, parseMatch reads as the same match', (t) => {
  for (const [, printed] of fixture('match.tsv')) {
    if (printed!.startsWith('!') || printed!.includes('gtpu')) continue;
    const once = parseMatch(printed!);
    t.is(formatMatch(once), printed!);
    t.true(matchEquals(once, parseMatch(formatMatch(once))), printed);
  }
});

test('every field of the table is accepted by name and alias', (t) => {
  for (const f of FIELDS) {
    for (const name of [f.name, f.alias]) {
      if (name !== undefined) t.notThrows(() => parseMatch(`${name}=*`), name);
    }
  }
});

test('options of a tunnel have the length of their value, and share 256 bytes', (t) => {
  const printed = (text: string): string => formatMatch(parseMatch(text));
  t.is(printed('tun_metadata5=0x0012'), 'tun_metadata5=0x12');
  t.is(printed('tun_metadata0=0x1234/0xff'), 'tun_metadata0=0x34');
  t.is(printed('tun_metadata63=0x12/0xff,tun_metadata0'), 'tun_metadata0,tun_metadata63=0x12');
  t.is(printed('tun_metadata0[0..5]=3'), 'tun_metadata0=0x3/0x3f');
  t.throws(() => parseMatch('tun_metadata1=1,tun_metadata1=2'), {
    message: 'field tun_metadata1 set multiple times',
  });
  const long = `0x${'ab'.repeat(124)}`;
  t.throws(
    () => parseMatch(`tun_metadata0=${long},tun_metadata1=${long},tun_metadata2=${'0x' + 'cd'.repeat(9)}`),
    {
      message: 'field tun_metadata2 exceeds maximum size for tunnel metadata (used 257, max 256)',
    },
  );
});

test('words are split at commas and blanks outside of parentheses', (t) => {
  t.deepEqual(parseKeyValues(' tcp,,a=1:2 b(c(d),e) f:g'), [
    { key: 'tcp', value: '' },
    { key: 'a', value: '1:2' },
    { key: 'b', value: 'c(d),e' },
    { key: 'f', value: 'g' },
  ]);
});

test('priority and port names are printed where asked', (t) => {
  const ports = {
    nameToNumber: (name: string) => (name === 'eth0' ? 1 : name === 'p-2' ? 2 : undefined),
    numberToName: (port: number) => (port === 1 ? 'eth0' : port === 2 ? 'p-2' : undefined),
  };
  t.is(
    formatMatch(parseMatch('in_port=eth0,tcp', ports), { priority: 5, ports }),
    'priority=5,tcp,in_port=eth0',
  );
  t.is(formatMatch(parseMatch('in_port="p-2"', ports), { ports }), 'in_port="p-2"');
  t.is(formatMatch(parseMatch('tcp'), { priority: 32768 }), 'tcp');
});

test('a wider match subsumes a narrower one and not the reverse', (t) => {
  const wide = parseMatch('ip,nw_src=10.0.0.0/8');
  const narrow = parseMatch('tcp,nw_src=10.1.0.0/16,tp_dst=80');
  t.true(matchSubsumes(wide, narrow));
  t.false(matchSubsumes(narrow, wide));
  t.false(matchSubsumes(parseMatch('ip,nw_src=11.0.0.0/8'), narrow));
});
