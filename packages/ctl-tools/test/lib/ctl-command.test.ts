import test from 'ava';
import { type CtlCommand, commandOptionSpecs, parseCommands } from '../../src/lib/ctl-command.js';

const COMMANDS: readonly CtlCommand<undefined>[] = [
  {
    name: 'add',
    usage: 'A [B]',
    min: 1,
    max: 2,
    options: [{ name: 'may-exist' }, { name: 'id', arg: 'required' }],
    run: () => undefined,
  },
  { name: 'list', usage: '', min: 0, max: 0, run: () => undefined },
];

const parse = (line: string): unknown =>
  parseCommands(COMMANDS, line.split(' ').filter(Boolean), []).map(({ command, args, options }) => [
    command.name,
    args,
    Object.fromEntries(options),
  ]);

test('commands are split at --, each with its options', (t) => {
  t.deepEqual(parse('add x -- --may-exist --id=@i add y z -- list'), [
    ['add', ['x'], {}],
    ['add', ['y', 'z'], { 'may-exist': undefined, id: '@i' }],
    ['list', [], {}],
  ]);
});

test('empty parts between -- are nothing', (t) => {
  t.deepEqual(parse('-- list -- --'), [['list', [], {}]]);
});

test('options met before the first command are its own', (t) => {
  const [call] = parseCommands(COMMANDS, ['add', 'x'], [{ name: 'may-exist', value: undefined }]);
  t.true(call!.options.has('may-exist'));
});

test('all options of all commands are known before the first command', (t) => {
  t.deepEqual(commandOptionSpecs(COMMANDS), [
    { name: 'may-exist', arg: 'none' },
    { name: 'id', arg: 'required' },
  ]);
});

for (const [line, message] of [
  ['', 'missing command name (use --help for help)'],
  ['--', 'missing command name (use --help for help)'],
  ['list -- --may-exist', 'missing command name (use --help for help)'],
  ['frob', "unknown command 'frob'; use --help for help"],
  ['add', "'add' command requires at least 1 arguments"],
  ['add a b c', "'add' command takes at most 2 arguments"],
  [
    'list --may-exist',
    '\'list\' command takes at most 0 arguments (note that options must precede command names and follow a "--" argument)',
  ],
  ['list -- --may-exist list', "'list' command has no '--may-exist' option"],
  ['list -- --may-exist --may-exist add x', "'--may-exist' option specified multiple times"],
  ['list -- --may-exist=1 add x', "'--may-exist' option on 'add' does not accept an argument"],
  ['list -- --id add x', "missing argument to '--id' option on 'add' command"],
] as const) {
  test(`refused: "${line}"`, (t) => {
    t.throws(() => parse(line), { message });
  });
}
