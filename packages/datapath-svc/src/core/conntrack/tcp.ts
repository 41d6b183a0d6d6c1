/**
 * TCP as a tracker in the middle sees it: for each of the two peers, its state and the window of sequence numbers
 * that it may use, after "Real Stateful TCP Packet Filtering in IP Filter" (van Rooij, 2000) in the form that
 * OpenBSD's pf and Open vSwitch's userspace conntrack gave it. A segment outside the window is invalid and changes
 * nothing, so a stranger cannot close or move a connection without seeing it; a connection may be picked up in its
 * middle, with an unknown window scale.
 *
 *     peer    +0 lowest sequence number not yet seen, +1 highest that the other side allows, +2 largest window it
 *             announced, +3 state << 8 | window scale
 *
 * All sequence arithmetic is modulo 2^32 (RFC 9293, section 3.4).
 */
import { PeerTcpState as TcpState } from '@ovs-node/netlink/conntrack-attrs';
import { Timeout } from './timeouts.js';

export const P = { SEQ_LO: 0, SEQ_HI: 1, MAX_WIN: 2, STATE: 3 } as const;

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const PSH = 0x08;
const ACK = 0x10;
const URG = 0x20;

/** Bits of a window scale: announced by this peer; not known since the connection was picked up; the shift. */
export const SCALE_KNOWN = 0x80;
const SCALE_UNKNOWN = 0x40;
export const SCALE_MASK = 0x0f;
const MAX_SCALE = 14;
/** How far beyond its window a peer's acknowledgement may lie: a window without scaling, and a segment. */
const SKEW = 0xffff + 1500;

/** What a segment says: filled by `TcpSegment.read`, reused. */
export class TcpSegment {
  seq = 0;
  ack = 0;
  window = 0;
  flags = 0;
  /** Bytes of payload. */
  length = 0;
  /** Window scale option with `SCALE_KNOWN`, or 0. */
  scale = 0;

  /** Reads the header at `buf[at]`, whose packet ends at `end`; false when it does not fit. */
  read(buf: Uint8Array, at: number, end: number): boolean {
    if (end - at < 20) return false;
    const header = (buf[at + 12] >> 4) << 2;
    if (header < 20 || header > end - at) return false;
    this.seq = ((buf[at + 4] << 24) | (buf[at + 5] << 16) | (buf[at + 6] << 8) | buf[at + 7]) >>> 0;
    this.ack = ((buf[at + 8] << 24) | (buf[at + 9] << 16) | (buf[at + 10] << 8) | buf[at + 11]) >>> 0;
    this.flags = buf[at + 13];
    this.window = (buf[at + 14] << 8) | buf[at + 15];
    this.length = end - at - header;
    this.scale = (this.flags & SYN) !== 0 ? scaleOption(buf, at + 20, at + header) : 0;
    return true;
  }
}

function scaleOption(buf: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end;) {
    const kind = buf[at];
    if (kind === 0) return 0;
    if (kind === 1) {
      at++;
      continue;
    }
    if (at + 1 >= end) return 0;
    const length = buf[at + 1];
    if (length < 2) return 0;
    if (kind === 3 && length === 3 && at + 2 < end) return SCALE_KNOWN | Math.min(buf[at + 2], MAX_SCALE);
    at += length;
  }
  return 0;
}

/** Flag combinations that no stack sends. */
function badFlags(flags: number): boolean {
  if ((flags & SYN) !== 0) {
    if ((flags & (RST | FIN)) !== 0) return true;
  } else if ((flags & (ACK | RST)) === 0) return true;
  return (flags & ACK) === 0 && (flags & (FIN | PSH | URG)) !== 0;
}

/** Whether the segment may begin a connection: a SYN, or one from the middle; not a SYN with ACK. */
export function tcpMayBegin(s: TcpSegment): boolean {
  return !badFlags(s.flags) && (s.flags & (SYN | ACK)) !== (SYN | ACK);
}

