/**
 * A packet being worked on: where its bytes are, its key, and the offsets of its layers. The datapath has a fixed
 * stack of these, one per copy that is being worked on; nothing is allocated per packet.
 *
 * Three flags keep the common case cheap:
 * - `shared`: the bytes are queued at a port, or another context still needs them; `own` copies before a change.
 * - `stale`: actions changed the bytes since the key was extracted; `refresh` extracts again when a key is needed.
 * - `wide`: the key has something in the words from `HOT_WORDS` on.
 */
import { DP_WORDS, HOT_WORDS, W } from '@ovs-node/flow/layout';
import { extractKey, newOffsets, OFS } from '@ovs-node/flow/extract';
import type { Arena } from './arena.js';
import { PacketMeta } from './packet-meta.js';
import { HEADROOM } from './vport.js';

/** Bytes of an Ethernet header. */
export const ETH_HEADER = 14;
export const TUPLE_IPV4 = 1;
export const TUPLE_IPV6 = 2;

const NO_BYTES = new Uint8Array(0);

export class Packet {
  buf: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  /** Writable bytes before `start`. */
  headroom = 0;
  readonly key = new Uint32Array(DP_WORDS);
  /** Positions in `buf`, see `OFS`; valid while not `stale`. */
  readonly offsets = newOffsets();
  meta = new PacketMeta();
  shared = false;
  stale = false;
  wide = false;
  /** How often it has come back to the flow table. */
  recircs = 0;
  /** `tupleHash` of the packet before actions changed it, once one wanted it; `hasInHash`: that is so. */
  inHash = 0;
  hasInHash = false;
  /**
   * The packet's connection, as the last `ct` found or began it (entry and id of the conntrack table), or -1: that is not
   * known, or something that it goes by has been changed since.
   */
  ctEntry = -1;
  ctId = 0;
  /** Set when marks, dp_hash or tunnel words may be nonzero. */
  private coldMeta = false;
  /** Which words of the tuple of a tracked connection are in the key: none (0), `TUPLE_IPV4`, `TUPLE_IPV6`. */
  private tuple = 0;
  /** Set when any metadata word from `HOT_WORDS` on is in use and look-ups must compare it. */
  private wideMeta = false;

  /** A frame as it came from a port, with all metadata but `inPort` zero or from `meta`. Extracts the key. */
  reset(buf: Uint8Array, start: number, end: number, meta: PacketMeta, inPort: number): void {
    this.buf = buf;
    this.start = start;
    this.end = end;
    this.headroom = start < HEADROOM ? start : HEADROOM;
    this.meta = meta;
    this.recircs = 0;
    this.hasInHash = false;
    this.ctEntry = -1;
    this.shared = false;
    this.stale = false;
    const key = this.key;
    if (this.tuple !== 0) this.clearTuple();
    if (this.coldMeta) {
      key.fill(0, W.SKB_PRIORITY, W.NSH);
      key.fill(0, W.TUN_ID, DP_WORDS);
      this.coldMeta = false;
    }
    key[W.IN_PORT] = inPort;
    key[W.RECIRC_ID] = 0;
    key[W.CT_STATE] = 0;
    key[W.CT_ZONE] = 0;
    key[W.CT_MARK] = 0;
    key[W.CT_LABEL] = 0;
    key[W.CT_LABEL + 1] = 0;
    key[W.CT_LABEL + 2] = 0;
    key[W.CT_LABEL + 3] = 0;
    if ((meta.priority | meta.mark) !== 0) {
      key[W.SKB_PRIORITY] = meta.priority;
      key[W.PKT_MARK] = meta.mark;
      this.coldMeta = true;
    }
    extractKey(buf, start, end, key, this.offsets);
    this.wideMeta = this.coldMeta;
    this.wide = this.wideMeta || this.offsets[OFS.COLD] !== 0;
  }

  /** Takes over frame and metadata of `other`; both share the bytes from now on. */
  cloneFrom(other: Packet): void {
    other.shared = true;
    this.buf = other.buf;
    this.start = other.start;
    this.end = other.end;
    this.headroom = other.headroom;
    this.shared = true;
    this.stale = other.stale;
    this.wide = other.wide;
    this.recircs = other.recircs;
    this.inHash = other.inHash;
    this.hasInHash = other.hasInHash;
    this.ctEntry = other.ctEntry;
    this.ctId = other.ctId;
    this.coldMeta = other.coldMeta;
    this.wideMeta = other.wideMeta;
    this.tuple = other.tuple;
    this.key.set(other.key);
    this.offsets.set(other.offsets);
    this.meta = this.ownMeta;
    this.meta.copyFrom(other.meta);
  }

