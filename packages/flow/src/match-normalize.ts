import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { W } from './layout.js';
import type { MatchWords } from './match.js';
import { formatMatch } from './match-format.js';

const log = vlog('ofp_match');
const limit = new RateLimit(1, 5);
const asItIs = (text: string): string => text;
let paint = asItIs;

/** Has the matches that are told of go through `painter`, which may color them; undefined: as they are. */
export function paintNormalized(painter: ((text: string) => string) | undefined): void {
  paint = painter ?? asItIs;
}

/** Bits of words that no packet of the match can have, as they are found: word, bits, … */
const forbidden = new Int32Array(64);

/** Fills `forbidden`, of words that `match` asks something of; returns how much of it is filled. */
function findForbidden(match: MatchWords): number {
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
  const tp = (ip4 && (ports || proto === 1)) || (ip6 && (ports || icmp6));
  let n = 0;
  const forbid = (word: number, words: number, bits = -1): void => {
    for (let i = word; i < word + words; i++) {
      if ((mask[i]! & bits) === 0) continue;
      forbidden[n++] = i;
      forbidden[n++] = bits;
    }
  };
  if (!ethernet) {
    forbid(W.ETH, 3);
  }
  if (!ip4 && !arp) forbid(W.NW_SRC, 2);
  if (!tp) forbid(W.TP, 1);
  if (!ip4 && !ip6) forbid(W.NW, 1, arp ? 0x00ffff00 : 0xffffff00);
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
  return n;
}

/**
 * Drops from `match` what can never be there given its Ethernet type and IP protocol (an `nw_src` without `ip`,
 * say), in place, and logs what changed, not too often. OpenFlow 1.0 asks for it; the peer does it to every flow it reads.
 * Returns whether it changed.
 */
export function normalizeMatch(match: MatchWords): boolean {
  const n = findForbidden(match);
  if (n === 0) return false;
  const before = log.passes(limit, 'info') ? paint(formatMatch(match)) : undefined;
  for (let i = 0; i < n; i += 2) {
    const word = forbidden[i]!;
    match.mask[word] = match.mask[word]! & ~forbidden[i + 1]!;
    match.key[word] = match.key[word]! & ~forbidden[i + 1]!;
  }
  if (before === undefined) return true;
  log.info('normalization changed ofp_match, details:');
  log.info(` pre: ${before}`);
  log.info(`post: ${paint(formatMatch(match))}`);
  return true;
}
