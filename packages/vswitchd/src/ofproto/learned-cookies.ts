/**
 * Which flows are there to stay only as long as others: those of a cookie in a table that `learn(...,delete_learned)`
 * adds go with the last flow that has such an action (ovs-actions(7)).
 */
import type { Rule } from './rule.js';

/** Where flows are learned. */
export interface LearnedCookie {
  readonly table: number;
  readonly cookie: bigint;
}

export class LearnedCookies {
  readonly #teachers = new Map<string, number>();
  #orphans = new Map<string, LearnedCookie>();

  add(rule: Rule): void {
    for (const { table, cookie } of rule.facts.taught) {
      const key = `${table}/${cookie}`;
      this.#teachers.set(key, (this.#teachers.get(key) ?? 0) + 1);
      this.#orphans.delete(key);
    }
  }

  remove(rule: Rule): void {
    for (const { table, cookie } of rule.facts.taught) {
      const key = `${table}/${cookie}`;
      const left = (this.#teachers.get(key) ?? 0) - 1;
      if (left > 0) this.#teachers.set(key, left);
      else {
        this.#teachers.delete(key);
        this.#orphans.set(key, { table, cookie });
      }
    }
  }

  /** Cookies that have lost their last teacher since this was last asked. */
  takeOrphans(): readonly LearnedCookie[] {
    if (this.#orphans.size === 0) return NONE;
    const orphans = [...this.#orphans.values()];
    this.#orphans = new Map();
    return orphans;
  }
}

const NONE: readonly LearnedCookie[] = [];
