/** ovs-ofctl: the entry. `--version` is answered before anything else is loaded. */
import { printedVersion } from '@ovs-node/common/version';

if (!printedVersion('ovs-ofctl', ['OpenFlow versions 0x1:0x6'])) {
  void import('./ofctl.js').then(({ ofctl }) => ofctl());
}
