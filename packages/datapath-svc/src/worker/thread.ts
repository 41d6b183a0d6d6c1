/**
 * Everything that runs in the datapath's thread, put together: core, extensible switch, ports, loop, driver. The
 * thread may be a worker (main.ts) or the main one (in-process.ts); it is told so by `mayBlock`.
 */

import { RateLimit } from '@ovs-node/common/rate-limit';
import { KERNEL_ENCODING, USERSPACE_ENCODING } from '@ovs-node/netlink/key';
import { DatapathCore } from '../core/core.js';
import { nicEvent } from '../core/netlink/nic.js';
import { PortMaker } from '../ports/factory.js';
import type { LogLevel } from '../ports/provider.js';
import { tryWindowsHost, type WindowsHost } from '../ports/windows/host.js';
import { ExtensibleSwitch } from '../switch/switch.js';
import { libcFailure, tryLibc } from '../sys/libc.js';
import { Driver } from './driver.js';
import { DropCoverage } from './drop-coverage.js';
import { PortLoop } from './port-loop.js';

export interface ThreadOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly log: (level: LogLevel, text: string, module?: string) => void;
  /** No devices of the host for internal ports (`datapath_type=dummy`). */
  readonly dummy: boolean;
  /** This thread has nothing to do but run the datapath: it may block in `poll`. */
  readonly mayBlock: boolean;
  /** Called after somebody wrote to `loop.wakeFd`. */
  readonly onWake: () => void;
}

/** The peer tells of each packet, however many there are. */
const recircLimit = new RateLimit(600, 600);

export class DatapathThread {
  readonly core: DatapathCore;
  readonly switch: ExtensibleSwitch;
  readonly loop: PortLoop;
  readonly drops: DropCoverage;
  readonly #driver: Driver;
  readonly #windows: WindowsHost | undefined;

  constructor(options: ThreadOptions) {
    const libc = tryLibc();
    if (libc === undefined && process.platform === 'linux') {
      options.log('warn', `no devices of the host can be used: ${libcFailure()}`);
    }
    this.loop = new PortLoop(libc, options.now, options.log);
    this.#windows = options.dummy ? undefined : tryWindowsHost();
    const maker = new PortMaker(this.loop, libc, options.wall, this.#windows);
    this.switch = new ExtensibleSwitch(maker, {
      dummy: options.dummy,
      onNic: (name, isConnected) => nicEvent(this.core, name, isConnected),
    });
    this.core = new DatapathCore({
      ports: this.switch,
      allocArena: (size) => this.loop.allocArena(size),
      // The peer's dummy datapath is a userspace one, whose flows match the packet type.
      keyEncoding: options.dummy ? USERSPACE_ENCODING : KERNEL_ENCODING,
      onRecircLimit: () => {
        if (recircLimit.take(options.now()))
          options.log('warn', 'Packet dropped. Max recirculation depth exceeded.', 'dpif_netdev');
      },
    });
    this.loop.core = this.core;
    this.drops = new DropCoverage(this.core);
    this.loop.onRefresh = (now) => this.drops.sample(now);
    this.#driver = new Driver(this.loop, options.mayBlock, options.onWake);
  }

  /** Begin to move frames. */
  start(): void {
    this.#driver.start();
  }

  /** Close all ports, datapaths and handles, and stop. */
  async stop(): Promise<void> {
    this.core.close();
    await this.#driver.stop();
    this.loop.close();
    this.#windows?.completions.close();
  }
}
