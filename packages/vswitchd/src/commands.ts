/** The control commands of ovs-vswitchd that look at the whole switch. */
import type { UnixctlServer } from '@ovs-node/common/unixctl';
import type { Vswitchd } from './vswitchd.js';

/** Registers them. */
export function registerCommands(unixctl: UnixctlServer, daemon: Vswitchd): void {
  void unixctl;
  void daemon;
}
