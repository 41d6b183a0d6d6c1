// A UDP flood on one interface: koffi, AF_PACKET, sendmmsg of 64 ready-made frames.
// node flood.mjs IFACE SECONDS [flows=1] [pps=0: as fast as it goes] [dst-mac] [src-mac] [size=64]
import { tryLibc } from '../dist/src/sys/libc.js';
import { acquireMemory } from '../dist/src/sys/memory.js';
import { SendQueue } from '../dist/src/ports/linux/send-queue.js';
import { PacketMeta } from '../dist/src/core/packet-meta.js';
import * as L from '../dist/src/sys/linux.js';
import { udpFrame } from './frame.mjs';
import { readFileSync } from 'node:fs';

const [
  iface,
  seconds,
  flows = '1',
  pps = '0',
  dst = '02:00:00:00:00:02',
  src = '02:00:00:00:00:01',
  size = '60',
] = process.argv.slice(2);
const libc = tryLibc();
const fd = libc.socket(L.AF_PACKET, L.SOCK_RAW, 0);
const ifindex = Number(readFileSync(`/sys/class/net/${iface}/ifindex`, 'utf8'));
const sll = new Uint8Array(20);
new DataView(sll.buffer).setUint16(0, L.AF_PACKET, true);
new DataView(sll.buffer).setInt32(4, ifindex, true);
if (libc.bind(fd, sll, 20) !== 0) throw new Error(`bind: ${libc.errno()}`);
libc.setsockopt(fd, L.SOL_PACKET, L.PACKET_VNET_HDR, Int32Array.of(1), 4);
const meta = new PacketMeta();
libc.setsockopt(fd, L.SOL_PACKET, L.PACKET_QDISC_BYPASS, Int32Array.of(1), 4);
const nflows = Number(flows);
const len = Number(size);
const memory = acquireMemory(libc, 2048 * Math.max(64, nflows));
for (let i = 0; i < nflows; i++)
  memory.bytes.set(udpFrame({ dst, src, len, sport: 1000 + i, dport: 2000 }), i * 2048);
const queue = SendQueue.create(libc);
const end = performance.now() + Number(seconds) * 1000;
const start = performance.now();
let sent = 0;
let at = 0;
const rate = Number(pps) / 1000;
for (;;) {
  const now = performance.now();
  if (now > end) break;
  if (rate > 0 && sent > (now - start) * rate) continue;
  for (let i = 0; i < 64; i++) {
    queue.push(memory.address + at * 2048, len, meta);
    if (++at === nflows) at = 0;
  }
  queue.flush(fd);
  sent += 64;
}
console.log(
  JSON.stringify({
    sent,
    dropped: queue.dropped,
    errors: queue.errors,
    kpps: sent / (performance.now() - start),
  }),
);
