/** parse-pcap and ofp-parse-pcap beside the peer's: captures of all kinds, and TCP segments in any order. */
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { checkoutRoot, needing, peerPath, run, tmpDir } from '@ovs-node/common/testkit/index';

const OURS = [process.execPath, path.join(checkoutRoot(), 'packages/ctl-tools/dist/src/ovs-ofctl/main.js')];

type Order = 'LE' | 'BE';

function u32s(order: Order, ...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, v] of values.entries()) {
    if (order === 'LE') bytes.writeUInt32LE(v, 4 * i);
    else bytes.writeUInt32BE(v, 4 * i);
  }
  return bytes;
}

interface HeaderOptions {
  readonly order?: Order;
  readonly magic?: number;
  readonly network?: number;
}

function header({ order = 'LE', magic = 0xa1b2c3d4, network = 1 }: HeaderOptions = {}): Buffer {
  const version = order === 'LE' ? 0x00040002 : 0x00020004;
  return u32s(order, magic, version, 0, 0, 65_535, network);
}

const record = (data: Buffer, order: Order = 'LE', length = data.length): Buffer =>
  Buffer.concat([u32s(order, 1_700_000_000, 123_999, length, length), data]);

const HELLO = Buffer.from('0100000800000001', 'hex');
const FEATURES = Buffer.from('0105000800000002', 'hex');
const [FIN, SYN, RST, PSH] = [1, 2, 4, 24] as const;

/** An IPv4 packet with a segment. */
function segment(seq: number, flags: number, payload: Buffer = Buffer.alloc(0), from = 1111): Buffer {
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(from, 0);
  tcp.writeUInt16BE(6653, 2);
  tcp.writeUInt32BE(seq, 4);
  tcp[12] = 0x50;
  tcp[13] = flags;
  const ip = Buffer.from('4500000000000000400600000a0000010a000002', 'hex');
  ip.writeUInt16BE(40 + payload.length, 2);
  return Buffer.concat([ip, tcp, payload]);
}

const ethernet = (packet: Buffer, filling = 0): Buffer =>
  Buffer.concat([Buffer.from('0000000000020000000000010800', 'hex'), packet, Buffer.alloc(filling)]);

const cooked = (packet: Buffer, addressLength = 6): Buffer =>
  Buffer.concat([Buffer.from([0, 4, 0, 1, 0, addressLength, 2, 3, 4, 5, 6, 7, 0, 0, 8, 0]), packet]);

/** A capture of Ethernet frames with these packets. */
const frames = (...packets: readonly Buffer[]): Buffer =>
  Buffer.concat([header(), ...packets.map((p) => record(ethernet(p)))]);

const start = segment(1, SYN);
const whole = ethernet(segment(2, PSH, HELLO));

const CAPTURES: Readonly<Record<string, Buffer>> = {
  'segments in order': frames(
    start,
    segment(2, PSH, HELLO.subarray(0, 3)),
    segment(5, PSH, HELLO.subarray(3)),
  ),
  'a segment that comes early': frames(start, segment(10, PSH, FEATURES), segment(2, PSH, HELLO)),
  'a segment that comes again': frames(start, segment(2, PSH, HELLO), segment(2, PSH, HELLO)),
  'a segment that overlaps': frames(start, segment(2, PSH, HELLO), segment(6, PSH, FEATURES)),
  'an end with data': frames(start, segment(2, PSH | FIN, HELLO), segment(10, PSH, FEATURES)),
  'a reset': frames(start, segment(2, PSH, HELLO), segment(10, RST), segment(77, PSH, FEATURES)),
  'a second start': frames(
    start,
    segment(2, PSH, HELLO.subarray(0, 4)),
    segment(20, SYN),
    segment(21, PSH, HELLO),
  ),
  'numbers that wrap at 0': frames(
    segment(0xffff_fff7, SYN),
    segment(0xffff_fff8, PSH, HELLO),
    segment(0, PSH, HELLO),
    segment(1, PSH, FEATURES),
  ),
  'two directions': frames(start, segment(5, PSH, FEATURES, 2222), segment(2, PSH, HELLO)),
  'what is too short to be a message': frames(
    start,
    segment(2, PSH, Buffer.concat([HELLO, Buffer.from('0100000300000000', 'hex')])),
    segment(18, PSH, FEATURES),
  ),
  'a frame that was filled up': Buffer.concat([
    header(),
    record(ethernet(segment(2, PSH, HELLO.subarray(0, 4)), 6)),
    record(ethernet(segment(6, PSH, HELLO.subarray(4)), 2)),
  ]),
  'a packet of no bytes': Buffer.concat([header(), record(Buffer.alloc(0)), record(whole)]),
  'a packet cut short': Buffer.concat([header(), record(whole), record(whole).subarray(0, 30)]),
  'a record cut short': Buffer.concat([header(), record(whole), record(whole).subarray(0, 9)]),
  'the other byte order': Buffer.concat([header({ order: 'BE' }), record(whole, 'BE')]),
  'both byte orders': Buffer.concat([header(), record(whole, 'BE'), record(whole)]),
  nanoseconds: Buffer.concat([header({ magic: 0xa1b23c4d }), record(whole)]),
  'a length that none has': Buffer.concat([header(), record(whole), record(whole, 'LE', 0x10001)]),
  'cooked packets': Buffer.concat([header({ network: 113 }), record(cooked(segment(2, PSH, HELLO)))]),
  'cooked packets of something else': Buffer.concat([
    header({ network: 113 }),
    record(cooked(segment(2, PSH, HELLO))),
    record(cooked(segment(10, PSH, FEATURES), 8)),
  ]),
  'a cooked packet cut short': Buffer.concat([header({ network: 113 }), record(Buffer.alloc(15))]),
  'an unknown network': Buffer.concat([header({ network: 276 }), record(whole)]),
  'an unknown magic': Buffer.concat([header({ magic: 0xa1b2c3d5 }), record(whole)]),
  'half a header': header().subarray(0, 23),
};

const COMMANDS = [
  ['parse-pcap', '@'],
  ['--timestamp', 'ofp-parse-pcap', '@', '80', ' +6653x'],
];

needing(test, 'peer')('captures are read as by the peer', async (t) => {
  t.timeout(120_000);
  const dir = tmpDir(t);
  const file = path.join(dir, 'capture');
  for (const [what, bytes] of Object.entries(CAPTURES)) {
    fs.writeFileSync(file, bytes);
    for (const command of COMMANDS) {
      const args = command.map((word) => (word === '@' ? file : word));
      const said = async ([program, ...first]: readonly string[]): Promise<unknown> => {
        const { status, stdout, stderr } = await run(program, [...first, ...args]);
        return { status, stdout, stderr: stderr.replace(/^\S+?Z\|/gm, '') };
      };
      t.deepEqual(await said(OURS), await said([peerPath('ovs-ofctl')!]), `${what}: ${command.join(' ')}`);
    }
  }
});
