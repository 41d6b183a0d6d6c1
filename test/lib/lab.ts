/** A suite for one test, in a folder that goes with it. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Side, Suite, checkout, dirsAt } from '@ovs-node/ctl-tools/lab/suite';

export interface LabOptions {
  readonly side?: Side;
  readonly vswitchdArgs?: readonly string[];
  /** Warnings in a log that the test provokes on purpose. */
  readonly expectedWarnings?: readonly RegExp[];
  /** False when the test starts the daemons itself. */
  readonly start?: boolean;
}

/** The peer's ovs-vswitchd takes all the memory there is on some flow tables: it is to end instead. */
const BOUNDED = ['prlimit', '--as=6000000000'];

/** Starts a suite, runs `body`, stops it; an unexpected warning in a log of ours fails the test. */
export async function withSuite<T>(
  t: ExecutionContext,
  options: LabOptions,
  body: (suite: Suite, dir: string) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'ovs-test-'));
  const suite = new Suite({
    root: checkout,
    side: options.side ?? 'ours',
    dirs: dirsAt(dir),
    vswitchdArgs: options.vswitchdArgs ?? [],
    ...(options.side === 'peer' ? { prefix: BOUNDED } : {}),
  });
  try {
    if (options.start !== false) await suite.start();
    return await body(suite, dir);
  } catch (error) {
    for (const [file, lines] of logs(dir)) t.log(`${file}:\n${lines.slice(-15).join('\n')}`);
    throw error;
  } finally {
    await suite.stop();
    if (suite.side === 'ours') {
      for (const [file, lines] of logs(dir)) {
        const warnings = lines.filter(
          (line) =>
            /\|(WARN|ERR|EMER)\|/.test(line) && !options.expectedWarnings?.some((each) => each.test(line)),
        );
        t.deepEqual(warnings, [], `${file} warns of nothing`);
      }
    }
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What `told` makes of the peer's suite and of ours, with dummy ports, at once; what they warn of is not looked at. */
export async function ofBothSides<T>(
  t: ExecutionContext,
  told: (suite: Suite, dir: string) => Promise<T>,
): Promise<readonly [wanted: T, seen: T]> {
  t.timeout(5 * 60_000);
  const of = (side: Side): Promise<T> =>
    withSuite(t, { side, vswitchdArgs: ['--enable-dummy'], expectedWarnings: [/\|WARN\|/] }, told);
  return Promise.all([of('peer'), of('ours')]);
}

function logs(dir: string): [string, string[]][] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.log'))
    .map((name) => [name, readFileSync(join(dir, name), 'utf8').split('\n')]);
}
