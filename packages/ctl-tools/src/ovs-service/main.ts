/** ovs-service: the entry. `--version` is answered before anything else is loaded. */
import { printedVersion } from '@ovs-node/common/version';

if (!printedVersion('ovs-service')) {
  void import('./service.js').then(({ service }) => service());
}
