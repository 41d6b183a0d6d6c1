/** The nested parts of a flow key: tunnel metadata (OVS_KEY_ATTR_TUNNEL) and NSH (OVS_KEY_ATTR_NSH). */
import { type FlowKey, W } from '@ovs-node/flow/layout';
import { NetlinkError, NlReader, type NlWriter } from './attr.js';
import { isZero } from './bytes.js';
import { attrName } from './attr-table.js';
import { KEY_ATTRS, NSH_KEY_ATTRS as N, TUNNEL_KEY_ATTRS as T, VXLAN_EXT_ATTRS } from './key-attrs.js';

const EINVAL = 22;

/** Bits of the key's 16-bit `tun_flags`. */
export const TunFlag = { OAM: 1, DF: 2, CSUM: 4, KEY: 8 } as const;
/** In network order `flags << 16` begins the word; tos and ttl end it. */
const FLAGS_SHIFT = 16;

/** Appends the TUNNEL nest of the tunnel words of `data` (a key, or a mask when `isMask`). */
export function encodeTunnel(w: NlWriter, data: FlowKey, isMask: boolean): void {
  const mark = w.startNested(KEY_ATTRS.TUNNEL.code);
  const word = data[W.TUN_FLAGS]!;
  const flags = word >>> FLAGS_SHIFT;
  if (flags & TunFlag.KEY || (isMask && (data[W.TUN_ID]! | data[W.TUN_ID + 1]!) !== 0)) {
    const at = w.header(T.ID.code, 8);
    putBe(w, at, data, W.TUN_ID, 2);
  }
  if (data[W.TUN_SRC] !== 0) w.putBe32(T.IPV4_SRC.code, data[W.TUN_SRC]!);
  if (data[W.TUN_DST] !== 0) w.putBe32(T.IPV4_DST.code, data[W.TUN_DST]!);
  if (anyOf(data, W.TUN_IPV6_SRC)) putBe(w, w.header(T.IPV6_SRC.code, 16), data, W.TUN_IPV6_SRC, 4);
  if (anyOf(data, W.TUN_IPV6_DST)) putBe(w, w.header(T.IPV6_DST.code, 16), data, W.TUN_IPV6_DST, 4);
  if ((word >>> 8) & 0xff) w.putU8(T.TOS.code, (word >>> 8) & 0xff);
  w.putU8(T.TTL.code, word & 0xff);
  if (flags & TunFlag.DF) w.putFlag(T.DONT_FRAGMENT.code);
  if (flags & TunFlag.CSUM) w.putFlag(T.CSUM.code);
  const tp = data[W.TUN_TP]!;
  if (tp >>> 16) w.putBe16(T.TP_SRC.code, tp >>> 16);
  if (tp & 0xffff) w.putBe16(T.TP_DST.code, tp & 0xffff);
  if (flags & TunFlag.OAM) w.putFlag(T.OAM.code);
  const gbp = data[W.TUN_GBP]!;
  if (gbp !== 0) {
    const nest = w.startNested(T.VXLAN_OPTS.code);
    w.putU32(VXLAN_EXT_ATTRS.GBP.code, (((gbp & 0xff) << 16) | (gbp >>> 16)) >>> 0);
    w.endNested(nest);
  }
  w.endNested(mark);
}

function anyOf(data: FlowKey, word: number): boolean {
  return (data[word]! | data[word + 1]! | data[word + 2]! | data[word + 3]!) !== 0;
}

/** Writes `n` key words in network order. */
function putBe(w: NlWriter, at: number, data: FlowKey, word: number, n: number): void {
  const to = w.buf;
  for (let i = 0; i < n; i++) {
    const v = data[word + i]!;
    to[at + 4 * i] = v >>> 24;
    to[at + 4 * i + 1] = v >>> 16;
    to[at + 4 * i + 2] = v >>> 8;
    to[at + 4 * i + 3] = v;
  }
}

const TUNNEL_LENGTHS = new Map<number, number>([
  [T.ID.code, 8],
  [T.IPV4_SRC.code, 4],
  [T.IPV4_DST.code, 4],
  [T.TOS.code, 1],
  [T.TTL.code, 1],
  [T.DONT_FRAGMENT.code, 0],
  [T.CSUM.code, 0],
  [T.OAM.code, 0],
  [T.TP_SRC.code, 2],
  [T.TP_DST.code, 2],
  [T.IPV6_SRC.code, 16],
  [T.IPV6_DST.code, 16],
]);

/**
 * Decodes a TUNNEL nest into the tunnel words of `data`. A key needs a destination of exactly one family and a TTL.
 * Throws `NetlinkError` EINVAL; EOPNOTSUPP for Geneve and ERSPAN options, which the key does not hold yet.
 */
