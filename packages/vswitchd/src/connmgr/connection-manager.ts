/**
 * The OpenFlow connections of one bridge: who connects to it, whom it connects to, and what they are told.
 */
import type { Listener } from '@ovs-node/common/stream';
import type { ConnectionConfig, ConnectionManagerOptions, ControllerStatus } from './types.js';

export type { ConnectionConfig, ConnectionManagerOptions, ControllerStatus } from './types.js';

export class ConnectionManager {
  protected readonly options: ConnectionManagerOptions;
  protected config: ConnectionConfig = { controllers: [], protocols: [], failMode: 'standalone' };
  readonly #listeners: Listener[] = [];

  constructor(options: ConnectionManagerOptions) {
    this.options = options;
  }

  /** Listens at BRIDGE.mgmt and BRIDGE.snoop in the run directory. Failures are logged; never rejects. */
  async listen(): Promise<void> {}

  /** Takes over a changed configuration: connects to new controllers, lets go of old ones. */
  configure(config: ConnectionConfig): void {
    this.config = config;
  }

  /** What to say of each controller, by the UUID of its row. */
  controllerStatus(): Map<string, ControllerStatus> {
    return new Map();
  }

  /** Compares the switch's ports with what controllers know of them, and tells them what is new. */
  portsChanged(): void {}

  /** Ends all connections and stops listening. */
  async close(): Promise<void> {
    for (const listener of this.#listeners.splice(0)) await listener.close();
  }
}
