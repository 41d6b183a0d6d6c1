/** What a match says of one field, for programs that read packets' metadata and flows. */
import { getField, getMask, mustField } from '@ovs-node/flow/fields';
import type { Match } from '@ovs-node/flow/match';

/** The value of a field and which bits of it count; ports in 32 bits (`OFPP`). */
export interface MatchedValue {
  readonly value: bigint;
  readonly mask: bigint;
}

/**
 * What `match` asks of the field called `name` (ovs-fields(7): `in_port`, `dl_dst` or `eth_dst`, `reg0`, `tun_metadata3`,
 * …); undefined: nothing.
 *
 * @throws Error when there is no such field.
 */
export function matchedValue(match: Match, name: string): MatchedValue | undefined {
  const field = mustField(name === 'in_port' ? 'in_port_oxm' : name);
  if (field.option !== undefined) return match.tunMetadata?.find(({ index }) => index === field.option);
  const mask = getMask(match, field);
  return mask === 0n ? undefined : { value: getField(match.key, field), mask };
}

/** The port that a packet came in on, as packet-ins say it; undefined where the match does not say. */
export function inPortOf(match: Match): number | undefined {
  const port = matchedValue(match, 'in_port');
  return port && Number(port.value);
}
