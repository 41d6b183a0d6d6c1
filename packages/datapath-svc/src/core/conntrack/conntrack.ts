/**
 * Connection tracking of one datapath. Pure: time comes with each call, effects are the packet's ct fields and what
 * the listener is told.
 *
 * A packet that is tracked gets +trk and one of: +new (no connection, and it may begin one; `commit` makes it),
 * +est (of a connection, +rpl when against its direction), +rel (an ICMP error about one), +inv (none of these).
 * Behaviour, timeouts and TCP states are those of Open vSwitch's userspace conntrack, so its dumps compare.
 */
import { OFS } from '@ovs-node/flow/extract';
import { CT, FRAG_LATER, W } from '@ovs-node/flow/layout';
import type { CtAction } from '../actions/program.js';
import type { DropCounters } from '../drops.js';
import { type Packet, TUPLE_IPV4, TUPLE_IPV6 } from '../packet.js';
import { FragmentNotes } from './fragments.js';
import {
  ConnTable,
  E,
  FAMILY_IPV6,
  HELPER_SHIFT,
  SEEN_REPLY,
  STRIDE,
  T,
  TIMES,
  TUPLE_WORDS,
  X,
} from './table.js';
import {
  TCP_INVALID,
  TCP_NEW,
  TCP_STILL_NEW,
  TCP_UNCHANGED,
  tcpBegin,
  tcpMayBegin,
  TcpSegment,
  tcpUpdate,
} from './tcp.js';
import { DEFAULT_TIMEOUTS, Timeout, TIMEOUT_CLASSES } from './timeouts.js';
import { icmpMayBegin, reverseTuple, TUPLE_INVALID, TUPLE_RELATED, tupleOf } from './tuple.js';

/** Connections held unless told otherwise (the peer's default). */
export const MAX_CONNECTIONS = 3_000_000;
/** Expired connections removed in one sweep. */
const SWEEP_LIMIT = 4096;
/** Milliseconds between sweeps, and after one that reached its limit. */
const SWEEP_INTERVAL = 1000;
const SWEEP_AGAIN = 20;

const ICMP = 1;
const TCP = 6;
const ICMPV6 = 58;

/** States of what is not TCP, in `E.STATE`: one packet seen; more, all in one direction; both directions. */
const FIRST = 0;
const REPEATED = 1;
const ANSWERED = 2;

export interface ConntrackListener {
  /** A connection was made; `entry` is valid during the call. */
  created(entry: number): void;
  /** A connection is about to go. */
  destroyed(entry: number): void;
}

export class Conntrack {
  readonly table: ConnTable;
  maxConnections = MAX_CONNECTIONS;
  readonly timeouts: Float64Array = DEFAULT_TIMEOUTS.slice();
  listener: ConntrackListener | null = null;
  private readonly fragments: FragmentNotes;
  private readonly tuple = new Uint32Array(TUPLE_WORDS);
  private readonly reply = new Uint32Array(TUPLE_WORDS);
  private readonly segment = new TcpSegment();

  /** `seed` makes the hash unpredictable. */
  constructor(seed: number) {
    this.table = new ConnTable(seed);
    this.fragments = new FragmentNotes(seed);
  }

