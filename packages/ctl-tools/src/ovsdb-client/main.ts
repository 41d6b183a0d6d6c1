/** ovsdb-client: the entry. `--version` is answered before anything else is loaded. */
import { printedVersion } from '@ovs-node/common/version';

if (!printedVersion('ovsdb-client')) {
  void import('./client.js').then(({ ovsdbClient }) => ovsdbClient());
}
