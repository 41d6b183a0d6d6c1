/**
 * The bundles of one connection (OpenFlow 1.4, section 6.9): messages are collected, and carried out at once or not at
 * all. While a commit runs nothing else does, so packets and other connections see the switch before or after it, and
 * flags (atomic, ordered) ask for no more than every bundle gets, but that of ports there is no atomic change.
 *
 *     (none) --open, or add--> open --close--> closed
 *     open or closed --commit, discard--> (none)
 *
 * A control message that does not fit discards the bundle, as the peer does. Memory is bounded: how many bundles a
 * connection has, and what those of all connections take together (`BundleRoom`); one that is left alone for some seconds
 * (other_config:bundle-idle-timeout) is discarded, and the request that opened it is answered with OFPBFC_TIMEOUT (`expire`).
 */
import { OfError } from '@ovs-node/openflow/errors';
import { type DecodeOptions, decodeMessage } from '@ovs-node/openflow/messages/codec';
import { BF, type MessageOf, type OfMessage } from '@ovs-node/openflow/messages/types';
import type { Rule } from '../ofproto/rule.js';

/** Bundles that a connection may have. */
const MAX_BUNDLES = 64;
/** What bundles may take: well over a million flows. */
const ALL_BUNDLES = 2 ** 30;
/** What a message takes when it has been read, beside its bytes; about, when it is no longer than most. */
const READ_MESSAGE = 600;
const USUAL_LENGTH = 200;
/** What each further byte takes: `note` and `learn` in 16 and 32 bytes become 260 and 570, most actions less. */
const READ_BYTE = 12;
/** How long a bundle may be left alone where nobody says it, ms; `other_config:bundle-idle-timeout`. */
export const DEFAULT_BUNDLE_IDLE = 10_000;

/** The memory that the bundles of several connections share. */
export class BundleRoom {
  /** Bytes that are left. */
  left: number;

  constructor(bytes = ALL_BUNDLES) {
    this.left = bytes;
  }
}

/** A message in a bundle. */
export class BundledMessage {
  readonly msg: Bundled;
  readonly xid: number;
  private readonly block: Uint8Array;
  private readonly from: number;
  private readonly to: number;

  /** The request is `block[from..to)`. */
  constructor(msg: Bundled, xid: number, block: Uint8Array, from: number, to: number) {
    this.msg = msg;
    this.xid = xid;
    this.block = block;
    this.from = from;
    this.to = to;
  }

  /** The message that put it into the bundle, which an error quotes; borrowed. */
  get request(): Uint8Array {
    return this.block.subarray(this.from, this.to);
  }
}

/** First length of a block of requests, and what it grows to. */
const FIRST_BLOCK = 1 << 10;
const MAX_BLOCK = 1 << 18;

/** The requests of a bundle one after the other: an array for each would cost more than the bytes in it. */
class RequestLog {
  /** The block that is being filled, and how far it is. */
  private block = new Uint8Array(FIRST_BLOCK);
  private used = 0;

  /** Keeps a copy of a request. @returns it with what it put into the bundle. */
  add(request: Uint8Array, msg: Bundled, xid: number): BundledMessage {
    if (this.used + request.length > this.block.length) {
      // Larger each time, for bundles of all sizes; none is made anew, which took as many page faults as all of them.
      const size = Math.min(2 * this.block.length, MAX_BLOCK);
      this.block = new Uint8Array(Math.max(size, request.length));
      this.used = 0;
    }
    const from = this.used;
    this.block.set(request, from);
    this.used += request.length;
    return new BundledMessage(msg, xid, this.block, from, this.used);
  }
}

const KINDS = ['flow_mod', 'port_mod', 'group_mod', 'packet_out'] as const;
export type BundledKind = MessageOf<(typeof KINDS)[number]>;

/**
 * What is kept of a message until it is carried out: of an addition that can be made ready the flow itself, as it takes half
 * the room of the message and is what will be needed. `npm run bench:openflow`, "--bundle add-flows, switch of ours".
 */
export type Bundled = BundledKind | Rule;

function isBundled(msg: OfMessage): msg is BundledKind {
  return (KINDS as readonly string[]).includes(msg.type);
}

interface Bundle {
  readonly flags: number;
  isClosed: boolean;
  readonly messages: BundledMessage[];
  readonly requests: RequestLog;
  used: number;
  /** The request that opened it. */
  readonly opener: Uint8Array;
  /** What it takes of the room. */
  cost: number;
}

/** What a request in a bundle takes of the room. */
const costOf = (length: number): number =>
  length + READ_MESSAGE + READ_BYTE * Math.max(0, length - USUAL_LENGTH);

/** A request whose rest did not come in time. */
export interface Late {
  readonly request: Uint8Array;
  readonly error: OfError;
}

export class Bundles {
  readonly #bundles = new Map<number, Bundle>();
  readonly #idle: (() => number | undefined) | undefined;
  readonly #room: BundleRoom;

  /** @param idle how long one may be left alone, ms, as it is asked for now. */
  constructor(idle?: () => number | undefined, room = new BundleRoom()) {
    this.#idle = idle;
    this.#room = room;
  }

