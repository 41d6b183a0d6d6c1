/** Matches in printed messages. */
import type { Match } from '@ovs-node/flow/match';
import { formatMatch } from '@ovs-node/flow/match-text';
import type { FormatContext } from '../actions/row.js';
import { colorMatch } from './color.js';

/** A match as `formatMatch` prints it, in front of it its priority where there is one, with colors where there are some. */
export function formatMatchIn(match: Match, { ports, colors }: FormatContext, priority?: number): string {
  const text = formatMatch(match, priority === undefined ? { ports } : { priority, ports });
  return colors === undefined ? text : colorMatch(text, colors);
}
