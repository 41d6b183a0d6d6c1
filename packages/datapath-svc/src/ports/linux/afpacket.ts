/**
 * A network device of the host, by one packet socket: frames come from its receive ring and go out by `sendmmsg`
 * straight from wherever they lie (usually another port's ring).
 *
 * Frames longer than a ring slot (TCP segments gathered by the sender or by GRO) come by `recv`, in the ring's
 * order; their offload header travels in `PacketMeta` to the output. VLAN tags, which the kernel strips, are put
 * back before the core sees the frame.
 *
 * A device that disappears leaves its port down, with an error; the port looks for it about once a second and
 * continues by itself when it is back.
 */

import type { DeviceDetails } from '@ovs-node/netlink/device-details';
import { PacketMeta } from '../../core/packet-meta.js';
import { HEADROOM, type Vport } from '../../core/vport.js';
import type { Libc } from '../../sys/libc.js';
import * as L from '../../sys/linux.js';
import { addressOf } from '../../sys/memory.js';
import { type NetdevControl, validIfname } from '../../sys/netdev.js';
import { decodePortOptions, deviceSettings, type PortOptions } from '../options.js';
import { IfFlags, MAX_FRAME, type Port, type PortHost, RECEIVE_BATCH } from '../provider.js';
import { FrameStore } from './frame-store.js';
import { PacketRing, SLOT_SIZE } from './packet-ring.js';
import { SEND_BATCH, SendQueue } from './send-queue.js';
import { readVnetHeader, VNET_HEADER } from './vnet-header.js';

/** Slots of a ring: 8 MiB, about 7 ms at 600 kpps. */
export const RING_SLOTS = 4096;
const SOCKET_BUFFER = 16 * 1024 * 1024;
const ETH_P_8021Q = 0x8100;

interface Opened {
  readonly fd: number;
  readonly ring: PacketRing;
  readonly ifindex: number;
}

export class AfPacketPort implements Port {
  readonly kind = 'afpacket';
  readonly cheap = true;
  readonly needsEvents = false;
  readonly mac = new Uint8Array(6);
  mtu = 1500;
  flags = 0;
  ifindex = 0;
  fd = -1;
  error = '';
  #vport: Vport | undefined;
  #ring: PacketRing;
  #pending = 0;
  #lastBuffer: Uint8Array = new Uint8Array(0);
  #lastAddress = -1;
  readonly #libc: Libc;
  readonly #control: NetdevControl;
  readonly #host: PortHost;
  readonly #name: string;
  readonly #slots: number;
  readonly #queue: SendQueue;
  /** Giants of the batch, and frames of the heap waiting to be sent; made when first needed. */
  #giants: FrameStore | undefined;
  #copies: FrameStore | undefined;
  readonly #meta = new PacketMeta();
  readonly #drops = new Uint32Array(2);

  private constructor(
    libc: Libc,
    control: NetdevControl,
    host: PortHost,
    name: string,
    slots: number,
    opened: Opened,
    queue: SendQueue,
  ) {
    this.#libc = libc;
    this.#control = control;
    this.#host = host;
    this.#name = name;
    this.#slots = slots;
    this.#queue = queue;
    this.#ring = opened.ring;
    this.fd = opened.fd;
    this.ifindex = opened.ifindex;
    this.#look();
  }

  /** The port of device `name`, or a positive errno: ENODEV no such device, EPERM no right to, EINVAL not Ethernet. */
  static create(
    libc: Libc,
    control: NetdevControl,
    host: PortHost,
    name: string,
    options: PortOptions,
    slots: number,
  ): AfPacketPort | number {
    if (!validIfname(name)) return L.ENODEV;
    const settings = deviceSettings(options);
    if (settings === undefined) return L.EINVAL;
    const opened = open(libc, control, name, slots);
    if (typeof opened === 'number') return opened;
    const queue = SendQueue.create(libc);
    if (queue === undefined) {
      shut(libc, opened);
      return L.ENOMEM;
    }
    // Its address is the device's own affair; an MTU it does not take is no reason to have no port.
    if (settings.mtu !== undefined) control.setMtu(name, settings.mtu);
    return new AfPacketPort(libc, control, host, name, slots, opened, queue);
  }

