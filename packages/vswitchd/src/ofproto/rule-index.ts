/** Flows by what their actions name: a group, a meter. */
import type { Rule } from './rule.js';

/** The flows that name a number, and how often they do: one may name it several times. */
interface Users {
  readonly rules: Set<Rule>;
  references: number;
}

const NONE: ReadonlySet<Rule> = new Set();

export class RuleIndex {
  readonly #idsOf: (rule: Rule) => readonly number[];
  readonly #users = new Map<number, Users>();

  /** @param idsOf the numbers that a flow names; always the same for the same flow. */
  constructor(idsOf: (rule: Rule) => readonly number[]) {
    this.#idsOf = idsOf;
  }

  /** The flows that name `id`. One may be taken out while they are walked. */
  users(id: number): ReadonlySet<Rule> {
    return this.#users.get(id)?.rules ?? NONE;
  }

  /** How often flows name `id`. */
  references(id: number): number {
    return this.#users.get(id)?.references ?? 0;
  }

  add(rule: Rule): void {
    for (const id of this.#idsOf(rule)) {
      let users = this.#users.get(id);
      if (users === undefined) this.#users.set(id, (users = { rules: new Set(), references: 0 }));
      users.rules.add(rule);
      users.references++;
    }
  }

  remove(rule: Rule): void {
    for (const id of this.#idsOf(rule)) {
      const users = this.#users.get(id);
      if (users === undefined) continue;
      users.rules.delete(rule);
      users.references--;
      if (users.rules.size === 0) this.#users.delete(id);
    }
  }
}
