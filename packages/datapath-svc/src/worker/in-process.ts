/**
 * Datapaths inside another process (vswitchd's `datapath_type=netdev` and `dummy`): the same library behind the same
 * `Device`, on a worker thread or on the caller's.
 *
 * On the caller's thread nothing happens but in its own turns of the event loop, and time comes from its clock: so a
 * dummy datapath is deterministic under `time/stop` and `time/warp`.
 */

import type { Clock } from '@ovs-node/common/clock';
import { systemClock } from '@ovs-node/common/clock';
import { vlog } from '@ovs-node/common/vlog';
import type { Device, DeviceHandle } from '@ovs-node/netlink/device';
import { createLocalDevice } from '../core/pseudo-device.js';
import type { LogLevel } from '../ports/provider.js';
import { THREAD_COMMANDS, runThreadCommand } from './commands.js';
import { DatapathThread } from './thread.js';
import { WorkerDevice } from './worker-device.js';

const log = vlog('datapath');

export interface InProcessOptions {
  /** A thread of its own, which may block in `poll` (`netdev`); otherwise the caller's (`dummy`). */
  readonly worker: boolean;
  /** Internal ports are dummies, not devices of the host; default: true without a worker. */
  readonly dummy?: boolean;
  /** Time, when there is no worker; the machine's by default. */
  readonly clock?: Clock;
}

/** A `Device` and what else can be asked of a datapath in the same process. */
export interface InProcessDatapath extends Device {
  /** Commands that `command` knows: `switch/show`, `coverage/show`, `netdev-dummy/receive`… */
  readonly commands: readonly {
    readonly name: string;
    readonly usage: string;
    readonly min: number;
    readonly max: number;
  }[];
  /** Run one of `commands`; rejects with an Error of one line. */
  command(name: string, args: readonly string[]): Promise<string>;
  /** End it: ports are closed, handles lost. */
  close(): Promise<void>;
}

/** Pass a line of the datapath's thread to the log of this process. @param module where the peer has such a line. */
export function logLine(level: LogLevel, text: string, module?: string): void {
  (module === undefined ? log : vlog(module))[level](text);
}

/** A datapath library in this process. It serves when the first `open` resolves. */
export function createInProcessDatapath(options: InProcessOptions): InProcessDatapath {
  const dummy = options.dummy ?? !options.worker;
  if (options.worker) {
    const device = new WorkerDevice({
      dummy,
      log: logLine,
      // A process without its datapath is of no use: it crashes, and --monitor starts it again.
      onFailure: (error) => {
        log.emer('the datapath thread failed');
        throw error;
      },
    });
    return {
      commands: THREAD_COMMANDS,
      open: () => device.open(),
      command: (name, args) => device.command(name, args),
      close: () => device.close(),
    };
  }
  const clock = options.clock ?? systemClock;
  const thread = new DatapathThread({
    now: () => clock.now(),
    wall: () => clock.wall(),
    log: logLine,
    dummy,
    mayBlock: false,
    onWake: () => {},
  });
  const device = createLocalDevice(thread.core, clock);
  const handles = new Set<DeviceHandle>();
  thread.start();
  return {
    commands: THREAD_COMMANDS,
    async open() {
      const handle = await device.open();
      handles.add(handle);
      handle.onClose(() => handles.delete(handle));
      return handle;
    },
    command: async (name, args) => runThreadCommand(thread, name, args),
    close() {
      // Each by itself, so that its owner hears of it.
      for (const handle of handles) handle.close();
      return thread.stop();
    },
  };
}
