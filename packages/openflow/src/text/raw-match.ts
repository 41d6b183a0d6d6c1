/** Matches of flow-mods of OpenFlow 1.0 as they are on the wire, not as what they mean: printed from verbosity 3 on. */
import { formatIp4, formatMac } from '@ovs-node/flow/addr-text';
import { portFromOf10 } from '@ovs-node/flow/fields';
import { formatPort, type PortMap } from '@ovs-node/flow/ports';
import { FW10 } from '../match/ofp10.js';
import { Reader } from '../wire.js';

const ETH_IP = 0x0800;
const ETH_ARP = 0x0806;
const ETH_RARP = 0x8035;
/** Words for Ethernet types that a match may say. */
const TYPES: Readonly<Record<number, string>> = {
  [ETH_ARP]: 'arp',
  [ETH_RARP]: 'rarp',
  0x8847: 'mpls',
  0x8848: 'mplsm',
};
/** Words for IP protocols. */
const PROTOS: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** An address of which the lowest `wild` bits do not matter. */
function formatNet(ip: number, wild: number): string {
  if (wild >= 32) return '*';
  return wild === 0 ? formatIp4(ip) : `${formatIp4(ip)}/${32 - wild}`;
}

/** The `ofp10_match` in the 40 bytes from `at`; fields that do not matter are `*`. */
export function formatOfp10Match(bytes: Uint8Array, at: number, ports?: PortMap): string {
  const r = new Reader(bytes, at, at + 40);
  const w = r.u32();
  const inPort = portFromOf10(r.u16());
  const [src, dst, vlan, pcp] = [r.mac(), r.mac(), r.u16(), r.u8()];
  r.skip(1);
  const [type, tos, proto] = [r.u16(), r.u8(), r.u8()];
  r.skip(2);
  const [nwSrc, nwDst, tpSrc, tpDst] = [r.u32(), r.u32(), r.u16(), r.u16()];
  const parts: string[] = [];
  const hasProto = (w & FW10.NW_PROTO) === 0;
  let word: string | undefined;
  let sayProto = true;
  if ((w & FW10.DL_TYPE) === 0) {
    if (type === ETH_IP) {
      word = (hasProto ? PROTOS[proto] : undefined) ?? 'ip';
      sayProto = word === 'ip';
    } else word = TYPES[type];
  }
  if (word !== undefined) parts.push(word);
  const put = (name: string, wild: number, text: string): void => {
    parts.push(`${name}=${(w & wild) !== 0 ? '*' : text}`);
  };
  put('in_port', FW10.IN_PORT, formatPort(inPort, ports));
  put('dl_vlan', FW10.DL_VLAN, String(vlan));
  put('dl_vlan_pcp', FW10.DL_VLAN_PCP, String(pcp));
  put('dl_src', FW10.DL_SRC, formatMac(src));
  put('dl_dst', FW10.DL_DST, formatMac(dst));
  if (word === undefined) put('dl_type', FW10.DL_TYPE, `0x${type.toString(16).padStart(4, '0')}`);
  parts.push(`nw_src=${formatNet(nwSrc, (w >>> FW10.NW_SRC_SHIFT) & 63)}`);
  parts.push(`nw_dst=${formatNet(nwDst, (w >>> FW10.NW_DST_SHIFT) & 63)}`);
  if (sayProto)
    put(type === ETH_ARP || type === ETH_RARP ? 'arp_op' : 'nw_proto', FW10.NW_PROTO, String(proto));
  put('nw_tos', FW10.NW_TOS, String(tos));
  const icmp = proto === 1;
  put(icmp ? 'icmp_type' : 'tp_src', FW10.TP_SRC, String(tpSrc));
  put(icmp ? 'icmp_code' : 'tp_dst', FW10.TP_DST, String(tpDst));
  return parts.join(',');
}
