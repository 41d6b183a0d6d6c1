/**
 * The main thread's side of the datapath's worker: a `Device` whose handles relay every operation, and commands.
 */

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { standalone } from '@ovs-node/common/program';
import { type Device, DeviceError, type DeviceHandle, type DeviceOp } from '@ovs-node/netlink/device';
import { OperationHandle } from '@ovs-node/netlink/device-handle';
import type { LogLevel } from '../ports/provider.js';
import type { FromWorker, ToWorker, WorkerData } from './protocol.js';

const ENOTCONN = 107;
/** The bundle of main.ts. */
const BUNDLE = 'datapath-worker.cjs';

export interface WorkerOptions extends WorkerData {
  readonly log: (level: LogLevel, text: string, module?: string) => void;
  /** The worker failed after it had begun to serve: nothing of it works any more. */
  readonly onFailure: (error: Error) => void;
}

interface Pending<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export class WorkerDevice implements Device {
  readonly #worker: Worker;
  readonly #handles = new Map<number, RelayHandle>();
  readonly #opening = new Map<number, Pending<DeviceHandle>>();
  readonly #commands = new Map<number, Pending<string>>();
  readonly #options: WorkerOptions;
  readonly #exited: Promise<void>;
  readonly #ready: Promise<void>;
  #wakeFd = -1;
  #next = 1;
  #closed = false;
  readonly #outbox: ToWorker[] = [];
  #serving = false;
  #stopping = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const data: WorkerData = { dummy: options.dummy };
    this.#worker = startWorker(data);
    this.#ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (messages: FromWorker[]) => {
        for (const message of messages) {
          if (message.t !== 'ready') this.#receive(message);
          else {
            this.#wakeFd = message.wakeFd;
            this.#serving = true;
            resolve();
          }
        }
      });
      this.#worker.once('error', (error: Error) => {
        reject(error);
        if (this.#serving && !this.#closed) options.onFailure(error);
      });
    });
    this.#ready.catch(() => {});
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#closed = true;
        this.#abandon();
        resolve();
      });
    });
  }

  /** Resolves when the worker serves; rejects when it cannot be started. */
  ready(): Promise<void> {
    return this.#ready;
  }

  async open(): Promise<DeviceHandle> {
    await this.#ready;
    if (this.#closed) throw new DeviceError(ENOTCONN, 'datapath is closed');
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#opening.set(id, { resolve, reject });
      this.send({ t: 'open', handle: id });
    });
  }

  /** Run a command of the datapath's thread. Rejects with its error. */
  async command(name: string, args: readonly string[]): Promise<string> {
    await this.#ready;
    if (this.#closed) throw new Error('datapath is closed');
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#commands.set(id, { resolve, reject });
      this.send({ t: 'command', id, name, args });
    });
  }

  /** Stop the worker: it closes its ports and ends. */
  async close(): Promise<void> {
    if (!this.#closed) {
      await this.#ready.catch(() => {});
      this.#closed = true;
      this.send({ t: 'stop' });
    }
    await this.#exited;
  }

  /** Used by the handles. Queues `message`; what one turn queues goes to the worker together. */
  send(message: ToWorker): void {
    // After 'stop' the worker closes the descriptor, whose number may then be somebody else's.
    if (this.#stopping) return;
    if (message.t === 'stop') this.#stopping = true;
    this.#outbox.push(message);
    if (this.#outbox.length === 1) queueMicrotask(() => this.#flush());
  }

  /** One message and one write: each wakes the worker, which should find all there is to do. */
  #flush(): void {
    this.#worker.postMessage(this.#outbox.splice(0));
    if (this.#wakeFd < 0) return;
    try {
      fs.writeSync(this.#wakeFd, ONE);
    } catch {
      // The counter is full (it is awake then), or the worker has ended and closed it.
    }
  }

  /** Used by the handles. */
  forget(id: number): void {
    this.#handles.delete(id);
    if (!this.#closed) this.send({ t: 'close', handle: id });
  }

  #receive(message: Exclude<FromWorker, { t: 'ready' }>): void {
    switch (message.t) {
      case 'opened': {
        const handle = new RelayHandle(this, message.handle, message.pid);
        this.#handles.set(message.handle, handle);
        this.#opening.get(message.handle)?.resolve(handle);
        this.#opening.delete(message.handle);
        return;
      }
      case 'complete':
        this.#handles.get(message.handle)?.complete(message.tag, message.errno, message.reply);
        return;
      case 'reply': {
        const waiting = this.#commands.get(message.id);
        this.#commands.delete(message.id);
        if (message.ok) waiting?.resolve(message.text);
        else waiting?.reject(new Error(message.text));
        return;
      }
      case 'log':
        this.#options.log(message.level, message.text, message.module);
    }
  }

  #abandon(): void {
    const error = new DeviceError(ENOTCONN, 'datapath is closed');
    for (const waiting of this.#opening.values()) waiting.reject(error);
    for (const waiting of this.#commands.values()) waiting.reject(error);
    this.#opening.clear();
    this.#commands.clear();
    const lost = Array.from(this.#handles.values());
    this.#handles.clear();
    for (const handle of lost) handle.lost();
  }
}

const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

class RelayHandle extends OperationHandle {
  readonly pid: number;
  readonly #device: WorkerDevice;
  readonly #id: number;

  constructor(device: WorkerDevice, id: number, pid: number) {
    super('handle');
    this.#device = device;
    this.#id = id;
    this.pid = pid;
  }

  close(): void {
    if (this.ended) return;
    this.end();
    this.#device.forget(this.#id);
  }

  /** The whole datapath is gone. */
  lost(): void {
    this.end();
  }

  protected start(op: DeviceOp, tag: number, request: Uint8Array): void {
    this.#device.send({ t: 'op', handle: this.#id, tag, op, request });
  }
}

/**
 * Starts the thread. Its entry is beside this module; when this is a bundle (CommonJS), its bundle beside this one; in
 * a standalone executable, an asset.
 */
function startWorker(workerData: WorkerData): Worker {
  const executable = standalone();
  if (executable !== null) return new Worker(executable.getAsset(BUNDLE, 'utf8'), { eval: true, workerData });
  if (typeof __dirname === 'string') return new Worker(path.join(__dirname, BUNDLE), { workerData });
  return new Worker(fileURLToPath(new URL('./main.js', import.meta.url)), { workerData });
}
