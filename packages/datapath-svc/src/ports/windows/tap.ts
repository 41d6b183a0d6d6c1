/**
 * A port on a TAP-Windows6 adapter: `type=tap`, `type=internal` and a device of the host by its name are all of this
 * kind on Windows, where the switch cannot make adapters; `tapctl create --name NAME` of the driver does.
 *
 * The adapter has no link before somebody opens it and says so (TAP_WIN_IOCTL_SET_MEDIA_STATUS). It knows no offloads:
 * checksums and segments are finished here. Its address and MTU are the adapter's own settings and are not changed.
 * An adapter that is disabled or removed leaves its port down; the port looks for it about once a second.
 */

import { PacketMeta } from '../../core/packet-meta.js';
import { HEADROOM, type Vport } from '../../core/vport.js';
import { FrameFinisher } from '../../offload/finish.js';
import { EACCES, EBUSY, EINVAL, ENODEV, EOPNOTSUPP } from '../../sys/linux.js';
import { MessageFile, type MessageSink } from '../../sys/windows/message-file.js';
import {
  ERROR_ACCESS_DENIED,
  ERROR_FILE_NOT_FOUND,
  ERROR_PATH_NOT_FOUND,
  FILE_ATTRIBUTE_SYSTEM,
  FILE_FLAG_OVERLAPPED,
  GENERIC_READ_WRITE,
  INVALID_HANDLE,
  OPEN_EXISTING,
} from '../../sys/windows/win32.js';
import { EventPort } from '../event-port.js';
import { decodePortOptions, deviceSettings } from '../options.js';
import { IfFlags, type Port, type PortHost } from '../provider.js';
import type { WindowsHost } from './host.js';
import { askTap } from './tap-control.js';

/** Ethernet header, two VLAN tags. */
const FRAME_OVERHEAD = 14 + 8;
const MIN_FRAME = 14;

export class WindowsTapPort extends EventPort implements Port, MessageSink {
  readonly kind: 'tap' | 'internal';
  readonly cheap = false;
  readonly needsEvents = true;
  readonly ifindex = 0;
  readonly headroom = HEADROOM;
  readonly mac = new Uint8Array(6);
  mtu = 1500;
  error = '';
  #vport: Vport | undefined;
  #file: MessageFile | undefined;
  readonly #windows: WindowsHost;
  readonly #host: PortHost;
  readonly #name: string;
  readonly #meta = new PacketMeta();
  readonly #finisher = new FrameFinisher();
  #handle: number;

  private constructor(kind: WindowsTapPort['kind'], windows: WindowsHost, host: PortHost, name: string) {
    super();
    this.kind = kind;
    this.#windows = windows;
    this.#host = host;
    this.#name = name;
    this.#handle = INVALID_HANDLE;
  }

  /** The port of adapter `name`; a positive errno otherwise: ENODEV no such adapter, EBUSY another program has it. */
  static create(
    kind: WindowsTapPort['kind'],
    windows: WindowsHost,
    host: PortHost,
    name: string,
  ): WindowsTapPort | number {
    const port = new WindowsTapPort(kind, windows, host, name);
    const failure = port.#open();
    return failure === 0 ? port : failure;
  }

  get flags(): number {
    return this.carrier ? IfFlags.UP : 0;
  }

  get carrier(): boolean {
    return this.error === '' && (this.#handle !== INVALID_HANDLE || this.#file !== undefined);
  }

  start(vport: Vport): void {
    this.#vport = vport;
    this.#host.add(this);
    this.#serve();
  }

  send(buf: Uint8Array, start: number, end: number, meta: PacketMeta): void {
    const { stats } = this.#vport!;
    const finisher = this.#finisher;
    if (this.#file === undefined) stats.txDropped++;
    else if (!finisher.begin(buf, start, end, meta)) stats.txErrors++;
    else {
      while (finisher.next())
        if (!this.#file.write(finisher.bytes, finisher.start, finisher.end)) stats.txDropped++;
    }
  }

  flush(): void {
    // Writes began one by one.
  }

  setOptions(payload: Uint8Array): number {
    const options = decodePortOptions(payload);
    const settings = options && deviceSettings(options);
    if (settings === undefined) return EINVAL;
    const { mac, mtu } = settings;
    const isOther = mac?.some((byte, i) => byte !== this.mac[i]) || (mtu !== undefined && mtu !== this.mtu);
    return isOther ? EOPNOTSUPP : 0;
  }

  override refresh(): void {
    if (this.#file !== undefined || this.#open() !== 0) return;
    this.error = '';
    this.#serve();
    this.#tell();
  }

  onMessages(memory: Uint8Array, starts: Uint32Array, ends: Uint32Array, count: number): void {
    const vport = this.#vport!;
    const meta = this.#meta;
    this.#host.beginBatch();
    for (let i = 0; i < count; i++) {
      if (ends[i]! - starts[i]! < MIN_FRAME) {
        vport.stats.rxErrors++;
        continue;
      }
      meta.reset();
      vport.datapath.receive(vport, memory, starts[i]!, ends[i]!, meta);
    }
    this.#host.endBatch();
  }

  onWriteError(): void {
    this.#vport!.stats.txErrors++;
  }

  onLost(): void {
    this.#file = undefined;
    this.error = `${this.#name}: No such device`;
    this.#tell();
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    if (this.#handle !== INVALID_HANDLE) this.#windows.api.closeHandle(this.#handle);
    this.#handle = INVALID_HANDLE;
    this.#host.remove(this);
  }

  describe(): string {
    return 'TAP-Windows adapter';
  }

  #tell(): void {
    this.#host.beginBatch();
    this.#vport!.datapath.vportChanged(this.#vport!);
    this.#host.endBatch();
  }

  /** Opens the adapter, reads its address and MTU, and plugs its cable in. A positive errno on failure, 0 otherwise. */
  #open(): number {
    const { api } = this.#windows;
    const path = this.#windows.pathOf(this.#name);
    if (path === undefined) return ENODEV;
    const handle = api.createFile(
      path,
      GENERIC_READ_WRITE,
      0,
      0,
      OPEN_EXISTING,
      FILE_ATTRIBUTE_SYSTEM | FILE_FLAG_OVERLAPPED,
      0,
    );
    if (handle === INVALID_HANDLE) return openErrno(api.lastError());
    const device = askTap(api, handle);
    if (device === undefined) {
      api.closeHandle(handle);
      return ENODEV;
    }
    this.mac.set(device.mac);
    this.mtu = device.mtu;
    this.#handle = handle;
    return 0;
  }

  /** Begins to read. */
  #serve(): void {
    const { api, completions } = this.#windows;
    this.#file = MessageFile.open(api, completions, this.#handle, this.mtu + FRAME_OVERHEAD, this);
    if (this.#file === undefined) {
      api.closeHandle(this.#handle);
      this.error = `${this.#name}: cannot be read`;
    }
    this.#handle = INVALID_HANDLE;
  }
}

function openErrno(error: number): number {
  if (error === ERROR_FILE_NOT_FOUND || error === ERROR_PATH_NOT_FOUND) return ENODEV;
  return error === ERROR_ACCESS_DENIED ? EACCES : EBUSY;
}
