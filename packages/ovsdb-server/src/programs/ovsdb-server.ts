/** ovsdb-server(1): the program. */
import { printedVersion } from '@ovs-node/common/version';

if (!printedVersion('ovsdb-server')) void import('../server-main.js').then((module) => module.main());
