import { FlowSyntaxError } from './errors.js';
import { parseFieldValue } from './field-text.js';
import { fieldByName, fieldPrereqsMet, getField, setField, wireMask } from './fields.js';
import { CT, FRAG_LATER, type FlowKey, newKey, W } from './layout.js';
import { formatMatch } from './match-format.js';
import { parseKeyValues } from './key-value.js';
import { matchFromKey } from './match-fields.js';
import { protocolWord } from './match-text.js';
import { OFPP, type PortMap } from './ports.js';
import type { TunMetadata } from './tun-metadata.js';

/**
 * One packet's fields as text: the `Flow:` line of `ofproto/trace` and packet-in messages, and the reverse, the
 * flow argument of `ofproto/trace`, `packet-out` and `netdev-dummy/receive`.
 */

const ALL = 0xffffffff;

/**
 * A mask of the fields that a packet with `key` has: those its Ethernet type and IP protocol give it, and the
 * metadata that is always there. Registers, `metadata` and `conj_id` are not in it.
 */
export function maskOfPacket(key: FlowKey): FlowKey {
  const m = newKey();
  const all = (word: number, words = 1): void => {
    m.fill(ALL, word, word + words);
  };
  const tunneled =
    (key[W.TUN_DST]! |
      key[W.TUN_IPV6_DST]! |
      key[W.TUN_IPV6_DST + 1]! |
      key[W.TUN_IPV6_DST + 2]! |
      key[W.TUN_IPV6_DST + 3]!) !==
    0;
  if (tunneled) {
    // The key bit of the tunnel's flags says whether it has an id.
    if ((key[W.TUN_FLAGS]! & 0x00080000) !== 0) all(W.TUN_ID, 2);
    all(W.TUN_SRC, W.TUN_EXT + 2 - W.TUN_SRC);
  } else if ((key[W.TUN_ID]! | key[W.TUN_ID + 1]!) !== 0) {
    all(W.TUN_ID, 2);
  }
  all(W.SKB_PRIORITY, 4);
  all(W.CT_STATE);
  m[W.CT_ZONE] = 0xffff0000;
  all(W.CT_MARK);
  all(W.CT_LABEL, 4);
  all(W.RECIRC_ID);
  all(W.IN_PORT);
  const packetType = key[W.PACKET_TYPE]!;
  if (packetType === 0) {
    all(W.ETH, 3);
    m[W.ETH_TYPE] = 0xffff0000;
    // The first tag that is not there shows that there is none.
    all(W.VLAN0);
    if ((key[W.VLAN0]! & 0xffff) !== 0) all(W.VLAN1);
  }
  const type = packetType === 0 ? key[W.ETH_TYPE]! >>> 16 : packetType >>> 16 === 1 ? packetType & 0xffff : 0;
  if (type === 0x0806 || type === 0x8035) {
    all(W.NW_SRC, 2);
    m[W.NW] = 0xff000000;
    all(W.ARP_HW, 3);
    return m;
  }
  if (type === 0x8847 || type === 0x8848) {
    for (let i = 0; i < 3; i++) {
      all(W.MPLS + i);
      if ((key[W.MPLS + i]! & 0x100) !== 0) break;
    }
    return m;
  }
  const proto = key[W.NW]! >>> 24;
  if (type === 0x0800) {
    all(W.NW_SRC, 2);
    all(W.CT_NW_SRC, 2);
  } else if (type === 0x86dd) {
    all(W.IPV6_SRC, 9);
    all(W.CT_IPV6_SRC, 8);
    // Even of a later fragment, as in the peer.
    if (proto === 58) all(W.TP);
    if (isNeighbourDiscovery(key)) {
      all(W.ND_TARGET, 4);
      all(W.ARP_HW, 3);
    }
  } else if (key[W.ETH_TYPE]! >>> 16 === 0x894f) {
    all(W.NSH, ((key[W.NSH]! >>> 8) & 0xff) === 1 ? 6 : 2);
  } else {
    return m;
  }
  all(W.NW);
  m[W.CT_ZONE] = 0xffff00ff;
  const hasPorts = proto === 6 || proto === 17 || proto === 132 || proto === 1 || proto === 58 || proto === 2;
  if ((key[W.NW]! & FRAG_LATER) === 0 && hasPorts) {
    all(W.TP);
    all(W.CT_TP);
    if (proto === 6) m[W.ETH_TYPE]! |= 0xffff;
    else if (proto === 2) all(W.IGMP);
  }
  return m;
}

