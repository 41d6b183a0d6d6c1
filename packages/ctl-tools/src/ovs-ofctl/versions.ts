/** Which versions of OpenFlow commands need. */
import { protocolsOfVersions } from '@ovs-node/openflow/text/protocols';
import { OF13, OF14, OF15 } from '@ovs-node/openflow/version';

const WITH_BUNDLES = (1 << OF13) | (1 << OF14) | (1 << OF15);

/** Protocols of the versions that have bundles. */
export const BUNDLE_PROTOCOLS = protocolsOfVersions(WITH_BUNDLES);

/** The versions allowed, for a switch to choose one that has bundles; OpenFlow 1.4 if none of them has. */
export function bundleVersions(versions: number): number {
  return (versions & WITH_BUNDLES) === 0 ? 1 << OF14 : versions;
}
