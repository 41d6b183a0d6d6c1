/**
 * A port for tests: frames are injected by `inject` (the peer's `netdev-dummy/receive`), and what is sent goes into
 * capture files. It needs nothing of the host. As the peer's dummy devices it has options `pcap` (both directions),
 * `rxq_pcap` (received) and `tx_pcap` (sent).
 */

import { PacketMeta } from '../core/packet-meta.js';
import { HEADROOM, type Vport } from '../core/vport.js';
import { FrameFinisher } from '../offload/finish.js';
import { EINVAL } from '../sys/linux.js';
import { changeSettings, EventPort } from './event-port.js';
import { type DeviceSettings, deviceSettings, type PortOptions } from './options.js';
import { PcapWriter } from './pcap.js';
import { IfFlags, MAX_FRAME, type Port, type PortHost } from './provider.js';

/** Addresses count up from aa:55:aa:55:00:00, as the peer's. */
let nextAddress = 0xaa550000;

const portsByHost = new WeakMap<PortHost, Map<string, DummyPort>>();

/** The dummy port `name` of this host, if there is one. */
export function findDummy(host: PortHost, name: string): DummyPort | undefined {
  return portsByHost.get(host)?.get(name);
}

/** The names of the dummy ports of this host. */
export function dummyNames(host: PortHost): string[] {
  return [...(portsByHost.get(host)?.keys() ?? [])].sort();
}

export class DummyPort extends EventPort implements Port {
  readonly kind = 'dummy';
  readonly cheap = false;
  readonly needsEvents = false;
  readonly error = '';
  readonly ifindex = 0;
  mac: Uint8Array;
  mtu: number;
  #up = true;
  #vport: Vport | undefined;
  readonly #host: PortHost;
  readonly #name: string;
  #options: PortOptions;
  readonly #wall: () => number;
  readonly #rxPcap: PcapWriter | undefined;
  readonly #txPcap: PcapWriter | undefined;
  readonly #meta = new PacketMeta();
  readonly #finisher = new FrameFinisher();

  private constructor(
    host: PortHost,
    name: string,
    wall: () => number,
    options: PortOptions,
    settings: DeviceSettings,
    rxPcap: PcapWriter | undefined,
    txPcap: PcapWriter | undefined,
  ) {
    super();
    this.#host = host;
    this.#name = name;
    this.#wall = wall;
    this.#options = options;
    // Each port takes an address, used or not: so the next one's is what it is in the peer.
    const own = defaultMac();
    this.mac = settings.mac ?? own;
    this.mtu = settings.mtu ?? 1500;
    this.#rxPcap = rxPcap;
    this.#txPcap = txPcap;
  }

  /** A dummy port, or EINVAL when an option is no good; a capture file that cannot be opened is logged and left out. */
  static create(host: PortHost, name: string, options: PortOptions, wall: () => number): DummyPort | number {
    const settings = deviceSettings(options);
    if (settings === undefined) return EINVAL;
    const open = (path: string | undefined): PcapWriter | undefined => {
      if (path === undefined) return undefined;
      const pcap = PcapWriter.open(path);
      if (pcap === undefined) host.log('warn', `${name}: ${path}: could not open capture file`);
      return pcap;
    };
    const both = options.get('pcap');
    if (both !== undefined) {
      const pcap = open(both);
      return new DummyPort(host, name, wall, options, settings, pcap, pcap);
    }
    return new DummyPort(
      host,
      name,
      wall,
      options,
      settings,
      open(options.get('rxq_pcap')),
      open(options.get('tx_pcap')),
    );
  }

  get flags(): number {
    return this.#up ? IfFlags.UP : 0;
  }

  get carrier(): boolean {
    return this.#up;
  }

  /** `netdev-dummy/set-admin-state`. As with the peer's, a port that is down receives and sends nevertheless. */
  setUp(up: boolean): number {
    if (this.#up === up) return 0;
    this.#up = up;
    const vport = this.#vport;
    if (vport === undefined) return 0;
    this.#host.beginBatch();
    vport.datapath.vportChanged(vport);
    this.#host.endBatch();
    return 0;
  }

  start(vport: Vport): void {
    this.#vport = vport;
    let ports = portsByHost.get(this.#host);
    if (ports === undefined) portsByHost.set(this.#host, (ports = new Map()));
    ports.set(this.#name, this);
    this.#host.add(this);
  }

  /** A frame arrives. Runs it through the datapath before it returns. False when the frame is too long. */
  inject(frame: Uint8Array): boolean {
    const vport = this.#vport;
    if (vport === undefined || frame.length > MAX_FRAME) return false;
    this.#rxPcap?.write(frame, 0, frame.length, this.#wall());
    // The core may write before the frame.
    const buffer = new Uint8Array(HEADROOM + frame.length);
    buffer.set(frame, HEADROOM);
    this.#meta.reset();
    this.#host.beginBatch();
    vport.datapath.receive(vport, buffer, HEADROOM, buffer.length, this.#meta);
    this.#host.endBatch();
    return true;
  }

  send(buf: Uint8Array, start: number, end: number, meta: PacketMeta): void {
    if (this.#txPcap === undefined) return;
    const finisher = this.#finisher;
    if (!finisher.begin(buf, start, end, meta)) {
      this.#vport!.stats.txErrors++;
      return;
    }
    while (finisher.next()) this.#txPcap.write(finisher.bytes, finisher.start, finisher.end, this.#wall());
  }

  setOptions(payload: Uint8Array): number {
    const options = changeSettings(this, this.#options, payload);
    if (typeof options === 'number') return options;
    this.#options = options;
    return 0;
  }

  flush(): void {}

  close(): void {
    portsByHost.get(this.#host)?.delete(this.#name);
    this.#host.remove(this);
    this.#rxPcap?.close();
    if (this.#txPcap !== this.#rxPcap) this.#txPcap?.close();
  }

  describe(): string {
    return 'dummy';
  }
}

function defaultMac(): Uint8Array {
  const n = nextAddress++;
  return Uint8Array.of(0xaa, 0x55, n >>> 24, n >>> 16, n >>> 8, n);
}
