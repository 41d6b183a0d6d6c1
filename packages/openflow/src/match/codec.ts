/** The match of a flow message in the form of its version. */
import type { Match } from '@ovs-node/flow/match';
import { fail } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import { putOxmMatch, readOxmMatch } from './nxm.js';
import { putOfp10Match, putOfp11Match, readOfp10Match, readOfp11Match } from './ofp10.js';

const OFPMT_STANDARD = 0;
const OFPMT_OXM = 1;

/** Writes the standard match structure of `version`. */
export function putMatch(w: Writer, match: Match, version: number): void {
  if (version === 1) putOfp10Match(w, match);
  else if (version === 2) putOfp11Match(w, match);
  else putOxmMatch(w, match, version);
}

/** Writes the match of a flow that a switch tells of: as `putMatch`, but in 1.1 as TLVs, which leave nothing out. */
export function putReplyMatch(w: Writer, match: Match, version: number): void {
  if (version === 2) putOxmMatch(w, match, version);
  else putMatch(w, match, version);
}

/** Reads the standard match structure of `version`, with its padding. */
export function readMatch(r: Reader, version: number, strict = true): Match {
  if (version === 1) return readOfp10Match(r);
  // In 1.1 the structure says its type; the peer's switch answers with TLVs, which can say more.
  // Nor does the peer mind the structure of 1.1 in later versions.
  const type = r.left >= 4 ? r.peekU32() >>> 16 : OFPMT_OXM;
  if (type === OFPMT_STANDARD) return readOfp11Match(r);
  return type === OFPMT_OXM ? readOxmMatch(r, strict) : fail('OFPBMC_BAD_TYPE', `match type ${type}`);
}
