/**
 * A virtual NIC on a port of `type=stream`: what QEMU's `-netdev stream` would be. Each frame is preceded by its
 * length, 4 bytes, big-endian.
 */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connectStream } from '@ovs-node/common/stream';
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';

export class StreamHost {
  readonly #socket: Socket;
  readonly #frames: Uint8Array[] = [];
  readonly #waiting: ((frame: Uint8Array) => void)[] = [];
  #buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => undefined);
  }

  /** @param name of a stream: `unix:PATH`, `tcp:HOST:PORT`. */
  static async open(name: string): Promise<StreamHost> {
    return new StreamHost(await connectStream(name));
  }

  onClose(action: () => void): void {
    this.#socket.on('close', action);
  }

  send(frame: Uint8Array): void {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(frame.length);
    this.#socket.write(Buffer.concat([head, frame]));
  }

  /** The next frame that arrives, or undefined after `timeoutMs`. */
  receive(timeoutMs = 3000): Promise<Uint8Array | undefined> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((done) => {
      const wake = (arrived: Uint8Array): void => {
        clearTimeout(timer);
        done(arrived);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(wake), 1);
        done(undefined);
      }, timeoutMs);
      this.#waiting.push(wake);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= 4) {
      const length = this.#buffer.readUInt32BE(0);
      if (this.#buffer.length < 4 + length) return;
      const frame = Uint8Array.from(this.#buffer.subarray(4, 4 + length));
      this.#buffer = this.#buffer.subarray(4 + length);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#frames.push(frame);
      else waiting(frame);
    }
  }
}

/** An Ethernet II frame of 60 bytes; addresses by their last byte. */
export function frame(dst: number, src: number, text = ''): Uint8Array {
  const bytes = new Uint8Array(60);
  bytes.set(dst === 0xff ? [255, 255, 255, 255, 255, 255] : [2, 0, 0, 0, 0, dst], 0);
  bytes.set([2, 0, 0, 0, 0, src], 6);
  bytes.set([0x88, 0xb5], 12); // IEEE 802 local experimental Ethertype 1
  bytes.set(Buffer.from(text), 14);
  return bytes;
}

/** UDP over IPv6 from 20::SRC to 20::DST, its checksum right. */
export function udp6Frame(src: number, dst: number, sport: number, dport: number): Uint8Array {
  const data = Buffer.from('hello');
  const bytes = Buffer.alloc(14 + 40 + 8 + data.length);
  bytes.set(frame(dst, src).subarray(0, 12));
  bytes.writeUInt16BE(0x86dd, 12);
  bytes.writeUInt8(0x60, 14);
  bytes.writeUInt16BE(8 + data.length, 18);
  bytes.writeUInt8(17, 20); // next header: UDP
  bytes.writeUInt8(64, 21);
  for (const [at, host] of [
    [22, src],
    [38, dst],
  ] as const) {
    bytes.writeUInt16BE(0x20, at);
    bytes.writeUInt16BE(host, at + 14);
  }
  bytes.writeUInt16BE(sport, 54);
  bytes.writeUInt16BE(dport, 56);
  bytes.writeUInt16BE(8 + data.length, 58);
  data.copy(bytes, 62);
  // The pseudo header: addresses, length, next header (RFC 8200, 8.1).
  let sum = 8 + data.length + 17;
  const end = bytes.length;
  for (let i = 22; i < end; i += 2) sum += i + 1 < end ? bytes.readUInt16BE(i) : bytes.readUInt8(i) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, 60);
  return Uint8Array.from(bytes);
}

/**
 * Makes `bridge` with a stream port for each of `ports`, whose socket is in `dir`, and runs `body` with a host on each.
 *
 * @param ports by name, the columns to set, as `ovs-vsctl add-port` takes them: `tag=10`.
 */
export async function withStreamHosts<Name extends string>(
  suite: Suite,
  dir: string,
  bridge: string,
  ports: Readonly<Record<Name, readonly string[]>>,
  body: (hosts: Readonly<Record<Name, StreamHost>>) => Promise<void>,
): Promise<void> {
  await suite.vsctl('add-br', bridge);
  const hosts: Partial<Record<Name, StreamHost>> = {};
  try {
    for (const name of Object.keys(ports) as Name[]) {
      const nic = join(dir, `${name}.nic`);
      const settings = ['type=stream', `options:listen=unix:${nic}`];
      await suite.vsctl(
        'add-port',
        bridge,
        name,
        ...ports[name],
        '--',
        'set',
        'interface',
        name,
        ...settings,
      );
      hosts[name] = await StreamHost.open(`unix:${nic}`);
    }
    await body(hosts as Record<Name, StreamHost>);
  } finally {
    for (const host of Object.values<StreamHost | undefined>(hosts)) host?.close();
  }
}
