/** ovs-vsctl: the entry. `--version` is answered before anything else is loaded. */
import { printedVersion } from '@ovs-node/common/version';

if (!printedVersion('ovs-vsctl', ['DB Schema 8.3.1'])) {
  void import('./vsctl.js').then(({ vsctl }) => vsctl());
}
