/**
 * `ovs`: all programs of the suite in one executable. It is the program whose name it is started by (a hard link, or
 * the name that a parent gives), or, as `ovs`, the one that its first argument names.
 */
import { copyFileSync, linkSync, mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { FatalError, strerror } from '@ovs-node/common/errors';
import { runTool } from '@ovs-node/common/tool';
import { printedVersion } from '@ovs-node/common/version';

/** Program name -> what loads and runs it. */
export type Programs = Readonly<Record<string, () => Promise<unknown>>>;

const NAME = 'ovs';

/** The program that a first word of a command line means: its last part, without `.exe`; Windows looks at no case. */
export function calledName(argv0: string): string {
  const windows = process.platform === 'win32';
  const base = (windows ? path.win32 : path.posix).basename(argv0);
  return windows ? base.toLowerCase().replace(/\.exe$/, '') : base;
}

const help = (programs: Programs): string => `\
${NAME}: the programs of Open vSwitch in one executable
usage: ${NAME} PROGRAM [ARG...]
       ${NAME} install-links DIR
A hard link that has a program's name is that program; install-links puts
this executable and such links into DIR.

Programs:
${Object.keys(programs)
  .map((name) => `  ${name}`)
  .join('\n')}

Options:
  -h, --help              display this help message
  -V, --version           display version information
`;

/** Runs what this process was called for. */
export function multicall(programs: Programs): void {
  const name = calledName(process.argv0);
  if (Object.hasOwn(programs, name)) {
    void programs[name]!();
    return;
  }
  const first = process.argv[2] ?? '';
  if (Object.hasOwn(programs, first)) {
    process.argv.splice(2, 1);
    void programs[first]!();
    return;
  }
  if (!printedVersion(NAME)) void runTool(NAME, (args) => command(programs, args));
}

function command(programs: Programs, [first, ...rest]: readonly string[]): number {
  if (first === '-h' || first === '--help') {
    process.stdout.write(help(programs));
    return 0;
  }
  if (first === undefined) throw new FatalError('missing program name; use --help for help');
  if (first !== 'install-links') throw new FatalError(`unknown program '${first}'; use --help for help`);
  if (rest.length !== 1) throw new FatalError("'install-links' command takes one argument: a folder");
  for (const file of installLinks(process.execPath, rest[0]!, Object.keys(programs)))
    process.stdout.write(`${file}\n`);
  return 0;
}

/**
 * Puts `executable` as `ovs` into `dir`, unless it is there, and a hard link to it for each of `names`; what has such
 * a name is replaced.
 *
 * @returns the files.
 * @throws FatalError that says what could not be made.
 */
export function installLinks(executable: string, dir: string, names: readonly string[]): string[] {
  const extension = path.extname(executable) === '.exe' ? '.exe' : '';
  const target = path.join(dir, NAME + extension);
  const attempt = (file: string, action: () => void): string => {
    try {
      action();
    } catch (error) {
      throw new FatalError(`${file}: ${strerror(error)}`);
    }
    return file;
  };
  attempt(dir, () => mkdirSync(dir, { recursive: true }));
  const made: string[] = [];
  if (!sameFile(executable, target)) {
    made.push(
      attempt(target, () => {
        rmSync(target, { force: true });
        copyFileSync(executable, target);
      }),
    );
  }
  for (const name of names) {
    const link = path.join(dir, name + extension);
    if (sameFile(target, link)) continue;
    made.push(
      attempt(link, () => {
        rmSync(link, { force: true });
        linkSync(target, link);
      }),
    );
  }
  return made;
}

function sameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [one, other].map((file) => statSync(file, { bigint: true }));
    return a!.ino === b!.ino && a!.dev === b!.dev;
  } catch {
    return false;
  }
}