  /**
   * Runs `ct(...)` on a packet whose key is right: finds, updates or makes its connection, and writes the ct fields of
   * the key. Hot path.
   */
  track(p: Packet, action: CtAction, now: number, drops: DropCounters): void {
    const { table, tuple } = this;
    const key = p.key;
    // The packet's connection in this zone is known already: it was updated then.
    const known = p.ctEntry;
    if (
      known >= 0 &&
      !action.force &&
      key[W.CT_ZONE] >>> 16 === action.zone &&
      table.isLive(known, p.ctId) &&
      (key[W.CT_STATE] & CT.TRK) !== 0
    ) {
      if (action.commit) this.setMarks(known, action);
      this.writeMarks(key, known);
      if (action.nat) p.ctEntry = -1;
      return;
    }
    p.ctEntry = -1;
    const kind = tupleOf(p, action.zone, tuple, this.fragments, now);
    if (kind === TUPLE_INVALID) {
      this.writeState(p, CT.TRK | CT.INV, action.zone, -1, false);
      return;
    }
    let slot = table.find(tuple);
    if (slot >= 0 && table.times[(slot >> 1) * TIMES + X.EXPIRY] <= now) {
      this.remove(slot >> 1);
      slot = -1;
    }
    if (kind === TUPLE_RELATED) {
      if (slot < 0) this.writeState(p, CT.TRK | CT.INV, action.zone, -1, false);
      else {
        if (action.commit) this.setMarks(slot >> 1, action);
        this.writeState(p, CT.TRK | CT.REL | ((slot & 1) !== 0 ? CT.RPL : 0), action.zone, slot >> 1, true);
      }
      return;
    }
    const proto = (tuple[T.META] >>> 8) & 0xff;
    // A later fragment of TCP has no header to advance the connection by.
    const isHeadless = proto === TCP && (key[W.NW] & FRAG_LATER) !== 0;
    if (proto === TCP && !isHeadless) this.segment.read(p.buf, p.offsets[OFS.L4], p.offsets[OFS.END]);
    let state: number = CT.TRK | CT.NEW;
    if (slot >= 0 && action.force && (slot & 1) !== 0) {
      this.remove(slot >> 1);
      slot = -1;
    }
    if (slot >= 0) {
      const result = isHeadless ? TCP_UNCHANGED : this.update(slot, proto, now);
      if (result === TCP_NEW) {
        this.remove(slot >> 1);
        slot = -1;
      } else if (result === TCP_INVALID) state = CT.TRK | CT.INV;
      else {
        // +new, without a direction, until the other side has answered.
        state =
          result === TCP_STILL_NEW ? CT.TRK | CT.NEW : CT.TRK | CT.EST | ((slot & 1) !== 0 ? CT.RPL : 0);
        this.count(slot, p.end - p.start);
      }
    }
    let entry = slot >> 1;
    if (slot < 0) {
      entry = -1;
      if (isHeadless || !this.mayBegin(proto)) state = CT.TRK | CT.INV;
      else if (action.commit) {
        if (table.count >= this.maxConnections) drops.ctFull++;
        else {
          entry = this.begin(proto, p.end - p.start, now);
          table.words[entry * STRIDE + E.FLAGS] |= action.helper << HELPER_SHIFT;
        }
      }
    }
    if (entry >= 0) {
      if (action.commit) this.setMarks(entry, action);
      if (slot < 0) this.listener?.created(entry);
      if (!action.nat) {
        p.ctEntry = entry;
        p.ctId = table.words[entry * STRIDE + E.ID];
      }
    }
    this.writeState(p, state, action.zone, entry, false);
  }

  /** Removes expired connections, a bounded number. Returns the milliseconds until it wants to be called again. */
  sweep(now: number): number {
    let left = SWEEP_LIMIT;
    for (let c = 0; c < TIMEOUT_CLASSES; c++) {
      for (let entry = this.table.expired(c, now); entry >= 0; entry = this.table.expired(c, now)) {
        if (left-- === 0) return SWEEP_AGAIN;
        this.remove(entry);
      }
    }
    return SWEEP_INTERVAL;
  }

  /** Removes the connection that the tuple belongs to, in either direction. False when there is none. */
  removeByTuple(tuple: Uint32Array): boolean {
    const slot = this.table.find(tuple);
    if (slot < 0) return false;
    this.remove(slot >> 1);
    return true;
  }

  /** Removes all connections, or those of one zone. */
  flush(zone: number | null): void {
    for (const { entry } of this.table.entries()) {
      if (zone === null || this.table.words[entry * STRIDE] >>> 16 === zone) this.remove(entry);
    }
  }

  private remove(entry: number): void {
    this.listener?.destroyed(entry);
    this.table.remove(entry);
  }

  private mayBegin(proto: number): boolean {
    if (proto === TCP) return tcpMayBegin(this.segment);
    if (proto === ICMP || proto === ICMPV6) {
      const tuple = this.tuple;
      return icmpMayBegin((tuple[T.PORTS] >>> 8) & 0xff, (tuple[T.META] & 0xff) === FAMILY_IPV6);
    }
    return true;
  }

  private begin(proto: number, bytes: number, now: number): number {
    const { table } = this;
    reverseTuple(this.tuple, this.reply);
    const entry = table.add(this.tuple, this.reply);
    let timeoutClass: number;
    if (proto === TCP) {
      const at = entry * STRIDE;
      timeoutClass = tcpBegin(table.words, at + E.PEER0, at + E.PEER1, this.segment);
    } else timeoutClass = proto === ICMP || proto === ICMPV6 ? Timeout.ICMP_FIRST : Timeout.OTHER_FIRST;
    table.touch(entry, timeoutClass, now + this.timeouts[timeoutClass]);
    this.count(entry * 2, bytes);
    return entry;
  }

