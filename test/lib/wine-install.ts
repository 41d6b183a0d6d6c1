/** The suite installed in a Wine prefix, in the folders of the old port's guide: as scripts, or as the executable. */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkout, waitFor } from '@ovs-node/ctl-tools/lab/suite';
import { packagedExecutable } from './package.js';
import type { Wine } from './wine.js';

export interface Install {
  /** What comes before a program's name on a service's command line, and what after. */
  readonly program: (name: string) => string;
  /** The folder for PATH, and Windows' own. */
  readonly path: string;
}

const HOME = 'C:\\openvswitch';
export const DATABASE = 'C:/openvswitch/etc/openvswitch/conf.db';

/** Folders that an installer would make; everything of an earlier installation goes. */
function folders(wine: Wine): string {
  const home = join(wine.drive, 'openvswitch');
  rmSync(home, { recursive: true, force: true });
  for (const dir of [
    'etc/openvswitch',
    'var/run/openvswitch',
    'var/log/openvswitch',
    'usr/share/openvswitch',
  ])
    mkdirSync(join(home, dir), { recursive: true });
  cpSync(
    join(checkout, 'packages/ovsdb-client/vswitch.ovsschema'),
    join(home, 'usr/share/openvswitch/vswitch.ovsschema'),
  );
  return home;
}

/** The scripts of bin/, with Node.js beside them. */
export function installScripts(wine: Wine): Install {
  const usr = join(folders(wine), 'usr');
  cpSync(join(checkout, 'bin'), join(usr, 'bin'), { recursive: true });
  for (const file of readdirSync(join(checkout, 'dist'))) {
    if (file.endsWith('.cjs')) cpSync(join(checkout, 'dist', file), join(usr, 'dist', file));
  }
  mkdirSync(join(usr, 'node_modules/@koromix'), { recursive: true });
  symlinkSync(join(checkout, 'node_modules/koffi'), join(usr, 'node_modules/koffi'));
  symlinkSync(wine.koffi, join(usr, 'node_modules/@koromix/koffi-win32-x64'));
  cpSync(wine.node, join(usr, 'bin/node.exe'));
  return {
    program: (name) => `${HOME}\\usr\\bin\\node.exe ${HOME}\\usr\\bin\\${name}`,
    path: `${HOME}\\usr\\bin`,
  };
}

/** The standalone executable. */
export async function installExecutable(wine: Wine): Promise<Install> {
  const executable = packagedExecutable('win-x64');
  mkdirSync(dirname(join(folders(wine), 'usr/sbin')), { recursive: true });
  await wine.must(executable, ['install-links', `${HOME}\\usr\\sbin`]);
  return { program: (name) => `C:/openvswitch/usr/sbin/${name}.exe`, path: `${HOME}\\usr\\sbin` };
}

/** What `sc query` tells of a service; undefined when there is none. */
export async function queryService(
  wine: Wine,
  name: string,
): Promise<{ state: string; exit: number; own: number } | undefined> {
  const { status, stdout } = await wine.run('sc', ['query', name]);
  if (status !== 0) return undefined;
  const field = (label: string): string =>
    new RegExp(`${label} *: (\\d+)(?: +([A-Z_]+))?`).exec(stdout)?.[0] ?? '';
  return {
    state: field('STATE').split(' ').at(-1)!,
    exit: Number(field('WIN32_EXIT_CODE').split(' ').at(-1)),
    own: Number(field('SERVICE_EXIT_CODE').split(' ').at(-1)),
  };
}

/** Waits until a service is in `state`; rejects, with its log, when it gets stuck. */
export async function serviceReaches(wine: Wine, name: string, state: string): Promise<void> {
  try {
    await waitFor(`${name} ${state}`, async () => (await queryService(wine, name))?.state === state, 30_000);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${serviceLog(wine, name)}`);
  }
}

/** The log file of a daemon, as text; empty when there is none. */
export function serviceLog(wine: Wine, name: string): string {
  const file = join(wine.drive, 'openvswitch/var/log/openvswitch', `${name}.log`);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** The process ID in a daemon's pidfile, of Windows' kind. */
export function servicePid(wine: Wine, name: string): number {
  return Number(readFileSync(join(wine.drive, 'openvswitch/var/run/openvswitch', `${name}.pid`), 'utf8'));
}
