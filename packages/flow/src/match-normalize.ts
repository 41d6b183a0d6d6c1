import { vlog } from '@ovs-node/common/vlog';
import { KEY_WORDS, newKey, W } from './layout.js';
import { Match } from './match.js';
import { formatMatch } from './match-format.js';
import { cloneMatch } from './match-fields.js';

const log = vlog('ofp_match');

/**
 * Drops from `match` what can never be there given its Ethernet type and IP protocol (an `nw_src` without `ip`,
 * say), in place, and logs what changed. OpenFlow 1.0 asks for it; the peer does it to every flow it reads.
 * Returns whether it changed.
 */
export function normalizeMatch(match: Match): boolean {
  const allowed = newKey().fill(0xffffffff);
  const forbid = (word: number, words: number, bits = 0xffffffff): void => {
    for (let i = word; i < word + words; i++) allowed[i] = allowed[i]! & ~bits;
  };
  const { key, mask } = match;
  const packetType = key[W.PACKET_TYPE]!;
  const ethernet = packetType === 0;
  const type = ethernet ? key[W.ETH_TYPE]! >>> 16 : packetType >>> 16 === 1 ? packetType & 0xffff : 0;
  const proto = key[W.NW]! >>> 24;
  const ip4 = type === 0x0800;
  const ip6 = type === 0x86dd;
  const arp = type === 0x0806 || type === 0x8035;
  const icmp6 = ip6 && proto === 58;
  const ports = proto === 6 || proto === 17 || proto === 132;
  const nd = icmp6 ? key[W.TP]! >>> 16 : 0;
  if (!ethernet) {
    forbid(W.ETH, 3);
    forbid(W.VLAN0, 2);
    forbid(W.ETH_TYPE, 1, 0xffff0000);
  }
  if (!ip4 && !arp) forbid(W.NW_SRC, 2);
  if (!((ip4 && (ports || proto === 1)) || (ip6 && (ports || icmp6)))) forbid(W.TP, 1);
  if (!ip4 && !ip6 && !arp) forbid(W.NW, 1, 0xff000000);
  if (!ip4 && !ip6) forbid(W.NW, 1, 0x00ffff00);
  if (!arp && nd !== 135) {
    forbid(W.ARP_HW, 1);
    forbid(W.ARP_HW + 1, 1, 0xffff0000);
  }
  if (!arp && nd !== 136) {
    forbid(W.ARP_HW + 1, 1, 0x0000ffff);
    forbid(W.ARP_HW + 2, 1);
  }
  if (!ip6) forbid(W.IPV6_SRC, 9);
  if (nd !== 135 && nd !== 136) forbid(W.ND_TARGET, 4);
  if (type !== 0x8847 && type !== 0x8848) forbid(W.MPLS, 3);

  let changed = false;
  for (let i = 0; i < KEY_WORDS; i++) if ((mask[i]! & ~allowed[i]!) !== 0) changed = true;
  if (!changed) return false;
  const before: Match = cloneMatch(match);
  for (let i = 0; i < KEY_WORDS; i++) {
    mask[i] = mask[i]! & allowed[i]!;
    key[i] = key[i]! & mask[i]!;
  }
  log.info('normalization changed ofp_match, details:');
  log.info(` pre: ${formatMatch(before)}`);
  log.info(`post: ${formatMatch(match)}`);
  return true;
}
