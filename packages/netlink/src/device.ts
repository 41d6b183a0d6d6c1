/**
 * The pseudo device as its users see it. One handle is one netlink socket; every byte that crosses is a netlink
 * message. Two providers: the pipe to `ovs-datapath-svc`, and the datapath library in the same process.
 */

/** Function codes of the device's operations (device type 45000). */
export const DeviceOp = {
  GET_PID: 0x100,
  READ: 0x101,
  READ_EVENT: 0x102,
  READ_PACKET: 0x103,
  WRITE: 0x104,
  TRANSACT: 0x105,
} as const;
export type DeviceOp = (typeof DeviceOp)[keyof typeof DeviceOp];

/**
 * One open handle. All operations are asynchronous; several may be under way at once, and the replies to one kind
 * of operation come in the order of the requests. A buffer passed in belongs to the callee until the promise
 * settles; a buffer handed out belongs to the caller. A failure of the operation itself (not of the netlink
 * request in it, which is answered by an NLMSG_ERROR message) rejects with a `DeviceError`.
 */
export interface DeviceHandle {
  /** The netlink PID that the datapath gave this handle. */
  readonly pid: number;
  /** A request whose reply (one or more netlink messages) comes back in the same operation. */
  transact(request: Uint8Array): Promise<Uint8Array>;
  /** A request with no immediate reply: a dump, a subscription. */
  write(request: Uint8Array): Promise<void>;
  /** The next part of the dump that `write` began; its last part ends in NLMSG_DONE. */
  read(): Promise<Uint8Array>;
  /** Pends until there is an event of a multicast group that the handle joined; one or more messages. */
  readEvent(): Promise<Uint8Array>;
  /** Pends until there is an upcall for this handle; one or more OVS_PACKET messages. */
  readPacket(): Promise<Uint8Array>;
  /** Called once when the handle is closed, by `close` or because the other side went away; every pending operation
   * rejects before. */
  onClose(listener: () => void): void;
  close(): void;
}

/** Something that handles can be opened on. `open` rejects with a `DeviceError` when nobody serves it. */
export interface Device {
  open(): Promise<DeviceHandle>;
}

/** The operation failed: `errno` is a positive Linux error number, `EOPNOTSUPP`, `EINVAL`, `ENOTCONN`… */
export class DeviceError extends Error {
  readonly errno: number;
  constructor(errno: number, message: string) {
    super(message);
    this.errno = errno;
  }
}
