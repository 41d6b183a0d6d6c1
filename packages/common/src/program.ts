/** How a program of the suite starts another: from a checkout by Node.js, from a standalone executable by its name. */
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The part of `node:sea` that is used; Node.js before 20.12 has none, and assets come with 21.7. */
export interface Sea {
  isSea(): boolean;
  getRawAsset(key: string): ArrayBuffer;
  getAsset(key: string, encoding: string): string;
}

let sea: Sea | null | undefined;

/** An executable that `pkg` made: files of its own are read as if they were on disk. */
const byPkg = 'pkg' in process;

/** `node:sea` when this process is a standalone executable with assets, else null. */
export function standalone(): Sea | null {
  if (byPkg) return null;
  if (sea === undefined) {
    const module = process.getBuiltinModule?.('node:sea') as Sea | undefined;
    sea = module?.isSea() === true ? module : null;
  }
  return sea;
}

function isExecutable(): boolean {
  return byPkg || standalone() !== null;
}

/**
 * The first words of the command line that runs program `name` of this installation; absolute.
 *
 * A standalone executable is found by the link that has the program's name, where `ovs install-links` made it; without
 * one, the executable takes the name as its first argument.
 */
export function programCommand(name: string): string[] {
  if (!isExecutable()) return [process.execPath, path.join(path.dirname(process.argv[1]!), name)];
  const link = path.join(path.dirname(process.execPath), name + path.extname(process.execPath));
  return existsSync(link) ? [link] : [process.execPath, name];
}

/** The first words of the command line that runs this program again, given its name as `argv0`. */
export function ownCommand(): string[] {
  if (isExecutable()) return [process.execPath];
  return [process.execPath, ...process.execArgv, process.argv[1]!];
}
