/**
 * Flows by their whole cookies, for commands that name one (`cookie=X/-1`): those are carried out in the order in which the
 * peer's index has the flows, which shows in replies, in what is told of removals, and in which flow of equals is changed
 * last.
 *
 *     heads: cookie → oldest ⇄ newest ⇄ … ⇄ second
 *
 * A flow comes in behind the first one of its cookie, so the first stays that and the others go from new to old. When the
 * first leaves, the one behind it takes its place. Adding and removing is O(1); the links are in the flows.
 */
import type { Rule } from './rule.js';

export class CookieIndex {
  readonly #heads = new Map<bigint, Rule>();
  /** The first flow of the cookie that was last asked for: flows that come together mostly have one. */
  #last: Rule | undefined;

  add(rule: Rule): void {
    const head = this.#head(rule.cookie);
    if (head === undefined) {
      this.#heads.set(rule.cookie, rule);
      this.#last = rule;
      return;
    }
    const second = head.nextOfCookie;
    rule.nextOfCookie = second;
    rule.previousOfCookie = head;
    if (second !== null) second.previousOfCookie = rule;
    head.nextOfCookie = rule;
  }

  remove(rule: Rule): void {
    const { previousOfCookie: previous, nextOfCookie: next, cookie } = rule;
    if (next !== null) next.previousOfCookie = previous;
    if (previous !== null) previous.nextOfCookie = next;
    else {
      this.#last = undefined;
      if (next === null) this.#heads.delete(cookie);
      else this.#heads.set(cookie, next);
    }
    rule.previousOfCookie = null;
    rule.nextOfCookie = null;
  }

  /** Visits the flows of a cookie in order, which the visitor may not change. */
  forEach(cookie: bigint, visit: (rule: Rule) => void): void {
    for (let rule = this.#head(cookie) ?? null; rule !== null; rule = rule.nextOfCookie) visit(rule);
  }

  #head(cookie: bigint): Rule | undefined {
    if (this.#last === undefined || this.#last.cookie !== cookie) this.#last = this.#heads.get(cookie);
    return this.#last;
  }
}
