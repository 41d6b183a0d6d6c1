import { W } from '@ovs-node/flow/layout';
import { NetlinkError } from '@ovs-node/netlink/attr';
import { Errno } from '../errno.js';
import { type CtAction, Op, Program, type UserspaceAction } from './program.js';

/** A packet type that only the packet will tell. */
export const UNKNOWN_TYPE = 0xffffffff;

const NO_DATA = new Uint8Array(0);
const NONE: readonly never[] = [];

/** A refusal: an EINVAL unless said otherwise, with its reason. */
export function refuse(reason: string, errno: number = Errno.EINVAL): never {
  throw new NetlinkError(errno, reason);
}

/** What has been compiled so far, and the packet as the actions before left it. */
export class Builder {
  readonly code: number[] = [];
  readonly data: number[] = [];
  readonly userspace: UserspaceAction[] = [];
  readonly ct: CtAction[] = [];
  readonly nested: Program[] = [];
  /** The key of packets that reach the action, masked: what is not matched is 0 and so not known. The builder's own. */
  readonly key: Uint32Array;
  readonly depth: number;

  /** Whether an action before may have changed what `tupleHash` goes by. */
  isTupleChanged = false;

  /** The Ethernet type that the flow matches, whatever actions made of it. */
  readonly flowType: number;

  constructor(key: Uint32Array, depth: number, flowType = key[W.ETH_TYPE] >>> 16) {
    this.key = key;
    this.depth = depth;
    this.flowType = flowType;
  }

  get ethType(): number {
    return this.key[W.ETH_TYPE] >>> 16;
  }

  /** Says that an action changed the Ethernet type; 0: not known. */
  setEthType(type: number): void {
    this.isTupleChanged = true;
    this.key[W.ETH_TYPE] = type << 16;
    this.key[W.NW] = 0;
  }

  /** What the packet begins with by now: 0, an Ethernet header; else `1 << 16 | Ethernet type`, or `UNKNOWN_TYPE`. */
  get packetType(): number {
    return this.key[W.PACKET_TYPE];
  }

  set packetType(type: number) {
    this.key[W.PACKET_TYPE] = type;
  }

  get ipProto(): number {
    return this.key[W.NW] >>> 24;
  }

  /** Has the hash of what the packet is as it comes in taken before anything changes it: `hash` goes by it later. */
  keepTuple(): void {
    if (this.code[0] !== Op.TUPLE) this.code.unshift(Op.TUPLE);
  }

  finish(): Program {
    this.code.push(Op.END);
    // Most programs need none of the side tables: those share one empty of each, since flows are many.
    return new Program(
      Int32Array.from(this.code),
      this.data.length === 0 ? NO_DATA : Uint8Array.from(this.data),
      this.userspace.length === 0 ? NONE : this.userspace,
      this.ct.length === 0 ? NONE : this.ct,
      this.nested.length === 0 ? NONE : this.nested,
    );
  }
}