  /** Advances a connection by the packet at hand; the result is that of `tcpUpdate`. */
  private update(slot: number, proto: number, now: number): number {
    const { table } = this;
    const entry = slot >> 1;
    const at = entry * STRIDE;
    const words = table.words;
    const isReply = (slot & 1) !== 0;
    let result: number;
    if (proto === TCP) {
      result = isReply
        ? tcpUpdate(words, at + E.PEER1, at + E.PEER0, this.segment)
        : tcpUpdate(words, at + E.PEER0, at + E.PEER1, this.segment);
      if (result === TCP_UNCHANGED || result === TCP_INVALID || result === TCP_NEW) return result;
      const timeoutClass = result === TCP_STILL_NEW ? Timeout.TCP_FIRST_PACKET : result;
      table.touch(entry, timeoutClass, now + this.timeouts[timeoutClass]);
      return result;
    }
    const isIcmp = proto === ICMP || proto === ICMPV6;
    let state = words[at + E.STATE];
    if (isReply) state = ANSWERED;
    else if (state === FIRST) state = REPEATED;
    words[at + E.STATE] = state;
    const answered = state === ANSWERED;
    if (isIcmp) result = answered ? Timeout.ICMP_REPLY : Timeout.ICMP_FIRST;
    else result = answered ? Timeout.OTHER_BIDIR : Timeout.OTHER_MULTIPLE;
    table.touch(entry, result, now + this.timeouts[result]);
    return answered ? result : TCP_STILL_NEW;
  }

  private count(slot: number, bytes: number): void {
    const { times, words } = this.table;
    const at = (slot >> 1) * TIMES + ((slot & 1) !== 0 ? X.REPLY_PACKETS : X.PACKETS);
    times[at]++;
    times[at + 1] += bytes;
    if ((slot & 1) !== 0) words[(slot >> 1) * STRIDE + E.FLAGS] |= SEEN_REPLY;
  }

  private setMarks(entry: number, action: CtAction): void {
    const { words } = this.table;
    const at = entry * STRIDE;
    if (action.markMask !== 0) {
      words[at + E.MARK] = (words[at + E.MARK] & ~action.markMask) | (action.markValue & action.markMask);
    }
    const { label, labelMask } = action;
    if (label !== null && labelMask !== null) {
      for (let i = 0; i < 4; i++) {
        words[at + E.LABEL + i] = (words[at + E.LABEL + i] & ~labelMask[i]) | (label[i] & labelMask[i]);
      }
    }
  }

  private writeMarks(key: Uint32Array, entry: number): void {
    const { words } = this.table;
    const at = entry * STRIDE;
    key[W.CT_MARK] = words[at + E.MARK];
    for (let i = 0; i < 4; i++) key[W.CT_LABEL + i] = words[at + E.LABEL + i];
  }

  /** Writes all ct fields of the key; `entry` is the packet's connection or -1. */
  private writeState(p: Packet, state: number, zone: number, entry: number, related: boolean): void {
    const key = p.key;
    key[W.CT_STATE] = state;
    if (entry >= 0) this.writeMarks(key, entry);
    else {
      key[W.CT_MARK] = 0;
      for (let i = 0; i < 4; i++) key[W.CT_LABEL + i] = 0;
    }
    if (entry < 0 && (state & CT.NEW) === 0) {
      key[W.CT_ZONE] = zone << 16;
      p.clearTuple();
      return;
    }
    const source = entry >= 0 ? this.table.words : this.tuple;
    const at = entry >= 0 ? entry * STRIDE : 0;
    const meta = source[at + T.META];
    const proto = (meta >>> 8) & 0xff;
    key[W.CT_ZONE] = (zone << 16) | proto;
    const ports = source[at + T.PORTS];
    // Type and code stand where the ports would.
    key[W.CT_TP] = proto === ICMP || proto === ICMPV6 ? ((ports & 0xff00) << 8) | (ports & 0xff) : ports;
    if ((meta & 0xff) === FAMILY_IPV6) {
      key[W.CT_IPV6_SRC] = source[at + T.SRC];
      key[W.CT_IPV6_DST] = source[at + T.DST];
      for (let i = 0; i < 3; i++) {
        key[W.CT_IPV6_SRC + 1 + i] = source[at + T.SRC6 + i];
        key[W.CT_IPV6_DST + 1 + i] = source[at + T.DST6 + i];
      }
      p.markTuple(TUPLE_IPV6, related);
    } else {
      key[W.CT_NW_SRC] = source[at + T.SRC];
      key[W.CT_NW_DST] = source[at + T.DST];
      p.markTuple(TUPLE_IPV4, related);
    }
  }
}
