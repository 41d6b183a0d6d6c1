/**
 * What the handles of every device share: tags, the operations under way, and the listeners of the end.
 *
 * An operation gets a tag, is started by `start`, and its promise settles when the provider calls `complete` with the
 * same tag, which may be before `start` returns. After `end` every operation rejects.
 */
import { LINUX_ERRNO, linuxErrnoName, strerror } from '@ovs-node/common/errors';
import { DeviceError, type DeviceHandle, DeviceOp } from './device.js';

interface Pending {
  readonly op: number;
  resolve(reply: Uint8Array): void;
  reject(error: DeviceError): void;
}

const NOTHING: Uint8Array = new Uint8Array(0);

export abstract class OperationHandle implements DeviceHandle {
  readonly #what: string;
  readonly #pending = new Map<number, Pending>();
  #listeners: (() => void)[] = [];
  #nextTag = 1;
  #ended = false;

  /** `what` is closed, in errors. */
  constructor(what: string) {
    this.#what = what;
  }

  abstract readonly pid: number;
  abstract close(): void;
  /** Starts an operation; `complete` ends it. Throws a `DeviceError` when it cannot be started. */
  protected abstract start(op: DeviceOp, tag: number, request: Uint8Array): void;

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
    if (this.#ended) queueMicrotask(listener);
    else this.#listeners.push(listener);
  }

  protected run(op: DeviceOp, request = NOTHING): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#closed());
        return;
      }
      const tag = this.#nextTag;
      this.#nextTag = (tag + 1) >>> 0;
      this.#pending.set(tag, { op, resolve, reject });
      try {
        this.start(op, tag, request);
      } catch (error) {
        this.#pending.delete(tag);
        reject(error as Error);
      }
    });
  }

  /** The operation that `tag` is of; undefined when none is under way. */
  protected operation(tag: number): number | undefined {
    return this.#pending.get(tag)?.op;
  }

  /** An operation is over: `errno` is 0 or a positive Linux error number. The reply is the caller's from now on. */
  complete(tag: number, errno: number, reply: Uint8Array): void {
    const waiting = this.#pending.get(tag);
    if (waiting === undefined) return;
    this.#pending.delete(tag);
    if (errno === 0) waiting.resolve(reply);
    else
      waiting.reject(
        new DeviceError(errno, `datapath operation failed (${strerror(linuxErrnoName(errno))})`),
      );
  }

  /** The handle is closed, by whichever side: rejects what is under way and tells the listeners, once. */
  protected end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const waiting of pending) waiting.reject(this.#closed());
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  protected get ended(): boolean {
    return this.#ended;
  }

  #closed(): DeviceError {
    return new DeviceError(LINUX_ERRNO.ENOTCONN, `${this.#what} is closed`);
  }
}
