// A UDP flood on one device: koffi, AF_PACKET, sendmmsg of 64 ready-made frames. Prints one line of JSON.
//   node flood.mjs --iface=eth0 --seconds=2 [--packets=N] [--flows=1] [--size=60] [--dst=MAC] [--src=MAC]
//                  [--sip=IP] [--dip=IP] [--sport=N] [--dport=N]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PacketMeta } from '../dist/src/core/packet-meta.js';
import { SEND_BATCH, SendQueue } from '../dist/src/ports/linux/send-queue.js';
import { tryLibc } from '../dist/src/sys/libc.js';
import * as L from '../dist/src/sys/linux.js';
import { acquireMemory } from '../dist/src/sys/memory.js';
import { udpFrame } from './frame.mjs';

const text = (value) => ({ type: 'string', default: String(value) });
const { values } = parseArgs({
  options: {
    iface: text('eth0'),
    seconds: text(2),
    packets: text(0),
    flows: text(1),
    size: text(60),
    dst: text('02:00:00:00:00:02'),
    src: text('02:00:00:00:00:01'),
    sip: text('10.1.0.1'),
    dip: text('10.1.0.2'),
    sport: text(1000),
    dport: text(2000),
  },
});
const libc = tryLibc();
const fd = libc.socket(L.AF_PACKET, L.SOCK_RAW, 0);
const address = new Uint8Array(20);
const sll = new DataView(address.buffer);
sll.setUint16(0, L.AF_PACKET, true);
sll.setInt32(4, Number(readFileSync(`/sys/class/net/${values.iface}/ifindex`, 'utf8')), true);
if (libc.bind(fd, address, address.length) !== 0) throw new Error(`bind: errno ${libc.errno()}`);
for (const option of [L.PACKET_VNET_HDR, L.PACKET_QDISC_BYPASS]) {
  libc.setsockopt(fd, L.SOL_PACKET, option, Int32Array.of(1), 4);
}

const flows = Number(values.flows);
const size = Number(values.size);
const memory = acquireMemory(libc, 2048 * flows);
for (let i = 0; i < flows; i++) {
  memory.bytes.set(
    udpFrame({ ...values, size, sport: Number(values.sport) + i, dport: Number(values.dport) }),
    i * 2048,
  );
}
const queue = SendQueue.create(libc);
const meta = new PacketMeta();
const packets = Number(values.packets) || Infinity;
const start = performance.now();
const end = start + Number(values.seconds) * 1000;
let sent = 0;
let flow = 0;
while (sent < packets && performance.now() < end) {
  for (let i = 0; i < SEND_BATCH && sent < packets; i++) {
    queue.push(memory.address + flow * 2048, size, meta);
    if (++flow === flows) flow = 0;
    sent++;
  }
  queue.flush(fd);
}
const { dropped, errors } = queue;
console.log(JSON.stringify({ sent, dropped, errors, kpps: sent / (performance.now() - start) }));
