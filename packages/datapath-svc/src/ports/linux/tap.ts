/**
 * A TAP device: a network device of the host whose other end is this port. `type=tap` and `type=internal` are both
 * of this kind; they differ in who chose the address. The device exists while the port does.
 *
 * Frames carry a `virtio_net_hdr` both ways (IFF_VNET_HDR), and the host may hand over TCP segments of up to 64 KiB
 * with their checksums not computed (TUNSETOFFLOAD). There is no ring and no batch call: one `read` or `writev` a
 * frame, up to 64 reads in a row.
 *
 * The device may be moved to another network namespace; frames still come and go, its state can no longer be seen
 * (it then counts as up). When somebody deletes the device, `read` fails with EBADFD, and the port makes it again.
 */

import type { DeviceDetails } from '@ovs-node/netlink/device-details';
import { formatMacBytes } from '@ovs-node/flow/addr-text';
import { PacketMeta } from '../../core/packet-meta.js';
import type { Vport } from '../../core/vport.js';
import type { Libc } from '../../sys/libc.js';
import * as L from '../../sys/linux.js';
import { acquireMemory, addressOf, type Memory, releaseMemory } from '../../sys/memory.js';
import { type NetdevControl, putIfname, validIfname } from '../../sys/netdev.js';
import { decodePortOptions, type DeviceSettings, deviceSettings } from '../options.js';
import { IfFlags, MAX_FRAME, type Port, type PortHost, RECEIVE_BATCH } from '../provider.js';
import { FrameStore } from './frame-store.js';
import { readVnetHeader, VNET_HEADER, writeVnetHeader } from './vnet-header.js';

/** Layout of the memory for one `writev`: two iovecs, then the offload header. */
const IOV_FRAME = 16;
const VNET_AT = 32;

export class TapPort implements Port {
  readonly kind: 'tap' | 'internal';
  readonly cheap = false;
  readonly needsEvents = false;
  readonly mac = new Uint8Array(6);
  mtu = 1500;
  flags = 0;
  ifindex = 0;
  fd: number;
  error = '';
  #vport: Vport | undefined;
  #running = false;
  #linkResets = 0;
  readonly #libc: Libc;
  readonly #control: NetdevControl;
  readonly #host: PortHost;
  readonly #name: string;
  #settings: DeviceSettings;
  readonly #received: FrameStore;
  readonly #io: Memory;
  readonly #meta = new PacketMeta();
  #copies: FrameStore | undefined;
  #lastBuffer: Uint8Array = new Uint8Array(0);
  #lastAddress = -1;

  private constructor(
    kind: 'tap' | 'internal',
    libc: Libc,
    control: NetdevControl,
    host: PortHost,
    name: string,
    settings: DeviceSettings,
    fd: number,
    received: FrameStore,
    io: Memory,
  ) {
    this.kind = kind;
    this.#libc = libc;
    this.#control = control;
    this.#host = host;
    this.#name = name;
    this.#settings = settings;
    this.fd = fd;
    this.#received = received;
    this.#io = io;
    io.bytes.fill(0);
    io.putPointer(0, io.address + VNET_AT);
    io.putPointer(8, VNET_HEADER);
    this.#look();
  }

  /**
   * Make the TAP device `name` (or take a persistent one of that name) and its port. A positive errno otherwise:
   * EPERM no right to, ENOENT no /dev/net/tun, EINVAL a device of that name is something else, EBUSY it is in use.
   */
  static create(
    kind: 'tap' | 'internal',
    libc: Libc,
    control: NetdevControl,
    host: PortHost,
    name: string,
    settings: DeviceSettings,
  ): TapPort | number {
    if (!validIfname(name)) return L.EINVAL;
    const fd = openTap(libc, control, name, settings);
    if (fd < 0) return -fd;
    if (kind === 'internal') persist(libc, fd, true);
    const received = FrameStore.create(libc);
    const io = acquireMemory(libc, 64);
    if (received === undefined || io === undefined) {
      libc.close(fd);
      return L.ENOMEM;
    }
    return new TapPort(kind, libc, control, host, name, settings, fd, received, io);
  }

