/**
 * A port at the end of a byte stream: QEMU's `-netdev stream` over a Unix socket, a named pipe or TCP. It needs no
 * privilege and works on every system. Options, exactly one of:
 *
 * - `listen=unix:FILE|tcp:HOST:PORT|tcp:PORT`: wait for the other end to connect (QEMU's `server=off`). There is one
 *   other end at a time; a second one is turned away while the first is there;
 * - `remote=unix:FILE|tcp:HOST:PORT`: connect (QEMU's `server=on`), again and again with growing pauses;
 * - `path=FILE`: the same as `remote=unix:FILE`.
 *
 * Relative file names are in the run directory. Frames to send wait in a bounded queue (`MAX_QUEUED` bytes); when
 * the other end does not read, or there is none, frames are dropped and counted. Bytes that are not this framing
 * end the connection.
 */

import type { Socket } from 'node:net';
import { connectStream, type Listener, listenStream } from '@ovs-node/common/stream';
import { isPassiveName } from '@ovs-node/common/stream-name';
import { PacketMeta } from '../core/packet-meta.js';
import { HEADROOM, type Vport } from '../core/vport.js';
import { FrameFinisher } from '../offload/finish.js';
import { EINVAL } from '../sys/linux.js';
import { changeSettings, EventPort } from './event-port.js';
import { FrameParser, LENGTH_PREFIX } from './frame-stream.js';
import { type DeviceSettings, deviceSettings, type PortOptions } from './options.js';
import { IfFlags, MAX_FRAME, type Port, type PortHost } from './provider.js';

/** Bytes that may wait for the other end. */
export const MAX_QUEUED = 1024 * 1024;
/** Received frames of one batch: their bytes live here until the outputs have sent. */
const RECEIVE_MEMORY = 1024 * 1024;
const MIN_RETRY_MS = 250;
const MAX_RETRY_MS = 8000;
const MIN_FRAME = 14;
const CONNECT_TIMEOUT_MS = 5000;
/** Least port numbers of TCP are not a default here: names must say one. */
const NO_PORT = 0;

interface Target {
  readonly listen: boolean;
  readonly name: string;
}

/** Who is about to listen, by name: settled when that is done. */
const listening = new Map<string, Promise<void>>();

export class StreamPort extends EventPort implements Port {
  readonly kind = 'stream';
  readonly cheap = false;
  readonly needsEvents = true;
  readonly ifindex = 0;
  mtu: number;
  mac: Uint8Array;
  error = 'not connected';
  #vport!: Vport;
  #socket: Socket | undefined;
  #listener: Listener | undefined;
  #parser = new FrameParser(MAX_FRAME);
  #timer: NodeJS.Timeout | undefined;
  #retry = MIN_RETRY_MS;
  #closed = false;
  #memory: Uint8Array | undefined;
  #top = HEADROOM;
  #output: Uint8Array = new Uint8Array(4096);
  #outputLength = 0;
  #options: PortOptions;
  readonly #host: PortHost;
  readonly #name: string;
  readonly #target: Target;
  readonly #meta = new PacketMeta();
  readonly #finisher = new FrameFinisher();

  private constructor(
    host: PortHost,
    name: string,
    target: Target,
    options: PortOptions,
    settings: DeviceSettings,
  ) {
    super();
    this.#host = host;
    this.#name = name;
    this.#target = target;
    this.#options = options;
    this.mac = settings.mac ?? new Uint8Array(6);
    this.mtu = settings.mtu ?? 1500;
  }

  /** The port, down until the other end is there; or EINVAL when the options are not exactly one of the above. */
  static create(host: PortHost, name: string, options: PortOptions): StreamPort | number {
    const target = parseTarget(options);
    const settings = deviceSettings(options);
    if (target === undefined || settings === undefined) return EINVAL;
    return new StreamPort(host, name, target, options, settings);
  }

  get carrier(): boolean {
    return this.#socket !== undefined;
  }

  get flags(): number {
    return IfFlags.UP;
  }

  start(vport: Vport): void {
    this.#vport = vport;
    this.#host.add(this);
    void this.#open();
  }

  send(buf: Uint8Array, start: number, end: number, meta: PacketMeta): void {
    const stats = this.#vport.stats;
    const socket = this.#socket;
    if (socket === undefined) {
      stats.txDropped++;
      return;
    }
    if (!this.#finisher.begin(buf, start, end, meta)) {
      stats.txErrors++;
      return;
    }
    while (this.#finisher.next()) {
      const length = this.#finisher.end - this.#finisher.start;
      if (socket.writableLength + this.#outputLength + length > MAX_QUEUED) {
        stats.txDropped++;
        return;
      }
      this.#queue(this.#finisher.bytes, this.#finisher.start, length);
    }
  }

