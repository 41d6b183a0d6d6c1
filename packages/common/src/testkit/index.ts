/** Helpers of tests: folders that vanish, programs of this checkout and of the peer, and tests that need something. */
export { makeCa, makeCertificate, opensslAvailable, type KeyPair } from './certificates.js';
export { FakeClock } from './fake-clock.js';
export { tmpDir, bindTmp, socketPath } from './tmp.js';
export { runProgram, checkoutRoot, run, type RunResult, type RunOptions } from './programs.js';
export { peerAvailable, peerPath, peerPrograms, startPeer, type Peer } from './peer.js';
export { isRoot, needing, unlessMissing, type Requirement } from './require.js';