  get carrier(): boolean {
    return this.error === '' && (this.flags & IfFlags.UP) !== 0 && this.#running;
  }
  #running = false;
  #linkResets = 0;

  details(): DeviceDetails | undefined {
    return this.ifindex > 0 ? this.#control.details(this.#name, this.ifindex, this.#linkResets) : undefined;
  }

  start(vport: Vport): void {
    this.#vport = vport;
    this.#host.add(this);
  }

  receive(): number {
    if (this.fd < 0) return 0;
    const ring = this.#ring;
    const count = ring.ready(RECEIVE_BATCH);
    if (count === 0) return 0;
    this.#pending = count;
    const { words, halves, bytes } = ring.memory;
    const mask = ring.slots - 1;
    const vport = this.#vport!;
    const datapath = vport.datapath;
    const meta = this.#meta;
    let slot = ring.head;
    for (let i = 0; i < count; i++) {
      const at = slot * SLOT_SIZE;
      slot = (slot + 1) & mask;
      const status = words[at >>> 2]!;
      const length = words[(at + L.TP2.LEN) >>> 2]!;
      const mac = halves[(at + L.TP2.MAC) >>> 1]!;
      let start = at + mac;
      let end = start + length;
      let buffer = bytes;
      let view = halves;
      if (length > words[(at + L.TP2.SNAPLEN) >>> 2]!) {
        end = (status & L.TP_STATUS_COPY) === 0 ? -1 : this.#giant(length);
        if (end < 0) {
          vport.stats.rxErrors++;
          continue;
        }
        start = end - length;
        buffer = this.#giants!.memory.bytes;
        view = this.#giants!.memory.halves;
      }
      readVnetHeader(view, (start - VNET_HEADER) >>> 1, meta);
      if ((status & L.TP_STATUS_VLAN_VALID) !== 0) {
        const tpid =
          (status & L.TP_STATUS_VLAN_TPID_VALID) === 0 ? ETH_P_8021Q : halves[(at + L.TP2.VLAN_TPID) >>> 1]!;
        insertTag(buffer, start, tpid, halves[(at + L.TP2.VLAN_TCI) >>> 1]!);
        start -= 4;
        if (meta.csumStart >= 0) meta.csumStart += 4;
        if (meta.hdrLen !== 0) meta.hdrLen += 4;
      }
      datapath.receive(vport, buffer, start, end, meta);
    }
    return count;
  }

