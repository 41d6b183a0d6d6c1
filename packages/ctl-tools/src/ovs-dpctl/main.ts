/** ovs-dpctl: the entry. `--version` is answered before anything else is loaded. */
import { printedVersion } from '@ovs-node/common/version';

if (!printedVersion('ovs-dpctl')) {
  void import('./dpctl.js').then(({ dpctl }) => dpctl());
}
