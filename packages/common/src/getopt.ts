/**
 * getopt_long(3), from typed option tables.
 *
 * A program's options are rows; parsing, the built-in groups (vlog, daemon, SSL) and the abbreviations derive from
 * them. The words of the errors are glibc's, because those are what a user of the peer sees:
 *
 *     ovs-vsctl: unrecognized option '--foo'
 *     ovs-vsctl: option '--db' requires an argument
 *     ovs-vsctl: option '--no' is ambiguous; possibilities: '--no-syslog' '--no-wait'
 *     ovs-appctl: invalid option -- 'x'
 *
 * Options take effect one by one, in order, before a later one is found to be wrong (`--help --nonsense` prints the
 * help): `parseOptions` is therefore a generator, and throws at the bad option.
 */
import { EarlyExit, FatalError } from './errors.js';
import { versionLine } from './version.js';

/** Does an option take a value: never, always, or only written as --name=VALUE / -xVALUE. */
export type OptionArg = 'none' | 'required' | 'optional';

/** One option: a row of a program's table. */
export interface OptionSpec {
  /** Long name without dashes; '' for an option that has only a short form. */
  readonly name: string;
  /** One character. */
  readonly short?: string;
  /** 'none' when absent. */
  readonly arg?: OptionArg;
  /** Takes effect at once, while parsing; options with `apply` are not in `CommandLine.options`. */
  readonly apply?: (value: string | undefined, program: string) => void;
}

/** One option met on a command line. */
export interface ParsedOption {
  /** The row's long name (or its short one, if it has no long one), never the abbreviation the user wrote. */
  readonly name: string;
  readonly value: string | undefined;
  readonly spec: OptionSpec;
}

/** Where parsing stops: at the first operand ('stop', getopt's `+`), or never ('permute', glibc's default). */
export type OptionOrder = 'stop' | 'permute';

function fail(message: string): never {
  throw new FatalError(message, 1, 'usage');
}

/** @param text the word without its dashes, value and all: errors repeat it. */
function findLong(text: string, specs: readonly OptionSpec[]): OptionSpec {
  const given = text.split('=', 1)[0]!;
  const exact = specs.find((s) => s.name !== '' && s.name === given);
  if (exact) return exact;
  const near = specs.filter((s) => s.name !== '' && s.name.startsWith(given));
  if (near.length === 1) return near[0]!;
  if (near.length === 0) fail(`unrecognized option '--${text}'`);
  return fail(
    `option '--${text}' is ambiguous; possibilities: ${near.map((s) => `'--${s.name}'`).join(' ')}`,
  );
}

/**
 * Walks a command line. Yields each option as it is met; returns the operands (what follows `--` included).
 *
 * @param args the words after the program's name.
 * @throws FatalError status 1 at the first bad option, with glibc's words (no program name in front).
 */
export function* parseOptions(
  args: readonly string[],
  specs: readonly OptionSpec[],
  order: OptionOrder = 'stop',
): Generator<ParsedOption, string[], void> {
  const operands: string[] = [];
  let i = 0;
  while (i < args.length) {
    const word = args[i]!;
    if (word === '--') {
      operands.push(...args.slice(i + 1));
      return operands;
    }
    if (word === '-' || !word.startsWith('-')) {
      if (order === 'stop') {
        operands.push(...args.slice(i));
        return operands;
      }
      operands.push(word);
      i++;
      continue;
    }
    i++;
    if (word.startsWith('--')) {
      const eq = word.indexOf('=');
      const spec = findLong(word.slice(2), specs);
      let value = eq < 0 ? undefined : word.slice(eq + 1);
      const arg = spec.arg ?? 'none';
      if (arg === 'none' && value !== undefined) fail(`option '--${spec.name}' doesn't allow an argument`);
      if (arg === 'required' && value === undefined) {
        if (i >= args.length) fail(`option '--${spec.name}' requires an argument`);
        value = args[i++]!;
      }
      yield { name: spec.name, value, spec };
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!;
      const spec = specs.find((s) => s.short === letter);
      if (!spec) fail(`invalid option -- '${letter}'`);
      const name = spec.name === '' ? letter : spec.name;
      const rest = word.slice(at + 1);
      if ((spec.arg ?? 'none') === 'none') {
        yield { name, value: undefined, spec };
        continue;
      }
      if (rest !== '') yield { name, value: rest, spec };
      else if (spec.arg === 'optional') yield { name, value: undefined, spec };
      else {
        if (i >= args.length) fail(`option requires an argument -- '${letter}'`);
        yield { name, value: args[i++]!, spec };
      }
      break;
    }
  }
  return operands;
}

/** Ends a program in an option's `apply`, well. @throws EarlyExit always. */
export function exitEarly(text: string): never {
  throw new EarlyExit(text);
}

/** A table as the peer's `--option` lists it, for shells that complete command lines. */
export function listOptions(specs: readonly OptionSpec[]): string {
  const lines: string[] = [];
  for (const { name, short, arg = 'none' } of specs) {
    const value = arg === 'none' ? '' : arg === 'required' ? 'ARG' : '[ARG]';
    if (name !== '') lines.push(value === '' ? `--${name}` : `--${name}=${value}`);
    if (short !== undefined) lines.push(`-${short} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What a program says about its command line. */
export interface ProgramSpec {
  /** As in `PROG: message`. */
  readonly name: string;
  readonly options: readonly OptionSpec[];
  /** 'stop' when absent. */
  readonly order?: OptionOrder;
  /** The text of --help, complete. -h/--help is accepted when present. */
  readonly help?: () => string;
  /** Lines of --version after the first. */
  readonly versionLines?: readonly string[];
}

/** A parsed command line. */
export interface CommandLine {
  /** Options without an `apply`, in order. */
  readonly options: readonly ParsedOption[];
  readonly operands: readonly string[];
}

/**
 * Parses a whole command line: applies the options that have an `apply` (logging …) in order, ends by EarlyExit at
 * -h/--help and -V/--version, and returns the rest.
 */
export function parseCommandLine(program: ProgramSpec, args: readonly string[]): CommandLine {
  const help = program.help;
  const own: OptionSpec[] = [];
  if (help && !program.options.some((row) => row.name === 'help')) {
    own.push({
      name: 'help',
      short: 'h',
      apply: () => exitEarly(help()),
    });
  }
  const hasOwnVersion = program.options.some((row) => row.name === 'version');
  if (!hasOwnVersion)
    own.push({
      name: 'version',
      short: 'V',
      apply: () => exitEarly([versionLine(program.name), ...(program.versionLines ?? []), ''].join('\n')),
    });
  // The peer's tables have these two before the logging options; it shows in the order of "possibilities".
  const specs: OptionSpec[] = [...program.options];
  const logging = specs.findIndex((row) => row.name === 'verbose');
  specs.splice(logging < 0 ? specs.length : logging, 0, ...own);
  const options: ParsedOption[] = [];
  const walk = parseOptions(args, specs, program.order ?? 'stop');
  for (;;) {
    const step = walk.next();
    if (step.done === true) return { options, operands: step.value };
    const option = step.value;
    if (option.spec.apply) option.spec.apply(option.value, program.name);
    else options.push(option);
  }
}
