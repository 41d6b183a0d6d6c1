/** Standalone executables and what they are made of, for tests. */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '@ovs-node/ctl-tools/lab/suite';
import type { Requirement } from './requires.js';

const env: NodeJS.ProcessEnv = { ...process.env, NODE_EXTRA_CA_CERTS: '' };

/**
 * The folder of a pinned package (scripts/binaries.mjs), or why it is not there. Only CI fetches what is not in the
 * cache: tests download nothing on a user's machine.
 */
export function pinnedPackage(name: string): { readonly folder?: string; readonly missing?: string } {
  const args = [join(checkout, 'scripts/binaries.mjs'), ...(env['CI'] === 'true' ? [] : ['--cached']), name];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  return status === 0 ? { folder: stdout.trim() } : { missing: stderr.trim().split('\n', 1)[0]! };
}

/** A test's requirement of packages. */
export function needsPackages(...names: string[]): Requirement {
  const missing = names.map((name) => pinnedPackage(name).missing).filter((each) => each !== undefined);
  return { name: missing.join(', '), met: missing.length === 0 };
}

/** What `npm run package` makes for a platform; made when it is older than the bundles. */
export function packagedExecutable(target: 'linux-x64' | 'win-x64'): string {
  const executable = join(checkout, 'dist', target === 'win-x64' ? 'ovs-win-x64.exe' : 'ovs-linux-x64');
  const time = (file: string): number => (existsSync(file) ? statSync(file).mtimeMs : 0);
  if (time(executable) < time(join(checkout, 'dist/ovs-vswitchd.cjs'))) {
    const made = spawnSync(
      process.execPath,
      [join(checkout, 'scripts/package.mjs'), '--no-archive', target],
      { encoding: 'utf8', env },
    );
    if (made.status !== 0) throw new Error(made.stderr);
  }
  return executable;
}
