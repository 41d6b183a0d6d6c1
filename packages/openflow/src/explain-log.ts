/** Explanations in the logs of a program, of the modules and as often as the peer's programs tell them. */
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { type Explain, explanationKind, type ExplanationLevel, explanationText } from './explain.js';

const METHODS = { warn: 'warnRl', info: 'infoRl', dbg: 'dbgRl' } as const satisfies Record<
  ExplanationLevel,
  string
>;

/** Told a minute of what counts together: a stranger who sends nothing but rubbish does not fill the log. */
const PER_MINUTE = 1;

/** Writes explanations to the log; a program needs one of these, since what it tells counts together. */
export function explainToLog(): Explain {
  const limits = new Map<string, RateLimit>();
  return (key, ...args) => {
    const { module, level, limit, burst, weight } = explanationKind(key, ...args);
    let bucket = limits.get(limit);
    if (!bucket) limits.set(limit, (bucket = new RateLimit(PER_MINUTE, burst)));
    const log = vlog(module);
    if (weight === 2 && !log.passes(bucket, level)) return;
    log[METHODS[level]](bucket, () => explanationText(key, ...args));
  };
}