  get carrier(): boolean {
    return this.fd >= 0 && this.#running;
  }

  details(): DeviceDetails | undefined {
    return this.ifindex > 0 ? this.#control.details(this.#name, this.ifindex, this.#linkResets) : undefined;
  }

  start(vport: Vport): void {
    this.#vport = vport;
    this.#host.add(this);
  }

  receive(): number {
    if (this.fd < 0) return 0;
    const store = this.#received;
    const { address, bytes, halves } = store.memory;
    const vport = this.#vport!;
    const meta = this.#meta;
    let count = 0;
    for (; count < RECEIVE_BATCH; count++) {
      const at = store.room();
      if (at < 0) break;
      const got = this.#libc.read(this.fd, address + at - VNET_HEADER, MAX_FRAME + VNET_HEADER);
      if (got < VNET_HEADER) {
        if (got < 0 && this.#libc.errno() === L.EBADFD) this.#lose();
        break;
      }
      readVnetHeader(halves, (at - VNET_HEADER) >>> 1, meta);
      const end = at + got - VNET_HEADER;
      store.keep(end);
      vport.datapath.receive(vport, bytes, at, end, meta);
    }
    return count;
  }

  release(): void {
    this.#received.reset();
  }

  send(buf: Uint8Array, start: number, end: number, meta: PacketMeta): void {
    const stats = this.#vport!.stats;
    if (this.fd < 0) {
      stats.txDropped++;
      return;
    }
    if (buf !== this.#lastBuffer) {
      this.#lastBuffer = buf;
      this.#lastAddress = addressOf(buf);
    }
    let address = this.#lastAddress + start;
    if (this.#lastAddress < 0) {
      this.#copies ??= FrameStore.create(this.#libc);
      address = this.#copies === undefined ? -1 : this.#copies.put(buf, start, end);
      this.#copies?.reset();
      if (address < 0) {
        stats.txDropped++;
        return;
      }
    }
    const io = this.#io;
    writeVnetHeader(io.halves, VNET_AT >>> 1, meta);
    io.putPointer(IOV_FRAME, address);
    io.words[(IOV_FRAME + 8) >>> 2] = end - start;
    if (this.#libc.writev(this.fd, io.address, 2) >= 0) return;
    const errno = this.#libc.errno();
    // EIO: the device is down.
    if (errno === L.EAGAIN || errno === L.EIO || errno === L.ENOBUFS || errno === L.EINTR) stats.txDropped++;
    else if (errno === L.EBADFD) {
      stats.txDropped++;
      this.#lose();
    } else stats.txErrors++;
  }

  setUp(up: boolean): number {
    const failure = this.#control.setUp(this.#name, up);
    if (failure === 0) this.#look();
    return -failure;
  }

  setOptions(payload: Uint8Array): number {
    const options = decodePortOptions(payload);
    const settings = options && deviceSettings(options);
    if (settings === undefined) return L.EINVAL;
    if (this.fd >= 0) {
      const { mac, mtu } = settings;
      const failure =
        (mac === undefined ? 0 : this.#control.setMac(this.#name, mac)) ||
        (mtu === undefined ? 0 : this.#control.setMtu(this.#name, mtu));
      if (failure !== 0) return -failure;
      this.#look();
    }
    this.#settings = settings;
    return 0;
  }

  flush(): void {
    // Frames went out one by one.
  }

  refresh(): void {
    if (this.fd >= 0) {
      this.fault();
      return;
    }
    const fd = openTap(this.#libc, this.#control, this.#name, this.#settings);
    if (fd < 0) return;
    if (this.kind === 'internal') persist(this.#libc, fd, true);
    this.fd = fd;
    this.error = '';
    this.#host.changed();
    this.#look();
  }

  fault(): void {
    if (this.fd < 0) return;
    const gone =
      this.#libc.ioctl(this.fd, L.TUNGETIFF, new Uint8Array(40)) < 0 && this.#libc.errno() === L.EBADFD;
    if (gone) this.#lose();
    else this.#look();
  }

  close(): void {
    if (this.kind === 'internal') persist(this.#libc, this.fd, false);
    if (this.fd >= 0) this.#libc.close(this.fd);
    this.fd = -1;
    this.#received.close();
    this.#copies?.close();
    releaseMemory(this.#io);
    this.#host.remove(this);
  }

  describe(): string {
    return 'tap device';
  }

  #lose(): void {
    this.#libc.close(this.fd);
    this.fd = -1;
    this.ifindex = 0;
    this.flags = 0;
    if (this.#running) this.#linkResets++;
    this.#running = false;
    this.error = `${this.#name}: No such device`;
    this.#host.changed();
    this.#vport?.datapath.vportChanged(this.#vport);
  }

  /** What the device says of itself; tells the handles when that is news. */
  #look(): void {
    const { flags, mtu, ifindex } = this;
    const mac = formatMacBytes(this.mac);
    const running = this.#running;
    this.#read();
    if (this.#vport === undefined) return;
    if (running !== this.#running) this.#linkResets++;
    if (
      flags !== this.flags ||
      mtu !== this.mtu ||
      ifindex !== this.ifindex ||
      running !== this.#running ||
      mac !== formatMacBytes(this.mac)
    ) {
      this.#vport.datapath.vportChanged(this.#vport);
    }
  }

  #read(): void {
    const flags = this.#control.flags(this.#name);
    if (flags < 0) {
      this.flags = IfFlags.UP;
      this.#running = true;
      this.ifindex = 0;
      return;
    }
    this.flags = (flags & L.IFF_UP) !== 0 ? IfFlags.UP : 0;
    this.#running = (flags & L.IFF_RUNNING) !== 0;
    const ifindex = this.#control.ifindex(this.#name);
    if (ifindex > 0) this.ifindex = ifindex;
    const mtu = this.#control.mtu(this.#name);
    if (mtu > 0) this.mtu = mtu;
    this.#control.mac(this.#name, this.mac);
  }
}

/**
 * Makes the device outlive the descriptor, or not. An internal port's does, until the port is closed: so the addresses
 * and routes that the host gave it are still there when a service that was killed is started again.
 */
function persist(libc: Libc, fd: number, on: boolean): void {
  if (fd >= 0) libc.ioctlNumber(fd, L.TUNSETPERSIST, on ? 1 : 0);
}

/** The descriptor of the TAP device `name`, with its settings applied; or a negative errno. */
function openTap(libc: Libc, control: NetdevControl, name: string, settings: DeviceSettings): number {
  const fd = libc.open('/dev/net/tun', L.O_RDWR | L.O_NONBLOCK | L.O_CLOEXEC, 0);
  if (fd < 0) return -libc.errno();
  const request = new Uint8Array(40);
  putIfname(request, name);
  new DataView(request.buffer).setUint16(16, L.IFF_TAP | L.IFF_NO_PI | L.IFF_VNET_HDR, true);
  if (
    libc.ioctl(fd, L.TUNSETIFF, request) < 0 ||
    libc.ioctl(fd, L.TUNSETVNETHDRSZ, Int32Array.of(VNET_HEADER)) < 0 ||
    libc.ioctlNumber(fd, L.TUNSETOFFLOAD, L.TUN_F_CSUM | L.TUN_F_TSO4 | L.TUN_F_TSO6) < 0
  ) {
    const errno = libc.errno();
    libc.close(fd);
    return -errno;
  }
  // An address or MTU that the device does not take is no reason to have no port.
  if (settings.mac !== undefined) control.setMac(name, settings.mac);
  if (settings.mtu !== undefined) control.setMtu(name, settings.mtu);
  return fd;
}
