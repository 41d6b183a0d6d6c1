/** Flows by what their actions name: a group, a meter. */
import type { Rule } from './rule.js';

const NONE: ReadonlySet<Rule> = new Set();

export class RuleIndex {
  readonly #idsOf: (rule: Rule) => readonly number[];
  readonly #users = new Map<number, Set<Rule>>();

  /** @param idsOf the numbers that a flow names; always the same for the same flow. */
  constructor(idsOf: (rule: Rule) => readonly number[]) {
    this.#idsOf = idsOf;
  }

  /** The flows that name `id`. One may be taken out while they are walked. */
  users(id: number): ReadonlySet<Rule> {
    return this.#users.get(id) ?? NONE;
  }

  add(rule: Rule): void {
    for (const id of this.#idsOf(rule)) {
      let users = this.#users.get(id);
      if (users === undefined) this.#users.set(id, (users = new Set()));
      users.add(rule);
    }
  }

  remove(rule: Rule): void {
    for (const id of this.#idsOf(rule)) {
      const users = this.#users.get(id);
      users?.delete(rule);
      if (users?.size === 0) this.#users.delete(id);
    }
  }
}
