/** Drops by cause as coverage counters of the datapath's thread: `coverage/show`, `coverage/read-counter`. */

import { Coverage } from '@ovs-node/common/coverage';
import type { DatapathCore } from '../core/core.js';
import { DropCounters } from '../core/drops.js';

const CAUSES = Object.keys(new DropCounters()) as (keyof DropCounters)[];

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export class DropCoverage {
  readonly #core: DatapathCore;
  readonly #coverage = new Coverage();
  readonly #counters = CAUSES.map((cause) => this.#coverage.counter(`drop_${snake(cause)}`));
  /** What has been counted of each datapath: one that goes leaves its part in the totals. */
  readonly #counted = new WeakMap<DropCounters, DropCounters>();
  #now = 0;

  constructor(core: DatapathCore) {
    this.#core = core;
  }

  /** Takes what samples are due; called at least every few seconds. `now` in ms. */
  sample(now: number): void {
    this.#now = now;
    this.#sum();
    this.#coverage.sample(now);
  }

  #sum(): void {
    for (const { drops } of this.#core.byIndex.values()) {
      let counted = this.#counted.get(drops);
      if (counted === undefined) this.#counted.set(drops, (counted = new DropCounters()));
      for (const [i, cause] of CAUSES.entries()) {
        this.#counters[i]!.total += drops[cause] - counted[cause];
        counted[cause] = drops[cause];
      }
    }
  }

  /** The reply of `coverage/show`. */
  show(): string {
    this.sample(this.#now);
    return this.#coverage.show();
  }

  /** The reply of `coverage/read-counter`. @throws Error for a name that is no counter's. */
  read(name: string): string {
    this.#sum();
    return this.#coverage.read(name);
  }
}
