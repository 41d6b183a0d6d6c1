/** The runtime every process shares. Import single files (`@ovs-node/common/vlog`): programs load only what they use. */
export { OvsError, FatalError, EarlyExit, errnoName, strerror, errorMessage } from './errors.js';
export { PEER_VERSION, versionLine } from './version.js';
export { systemClock, type Clock, type Timer } from './clock.js';
export { dirs } from './dirs.js';
export { vlog, RateLimit, type VlogModule } from './vlog.js';
