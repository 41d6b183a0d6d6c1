/** Which versions of OpenFlow commands need. */
import { OF13, OF14, OF15 } from '@ovs-node/openflow/version';

/** The versions allowed, for a switch to choose one that has bundles; OpenFlow 1.4 if none of them has. */
export function bundleVersions(versions: number): number {
  return (versions & ((1 << OF13) | (1 << OF14) | (1 << OF15))) === 0 ? 1 << OF14 : versions;
}
