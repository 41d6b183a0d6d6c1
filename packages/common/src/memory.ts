/** memory/show, and what a daemon logs of its memory (ovs-vswitchd(8), "Memory Commands"). */

/** Adds what a part of the daemon holds: `add('rules', 5)`. Counts of one name are added up. */
export type MemoryReporter = (add: (name: string, count: number) => void) => void;

const reporters = new Set<MemoryReporter>();

/** Asks `reporter` whenever usage is shown. @returns what ends that. */
export function reportMemory(reporter: MemoryReporter): () => void {
  reporters.add(reporter);
  return () => reporters.delete(reporter);
}

/** One line, without its newline: `handlers:1 ports:1 rules:5`; empty when there is nothing to tell. */
export function memoryUsage(): string {
  const usage = new Map<string, number>();
  for (const reporter of reporters) {
    reporter((name, count) => usage.set(name, (usage.get(name) ?? 0) + count));
  }
  return [...usage]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name}:${count}`)
    .join(' ');
}

/** When memory use is first told, ms after the start; and how often it is looked at from then on. */
export const MEMORY_CHECK_MS = 10_000;
/** By how much it has to grow to be told again. */
const GROWTH = 1.5;

/** What to log of a process's memory. Takes `now`, in ms since the process began. */
export class MemoryWatch {
  #toldAt: number | undefined;
  #toldKb = 0;

  /**
   * Called every ten seconds.
   *
   * @param peakKb the peak resident set size so far, kB.
   * @returns the line to log, or null.
   */
  check(now: number, peakKb: number): string | null {
    const seconds = (ms: number): string => (ms / 1000).toFixed(1);
    const [beforeKb, before] = [this.#toldKb, this.#toldAt];
    if (before !== undefined && peakKb < beforeKb * GROWTH) return null;
    this.#toldAt = now;
    this.#toldKb = peakKb;
    if (before === undefined) return `${peakKb} kB peak resident set size after ${seconds(now)} seconds`;
    const percent = ((peakKb / beforeKb - 1) * 100).toFixed(0);
    return `peak resident set size grew ${percent}% in last ${seconds(now - before)} seconds, from ${beforeKb} kB to ${peakKb} kB`;
  }
}
