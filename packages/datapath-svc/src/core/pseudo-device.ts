/**
 * The pseudo device in the same process: `Device` of the netlink package straight over a `DatapathCore`. Operations
 * run at once, in the caller's turn; only the promises settle later.
 */
import { type Device, DeviceError, type DeviceHandle, DeviceOp } from '@ovs-node/netlink/device';
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

interface Pending {
  resolve(reply: Uint8Array): void;
  reject(error: DeviceError): void;
}

class LocalHandle implements DeviceHandle, HandleSink {
  private readonly handle: Handle;
  private readonly scheduler: Scheduler;
  private readonly pending = new Map<number, Pending>();
  private readonly listeners: (() => void)[] = [];
  private nextTag = 1;

  constructor(core: DatapathCore, scheduler: Scheduler) {
    this.scheduler = scheduler;
    this.handle = core.openHandle(this);
  }

  get pid(): number {
    return this.handle.pid;
  }

  complete(tag: number, errno: number, reply: Uint8Array): void {
    const waiting = this.pending.get(tag);
    if (waiting === undefined) return;
    this.pending.delete(tag);
    if (errno === 0) waiting.resolve(reply);
    else waiting.reject(new DeviceError(errno, `datapath operation failed (errno ${errno})`));
  }

  transact(request: Uint8Array): Promise<Uint8Array> {
    return this.run(DeviceOp.TRANSACT, request);
  }

  async write(request: Uint8Array): Promise<void> {
    await this.run(DeviceOp.WRITE, request);
  }

  read(): Promise<Uint8Array> {
    return this.run(DeviceOp.READ, NOTHING);
  }

  readEvent(): Promise<Uint8Array> {
    return this.run(DeviceOp.READ_EVENT, NOTHING);
  }

  readPacket(): Promise<Uint8Array> {
    return this.run(DeviceOp.READ_PACKET, NOTHING);
  }

  onClose(listener: () => void): void {
    this.listeners.push(listener);
  }

  close(): void {
    if (this.handle.closed) return;
    this.handle.close();
    for (const listener of this.listeners) listener();
  }

  private run(op: DeviceOp, request: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const tag = this.nextTag++;
      this.pending.set(tag, { resolve, reject });
      this.handle.op(op, tag, request, this.scheduler.now());
    });
  }
}

const NOTHING = new Uint8Array(0);

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
