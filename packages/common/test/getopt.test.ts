import test from 'ava';
import { parseCommandLine, parseOptions, type OptionSpec } from '../src/getopt.js';
import { EarlyExit } from '../src/errors.js';

const specs: OptionSpec[] = [
  { name: 'db', arg: 'required' },
  { name: 'no-wait' },
  { name: 'no-syslog' },
  { name: 'timeout', short: 't', arg: 'required' },
  { name: 'verbose', short: 'v', arg: 'optional' },
  { name: 'quiet', short: 'q' },
  { name: '', short: 'x' },
];

function parse(
  line: string,
  order: 'stop' | 'permute' = 'stop',
): { options: [string, string | undefined][]; operands: string[] } {
  const walk = parseOptions(
    line.split(' ').filter((w) => w !== ''),
    specs,
    order,
  );
  const options: [string, string | undefined][] = [];
  for (;;) {
    const step = walk.next();
    if (step.done === true) return { options, operands: step.value };
    options.push([step.value.name, step.value.value]);
  }
}

test('long options take values after = or as the next word, and may be abbreviated', (t) => {
  t.deepEqual(parse('--db=a --d b --time 3 cmd --db c'), {
    options: [
      ['db', 'a'],
      ['db', 'b'],
      ['timeout', '3'],
    ],
    operands: ['cmd', '--db', 'c'],
  });
});

test('an optional value is taken only when it is attached', (t) => {
  t.deepEqual(parse('--verbose x').options, [['verbose', undefined]]);
  t.deepEqual(parse('-v x').options, [['verbose', undefined]]);
  t.deepEqual(parse('-vfile:info --verb=y').options, [
    ['verbose', 'file:info'],
    ['verbose', 'y'],
  ]);
});

test('short options cluster', (t) => {
  t.deepEqual(parse('-qxt5 -qt 6'), {
    options: [
      ['quiet', undefined],
      ['x', undefined],
      ['timeout', '5'],
      ['quiet', undefined],
      ['timeout', '6'],
    ],
    operands: [],
  });
});

test('operands: "-" is one, "--" ends the options, permutation goes on behind them', (t) => {
  t.deepEqual(parse('-q - -q').operands, ['-', '-q']);
  t.deepEqual(parse('-q -- --db').operands, ['--db']);
  t.deepEqual(parse('a -q b -- -q', 'permute'), {
    options: [['quiet', undefined]],
    operands: ['a', 'b', '-q'],
  });
});

for (const [line, message] of [
  ['--foo', "unrecognized option '--foo'"],
  ['--foo=3', "unrecognized option '--foo=3'"],
  ['--db', "option '--db' requires an argument"],
  ['--no', "option '--no' is ambiguous; possibilities: '--no-wait' '--no-syslog'"],
  ['--no-wait=1', "option '--no-wait' doesn't allow an argument"],
  ['-t', "option requires an argument -- 't'"],
  ['-qz', "invalid option -- 'z'"],
] as const) {
  test(`refused in glibc's words: ${line}`, (t) => {
    t.throws(() => parse(line), { message });
  });
}

test('options apply in order: --help before a bad option wins, after it does not', (t) => {
  const program = { name: 'prog', options: specs, help: () => 'the help\n' };
  const early = t.throws(() => parseCommandLine(program, ['--help', '--foo']), { instanceOf: EarlyExit });
  t.is(early.text, 'the help\n');
  t.throws(() => parseCommandLine(program, ['--foo', '--help']), { message: "unrecognized option '--foo'" });
  const version = t.throws(
    () => parseCommandLine({ ...program, versionLines: ['DB Schema 8.3.1'] }, ['-V']),
    {
      instanceOf: EarlyExit,
    },
  );
  t.is(version.text, 'prog (Open vSwitch) 3.1.0\nDB Schema 8.3.1\n');
});