  flush(): void {
    const length = this.#outputLength;
    this.#outputLength = 0;
    // The socket keeps what it is given until it is written, so it gets bytes of its own.
    if (length > 0 && this.#socket !== undefined)
      this.#socket.write(Buffer.from(this.#output.subarray(0, length)));
  }

  setOptions(payload: Uint8Array): number {
    const options = changeSettings(this, this.#options, payload);
    if (typeof options === 'number') return options;
    this.#options = options;
    return 0;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#socket = undefined;
    void this.#listener?.close();
    this.#host.remove(this);
  }

  describe(): string {
    const { listen, name } = this.#target;
    return listen ? `stream, listening at ${name.slice(1)}` : `stream, to ${name}`;
  }

  async #open(): Promise<void> {
    try {
      if (this.#target.listen) await this.#listen();
      else {
        const socket = await connectStream(this.#target.name, {
          defaultPort: NO_PORT,
          timeoutMs: CONNECT_TIMEOUT_MS,
        });
        if (this.#closed) socket.destroy();
        else this.#attach(socket);
      }
    } catch (error) {
      this.error = `${this.#target.name}: ${error instanceof Error ? error.message : String(error)}`;
      this.#again();
    }
  }

  /**
   * Listen, after whoever is just beginning or ending to listen at the same place: a port that is deleted and added
   * again must not lose its new socket to the old one's end.
   */
  async #listen(): Promise<void> {
    const { name } = this.#target;
    const turn = (async () => {
      await listening.get(name);
      if (this.#closed) return;
      const listener = await listenStream(name, (socket) => this.#accept(socket), { defaultPort: NO_PORT });
      if (this.#closed) await listener.close();
      else this.#listener = listener;
    })();
    const over = turn.catch(() => {});
    listening.set(name, over);
    await over;
    if (listening.get(name) === over) listening.delete(name);
    return turn;
  }

  #again(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#open(), this.#retry);
    this.#timer.unref();
    this.#retry = Math.min(MAX_RETRY_MS, this.#retry * 2);
  }

  #accept(socket: Socket): void {
    if (this.#socket !== undefined || this.#closed) {
      socket.on('error', () => {});
      socket.destroy();
      this.#host.log('info', `${this.#name}: turned away a second connection`);
      return;
    }
    this.#attach(socket);
  }

  #attach(socket: Socket): void {
    this.#socket = socket;
    this.#retry = MIN_RETRY_MS;
    this.error = '';
    this.#parser = new FrameParser(MAX_FRAME);
    this.#top = HEADROOM;
    this.#host.log('info', `${this.#name}: connected`);
    this.#tell();
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    socket.on('error', (error) => (this.error = error.message));
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      if (this.error === '') this.error = 'not connected';
      this.#host.log('info', `${this.#name}: connection closed`);
      this.#tell();
      if (!this.#target.listen) this.#again();
    });
  }

  #data(chunk: Uint8Array): void {
    if (this.#closed) return;
    const memory = (this.#memory ??= this.#host.memory(RECEIVE_MEMORY));
    const parser = this.#parser;
    const vport = this.#vport;
    let pos = 0;
    this.#host.beginBatch();
    while (pos < chunk.length) {
      pos = parser.feed(chunk, pos, memory, this.#top);
      if (parser.length === 0) break;
      const end = this.#top + parser.length;
      if (parser.length < MIN_FRAME) vport.stats.rxErrors++;
      else {
        this.#meta.reset();
        vport.datapath.receive(vport, memory, this.#top, end, this.#meta);
      }
      this.#top = ((end + 15) & ~15) + HEADROOM;
      if (this.#top + MAX_FRAME > memory.length) {
        this.#host.endBatch();
        this.#top = HEADROOM;
        this.#host.beginBatch();
      }
    }
    this.#host.endBatch();
    if (this.#top !== HEADROOM) {
      if (parser.partial > 0) memory.copyWithin(HEADROOM, this.#top, this.#top + parser.partial);
      this.#top = HEADROOM;
    }
    if (parser.broken) {
      vport.stats.rxErrors++;
      this.#host.log('warn', `${this.#name}: received a frame length that cannot be, closing the connection`);
      this.#socket?.destroy();
    }
  }

  /** The link came up or went down. */
  #tell(): void {
    this.#host.beginBatch();
    this.#vport.datapath.vportChanged(this.#vport);
    this.#host.endBatch();
  }

  /** Append one frame to what `flush` writes. */
  #queue(bytes: Uint8Array, start: number, length: number): void {
    const need = this.#outputLength + LENGTH_PREFIX + length;
    if (need > this.#output.length) {
      const bigger = new Uint8Array(Math.max(need, 2 * this.#output.length));
      bigger.set(this.#output.subarray(0, this.#outputLength));
      this.#output = bigger;
    }
    const out = this.#output;
    const at = this.#outputLength;
    out[at] = 0;
    out[at + 1] = length >>> 16;
    out[at + 2] = length >>> 8;
    out[at + 3] = length;
    out.set(bytes.subarray(start, start + length), at + LENGTH_PREFIX);
    this.#outputLength = need;
  }
}

/** What the options say, as a name that common's streams know (`punix:`, `ptcp:PORT:HOST`, `unix:`, `tcp:`). */
function parseTarget(options: PortOptions): Target | undefined {
  const listen = options.get('listen');
  const path = options.get('path');
  const remote = options.get('remote') ?? (path === undefined ? undefined : `unix:${path}`);
  if ((listen === undefined) === (remote === undefined)) return undefined;
  if (remote !== undefined) {
    const good = /^unix:.|^tcp:.+:[0-9]+$/.test(remote);
    return good ? { listen: false, name: remote } : undefined;
  }
  if (isPassiveName(listen!))
    return /^punix:.|^ptcp:[0-9]+/.test(listen!) ? { listen: true, name: listen! } : undefined;
  if (/^unix:./.test(listen!)) return { listen: true, name: `p${listen}` };
  const tcp = /^tcp:(?:(.+):)?([0-9]+)$/.exec(listen!);
  if (tcp === null) return undefined;
  return { listen: true, name: tcp[1] === undefined ? `ptcp:${tcp[2]}` : `ptcp:${tcp[2]}:${tcp[1]}` };
}
