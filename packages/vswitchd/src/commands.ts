/** The control commands of ovs-vswitchd (ovs-vswitchd(8), "Runtime Management Commands"). */
import { OvsError, strerror } from '@ovs-node/common/errors';
import type { UnixctlServer } from '@ovs-node/common/unixctl';
import { registerDpctl } from './dpif/dpctl.js';
import { ofprotoCommands } from './ofproto/appctl.js';
import type { Vswitchd } from './vswitchd.js';

/** Registers them. `exit` ends the process. */
export function registerCommands(unixctl: UnixctlServer, daemon: Vswitchd, exit: () => void): void {
  registerDpctl(unixctl, {
    program: 'ovs-vswitchd',
    types: () => daemon.datapaths.types(),
    provider: (type) => {
      const provider = daemon.datapaths.provider(type);
      if (provider?.connected === true) return Promise.resolve(provider);
      const code = provider === undefined ? 'EAFNOSUPPORT' : 'ENOTCONN';
      return Promise.reject(new OvsError(strerror(code), code));
    },
  });
  unixctl.registerAll(
    ofprotoCommands({ backers: () => daemon.datapaths.backers(), now: () => daemon.clock.now() }),
  );
  unixctl.register('exit', '[--cleanup]', 0, 1, async (args) => {
    if (args[0] !== undefined && args[0] !== '--cleanup') throw new Error(`unknown option ${args[0]}`);
    if (args[0] === '--cleanup') await daemon.cleanUp();
    exit();
    return '';
  });
}
