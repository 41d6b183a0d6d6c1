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
 * Where it is missing the test is reported as skipped, with the reason in its title; with CI=true it is an error.
 */
export function needing<T extends { readonly skip: unknown }>(test: T, ...needs: readonly Requirement[]): T {
  const reasons = needs.map((need) => MISSING[need]()).filter((reason) => reason !== null);
  if (reasons.length === 0) return test;
  if (process.env['CI'] === 'true') throw new Error(`CI lacks what tests need: ${reasons.join(', ')}`);
  const skip = test.skip as (title: string, ...rest: unknown[]) => void;
  const skipped = (title: string, ...rest: unknown[]): void =>
    skip(`${title} (${reasons.join(', ')})`, ...rest);
  return skipped as unknown as T;
}
