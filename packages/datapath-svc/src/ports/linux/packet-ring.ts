/**
 * The receive ring of a packet socket: TPACKET_V2, slots of a fixed size in memory that the kernel fills and this
 * process reads without a system call.
 *
 *     slot: | tpacket2_hdr 32 | sockaddr_ll 20 | gap + RESERVE ... | vnet hdr 10 | frame .......... |
 *           ^ status word                                          ^ tp_mac - 10 ^ tp_mac
 *
 * The status word says whose a slot is: 0 the kernel's, bit 0 set ours. It is read by `Atomics.load` (an ordinary
 * read could be hoisted out of a polling loop) and written last. Slots are used in order, so a whole look at the
 * ring is a look at the status of the slot at `head`.
 *
 * RESERVE makes the gap before the frame 94 bytes: room to insert VLAN tags or a tunnel header in place, and the IP
 * header of an untagged frame is 16-byte aligned.
 *
 * A frame longer than a slot arrives cut short with TP_STATUS_COPY, and the whole of it waits in the socket's
 * receive queue (PACKET_COPY_THRESH); TCP segments gathered by the sender's offloads (up to 64 KiB) come that way.
 * V3 was measured too: the same rate, but blocks are handed over by a timer, which costs 870 us when idle.
 */

import type { Libc } from '../../sys/libc.js';
import {
  ENOMEM,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PACKET_RESERVE,
  PACKET_RX_RING,
  PACKET_VERSION,
  PROT_READ,
  PROT_WRITE,
  SOL_PACKET,
  TPACKET_V2,
  TP_STATUS_USER,
} from '../../sys/linux.js';
import { acquireMemory, type Memory, releaseMemory } from '../../sys/memory.js';

/** Bytes of a slot: a full Ethernet frame of MTU 1500 and its headers. */
export const SLOT_SIZE = 2048;
const BLOCK_SIZE = 1 << 16;
const RESERVE = 70;
const SLOT_WORDS = SLOT_SIZE >>> 2;

export class PacketRing {
  readonly memory: Memory;
  readonly slots: number;
  /** The next slot that the kernel fills. */
  head = 0;
  readonly #status: Int32Array;

  private constructor(memory: Memory, slots: number) {
    this.memory = memory;
    this.slots = slots;
    this.#status = new Int32Array(memory.bytes.buffer);
  }

  /**
   * Set up a ring of `slots` slots (a power of two, at least 32) on packet socket `fd`, which is not bound yet and
   * has its other options set. Returns a positive errno when the kernel refuses.
   *
   * The ring is mapped over a pooled region and `close` maps plain memory over it again, so that no view of it is
   * ever left without memory behind it.
   */
  static open(libc: Libc, fd: number, slots: number): PacketRing | number {
    const set = (option: number, value: number[]): boolean => {
      const words = Uint32Array.from(value);
      return libc.setsockopt(fd, SOL_PACKET, option, words, words.byteLength) === 0;
    };
    const length = slots * SLOT_SIZE;
    if (!set(PACKET_VERSION, [TPACKET_V2]) || !set(PACKET_RESERVE, [RESERVE])) return libc.errno();
    if (!set(PACKET_RX_RING, [BLOCK_SIZE, length / BLOCK_SIZE, SLOT_SIZE, slots])) return libc.errno();
    const memory = acquireMemory(libc, length);
    if (memory === undefined) return ENOMEM;
    if (libc.mmap(memory.address, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) === -1) {
      const errno = libc.errno();
      releaseMemory(memory);
      return errno;
    }
    return new PacketRing(memory, slots);
  }

  /** Take the ring's pages out from under its memory, which lives on. The socket itself is the caller's to close. */
  close(libc: Libc): void {
    const { address, bytes } = this.memory;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (libc.mmap(address, bytes.length, PROT_READ | PROT_WRITE, flags, -1, 0) !== -1)
      releaseMemory(this.memory);
  }

  /** How many slots from `head` on are ours, at most `max`. */
  ready(max: number): number {
    const status = this.#status;
    const mask = this.slots - 1;
    let slot = this.head;
    let count = 0;
    while (count < max && (Atomics.load(status, slot * SLOT_WORDS) & TP_STATUS_USER) !== 0) {
      slot = (slot + 1) & mask;
      count++;
    }
    return count;
  }

  /** Give `count` slots from `head` on back to the kernel; nothing may look at them afterwards. */
  release(count: number): void {
    const status = this.#status;
    const mask = this.slots - 1;
    let slot = this.head;
    for (let i = 0; i < count; i++) {
      Atomics.store(status, slot * SLOT_WORDS, 0);
      slot = (slot + 1) & mask;
    }
    this.head = slot;
  }
}
