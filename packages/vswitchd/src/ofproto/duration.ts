/** How long a flow, a group or a meter has been there, as its statistics say it. */
export function durationSince(created: number, now: number): { durationSec: number; durationNsec: number } {
  const ms = Math.max(0, now - created);
  return { durationSec: Math.floor(ms / 1000), durationNsec: Math.floor(ms % 1000) * 1e6 };
}
