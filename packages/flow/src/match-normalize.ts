import { vlog } from '@ovs-node/common/vlog';
import { W } from './layout.js';
import type { MatchWords } from './match.js';
import { formatMatch } from './match-format.js';

const log = vlog('ofp_match');

/** Called for a word and the bits of it that no packet of the match can have. */
type Forbid = (match: MatchWords, word: number, bits: number) => boolean;

const isMasked: Forbid = (match, word, bits) => (match.mask[word]! & bits) !== 0;
const drop: Forbid = (match, word, bits) => {
  match.mask[word] = match.mask[word]! & ~bits;
  match.key[word] = match.key[word]! & ~bits;
  return false;
};

function run(forbid: Forbid, match: MatchWords, word: number, words: number, bits = -1): boolean {
  for (let i = word; i < word + words; i++) if (forbid(match, i, bits)) return true;
  return false;
}

/** Goes over all that can never be there; stops where `forbid` says so. */
function forEachForbidden(match: MatchWords, forbid: Forbid): boolean {
  const { key } = match;
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
  const tp = (ip4 && (ports || proto === 1)) || (ip6 && (ports || icmp6));
  return (
    (!ethernet &&
      (run(forbid, match, W.ETH, 3) ||
        run(forbid, match, W.VLAN0, 2) ||
        run(forbid, match, W.ETH_TYPE, 1, 0xffff0000))) ||
    (!ip4 && !arp && run(forbid, match, W.NW_SRC, 2)) ||
    (!tp && run(forbid, match, W.TP, 1)) ||
    (!ip4 && !ip6 && !arp && run(forbid, match, W.NW, 1, 0xff000000)) ||
    (!ip4 && !ip6 && run(forbid, match, W.NW, 1, 0x00ffff00)) ||
    (!arp &&
      nd !== 135 &&
      (run(forbid, match, W.ARP_HW, 1) || run(forbid, match, W.ARP_HW + 1, 1, 0xffff0000))) ||
    (!arp &&
      nd !== 136 &&
      (run(forbid, match, W.ARP_HW + 1, 1, 0x0000ffff) || run(forbid, match, W.ARP_HW + 2, 1))) ||
    (!ip6 && run(forbid, match, W.IPV6_SRC, 9)) ||
    (nd !== 135 && nd !== 136 && run(forbid, match, W.ND_TARGET, 4)) ||
    (type !== 0x8847 && type !== 0x8848 && run(forbid, match, W.MPLS, 3))
  );
}

/**
 * Drops from `match` what can never be there given its Ethernet type and IP protocol (an `nw_src` without `ip`,
 * say), in place, and logs what changed. OpenFlow 1.0 asks for it; the peer does it to every flow it reads.
 * Returns whether it changed.
 */
export function normalizeMatch(match: MatchWords): boolean {
  if (!forEachForbidden(match, isMasked)) return false;
  const before = formatMatch(match);
  forEachForbidden(match, drop);
  log.info('normalization changed ofp_match, details:');
  log.info(` pre: ${before}`);
  log.info(`post: ${formatMatch(match)}`);
  return true;
}
