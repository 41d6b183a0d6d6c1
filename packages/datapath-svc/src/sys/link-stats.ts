/**
 * What the kernel counts for a device: one RTM_GETLINK request on a routing socket (rtnetlink(7)), answered by
 * `struct ifinfomsg` and attributes, among them IFLA_STATS64 (linux/if_link.h, `struct rtnl_link_stats64`: u64 each).
 */

import { NlReader } from '@ovs-node/netlink/attr';
import type { DeviceCounters } from '@ovs-node/netlink/device-details';
import type { Libc } from './libc.js';
import * as L from './linux.js';
import { acquireMemory, type Memory, releaseMemory } from './memory.js';

/** `struct nlmsghdr` and `struct ifinfomsg`, 16 bytes each. */
const HEADER = 16;
const REQUEST = 32;
/** What the kernel says of one link fits. */
const REPLY = 32 * 1024;
const NLM_F_REQUEST = 1;

/** Places in `struct rtnl_link_stats64`. */
const STAT = {
  rxMulticast: 8,
  collisions: 9,
  rxOverErr: 11,
  rxCrcErr: 12,
  rxFrameErr: 13,
  rxMissed: 15,
} as const satisfies Record<keyof DeviceCounters, number>;

export class LinkStats {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #memory: Memory;
  #sequence = 0;

  private constructor(libc: Libc, fd: number, memory: Memory) {
    this.#libc = libc;
    this.#fd = fd;
    this.#memory = memory;
  }

  /** A routing socket; undefined when there is none to be had. */
  static open(libc: Libc): LinkStats | undefined {
    const fd = libc.socket(L.AF_NETLINK, L.SOCK_RAW | L.SOCK_CLOEXEC, L.NETLINK_ROUTE);
    if (fd < 0) return undefined;
    const memory = acquireMemory(libc, REPLY);
    if (memory !== undefined) return new LinkStats(libc, fd, memory);
    libc.close(fd);
    return undefined;
  }

  close(): void {
    this.#libc.close(this.#fd);
    releaseMemory(this.#memory);
  }

  /** The counters of the device with that index; undefined when it has gone. The kernel answers within the call. */
  read(ifindex: number): DeviceCounters | undefined {
    const { address, bytes } = this.#memory;
    const sequence = (this.#sequence = (this.#sequence + 1) >>> 0);
    bytes.fill(0, 0, REQUEST);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, REQUEST, true);
    view.setUint16(4, L.RTM_GETLINK, true);
    view.setUint16(6, NLM_F_REQUEST, true);
    view.setUint32(8, sequence, true);
    view.setInt32(HEADER + 4, ifindex, true);
    if (this.#libc.write(this.#fd, address, REQUEST) !== REQUEST) return undefined;
    const got = this.#libc.recv(this.#fd, address, REPLY, L.MSG_DONTWAIT);
    if (got < REQUEST || view.getUint16(4, true) !== L.RTM_NEWLINK || view.getUint32(8, true) !== sequence)
      return undefined;
    return countersOf(bytes.subarray(0, Math.min(got, view.getUint32(0, true))));
  }
}

function countersOf(message: Uint8Array): DeviceCounters | undefined {
  const r = new NlReader(message, REQUEST, message.length);
  while (r.next()) {
    if (r.type !== L.IFLA_STATS64 || r.length < (STAT.rxMissed + 1) * 8) continue;
    const entries = Object.entries(STAT).map(([name, place]) => [name, r.u64n(place * 8)]);
    return Object.fromEntries(entries) as DeviceCounters;
  }
  return undefined;
}
