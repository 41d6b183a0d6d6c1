// Switches a device's transmit checksum offload (and with it segmentation) on or off, as ethtool -K IFACE tx does.
//   node offload.mjs IFACE on|off
import { tryLibc } from '../dist/src/sys/libc.js';
import * as L from '../dist/src/sys/linux.js';
import { acquireMemory } from '../dist/src/sys/memory.js';
import { putIfname } from '../dist/src/sys/netdev.js';

const SIOCETHTOOL = 0x8946;
/** ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO. */
const COMMANDS = [0x17, 0x19, 0x1f];

const [iface, state] = process.argv.slice(2);
const libc = tryLibc();
const fd = libc.socket(L.AF_INET, L.SOCK_DGRAM, 0);
const memory = acquireMemory(libc, 64);
for (const command of state === 'on' ? COMMANDS : COMMANDS.toReversed()) {
  const request = new Uint8Array(40);
  putIfname(request, iface);
  new DataView(request.buffer).setBigUint64(16, BigInt(memory.address), true);
  memory.words[0] = command;
  memory.words[1] = state === 'on' ? 1 : 0;
  if (libc.ioctl(fd, SIOCETHTOOL, request) !== 0) throw new Error(`${iface}: errno ${libc.errno()}`);
}
