/**
 * Coverage counters: how often an event happened in this thread, and how often of late (ovs-vswitchd(8), "Coverage
 * Commands"). Named as the peer names them.
 *
 *     const flowPut = coverageCounter('dpif_flow_put');
 *     flowPut.total++;
 *
 * Counting is one addition to a field, so that it may stand anywhere. Rates come from samples, taken every five seconds:
 * twelve of them are the last minute, sixty minutes the last hour; a ring of each per counter.
 */

/** One counter. */
export interface CoverageCounter {
  readonly name: string;
  /** Events so far. Users add to it. */
  total: number;
}

/** Between samples, ms. */
export const SAMPLE_MS = 5000;
const SAMPLES_PER_MINUTE = 12;
const MINUTES_PER_HOUR = 60;

class Counter implements CoverageCounter {
  readonly name: string;
  total = 0;
  /** The total of the last sample. */
  seen = 0;
  readonly samples = new Float64Array(SAMPLES_PER_MINUTE);
  readonly minutes = new Float64Array(MINUTES_PER_HOUR);

  constructor(name: string) {
    this.name = name;
  }
}

const sum = (ring: Float64Array): number => ring.reduce((total, each) => total + each, 0);

/** The counters of a thread. Takes `now`, in ms of a clock that does not jump. */
export class Coverage {
  readonly #counters = new Map<string, Counter>();
  #next: number | undefined;
  #sample = SAMPLES_PER_MINUTE - 1;
  #minute = 0;

  /** The counter of that name, made where there is none. */
  counter(name: string): CoverageCounter {
    let counter = this.#counters.get(name);
    if (counter === undefined) this.#counters.set(name, (counter = new Counter(name)));
    return counter;
  }

  /** Takes the samples that are due; the first call only starts the clock. */
  sample(now: number): void {
    this.#next ??= now + SAMPLE_MS;
    // A process that stood still has nothing to tell of an hour ago.
    const most = SAMPLES_PER_MINUTE * MINUTES_PER_HOUR;
    this.#next = Math.max(this.#next, now - most * SAMPLE_MS);
    for (; now >= this.#next; this.#next += SAMPLE_MS) this.#take();
  }

  #take(): void {
    this.#sample = (this.#sample + 1) % SAMPLES_PER_MINUTE;
    const isNewMinute = this.#sample === 0;
    if (isNewMinute) this.#minute = (this.#minute + 1) % MINUTES_PER_HOUR;
    for (const counter of this.#counters.values()) {
      const events = counter.total - counter.seen;
      counter.seen = counter.total;
      counter.samples[this.#sample] = events;
      if (isNewMinute) counter.minutes[this.#minute] = 0;
      counter.minutes[this.#minute]! += events;
    }
  }

  /** The reply of `coverage/show`: counters of events that happened, in the order in which they were made. */
  show(): string {
    const hit = [...this.#counters.values()].filter(({ total }) => total > 0);
    let text = `Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=${hashOf(hit)}:\n`;
    for (const { name, total, samples, minutes } of hit) {
      const fiveSeconds = (samples[this.#sample]! / 5).toFixed(1).padStart(5);
      const minute = (sum(samples) / 60).toFixed(3).padStart(9);
      const hour = (sum(minutes) / 3600).toFixed(4).padStart(13);
      text += `${name.padEnd(24)} ${fiveSeconds}/sec ${minute}/sec ${hour}/sec   total: ${total}\n`;
    }
    return `${text}${this.#counters.size - hit.length} events never hit\n`;
  }

  /** The reply of `coverage/read-counter`. @throws Error for a name that is no counter's. */
  read(name: string): string {
    const counter = this.#counters.get(name);
    if (counter === undefined) throw new Error('No such counter');
    return `${counter.total}\n`;
  }
}

/** The same for loads that are alike: of the names, and of how many digits the counts have in binary (FNV-1a). */
function hashOf(counters: readonly Counter[]): string {
  let hash = 0x811c9dc5;
  for (const { name, total } of counters) {
    for (const byte of Buffer.from(`${name} ${total.toString(2).length};`)) {
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** This thread's counters. */
export const coverage = new Coverage();

/** A counter of this thread, for the life of the process. */
export function coverageCounter(name: string): CoverageCounter {
  return coverage.counter(name);
}