  /** Gives a clone a finished frame of its own, with `HEADROOM` before it, in place of the bytes that it shares. */
  replaceBytes(buf: Uint8Array, start: number, end: number): void {
    this.buf = buf;
    this.start = start;
    this.end = end;
    this.headroom = HEADROOM;
    this.shared = false;
    this.stale = true;
    const { meta } = this;
    meta.gsoType = 0;
    meta.gsoSize = 0;
    meta.hdrLen = 0;
    meta.csumStart = -1;
  }

  /** Takes the metadata words (not those of headers) of `key`, which has at least `DP_WORDS` words. */
  setMetadata(key: Uint32Array): void {
    const mine = this.key;
    mine[W.IN_PORT] = key[W.IN_PORT];
    mine[W.RECIRC_ID] = key[W.RECIRC_ID];
    for (let i = W.CT_STATE; i < HOT_WORDS; i++) mine[i] = key[i];
    for (let i = W.CT_NW_SRC; i < W.NSH; i++) mine[i] = key[i];
    this.tuple = TUPLE_IPV6;
    for (let i = W.TUN_ID; i < DP_WORDS; i++) mine[i] = key[i];
    if (key[W.PACKET_TYPE] !== 0) this.extractBare();
    this.meta.priority = key[W.SKB_PRIORITY];
    this.meta.mark = key[W.PKT_MARK];
    this.markCold();
  }

  /** Says that a metadata word from `HOT_WORDS` on was written, and matters to look-ups. */
  markCold(): void {
    this.coldMeta = true;
    this.wideMeta = true;
    this.wide = true;
  }

  /**
   * Says that the tuple of a tracked connection was written to the key: `TUPLE_IPV4` or `TUPLE_IPV6`. Look-ups need
   * not compare it, since it follows from addresses, ports and ct_state, which they do compare, unless the
   * connection is `related` or translated.
   */
  markTuple(family: number, related: boolean): void {
    this.tuple = family;
    if (related) {
      this.wideMeta = true;
      this.wide = true;
    }
  }

  /** Zeroes the tuple of a tracked connection. */
  clearTuple(): void {
    const key = this.key;
    key[W.CT_NW_SRC] = 0;
    key[W.CT_NW_DST] = 0;
    key[W.CT_TP] = 0;
    if (this.tuple === TUPLE_IPV6) for (let i = W.CT_IPV6_SRC; i < W.CT_IPV6_DST + 4; i++) key[i] = 0;
    this.tuple = 0;
  }

  /** Makes the key that of the frame's present bytes. */
  refresh(): void {
    if (!this.stale) return;
    if (this.key[W.PACKET_TYPE] !== 0) this.extractBare();
    else extractKey(this.buf, this.start, this.end, this.key, this.offsets);
    this.wide = this.wideMeta || this.offsets[OFS.COLD] !== 0;
    this.stale = false;
  }

  /** Says what the bytes are from here on: 0, an Ethernet frame, or `1 << 16 | Ethernet type`, what such a one carries. */
  setType(type: number): void {
    this.key[W.PACKET_TYPE] = type;
    this.markCold();
    this.stale = true;
  }

  /**
   * Extracts the key of a packet that has no Ethernet header, with the help of one that is made up before it: whoever
   * takes a header off leaves `ETH_HEADER` bytes of headroom, in which nobody else has anything.
   */
  private extractBare(): void {
    const { buf, key } = this;
    const from = this.start - ETH_HEADER;
    buf.fill(0, from, this.start - 2);
    buf[this.start - 2] = key[W.PACKET_TYPE] >>> 8;
    buf[this.start - 1] = key[W.PACKET_TYPE];
    extractKey(buf, from, this.end, key, this.offsets);
  }

  /** Makes the bytes this packet's own and leaves `room` bytes before them, so that they may be changed. */
  own(arena: Arena, room: number): void {
    if (!this.shared && this.headroom >= room) return;
    const size = this.end - this.start;
    const before = room > HEADROOM ? room : HEADROOM;
    const at = arena.alloc(before + size) + before;
    const target = arena.buffer;
    if (size <= 256) {
      // Cheaper than making a view, and makes no garbage.
      const source = this.buf;
      for (let i = 0, from = this.start; i < size; i++) target[at + i] = source[from + i];
    } else target.set(this.buf.subarray(this.start, this.end), at);
    const shift = at - this.start;
    const offsets = this.offsets;
    for (let i = OFS.L2_5; i <= OFS.END; i++) if (offsets[i] >= 0) offsets[i] += shift;
    this.buf = target;
    this.start = at;
    this.end = at + size;
    this.headroom = before;
    this.shared = false;
  }

  /** For `cloneFrom`: the meta that is this context's even when it borrowed a port's before. */
  private readonly ownMeta = new PacketMeta();
}
