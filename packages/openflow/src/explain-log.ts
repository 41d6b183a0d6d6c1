/** Explanations in the logs of a program, of the modules and as often as the peer's programs tell them. */
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { type Explain, explanationKind, type ExplanationLevel, explanationText } from './explain.js';

const METHODS = { warn: 'warnRl', info: 'infoRl', dbg: 'dbgRl' } as const satisfies Record<
  ExplanationLevel,
  string
>;

/** Told by a module at once, and a minute: a stranger who sends nothing but rubbish does not fill the log. */
const BURST = 5;
const PER_MINUTE = 1;

/** Writes explanations to the log; a program needs one of these, since all that a module tells counts together. */
export function explainToLog(): Explain {
  const limits = new Map<string, RateLimit>();
  return (key, ...args) => {
    const { module, level, limit } = explanationKind(key, ...args);
    let bucket = limits.get(limit);
    if (!bucket) limits.set(limit, (bucket = new RateLimit(PER_MINUTE, BURST)));
    vlog(module)[METHODS[level]](bucket, () => explanationText(key, ...args));
  };
}
