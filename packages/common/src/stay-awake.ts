/**
 * Keeps the event loop from sleeping for a moment after something was answered.
 *
 * Who sends requests one by one, each when the last was answered, waits for two processes to be woken in turn: some 20 µs
 * each on a virtual machine, more than the work itself. A loop that looks for input again at once, for as long as the
 * next request takes to come, is not asleep when it does. `npm run bench:openflow`, "add-flows, switch of ours": 16
 * thousand flows/s without it, 34 with it, for less processor time, as waking has its cost too.
 *
 * Cost: a processor for up to `AWAKE_MS` after the last answer, and nothing in between. For a program that only waits for
 * one answer it does harm on a busy machine: it takes the processor from the one that is to answer.
 */
const AWAKE_MS = 0.1;

/**
 * What keeps a loop awake.
 * @param now ms of a monotonic clock.
 * @param soon calls a function when the loop has looked for input again, without sleeping before.
 * @returns to be called when something was answered and more is likely to come.
 */
export function wakefulness(now: () => number, soon: (look: () => void) => void): () => void {
  let until = 0;
  let isAwake = false;
  const look = (): void => {
    if (now() < until) soon(look);
    else isAwake = false;
  };
  return () => {
    until = now() + AWAKE_MS;
    if (isAwake) return;
    isAwake = true;
    soon(look);
  };
}

/** Something was answered: looks for more without sleeping, for up to `AWAKE_MS`. */
export const stayAwake = wakefulness(
  () => performance.now(),
  (look) => void setImmediate(look),
);
