/**
 * A port without a device: takes frames and drops them, never receives one. It stands in for the local port of a
 * whole datapath (`ovs-system`) where the host cannot give it a device: without privilege, on Windows and macOS.
 */

import type { Vport } from '../core/vport.js';
import { EventPort } from './event-port.js';
import type { Port, PortHost } from './provider.js';

export class NullPort extends EventPort implements Port {
  readonly kind = 'null';
  readonly cheap = false;
  readonly needsEvents = false;
  readonly mac = new Uint8Array(6);
  readonly mtu = 1500;
  readonly flags = 0;
  readonly ifindex = 0;
  readonly carrier = false;
  readonly error: string;
  readonly #host: PortHost;
  #vport: Vport | undefined;

  /** `reason`: why there is no device. */
  constructor(host: PortHost, reason: string) {
    super();
    this.#host = host;
    this.error = reason;
  }

  start(vport: Vport): void {
    this.#vport = vport;
    this.#host.add(this);
  }

  send(): void {
    this.#vport!.stats.txDropped++;
  }

  flush(): void {}

  close(): void {
    this.#host.remove(this);
  }

  describe(): string {
    return 'no device';
  }
}
