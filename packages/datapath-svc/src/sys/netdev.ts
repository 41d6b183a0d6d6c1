/**
 * Network devices of the host by their ioctls (netdevice(7)): index, flags, MTU, address. Every function takes the
 * device's name and returns a value, or a negative errno: -ENODEV when there is no such device.
 */

import type { Libc } from './libc.js';
import * as L from './linux.js';

/** `struct ifreq`: 16 bytes of name and a union of 24. */
const IFREQ = 40;
const UNION = 16;

export class NetdevControl {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #request = new Uint8Array(IFREQ);
  readonly #view = new DataView(this.#request.buffer);

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
