/**
 * The pseudo device over its pipe: `PipeDevice` opens a connection per handle, `PipeHandle` sends each operation as a
 * frame and settles its promise when the frame with the same tag comes back. Any number of operations may be
 * under way; those started in one turn of the event loop leave in one write.
 *
 * A handle never reconnects by itself: when the connection ends, everything pending rejects with ENOTCONN, the close
 * listeners run, and who needs the datapath opens a new handle.
 */
import type { Socket } from 'node:net';
import { LINUX_ERRNO, errnoName, strerror, linuxErrnoName } from '@ovs-node/common/errors';
import { connectStream } from '@ovs-node/common/stream';
import { type Device, DeviceError, type DeviceHandle, DeviceOp } from '../device.js';
import { deviceConnectName } from '../device-path.js';
import { FrameReader, FrameWriter } from './frame.js';

interface Pending {
  readonly op: number;
  resolve(payload: Uint8Array): void;
  reject(error: DeviceError): void;
}

const NOTHING = new Uint8Array(0);
const ENOTCONN = LINUX_ERRNO.ENOTCONN;
/** How long the service may take to say the PID of a new handle. */
const HELLO_TIMEOUT_MS = 10_000;

/** The pseudo device at the other end of a pipe. Opening costs a connection and one round trip. */
export class PipeDevice implements Device {
  readonly #name: string;

  /** `name` is a stream name (`unix:PATH`, `tcp:HOST:PORT`); the default is the service's usual place. */
  constructor(name: string = deviceConnectName()) {
    this.#name = name;
  }

  /** Rejects with `DeviceError`: ECONNREFUSED or ENOENT when nobody serves the pipe. */
  async open(): Promise<DeviceHandle> {
    let socket: Socket;
    try {
      socket = await connectStream(this.#name);
    } catch (error) {
      const name = errnoName(error);
      const errno = (LINUX_ERRNO as Record<string, number>)[name] ?? LINUX_ERRNO.EIO;
      throw new DeviceError(errno, `${this.#name}: ${strerror(name)}`);
    }
    return PipeHandle.start(socket);
  }
}

class PipeHandle implements DeviceHandle {
  #pid = 0;
  readonly #socket: Socket;
  readonly #out: FrameWriter;
  readonly #pending = new Map<number, Pending>();
  #listeners: (() => void)[] = [];
  #nextTag = 1;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#out = new FrameWriter(socket);
    const reader = new FrameReader((op, status, tag, payload) => this.#reply(op, status, tag, payload));
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch {
        this.close();
      }
    });
    // An error is always followed by 'close'.
    socket.on('error', () => {});
    socket.on('close', () => this.#end());
    socket.on('end', () => this.close());
  }

  /** Takes the connection over and asks for the handle's PID. */
  static async start(socket: Socket): Promise<PipeHandle> {
    const handle = new PipeHandle(socket);
    const timer = setTimeout(() => handle.close(), HELLO_TIMEOUT_MS);
    try {
      const reply = await handle.#run(DeviceOp.GET_PID, NOTHING);
      if (reply.length !== 4)
        throw new DeviceError(LINUX_ERRNO.EPROTO, 'datapath pipe: bad reply to GET_PID');
      handle.#pid = Buffer.from(reply.buffer, reply.byteOffset, 4).readUInt32LE(0);
      return handle;
    } catch (error) {
      handle.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number {
    return this.#pid;
  }

  transact(request: Uint8Array): Promise<Uint8Array> {
    return this.#run(DeviceOp.TRANSACT, request);
  }

  async write(request: Uint8Array): Promise<void> {
    await this.#run(DeviceOp.WRITE, request);
  }

  read(): Promise<Uint8Array> {
    return this.#run(DeviceOp.READ, NOTHING);
  }

  readEvent(): Promise<Uint8Array> {
    return this.#run(DeviceOp.READ_EVENT, NOTHING);
  }

  readPacket(): Promise<Uint8Array> {
    return this.#run(DeviceOp.READ_PACKET, NOTHING);
  }

  onClose(listener: () => void): void {
    if (this.#closed) queueMicrotask(listener);
    else this.#listeners.push(listener);
  }

  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #run(op: number, request: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new DeviceError(ENOTCONN, 'datapath pipe is closed'));
        return;
      }
      const tag = this.#nextTag;
      this.#nextTag = (tag + 1) >>> 0;
      try {
        this.#out.push(op, 0, tag, request);
      } catch (error) {
        reject(new DeviceError(LINUX_ERRNO.EMSGSIZE, (error as Error).message));
        return;
      }
      this.#pending.set(tag, { op, resolve, reject });
    });
  }

  #reply(op: number, status: number, tag: number, payload: Uint8Array): void {
    const waiting = this.#pending.get(tag);
    if (waiting === undefined || waiting.op !== op) {
      this.close();
      return;
    }
    this.#pending.delete(tag);
    if (status === 0) waiting.resolve(payload);
    else
      waiting.reject(
        new DeviceError(status, `datapath operation failed (${strerror(linuxErrnoName(status))})`),
      );
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const waiting of pending) waiting.reject(new DeviceError(ENOTCONN, 'datapath pipe was closed'));
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
