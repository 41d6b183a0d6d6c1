/**
 * Network devices of the host by their ioctls (netdevice(7)): index, flags, MTU, address. Every function takes the
 * device's name and returns a value, or a negative errno: -ENODEV when there is no such device.
 */

import type { DeviceCounters, DeviceDetails } from '@ovs-node/netlink/device-details';
import {
  type DriverInfo,
  driverInfo,
  ETHTOOL_CMD_LENGTH,
  ETHTOOL_DRVINFO_LENGTH,
  linkFeatures,
  type LinkFeatures,
} from './ethtool.js';
import type { Libc } from './libc.js';
import { LinkStats } from './link-stats.js';
import * as L from './linux.js';
import { acquireMemory, type Memory, releaseMemory } from './memory.js';

/** `struct ifreq`: 16 bytes of name and a union of 24. */
const IFREQ = 40;
const UNION = 16;

export class NetdevControl {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #request = new Uint8Array(IFREQ);
  readonly #view = new DataView(this.#request.buffer);
  /** What the ethtool ioctls point to; made when first asked for. */
  #ethtool: Memory | undefined;
  #stats: LinkStats | undefined;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /** A control socket, or a negative errno. */
  static open(libc: Libc): NetdevControl | number {
    const fd = libc.socket(L.AF_INET, L.SOCK_DGRAM | L.SOCK_CLOEXEC, 0);
    return fd < 0 ? -libc.errno() : new NetdevControl(libc, fd);
  }

  close(): void {
    this.#libc.close(this.#fd);
    if (this.#ethtool !== undefined) releaseMemory(this.#ethtool);
    this.#stats?.close();
  }

  ifindex(name: string): number {
    return this.#get(name, L.SIOCGIFINDEX) ?? this.#view.getInt32(UNION, true);
  }

  /** IFF_UP, IFF_RUNNING and the like (16 bits). */
  flags(name: string): number {
    return this.#get(name, L.SIOCGIFFLAGS) ?? this.#view.getUint16(UNION, true);
  }

  /** Set and clear bits of the flags; returns 0. */
  changeFlags(name: string, set: number, clear: number): number {
    const old = this.flags(name);
    if (old < 0) return old;
    const now = (old & ~clear) | set;
    if (now === old) return 0;
    this.#view.setUint16(UNION, now, true);
    return this.#call(L.SIOCSIFFLAGS) ?? 0;
  }

  /** Brings the device up or down; returns 0. */
  setUp(name: string, up: boolean): number {
    return this.changeFlags(name, up ? L.IFF_UP : 0, up ? 0 : L.IFF_UP);
  }

  mtu(name: string): number {
    return this.#get(name, L.SIOCGIFMTU) ?? this.#view.getInt32(UNION, true);
  }

  setMtu(name: string, mtu: number): number {
    this.#name(name);
    this.#view.setInt32(UNION, mtu, true);
    return this.#call(L.SIOCSIFMTU) ?? 0;
  }

  /** Copies the Ethernet address into `mac` (6 bytes); -EINVAL when the device is not an Ethernet one. */
  mac(name: string, mac: Uint8Array): number {
    const failure = this.#get(name, L.SIOCGIFHWADDR);
    if (failure !== undefined) return failure;
    if (this.#view.getUint16(UNION, true) !== L.ARPHRD_ETHER) return -L.EINVAL;
    mac.set(this.#request.subarray(UNION + 2, UNION + 8));
    return 0;
  }

  setMac(name: string, mac: Uint8Array): number {
    this.#name(name);
    this.#view.setUint16(UNION, L.ARPHRD_ETHER, true);
    this.#request.set(mac.subarray(0, 6), UNION + 2);
    return this.#call(L.SIOCSIFHWADDR) ?? 0;
  }

  /** All of the following of a device with that index. */
  details(name: string, ifindex: number, linkResets: number): DeviceDetails {
    const link = this.link(name);
    const driver = this.driver(name);
    const counters = this.counters(ifindex);
    return { linkResets, ...(link && { link }), ...(driver && { driver }), ...(counters && { counters }) };
  }

  /** What the link can do and does; undefined when the device does not say. */
  link(name: string): LinkFeatures | undefined {
    const bytes = this.#ask(name, L.ETHTOOL_GSET, ETHTOOL_CMD_LENGTH);
    return bytes && linkFeatures(bytes);
  }

  /** Name and versions of the driver; undefined when the device does not say. */
  driver(name: string): DriverInfo | undefined {
    const bytes = this.#ask(name, L.ETHTOOL_GDRVINFO, ETHTOOL_DRVINFO_LENGTH);
    return bytes && driverInfo(bytes);
  }

  /** What the kernel counts for the device with that index; undefined when it has gone. */
  counters(ifindex: number): DeviceCounters | undefined {
    this.#stats ??= LinkStats.open(this.#libc);
    return this.#stats?.read(ifindex);
  }

  /** An ethtool command without arguments; its answer, which the next one overwrites. */
  #ask(name: string, command: number, length: number): Uint8Array | undefined {
    const memory = (this.#ethtool ??= acquireMemory(this.#libc, ETHTOOL_DRVINFO_LENGTH));
    if (memory === undefined) return undefined;
    memory.bytes.fill(0, 0, length);
    memory.words[0] = command;
    this.#name(name);
    this.#view.setBigUint64(UNION, BigInt(memory.address), true);
    return this.#call(L.SIOCETHTOOL) === undefined ? memory.bytes.subarray(0, length) : undefined;
  }

  #get(name: string, request: number): number | undefined {
    this.#name(name);
    return this.#call(request);
  }

  #name(name: string): void {
    putIfname(this.#request, name);
  }

  /** undefined on success. */
  #call(request: number): number | undefined {
    if (this.#libc.ioctl(this.#fd, request, this.#request) >= 0) return undefined;
    return -this.#libc.errno();
  }
}

/** Whether `name` can be that of a Linux network device: 1 to 15 bytes without '/' and white space. */
export function validIfname(name: string): boolean {
  return Buffer.byteLength(name) < L.IFNAMSIZ && /^[^/\s\0]+$/.test(name) && name !== '.' && name !== '..';
}

/** Clear `request` and write `name` (which is valid) into its first 16 bytes. */
export function putIfname(request: Uint8Array, name: string): void {
  request.fill(0);
  request.set(Buffer.from(name).subarray(0, L.IFNAMSIZ - 1));
}
