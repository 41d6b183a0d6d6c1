import { peerAvailable } from './peer.js';
import type { TestContext } from './tmp.js';

/** What a test can need. */
export type Requirement = 'root' | 'peer' | 'linux';

/** Runs this process as root? */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

const MISSING: Readonly<Record<Requirement, () => string | null>> = {
  root: () => (isRoot() ? null : 'needs root'),
  peer: () => (peerAvailable() ? null : "needs the peer's packages (openvswitch-switch)"),
  linux: () => (process.platform === 'linux' ? null : 'needs Linux'),
};

/**
 * Asks for what a test needs: `if (!requireOrSkip(t, 'peer')) return;`. When it is missing, the reason is printed
 * and the test counts as passed; with CI=true it fails instead.
 */
export function requireOrSkip(t: TestContext, ...needs: readonly Requirement[]): boolean {
  for (const need of needs) {
    const reason = MISSING[need]();
    if (reason === null) continue;
    t.log(`skipped: ${reason}`);
    if (process.env['CI'] === 'true') t.fail(`skipped in CI: ${reason}`);
    else t.pass();
    return false;
  }
  return true;
}