/** Fills the peers of a new connection whose first segment is `s`. Returns the timeout class. */
export function tcpBegin(words: Uint32Array, src: number, dst: number, s: TcpSegment): number {
  const syn = (s.flags & SYN) !== 0;
  let scale = SCALE_UNKNOWN;
  let window = Math.max(s.window, 1);
  if (syn) {
    scale = s.scale;
    window = unscaled(window, scale & SCALE_MASK);
  }
  words[src + P.SEQ_LO] = s.seq;
  words[src + P.SEQ_HI] = s.seq + s.length + 1 + (syn ? 1 : 0) + ((s.flags & FIN) !== 0 ? 1 : 0);
  words[src + P.MAX_WIN] = window;
  words[src + P.STATE] = (TcpState.SYN_SENT << 8) | scale;
  words[dst + P.SEQ_LO] = 0;
  words[dst + P.SEQ_HI] = 1;
  words[dst + P.MAX_WIN] = 1;
  words[dst + P.STATE] = (TcpState.CLOSED << 8) | (syn ? 0 : SCALE_UNKNOWN);
  return Timeout.TCP_FIRST_PACKET;
}

/** The window of a SYN is never scaled: as a multiple of the scale, so that shifting it later gives its size. */
function unscaled(window: number, shift: number): number {
  return Math.ceil(window / (1 << shift));
}

/** Results of `tcpUpdate` beside a timeout class. */
export const TCP_INVALID = -1;
export const TCP_NEW = -2;
export const TCP_UNCHANGED = -3;
export const TCP_STILL_NEW = -4;

/** `a - b` modulo 2^32, signed: negative when `a` is before `b`. */
function diff(a: number, b: number): number {
  return (a - b) | 0;
}

/**
 * Advances a connection by a segment from the peer at `src` to the one at `dst`. Returns the timeout class that it is
 * in now, or `TCP_UNCHANGED`; `TCP_INVALID` when the segment does not belong (nothing changed); `TCP_NEW` when it begins
 * a new connection of the same addresses and ports; `TCP_STILL_NEW` for a SYN of a connection not open yet.
 */
