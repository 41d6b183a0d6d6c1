/**
 * The pseudo device over its pipe: `PipeDevice` opens a connection per handle, `PipeHandle` sends each operation as a
 * frame and settles its promise when the frame with the same tag comes back. Any number of operations may be
 * under way; those started in one turn of the event loop leave in one write.
 *
 * A handle never reconnects by itself: when the connection ends, everything pending rejects with ENOTCONN, the close
 * listeners run, and who needs the datapath opens a new handle.
 */
import type { Socket } from 'node:net';
import { LINUX_ERRNO, errnoName, strerror } from '@ovs-node/common/errors';
import { connectStream } from '@ovs-node/common/stream';
import { type Device, DeviceError, type DeviceHandle, DeviceOp } from '../device.js';
import { OperationHandle } from '../device-handle.js';
import { deviceConnectName } from '../device-path.js';
import { FrameReader, FrameWriter } from './frame.js';

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
    return PipeHandle.open(socket);
  }
}

class PipeHandle extends OperationHandle {
  #pid = 0;
  readonly #socket: Socket;
  readonly #out: FrameWriter;

  private constructor(socket: Socket) {
    super('datapath pipe');
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
    socket.on('close', () => this.end());
    socket.on('end', () => this.close());
  }

  /** Takes the connection over and asks for the handle's PID. */
  static async open(socket: Socket): Promise<PipeHandle> {
    const handle = new PipeHandle(socket);
    const timer = setTimeout(() => handle.close(), HELLO_TIMEOUT_MS);
    try {
      const reply = await handle.run(DeviceOp.GET_PID);
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

  close(): void {
    this.#socket.destroy();
    this.end();
  }

  protected start(op: DeviceOp, tag: number, request: Uint8Array): void {
    try {
      this.#out.push(op, 0, tag, request);
    } catch (error) {
      throw new DeviceError(LINUX_ERRNO.EMSGSIZE, (error as Error).message);
    }
  }

  #reply(op: number, status: number, tag: number, payload: Uint8Array): void {
    if (this.operation(tag) === op) this.complete(tag, status, payload);
    else this.close();
  }
}
