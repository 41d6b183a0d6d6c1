/**
 * The datapath's port over a host port: passes everything to the NIC's own port while one is plugged in, and is down
 * otherwise. The datapath keeps its port, with number and counters, while NICs come and go behind it. The loop has
 * nothing to ask it: the inner port is registered with the loop and asked by it.
 */

import type { DeviceDetails } from '@ovs-node/netlink/device-details';
import type { PacketMeta } from '../core/packet-meta.js';
import type { Vport } from '../core/vport.js';
import { EventPort } from '../ports/event-port.js';
import type { Port, PortHost, PortKind } from '../ports/provider.js';
import { EOPNOTSUPP } from '../sys/linux.js';

const NO_MAC = new Uint8Array(6);

export class PluggedPort extends EventPort implements Port {
  readonly #host: PortHost;
  readonly #onClose: () => void;
  #inner: Port | undefined;
  #vport: Vport | undefined;

  /** `onClose`: the datapath deleted its port. */
  constructor(host: PortHost, onClose: () => void) {
    super();
    this.#host = host;
    this.#onClose = onClose;
  }

  /** A NIC is plugged in: `port`, not started yet. */
  plug(port: Port): void {
    this.#inner = port;
    if (this.#vport !== undefined) port.start(this.#vport);
  }

  /** The NIC is pulled. */
  unplug(): void {
    const port = this.#inner;
    this.#inner = undefined;
    if (this.#vport !== undefined) port?.close();
  }

  get kind(): PortKind {
    return this.#inner?.kind ?? 'null';
  }
  get cheap(): boolean {
    return this.#inner?.cheap ?? false;
  }
  get needsEvents(): boolean {
    return this.#inner?.needsEvents ?? false;
  }
  get mac(): Uint8Array {
    return this.#inner?.mac ?? NO_MAC;
  }
  get mtu(): number {
    return this.#inner?.mtu ?? 1500;
  }
  get flags(): number {
    return this.#inner?.flags ?? 0;
  }
  get ifindex(): number {
    return this.#inner?.ifindex ?? 0;
  }
  get carrier(): boolean {
    return this.#inner?.carrier ?? false;
  }
  get error(): string {
    return this.#inner === undefined ? 'the NIC is not connected' : this.#inner.error;
  }

  details(): DeviceDetails | undefined {
    return this.#inner?.details?.();
  }

  setUp(up: boolean): number {
    return this.#inner?.setUp?.(up) ?? EOPNOTSUPP;
  }

  start(vport: Vport): void {
    this.#vport = vport;
    this.#inner?.start(vport);
    this.#host.changed();
  }

  send(buf: Uint8Array, start: number, end: number, meta: PacketMeta): void {
    if (this.#inner === undefined) this.#vport!.stats.txDropped++;
    else this.#inner.send(buf, start, end, meta);
  }

  flush(): void {
    this.#inner?.flush();
  }

  close(): void {
    this.unplug();
    this.#vport = undefined;
    this.#onClose();
  }

  describe(): string {
    return this.#inner?.describe() ?? 'no NIC';
  }
}
