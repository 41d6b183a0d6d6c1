import { opensslAvailable } from './certificates.js';
import { peerAvailable } from './peer.js';

/** What a test can need. */
export type Requirement = 'root' | 'peer' | 'linux' | 'unix' | 'openssl';

/** Runs this process as root? */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

const MISSING: Readonly<Record<Requirement, () => string | null>> = {
  root: () => (isRoot() ? null : 'needs root'),
  peer: () => (peerAvailable() ? null : "needs the peer's packages (openvswitch-switch)"),
  unix: () => (process.platform === 'win32' ? 'needs Unix' : null),
  openssl: () => (opensslAvailable() ? null : 'needs openssl'),
  linux: () => (process.platform === 'linux' ? null : 'needs Linux'),
};

/**
 * ava's `test` (or `test.serial`) for what needs something of the machine: `needing(test, 'peer')('title', body)`.
 * Where it is missing the test is reported as skipped, with the reason in its title; with CI=true it fails.
 */
export function needing<T extends { readonly skip: unknown }>(test: T, ...needs: readonly Requirement[]): T {
  return unlessMissing(
    test,
    needs.map((need) => MISSING[need]()).filter((reason) => reason !== null),
  );
}

/** What `needing` is made of: ava's `test` when there is no reason against it, else what skips, or with CI=true fails. */
export function unlessMissing<T extends { readonly skip: unknown }>(test: T, reasons: readonly string[]): T {
  if (reasons.length === 0) return test;
  const why = reasons.join(', ');
  const skip = test.skip as (title: string, ...rest: unknown[]) => void;
  const failing = test as unknown as (
    title: string,
    run: (t: { fail(message: string): void }) => void,
  ) => void;
  const instead = (title: string, ...rest: unknown[]): void => {
    if (process.env['CI'] === 'true') failing(title, (t) => t.fail(`CI lacks what the test needs: ${why}`));
    else skip(`${title} (${why})`, ...rest);
  };
  return instead as unknown as T;
}
