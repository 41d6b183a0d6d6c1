/** ovs-vswitchd: the entry. `--version` is answered before anything else is loaded. */
import { printedVersion } from '@ovs-node/common/version';

if (!printedVersion('ovs-vswitchd')) {
  void import('../daemon.js').then(({ vswitchd }) => vswitchd());
}
