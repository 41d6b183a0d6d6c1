import { setLevels } from '@ovs-node/common/vlog';

/** Keeps what the log says of bad flows and messages out of a test's output. */
export function quietParsers(): void {
  for (const module of ['ofp_port', 'ofp_match', 'ofp_actions', 'meta_flow']) setLevels(module, null, 'off');
}
