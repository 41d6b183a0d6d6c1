/** The one place that knows which release of the peer this suite says it is. Loaded by every launcher: keep it tiny. */

import { writeSync } from 'node:fs';

/** Release of Open vSwitch whose behaviour and version texts this suite has. */
export const PEER_VERSION = '3.1.0';

/** The first line of `--version` and the reply of the `version` command: `ovs-vsctl (Open vSwitch) 3.1.0`. */
export function versionLine(program: string): string {
  return `${program} (Open vSwitch) ${PEER_VERSION}`;
}

/**
 * The start-up short cut: true, after printing, when the only argument is -V or --version. An entry file calls it
 * before it imports anything else, so that `--version` costs what Node costs.
 *
 * @param more further lines of the program (`DB Schema 8.3.1`).
 */
export function printedVersion(program: string, more: readonly string[] = []): boolean {
  const argv = process.argv;
  if (argv.length !== 3 || (argv[2] !== '--version' && argv[2] !== '-V')) return false;
  // Not process.stdout: making that stream costs a tenth of the whole start.
  try {
    writeSync(1, [versionLine(program), ...more, ''].join('\n'));
  } catch (error) {
    // Nobody reads it, or there is no room, of which the peer says nothing.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exitCode = 141;
  }
  return true;
}
