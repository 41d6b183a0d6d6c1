/** ovs-appctl: the entry. `--version` is answered before anything else is loaded. */
import { printedVersion } from '@ovs-node/common/version';

if (!printedVersion('ovs-appctl')) {
  void import('./appctl.js').then(({ appctl }) => appctl());
}
