/**
 * The service's end of the pipe: every connection opens one handle on a `Device` and relays frames to it.
 *
 * What one client can make us hold is bounded: at most one unfinished frame, `MAX_IN_FLIGHT` operations that run (a
 * client that sends more is not read until some have finished), `MAX_WAITING` reads of each waiting kind (more are
 * answered with ENOBUFS), and replies up to `MAX_BACKLOG` bytes that it has not taken (it is not read until it
 * took them). A malformed frame, or an operation that does not exist, costs the client its connection or gets an
 * error reply; never more.
 */
import type { Socket } from 'node:net';
import { LINUX_ERRNO } from '@ovs-node/common/errors';
import { listenStream, type Listener } from '@ovs-node/common/stream';
import { type Device, DeviceError, type DeviceHandle, DeviceOp } from '../device.js';
import { FrameReader, FrameWriter } from './frame.js';

const MAX_IN_FLIGHT = 1024;
const MAX_WAITING = 64;
const MAX_BACKLOG = 8 * 1024 * 1024;

const NOTHING = new Uint8Array(0);

/** What the server tells about its connections; all optional. */
export interface DeviceServerEvents {
  /** A connection ended because the client broke the protocol; `reason` is one line. */
  readonly onBadClient?: (reason: string) => void;
}

export interface DeviceServer {
  /** Connections now open. */
  readonly connections: number;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/**
 * Serves `device` at the stream name `listenAt` (`deviceListenName()`). Each connection is one handle, closed with it.
 * Rejects with the `OvsError` of `listenStream` when the name cannot be listened at.
 */
export async function serveDevice(
  device: Device,
  listenAt: string,
  events: DeviceServerEvents = {},
): Promise<DeviceServer> {
  const open = new Set<Connection>();
  const listener: Listener = await listenStream(listenAt, (socket) => {
    const connection = new Connection(socket, device, events, () => open.delete(connection));
    open.add(connection);
  });
  return {
    get connections() {
      return open.size;
    },
    async close() {
      for (const connection of open) connection.end();
      await listener.close();
    },
  };
}

class Connection {
  readonly #socket: Socket;
  readonly #out: FrameWriter;
  readonly #events: DeviceServerEvents;
  readonly #onEnd: () => void;
  #handle: DeviceHandle | null = null;
  /** Operations that came before the handle was open, in order. */
  #early: (() => void)[] | null = [];
  #inFlight = 0;
  #waitingPackets = 0;
  #waitingEvents = 0;
  #ended = false;

  constructor(socket: Socket, device: Device, events: DeviceServerEvents, onEnd: () => void) {
    this.#socket = socket;
    this.#out = new FrameWriter(socket);
    this.#events = events;
    this.#onEnd = onEnd;
    const reader = new FrameReader((op, status, tag, payload) => this.#request(op, status, tag, payload));
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.#bad((error as Error).message);
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => this.end());
    socket.on('end', () => this.end());
    socket.on('drain', () => this.#flow());
    void this.#open(device);
  }

  async #open(device: Device): Promise<void> {
    try {
      const handle = await device.open();
      if (this.#ended) {
        handle.close();
        return;
      }
      this.#handle = handle;
      handle.onClose(() => this.end());
      const early = this.#early!;
      this.#early = null;
      for (const run of early) run();
    } catch {
      // The datapath takes no more handles: the client sees its connection end.
      this.end();
    }
  }

  /** Ends the connection and its handle. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#early = null;
    this.#socket.destroy();
    this.#handle?.close();
    this.#onEnd();
  }

  #bad(reason: string): void {
    if (this.#ended) return;
    this.#events.onBadClient?.(reason);
    this.end();
  }

  #request(op: number, status: number, tag: number, payload: Uint8Array): void {
    if (this.#ended) return;
    if (status !== 0) {
      this.#bad(`request with status ${status}`);
      return;
    }
    if (op === DeviceOp.WRITE || op === DeviceOp.TRANSACT ? payload.length === 0 : payload.length !== 0) {
      this.#answer(op, LINUX_ERRNO.EINVAL, tag, NOTHING);
      return;
    }
    if (op === DeviceOp.READ_PACKET && this.#waitingPackets >= MAX_WAITING) {
      this.#answer(op, LINUX_ERRNO.ENOBUFS, tag, NOTHING);
      return;
    }
    if (op === DeviceOp.READ_EVENT && this.#waitingEvents >= MAX_WAITING) {
      this.#answer(op, LINUX_ERRNO.ENOBUFS, tag, NOTHING);
      return;
    }
    this.#count(op, 1);
    if (this.#early !== null) this.#early.push(() => this.#start(op, tag, payload));
    else this.#start(op, tag, payload);
    this.#flow();
  }

  #start(op: number, tag: number, payload: Uint8Array): void {
    const done = this.#run(op, payload);
    done.then(
      (reply) => this.#finish(op, 0, tag, reply),
      (error: unknown) =>
        this.#finish(op, error instanceof DeviceError ? error.errno : LINUX_ERRNO.EIO, tag, NOTHING),
    );
  }

  #run(op: number, payload: Uint8Array): Promise<Uint8Array> {
    const handle = this.#handle!;
    switch (op) {
      case DeviceOp.GET_PID: {
        const pid = Buffer.alloc(4);
        pid.writeUInt32LE(handle.pid);
        return Promise.resolve(pid);
      }
      case DeviceOp.READ:
        return handle.read();
      case DeviceOp.READ_EVENT:
        return handle.readEvent();
      case DeviceOp.READ_PACKET:
        return handle.readPacket();
      case DeviceOp.WRITE:
        return handle.write(payload).then(() => NOTHING);
      case DeviceOp.TRANSACT:
        return handle.transact(payload);
      default:
        return Promise.reject(new DeviceError(LINUX_ERRNO.EOPNOTSUPP, `unknown device operation ${op}`));
    }
  }

  #finish(op: number, status: number, tag: number, reply: Uint8Array): void {
    if (this.#ended) return;
    this.#count(op, -1);
    this.#answer(op, status, tag, reply);
  }

  #answer(op: number, status: number, tag: number, reply: Uint8Array): void {
    try {
      this.#out.push(op, status, tag, reply);
    } catch {
      this.#out.push(op, LINUX_ERRNO.EMSGSIZE, tag, NOTHING);
    }
    this.#flow();
  }

  #count(op: number, change: 1 | -1): void {
    if (op === DeviceOp.READ_PACKET) this.#waitingPackets += change;
    else if (op === DeviceOp.READ_EVENT) this.#waitingEvents += change;
    else this.#inFlight += change;
  }

  /** Reads from the client, or not, as the bounds say. */
  #flow(): void {
    const stop = this.#inFlight >= MAX_IN_FLIGHT || this.#out.backlog > MAX_BACKLOG;
    if (stop && !this.#socket.isPaused()) this.#socket.pause();
    else if (!stop && this.#socket.isPaused()) this.#socket.resume();
  }
}
