/**
 * The pseudo device in the same process: `Device` of the netlink package straight over a `DatapathCore`. Operations
 * run at once, in the caller's turn; only the promises settle later.
 */
import { type Device, DeviceError, type DeviceHandle, type DeviceOp } from '@ovs-node/netlink/device';
import { OperationHandle } from '@ovs-node/netlink/device-handle';
import type { DatapathCore } from './core.js';
import { Errno } from './errno.js';
import type { Handle, HandleSink } from './handle.js';

/** Time, as a `Clock` of the common package gives it. */
export interface Scheduler {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls `run` once after `delayMs`; `cancel` prevents that. */
  setTimer(delayMs: number, run: () => void): { cancel(): void };
}

class LocalHandle extends OperationHandle implements HandleSink {
  private readonly handle: Handle;
  private readonly scheduler: Scheduler;

  constructor(core: DatapathCore, scheduler: Scheduler) {
    super('handle');
    this.scheduler = scheduler;
    this.handle = core.openHandle(this);
  }

  get pid(): number {
    return this.handle.pid;
  }

  close(): void {
    this.handle.close();
    this.end();
  }

  protected start(op: DeviceOp, tag: number, request: Uint8Array): void {
    this.handle.op(op, tag, request, this.scheduler.now());
  }
}

/**
 * A `Device` over `core` in this process. Time comes from `scheduler`, which also drives the core's housekeeping
 * (`DatapathCore.tick`) for as long as any handle is open; nobody else needs to call `tick` then.
 */
export function createLocalDevice(core: DatapathCore, scheduler: Scheduler): Device {
  let open = 0;
  let timer: { cancel(): void } | null = null;
  const tick = (): void => {
    timer = open > 0 ? scheduler.setTimer(core.tick(scheduler.now()), tick) : null;
  };
  return {
    open(): Promise<DeviceHandle> {
      if (core.closed) return Promise.reject(new DeviceError(Errno.ENOTCONN, 'datapath is closed'));
      const handle = new LocalHandle(core, scheduler);
      open++;
      handle.onClose(() => {
        open--;
        if (open === 0 && timer !== null) {
          timer.cancel();
          timer = null;
        }
      });
      if (timer === null) tick();
      return Promise.resolve(handle);
    },
  };
}
