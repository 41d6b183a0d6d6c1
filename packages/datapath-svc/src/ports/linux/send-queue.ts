/**
 * Frames waiting for one `sendmmsg` on a packet socket with PACKET_VNET_HDR: an array of `struct mmsghdr`, each with
 * two `struct iovec` (offload header, frame), all wired to each other once. Queuing a frame writes its address and
 * length and the 10 bytes of its offload header; the frame itself is not copied, so its memory must stay as it is
 * until `flush`.
 *
 *     mmsghdr (64 bytes): msg_name 8 | msg_namelen 4+4 | msg_iov 8 | msg_iovlen 8 | control 8+8 | flags 4+4 | msg_len 4+4
 *     iovec (16 bytes):   base 8 | len 8
 *
 * Putting the offload header in the frame's headroom would save the second iovec; that was measured at 2 % and
 * rejected, since several ports may have the same bytes queued.
 */

import type { PacketMeta } from '../../core/packet-meta.js';
import type { Libc } from '../../sys/libc.js';
import { EAGAIN, EINTR, ENETDOWN, ENOBUFS, ENODEV, ENXIO, MSG_DONTWAIT } from '../../sys/linux.js';
import { acquireMemory, type Memory, releaseMemory } from '../../sys/memory.js';
import { VNET_HEADER, writeVnetHeader } from './vnet-header.js';

/** Frames a queue holds. */
export const SEND_BATCH = 64;
const MMSGHDR = 64;
const IOVECS = 32;
const VNET_SLOT = 16;
const IOVEC_AT = SEND_BATCH * MMSGHDR;
const VNET_AT = IOVEC_AT + SEND_BATCH * IOVECS;
const SIZE = VNET_AT + SEND_BATCH * VNET_SLOT;

export class SendQueue {
  /** Frames queued. */
  count = 0;
  /** Frames dropped since the owner last cleared this: the device's queue was full, or it is down. */
  dropped = 0;
  /** Frames that the kernel refused (too long, broken offload header), likewise. */
  errors = 0;
  readonly #libc: Libc;
  readonly #memory: Memory;
  readonly #words: Uint32Array;
  readonly #halves: Uint16Array;

  private constructor(libc: Libc, memory: Memory) {
    this.#libc = libc;
    this.#memory = memory;
    this.#words = memory.words;
    this.#halves = memory.halves;
    memory.bytes.fill(0);
    for (let i = 0; i < SEND_BATCH; i++) {
      const iov = IOVEC_AT + i * IOVECS;
      memory.putPointer(i * MMSGHDR + 16, memory.address + iov);
      memory.putPointer(i * MMSGHDR + 24, 2);
      memory.putPointer(iov, memory.address + VNET_AT + i * VNET_SLOT);
      memory.putPointer(iov + 8, VNET_HEADER);
    }
  }

  /** A queue, or undefined when there is no memory. */
  static create(libc: Libc): SendQueue | undefined {
    const memory = acquireMemory(libc, SIZE);
    return memory === undefined ? undefined : new SendQueue(libc, memory);
  }

  /** Queue the `length` bytes at `address`; the caller flushes when `count` has become SEND_BATCH. */
  push(address: number, length: number, meta: PacketMeta): void {
    const words = this.#words;
    const at = (IOVEC_AT + this.count * IOVECS + 16) >>> 2;
    words[at] = address >>> 0;
    words[at + 1] = address / 0x1_0000_0000;
    words[at + 2] = length;
    writeVnetHeader(this.#halves, (VNET_AT + this.count * VNET_SLOT) >>> 1, meta);
    this.count++;
  }

  /** Send what is queued on `fd` and empty the queue. What does not go out is dropped and counted, as a switch does. */
  flush(fd: number): void {
    const total = this.count;
    this.count = 0;
    let done = 0;
    while (done < total) {
      const sent = this.#libc.sendmmsg(fd, this.#memory.address + done * MMSGHDR, total - done, MSG_DONTWAIT);
      if (sent > 0) {
        done += sent;
        continue;
      }
      const errno = this.#libc.errno();
      if (errno === EINTR) continue;
      if (
        errno === EAGAIN ||
        errno === ENOBUFS ||
        errno === ENETDOWN ||
        errno === ENXIO ||
        errno === ENODEV
      ) {
        this.dropped += total - done;
        return;
      }
      this.errors++;
      done++;
    }
  }

  /** Give the memory back; the queue is not used again. */
  close(): void {
    releaseMemory(this.#memory);
  }
}
