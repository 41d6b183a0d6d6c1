/**
 * Keeps the event loop from sleeping for a moment after something was answered.
 *
 * Who sends requests one by one, each when the last was answered, waits for two processes to be woken in turn: some 20 µs
 * each on a virtual machine, more than the work itself. A loop that looks for input again at once, for as long as the
 * next request takes to come, is not asleep when it does. `npm run bench:openflow`, "add-flows": 16 thousand flows/s
 * without it, XX with it.
 *
 * Cost: a processor for up to `AWAKE_MS` after the last answer, and nothing in between.
 */
const AWAKE_MS = 0.1;

let until = 0;
let isAwake = false;

function look(): void {
  if (performance.now() < until) setImmediate(look);
  else isAwake = false;
}

/** Something was answered, and more is likely to come: looks for it without sleeping, up to `AWAKE_MS`. */
export function stayAwake(): void {
  until = performance.now() + AWAKE_MS;
  if (isAwake) return;
  isAwake = true;
  setImmediate(look);
}
