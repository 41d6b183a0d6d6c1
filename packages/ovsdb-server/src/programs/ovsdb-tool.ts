/** ovsdb-tool(1): the program. */
import { printedVersion } from '@ovs-node/common/version';

if (!printedVersion('ovsdb-tool')) void import('../tool/main.js').then((module) => module.main());