export function decodeTunnel(
  buf: Uint8Array,
  start: number,
  end: number,
  data: FlowKey,
  isMask: boolean,
): void {
  const r = new NlReader(buf, start, end);
  let flags = 0;
  let tos = 0;
  let ttl = -1;
  let tp = 0;
  while (r.next()) {
    const len = TUNNEL_LENGTHS.get(r.type);
    if (len !== undefined && r.length !== len) {
      throw new NetlinkError(
        EINVAL,
        `tunnel key attribute ${attrName(T, r.type)} has bad length ${r.length}`,
      );
    }
    switch (r.type) {
      case T.ID.code:
        data[W.TUN_ID] = r.be32(0);
        data[W.TUN_ID + 1] = r.be32(4);
        flags |= TunFlag.KEY;
        break;
      case T.IPV4_SRC.code:
        data[W.TUN_SRC] = r.be32();
        break;
      case T.IPV4_DST.code:
        data[W.TUN_DST] = r.be32();
        break;
      case T.IPV6_SRC.code:
        for (let i = 0; i < 4; i++) data[W.TUN_IPV6_SRC + i] = r.be32(4 * i);
        break;
      case T.IPV6_DST.code:
        for (let i = 0; i < 4; i++) data[W.TUN_IPV6_DST + i] = r.be32(4 * i);
        break;
      case T.TOS.code:
        tos = r.u8();
        break;
      case T.TTL.code:
        ttl = r.u8();
        break;
      case T.DONT_FRAGMENT.code:
        flags |= TunFlag.DF;
        break;
      case T.CSUM.code:
        flags |= TunFlag.CSUM;
        break;
      case T.OAM.code:
        flags |= TunFlag.OAM;
        break;
      case T.TP_SRC.code:
        tp |= r.be16() << 16;
        break;
      case T.TP_DST.code:
        tp |= r.be16();
        break;
      case T.VXLAN_OPTS.code:
        decodeGbp(r, data);
        break;
      case T.PAD.code:
        break;
      default:
        if (isMask && isZero(r.buf, r.offset, r.length)) break;
        throw new NetlinkError(95, `tunnel key attribute ${attrName(T, r.type)} is not supported`);
    }
  }
  if (r.malformed) throw new NetlinkError(EINVAL, 'malformed tunnel key attributes');
  data[W.TUN_FLAGS] = ((flags << FLAGS_SHIFT) | (tos << 8) | Math.max(ttl, 0)) >>> 0;
  data[W.TUN_TP] = tp >>> 0;
  if (isMask) return;
  const v6 = anyOf(data, W.TUN_IPV6_DST);
  if ((data[W.TUN_DST] !== 0) === v6)
    throw new NetlinkError(EINVAL, 'tunnel key needs one destination address');
  if (ttl < 0) throw new NetlinkError(EINVAL, 'tunnel key lacks TTL');
}

function decodeGbp(outer: NlReader, data: FlowKey): void {
  const r = outer.enter(new NlReader());
  while (r.next()) {
    if (r.type !== VXLAN_EXT_ATTRS.GBP.code || r.length !== 4)
      throw new NetlinkError(EINVAL, 'bad VXLAN options in tunnel key');
    const v = r.u32();
    data[W.TUN_GBP] = (((v & 0xffff) << 16) | ((v >>> 16) & 0xff)) >>> 0;
  }
  if (r.malformed) throw new NetlinkError(EINVAL, 'malformed VXLAN options in tunnel key');
}

/** Appends the NSH nest: the base header, and the four context words when `key` is of metadata type 1. */
export function encodeNsh(w: NlWriter, key: FlowKey, data: FlowKey): void {
  const mark = w.startNested(KEY_ATTRS.NSH.code);
  putBe(w, w.header(N.BASE.code, 8), data, W.NSH, 2);
  if (((key[W.NSH]! >>> 8) & 0xff) === 1) putBe(w, w.header(N.MD1.code, 16), data, W.NSH + 2, 4);
  w.endNested(mark);
}

/** Decodes an NSH nest into the NSH words of `data`. Throws `NetlinkError`; metadata of type 2 is not kept. */
export function decodeNsh(buf: Uint8Array, start: number, end: number, data: FlowKey): void {
  const r = new NlReader(buf, start, end);
  while (r.next()) {
    const row = r.type === N.BASE.code ? N.BASE : r.type === N.MD1.code ? N.MD1 : null;
    if (row === null) throw new NetlinkError(95, `NSH key attribute ${r.type} is not supported`);
    if (r.length !== row.len)
      throw new NetlinkError(EINVAL, `NSH key attribute ${attrName(N, r.type)} has bad length ${r.length}`);
    const word = row === N.BASE ? W.NSH : W.NSH + 2;
    for (let i = 0; i < r.length / 4; i++) data[word + i] = r.be32(4 * i);
  }
  if (r.malformed) throw new NetlinkError(EINVAL, 'malformed NSH key attributes');
}