function isNeighbourDiscovery(key: FlowKey): boolean {
  if (key[W.NW]! >>> 24 !== 58 || (key[W.NW]! & FRAG_LATER) !== 0 || (key[W.TP]! & 0xffff) !== 0)
    return false;
  const type = key[W.TP]! >>> 16;
  return type === 135 || type === 136;
}

/**
 * The fields of a packet as text, without the metadata that is 0: `tcp,in_port=1,vlan_tci=0x0000,dl_src=…`.
 * @param options those of its tunnel, which have no place in the key.
 */
export function formatFlow(key: FlowKey, ports?: PortMap, options?: readonly TunMetadata[]): string {
  const mask = maskOfPacket(key);
  for (const word of [W.IN_PORT, W.SKB_PRIORITY, W.PKT_MARK, W.RECIRC_ID, W.DP_HASH, W.CT_STATE, W.CT_MARK]) {
    if (key[word] === 0) mask[word] = 0;
  }
  if (key[W.CT_ZONE]! >>> 16 === 0) mask[W.CT_ZONE]! &= 0xffff;
  if ((key[W.CT_LABEL]! | key[W.CT_LABEL + 1]! | key[W.CT_LABEL + 2]! | key[W.CT_LABEL + 3]!) === 0) {
    mask.fill(0, W.CT_LABEL, W.CT_LABEL + 4);
  }
  if ((key[W.CT_ZONE]! & 0xff) === 0 || (key[W.CT_STATE]! & (CT.NEW | CT.EST | CT.RPL)) === 0) {
    mask[W.CT_ZONE]! &= 0xffff0000;
    mask[W.CT_TP] = 0;
    if (key[W.ETH_TYPE]! >>> 16 === 0x0800) mask.fill(0, W.CT_NW_SRC, W.CT_NW_SRC + 2);
    else if (key[W.ETH_TYPE]! >>> 16 === 0x86dd) mask.fill(0, W.CT_IPV6_SRC, W.CT_IPV6_SRC + 8);
  }
  for (let i = 0; i < 16; i++) if (key[W.REG + i] !== 0) mask[W.REG + i] = ALL;
  if ((key[W.METADATA]! | key[W.METADATA + 1]!) !== 0) mask.fill(ALL, W.METADATA, W.METADATA + 2);
  const match = matchFromKey(key, mask);
  match.tunMetadata = options;
  return formatMatch(match, { ports });
}

/**
 * Reads an exact flow such as `in_port=1,tcp,nw_src=10.0.0.1,tp_dst=80`; what it does not mention is 0, but for
 * in_port, which is ANY. No masks, every field once and after what it needs. Throws FlowSyntaxError.
 *
 * @param setOption takes the options of the flow's tunnel, which have no place in the key.
 */
export function parseExactFlow(
  text: string,
  ports?: PortMap,
  setOption?: (index: number, value: bigint) => void,
): FlowKey {
  const key = newKey();
  const options = new Set<number>();
  const bad = (what: string): FlowSyntaxError => new FlowSyntaxError(`${text}: ${what}`);
  for (const { key: name, value } of parseKeyValues(text)) {
    const protocol = protocolWord(name);
    if (protocol !== undefined) {
      if (key[W.ETH_TYPE]! >>> 16 !== 0) throw bad('Ethernet type set multiple times');
      key[W.ETH_TYPE]! |= protocol[0] << 16;
      if (protocol[1] !== 0) {
        if (key[W.NW]! >>> 24 !== 0) throw bad('network protocol set multiple times');
        key[W.NW]! |= protocol[1] << 24;
      }
      continue;
    }
    const f = fieldByName(name);
    if (f === undefined) throw bad(`unknown field ${name}`);
    if (!fieldPrereqsMet(f, key)) throw bad(`prerequisites not met for setting ${name}`);
    if (f.option === undefined ? getField(key, f) !== 0n : options.has(f.option))
      throw bad(`field ${name} set multiple times`);
    let parsed;
    try {
      parsed = parseFieldValue(f, value, ports);
      if (parsed.mask !== wireMask(f)) throw new FlowSyntaxError(`${value}: wildcards not allowed here`);
    } catch (e) {
      if (e instanceof FlowSyntaxError) throw bad(`bad value for ${name} (${e.message})`);
      throw e;
    }
    if (f.option === undefined) {
      setField(key, f, parsed.value);
    } else {
      // Set already is what is not 0, and what has a place.
      if (setOption !== undefined && parsed.value !== 0n) options.add(f.option);
      setOption?.(f.option, parsed.value);
    }
  }
  if (key[W.IN_PORT] === 0) key[W.IN_PORT] = OFPP.ANY;
  return key;
}