  get #idleMs(): number {
    return this.#idle?.() ?? DEFAULT_BUNDLE_IDLE;
  }

  /** Bundles that are open or closed. */
  get size(): number {
    return this.#bundles.size;
  }

  /** Discards bundles that were left alone. @returns what to answer to the requests that opened them. */
  expire(now: number): Late[] {
    const late: Late[] = [];
    const idleMs = this.#idleMs;
    for (const [id, { used, opener }] of this.#bundles) {
      // Reckoned as in `nextDeadline`, or rounding could make it due and not over, again and again.
      if (used + idleMs > now) continue;
      this.#discard(id);
      late.push({ request: opener, error: new OfError('OFPBFC_TIMEOUT', `bundle ${id}`) });
    }
    return late;
  }

  /** Discards all of them: the connection has ended. */
  clear(): void {
    for (const id of this.#bundles.keys()) this.#discard(id);
  }

  /** When `expire` has something to do; undefined: never. */
  get nextDeadline(): number | undefined {
    let next: number | undefined;
    const idleMs = this.#idleMs;
    for (const { used } of this.#bundles.values())
      if (next === undefined || used + idleMs < next) next = used + idleMs;
    return next;
  }

  /**
   * Carries a control message out, of which `request` is the bytes; borrowed.
   * @param commit carries out the messages, all or none; `isAtomic`: nobody may see some of them done and others not.
   * @returns the error to answer with; undefined: answer with the reply of the same control.
   */
  control(
    { bundleId, control, flags }: MessageOf<'bundle_control'>,
    request: Uint8Array,
    now: number,
    commit: (messages: readonly BundledMessage[], isAtomic: boolean) => OfError | undefined,
  ): OfError | undefined {
    const bundle = this.#bundles.get(bundleId);
    switch (control) {
      case 'open_request':
        return this.#open(bundleId, flags, request, now);
      case 'close_request':
        if (bundle === undefined) return this.#refuse(bundleId, 'OFPBFC_BAD_ID');
        if (bundle.isClosed) return this.#refuse(bundleId, 'OFPBFC_BUNDLE_CLOSED');
        if (bundle.flags !== flags) return this.#refuse(bundleId, 'OFPBFC_BAD_FLAGS');
        bundle.isClosed = true;
        bundle.used = now;
        return undefined;
      case 'commit_request':
        if (bundle === undefined) return this.#refuse(bundleId, 'OFPBFC_BAD_ID');
        this.#discard(bundleId);
        if (bundle.flags !== flags) return new OfError('OFPBFC_BAD_FLAGS', `bundle ${bundleId}`);
        return commit(bundle.messages, (flags & BF.ATOMIC) !== 0);
      case 'discard_request':
        if (bundle === undefined) return this.#refuse(bundleId, 'OFPBFC_BAD_ID');
        this.#discard(bundleId);
        return undefined;
      case 'unknown':
        return undefined;
      default:
        return new OfError('OFPBFC_BAD_TYPE', `bundle control ${control}`);
    }
  }

  /**
   * Puts a message into a bundle, which is opened for it if need be.
   * @param request the whole request; borrowed.
   * @param options how the message is decoded.
   * @param admit what is to be kept of a message, or what is wrong with it whatever the switch holds.
   * @returns the error to answer with.
   */
  add(
    { bundleId, flags, message }: MessageOf<'bundle_add'>,
    request: Uint8Array,
    now: number,
    options: DecodeOptions,
    admit: (msg: BundledKind) => Bundled | OfError = (msg) => msg,
  ): OfError | undefined {
    const decoded = decodeMessage(message, options);
    if (decoded instanceof OfError) return decoded;
    const { msg, xid } = decoded;
    if (!isBundled(msg)) return new OfError('OFPBFC_MSG_UNSUP', `bundle ${bundleId}: ${msg.type}`);
    const bundled = admit(msg);
    if (bundled instanceof OfError) return bundled;
    if (!this.#bundles.has(bundleId)) {
      const full = this.#open(bundleId, flags, request, now);
      if (full) return full;
    }
    const bundle = this.#bundles.get(bundleId)!;
    if (bundle.isClosed) return this.#refuse(bundleId, 'OFPBFC_BUNDLE_CLOSED');
    if (bundle.flags !== flags) return this.#refuse(bundleId, 'OFPBFC_BAD_FLAGS');
    const cost = costOf(request.length);
    if (cost > this.#room.left) return this.#refuse(bundleId, 'OFPBFC_MSG_TOO_MANY');
    // What came is lent.
    bundle.messages.push(bundle.requests.add(request, bundled, xid));
    bundle.used = now;
    bundle.cost += cost;
    this.#room.left -= cost;
    return undefined;
  }

  #open(id: number, flags: number, request: Uint8Array, now: number): OfError | undefined {
    if (this.#bundles.has(id)) return this.#refuse(id, 'OFPBFC_BAD_ID');
    if (this.#bundles.size >= MAX_BUNDLES) return this.#refuse(id, 'OFPBFC_OUT_OF_BUNDLES');
    const requests = new RequestLog();
    const opener = new Uint8Array(request);
    this.#bundles.set(id, { flags, isClosed: false, messages: [], requests, used: now, opener, cost: 0 });
    return undefined;
  }

  #refuse(id: number, name: ConstructorParameters<typeof OfError>[0], what = ''): OfError {
    this.#discard(id);
    return new OfError(name, what === '' ? `bundle ${id}` : `bundle ${id}: ${what}`);
  }

  #discard(id: number): void {
    const bundle = this.#bundles.get(id);
    if (bundle) this.#room.left += bundle.cost;
    this.#bundles.delete(id);
  }
}
