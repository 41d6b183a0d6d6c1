/** The match of a flow message in the form of its version. */
import type { Match } from '@ovs-node/flow/match';
import type { Reader, Writer } from '../wire.js';
import { putOxmMatch, readOxmMatch } from './nxm.js';
import { putOfp10Match, putOfp11Match, readOfp10Match, readOfp11Match } from './ofp10.js';

/** Writes the standard match structure of `version`. */
export function putMatch(w: Writer, match: Match, version: number): void {
  if (version === 1) putOfp10Match(w, match);
  else if (version === 2) putOfp11Match(w, match);
  else putOxmMatch(w, match, version);
}

/** Reads the standard match structure of `version`, with its padding. */
export function readMatch(r: Reader, version: number, strict = true): Match {
  if (version === 1) return readOfp10Match(r);
  if (version === 2) return readOfp11Match(r);
  return readOxmMatch(r, strict);
}
