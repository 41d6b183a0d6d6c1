/**
 * From a port type and a name to a port: the table of what this machine can open. `PortMaker` holds what ports of
 * all kinds share (system calls, the ioctl socket); the extensible switch (switch/) decides which to make.
 */

import type { Libc } from '../sys/libc.js';
import { EINVAL, ENODEV, EOPNOTSUPP } from '../sys/linux.js';
import { NetdevControl } from '../sys/netdev.js';
import { DummyPort } from './dummy.js';
import { AfPacketPort, RING_SLOTS } from './linux/afpacket.js';
import { TapPort } from './linux/tap.js';
import { deviceSettings, type PortOptions } from './options.js';
import type { Port, PortHost } from './provider.js';
import { StreamPort } from './stream.js';
import type { WindowsHost } from './windows/host.js';
import { WindowsTapPort } from './windows/tap.js';

export type MakeKind = 'device' | 'tap' | 'internal' | 'dummy' | 'stream';

/** Beyond so many devices, rings are smaller: 2 MiB each. */
const MANY_DEVICES = 16;
const SMALL_RING_SLOTS = 1024;

export class PortMaker {
  readonly host: PortHost;
  readonly #libc: Libc | undefined;
  readonly #control: NetdevControl | undefined;
  readonly #wall: () => number;
  readonly #windows: WindowsHost | undefined;

  /**
   * `libc` and `windows` undefined: no devices. `wall`: milliseconds since 1970, for time stamps in pcap files.
   */
  constructor(host: PortHost, libc: Libc | undefined, wall: () => number, windows?: WindowsHost) {
    this.host = host;
    this.#libc = libc;
    this.#windows = windows;
    this.#wall = wall;
    const control = libc && NetdevControl.open(libc);
    this.#control = typeof control === 'number' ? undefined : control;
  }

  /** A port, not started; or a positive errno. */
  make(kind: MakeKind, name: string, options: PortOptions, devices: number): Port | number {
    switch (kind) {
      case 'dummy':
        return DummyPort.create(this.host, name, options, this.#wall);
      case 'stream':
        return StreamPort.create(this.host, name, options);
      case 'device':
        if (this.#windows !== undefined) return WindowsTapPort.create('tap', this.#windows, this.host, name);
        if (this.#libc === undefined || this.#control === undefined) return ENODEV;
        return AfPacketPort.create(
          this.#libc,
          this.#control,
          this.host,
          name,
          options,
          devices >= MANY_DEVICES ? SMALL_RING_SLOTS : RING_SLOTS,
        );
      case 'tap':
      case 'internal': {
        if (this.#windows !== undefined) return WindowsTapPort.create(kind, this.#windows, this.host, name);
        if (this.#libc === undefined || this.#control === undefined) return EOPNOTSUPP;
        const settings = deviceSettings(options);
        if (settings === undefined) return EINVAL;
        return TapPort.create(kind, this.#libc, this.#control, this.host, name, settings);
      }
    }
  }
}