  release(): void {
    if (this.#pending === 0) return;
    this.#ring.release(this.#pending);
    this.#pending = 0;
    this.#giants?.reset();
  }

  send(buf: Uint8Array, start: number, end: number, meta: PacketMeta): void {
    if (this.fd < 0) {
      this.#vport!.stats.txDropped++;
      return;
    }
    if (buf !== this.#lastBuffer) {
      this.#lastBuffer = buf;
      this.#lastAddress = addressOf(buf);
    }
    let address = this.#lastAddress + start;
    if (this.#lastAddress < 0) {
      address = this.#copy(buf, start, end);
      if (address < 0) {
        this.#vport!.stats.txDropped++;
        return;
      }
    }
    this.#queue.push(address, end - start, meta);
    if (this.#queue.count === SEND_BATCH) this.flush();
  }

  flush(): void {
    const queue = this.#queue;
    if (queue.count > 0) queue.flush(this.fd);
    this.#copies?.reset();
    if (queue.dropped + queue.errors > 0) {
      this.#vport!.stats.txDropped += queue.dropped;
      this.#vport!.stats.txErrors += queue.errors;
      queue.dropped = 0;
      queue.errors = 0;
    }
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
    if (settings.mtu !== undefined) {
      const failure = this.#control.setMtu(this.#name, settings.mtu);
      if (failure < 0) return -failure;
      this.#look();
    }
    return 0;
  }

  refresh(): void {
    if (this.fd < 0) {
      const opened = open(this.#libc, this.#control, this.#name, this.#slots);
      if (typeof opened === 'number') return;
      this.fd = opened.fd;
      this.#ring = opened.ring;
      this.ifindex = opened.ifindex;
      this.error = '';
      this.#host.changed();
    } else if (this.#control.ifindex(this.#name) !== this.ifindex) {
      // Gone, or another device by the same name: start over with the next look.
      this.#lose();
      return;
    }
    const length = Uint32Array.of(8);
    if (this.#libc.getsockopt(this.fd, L.SOL_PACKET, L.PACKET_STATISTICS, this.#drops, length) === 0) {
      this.#vport!.stats.rxDropped += this.#drops[1]!;
    }
    this.#look();
  }

  /** The descriptor reported an error: take it off the socket, and see whether the device is still there. */
  fault(): void {
    if (this.fd < 0) return;
    const error = Int32Array.of(0);
    this.#libc.getsockopt(this.fd, L.SOL_SOCKET, L.SO_ERROR, error, Uint32Array.of(4));
    if (this.#control.ifindex(this.#name) !== this.ifindex) this.#lose();
    else this.#look();
  }

  close(): void {
    if (this.fd >= 0) shut(this.#libc, { fd: this.fd, ring: this.#ring, ifindex: 0 });
    this.fd = -1;
    this.#queue.close();
    this.#giants?.close();
    this.#copies?.close();
    this.#host.remove(this);
  }

  describe(): string {
    return this.error === '' ? `device, ring of ${this.#ring.slots}` : 'device';
  }

  #lose(): void {
    this.release();
    shut(this.#libc, { fd: this.fd, ring: this.#ring, ifindex: 0 });
    this.fd = -1;
    this.ifindex = 0;
    this.flags = 0;
    if (this.#running) this.#linkResets++;
    this.#running = false;
    this.error = `${this.#name}: No such device`;
    this.#host.changed();
    this.#tell();
  }

  /** What the device says of itself; tells the handles when that is news. */
  #look(): void {
    const control = this.#control;
    const flags = control.flags(this.#name);
    if (flags < 0) return;
    const upAndPromiscuous = ((flags & L.IFF_UP) !== 0 ? IfFlags.UP : 0) | IfFlags.PROMISC;
    const running = (flags & L.IFF_RUNNING) !== 0;
    const mtu = control.mtu(this.#name);
    const news =
      upAndPromiscuous !== this.flags || running !== this.#running || (mtu > 0 && mtu !== this.mtu);
    if (this.#vport !== undefined && running !== this.#running) this.#linkResets++;
    this.flags = upAndPromiscuous;
    this.#running = running;
    if (mtu > 0) this.mtu = mtu;
    control.mac(this.#name, this.mac);
    if (news) this.#tell();
  }

  #tell(): void {
    this.#vport?.datapath.vportChanged(this.#vport);
  }

  /** Fetch the frame of `length` bytes that waits in the socket; its end in `#giants`, or -1. */
  #giant(length: number): number {
    this.#giants ??= FrameStore.create(this.#libc);
    const store = this.#giants;
    if (store === undefined) return -1;
    const at = store.room();
    // Even without room the frame must leave the socket, or all that follow get the wrong slot.
    const into = store.memory.address + (at < 0 ? 0 : at - VNET_HEADER);
    const room = at < 0 ? 0 : MAX_FRAME + VNET_HEADER;
    const flags = L.MSG_DONTWAIT | L.MSG_TRUNC;
    let got = this.#libc.recv(this.fd, into, room, flags);
    // An error of the device (it went down) is told once, in place of a frame that is still there.
    if (got < 0 && this.#libc.errno() !== L.EAGAIN) got = this.#libc.recv(this.fd, into, room, flags);
    if (got >= 0 && got !== length + VNET_HEADER) {
      // Not this slot's frame: slots and socket are out of step, and meet again when the socket is empty.
      while (this.#libc.recv(this.fd, into, room, flags) >= 0);
      return -1;
    }
    if (got < 0 || at < 0 || got > room) return -1;
    store.keep(at + length);
    return at + length;
  }

  /** Copy a frame of the heap to memory with an address, which is returned, or -1. */
  #copy(buf: Uint8Array, start: number, end: number): number {
    this.#copies ??= FrameStore.create(this.#libc);
    const store = this.#copies;
    if (store === undefined) return -1;
    if (store.room() < 0) this.flush();
    return store.put(buf, start, end);
  }
}

/** Put a VLAN tag before the type of the frame at `start`, which then begins 4 bytes earlier. */
export function insertTag(bytes: Uint8Array, start: number, tpid: number, tci: number): void {
  for (let i = start - 4; i < start + 8; i++) bytes[i] = bytes[i + 4]!;
  bytes[start + 8] = tpid >>> 8;
  bytes[start + 9] = tpid;
  bytes[start + 10] = tci >>> 8;
  bytes[start + 11] = tci;
}

function shut(libc: Libc, opened: Opened): void {
  opened.ring.close(libc);
  libc.close(opened.fd);
}

/** A packet socket with its ring, bound to `name`; or a positive errno with nothing left open. */
function open(libc: Libc, control: NetdevControl, name: string, slots: number): Opened | number {
  const ifindex = control.ifindex(name);
  if (ifindex < 0) return -ifindex;
  const wrong = control.mac(name, new Uint8Array(6));
  if (wrong < 0) return -wrong;
  // Protocol 0: nothing is received before bind says from where.
  const fd = libc.socket(L.AF_PACKET, L.SOCK_RAW | L.SOCK_CLOEXEC | L.SOCK_NONBLOCK, 0);
  if (fd < 0) return libc.errno();
  const fail = (errno: number): number => {
    libc.close(fd);
    return errno;
  };
  const set = (level: number, option: number, value: number): boolean =>
    libc.setsockopt(fd, level, option, Int32Array.of(value), 4) === 0;
  for (const option of [L.PACKET_IGNORE_OUTGOING, L.PACKET_VNET_HDR, L.PACKET_COPY_THRESH]) {
    if (!set(L.SOL_PACKET, option, 1)) return fail(libc.errno());
  }
  // Sizes are wishes: without CAP_NET_ADMIN the system's limits hold.
  if (!set(L.SOL_SOCKET, L.SO_RCVBUFFORCE, SOCKET_BUFFER)) set(L.SOL_SOCKET, L.SO_RCVBUF, SOCKET_BUFFER);
  if (!set(L.SOL_SOCKET, L.SO_SNDBUFFORCE, SOCKET_BUFFER)) set(L.SOL_SOCKET, L.SO_SNDBUF, SOCKET_BUFFER);
  const ring = PacketRing.open(libc, fd, slots);
  if (typeof ring === 'number') return fail(ring);
  const address = new Uint8Array(20);
  const sll = new DataView(address.buffer);
  sll.setUint16(0, L.AF_PACKET, true);
  sll.setUint16(2, L.ETH_P_ALL_BE, true);
  sll.setInt32(4, ifindex, true);
  const membership = new Uint8Array(16);
  const mreq = new DataView(membership.buffer);
  mreq.setInt32(0, ifindex, true);
  mreq.setUint16(4, L.PACKET_MR_PROMISC, true);
  if (
    libc.bind(fd, address, address.length) !== 0 ||
    libc.setsockopt(fd, L.SOL_PACKET, L.PACKET_ADD_MEMBERSHIP, membership, membership.length) !== 0
  ) {
    const errno = libc.errno();
    ring.close(libc);
    return fail(errno);
  }
  return { fd, ring, ifindex };
}

// The core may write this far before a frame, which must stay inside the frame's slot behind the slot's header.
if (HEADROOM > 90) throw new Error('HEADROOM exceeds the headroom of a ring slot');
