/**
 * Port providers: what stands between the core and something that frames come from and go to.
 *
 * To the core a port is a `PortProvider` (core/vport.ts: start, send, flush, close, and who owns the bytes of a
 * frame). This file adds the other half, towards the loop that runs the ports. There are two kinds of port:
 *
 * - *polled* ports have a file descriptor (`fd >= 0`) and are asked: the loop calls `receive` inside a batch of the
 *   core, and `release` when the batch is over; in between, the frames handed to the core stay where they are;
 * - *event-driven* ports (`fd` is -1) live on the event loop (sockets of `node:net`, injected frames) and begin and
 *   end a batch by themselves, through `PortHost`.
 *
 * All methods are synchronous, none throws, none waits. `create` functions of providers return a positive errno
 * when the port cannot be made, and have then kept nothing.
 *
 *     create ──> start(vport) ──> receive/release, send/flush ──> close()
 *                     └── refresh() about once a second: link state, lost and found devices
 */

import type { PortProvider } from '../core/vport.js';

export type PortKind = 'afpacket' | 'tap' | 'internal' | 'dummy' | 'stream' | 'null';

/** Bits of `PortProvider.flags` (OVS_WIN_NETDEV_ATTR_IF_FLAGS). */
export const IfFlags = { UP: 1, PROMISC: 2 } as const;

/** Frames that one `receive` hands to the core at most. */
export const RECEIVE_BATCH = 64;
/** The longest frame that any port takes or gives: a gathered TCP segment of 64 KiB with its headers. */
export const MAX_FRAME = 65535 + 14 + 8;

export interface Port extends PortProvider {
  readonly kind: PortKind;
  /** The descriptor to wait on for reading, or -1: event-driven. Constant from `start` to `close` but for a device
   * that was lost and found: then it is -1 and new. */
  readonly fd: number;
  /** Looking for frames is a look at memory: done all the time. Otherwise it is a system call, done when `fd` is
   * readable and for as long as there is more. */
  readonly cheap: boolean;
  /** Needs the event loop to run (sockets, timers of Node.js). */
  readonly needsEvents: boolean;
  /** The device or the other end is there and can take frames. */
  readonly carrier: boolean;
  /** Why the port does not work now; empty when it does. One line. */
  readonly error: string;
  /** Polled ports: hand up to `RECEIVE_BATCH` frames to the core; returns how many. Called inside a batch. */
  receive(): number;
  /** Polled ports: the batch is over, the memory of the frames of `receive` may be used again. */
  release(): void;
  /** Polled ports: waiting on `fd` gave an error condition. */
  fault(): void;
  /** Look whether the device, its link or the other end changed. */
  refresh(now: number): void;
  /** What `switch/show` prints of it: a few words. */
  describe(): string;
}

export type LogLevel = 'err' | 'warn' | 'info' | 'dbg';

/** What a port finds around it; made once per loop. */
export interface PortHost {
  /** Monotonic milliseconds. */
  now(): number;
  /** Begin and end a batch of the core around received frames: for event-driven ports, never inside another batch. */
  beginBatch(): void;
  endBatch(): void;
  /** Memory for received frames: `size` bytes, whose address is known where ports need that. */
  memory(size: number): Uint8Array;
  /** A line for the log of the process. */
  log(level: LogLevel, text: string): void;
  /** A port started. */
  add(port: Port): void;
  /** A port closed. */
  remove(port: Port): void;
  /** A port got another descriptor, or lost it. */
  changed(): void;
}