export function tcpUpdate(words: Uint32Array, src: number, dst: number, s: TcpSegment): number {
  const { flags } = s;
  if (badFlags(flags)) return TCP_INVALID;
  let srcState = words[src + P.STATE] >>> 8;
  let dstState = words[dst + P.STATE] >>> 8;
  const syn = (flags & SYN) !== 0;
  if ((flags & (SYN | ACK)) === SYN) {
    if (srcState >= TcpState.FIN_WAIT_2 && dstState >= TcpState.FIN_WAIT_2) return TCP_NEW;
    if (srcState <= TcpState.SYN_SENT) {
      // Repeated, or from both sides at once.
      words[src + P.STATE] = (TcpState.SYN_SENT << 8) | (words[src + P.STATE] & 0xff);
      return TCP_STILL_NEW;
    }
  }

  let srcScale = words[src + P.STATE] & 0xff;
  let dstScale = words[dst + P.STATE] & 0xff;
  let srcShift = 0;
  let dstShift = 0;
  if (!syn) {
    if ((srcScale & dstScale & SCALE_KNOWN) !== 0) {
      srcShift = srcScale & SCALE_MASK;
      dstShift = dstScale & SCALE_MASK;
    } else if ((srcScale & dstScale & SCALE_UNKNOWN) !== 0) {
      srcShift = MAX_SCALE;
      dstShift = MAX_SCALE;
    }
  }

  let window = s.window;
  let seqLo = words[src + P.SEQ_LO];
  let seqHi = words[src + P.SEQ_HI];
  let maxWin = words[src + P.MAX_WIN];
  let dstMaxWin = words[dst + P.MAX_WIN];
  let seq = s.seq;
  let end = (seq + s.length + (syn ? 1 : 0) + ((flags & FIN) !== 0 ? 1 : 0)) >>> 0;
  // The first answer may acknowledge any of several SYNs, or data sent before we looked: it is not held to what we saw.
  let checkAck = true;
  if (srcState < TcpState.SYN_SENT) {
    if (syn && (dstScale & SCALE_KNOWN) !== 0) {
      srcScale = s.scale;
      if ((srcScale & SCALE_KNOWN) !== 0) {
        // Both scale: this window is not scaled, the other side's so far was kept divided.
        srcShift = srcScale & SCALE_MASK;
        window = unscaled(window, srcShift);
        dstShift = dstScale & SCALE_MASK;
      } else {
        // Only one side offered it: nobody scales.
        dstMaxWin = (dstMaxWin << (dstScale & SCALE_MASK)) >>> 0;
        dstScale = 0;
      }
    }
    seqLo = seq;
    srcState = TcpState.SYN_SENT;
    const allowed = (end + Math.max(1, dstMaxWin * 2 ** dstShift)) >>> 0;
    if (seqHi === 1 || diff(allowed, seqHi) >= 0) {
      seqHi = allowed;
      checkAck = false;
    }
    if (window > maxWin) maxWin = window;
    // What the first segment says of its sender is kept even when the segment turns out not to fit.
    words[src + P.SEQ_LO] = seqLo;
    words[src + P.SEQ_HI] = seqHi;
    words[src + P.MAX_WIN] = maxWin;
    words[src + P.STATE] = (srcState << 8) | srcScale;
    words[dst + P.MAX_WIN] = dstMaxWin;
    words[dst + P.STATE] = (dstState << 8) | dstScale;
  }

  let ack = s.ack;
  // Without ACK, and from stacks that reset with a zero acknowledgement, there is nothing to check.
  if ((flags & ACK) === 0 || (ack === 0 && (flags & (ACK | RST)) === (ACK | RST)))
    ack = words[dst + P.SEQ_LO];
  const wireSeq = seq;
  if (seq === end) {
    // A segment without data may lie anywhere in the window.
    seq = seqLo;
    end = seq;
  }
  const skew = checkAck ? diff(words[dst + P.SEQ_LO], ack) : 0;
  const fits =
    diff(seqHi, end) >= 0 &&
    diff(seq, (seqLo - dstMaxWin * 2 ** dstShift) >>> 0) >= 0 &&
    skew >= -SKEW &&
    skew <= SKEW * 2 ** srcShift &&
    ((flags & RST) === 0 || Math.abs(diff(wireSeq, seqLo)) <= 1);
  const loose =
    !fits &&
    (dstState < TcpState.SYN_SENT || dstState >= TcpState.FIN_WAIT_2 || srcState >= TcpState.FIN_WAIT_2) &&
    diff((seqHi + SKEW) >>> 0, end) >= 0 &&
    diff(seq, (seqLo - SKEW) >>> 0) >= 0;
  if (!fits && !loose) return TCP_INVALID;

  if (window > maxWin) maxWin = window;
  if (diff(end, seqLo) > 0) seqLo = end;
  const granted = window * 2 ** srcShift;
  if (diff((ack + granted) >>> 0, words[dst + P.SEQ_HI]) >= 0)
    words[dst + P.SEQ_HI] = ack + Math.max(granted, 1);
  if ((flags & FIN) !== 0 && srcState < TcpState.CLOSING) srcState = TcpState.CLOSING;
  if (fits && (flags & ACK) !== 0) {
    if (dstState === TcpState.SYN_SENT) dstState = TcpState.ESTABLISHED;
    else if (dstState === TcpState.CLOSING) dstState = TcpState.FIN_WAIT_2;
  }
  if ((flags & RST) !== 0) {
    srcState = TcpState.TIME_WAIT;
    dstState = TcpState.TIME_WAIT;
  }
  words[src + P.SEQ_LO] = seqLo;
  words[src + P.SEQ_HI] = seqHi;
  words[src + P.MAX_WIN] = maxWin;
  words[src + P.STATE] = (srcState << 8) | srcScale;
  words[dst + P.MAX_WIN] = dstMaxWin;
  words[dst + P.STATE] = (dstState << 8) | dstScale;
  return fits ? timeoutOf(srcState, dstState) : TCP_UNCHANGED;
}

function timeoutOf(a: number, b: number): number {
  const low = a < b ? a : b;
  const high = a < b ? b : a;
  if (low >= TcpState.FIN_WAIT_2) return Timeout.TCP_CLOSED;
  if (low >= TcpState.CLOSING) return Timeout.TCP_FIN_WAIT;
  if (low < TcpState.ESTABLISHED) return Timeout.TCP_OPENING;
  if (high >= TcpState.CLOSING) return Timeout.TCP_CLOSING;
  return Timeout.TCP_ESTABLISHED;
}
