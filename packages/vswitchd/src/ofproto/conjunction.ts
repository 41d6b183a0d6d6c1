/**
 * Conjunctive matches (ovs-fields(7), "Conjunctive Match Fields"): flows whose only action is `conjunction(id, k/n)` are
 * alternatives of clause k. A packet that matches a flow of every clause, all at one priority, matches the flow on
 * `conj_id=id`.
 */
import type { ClassifierRule } from './subtable.js';

/** One part of a conjunctive match: clause `clause` (from 0) of `nClauses` of conjunction `id`. */
export interface ConjunctionPart {
  readonly id: number;
  readonly clause: number;
  readonly nClauses: number;
}

/**
 * The rule that a packet matches when both plain rules and parts of conjunctions match it.
 *
 * Priorities are tried from the highest down, and at each the conjunctions that are whole, until a flow is found by the id
 * of one. Where there is none, what hides behind the parts of the priority (the same match at a lower priority, which a
 * look-up of the best rule per subtable does not see) takes their place: further parts, or a plain rule that may beat
 * `plain`.
 *
 * @param plain the best rule that is no part of a conjunction.
 * @param parts the best rule of each subtable, where that is part of one.
 * @param lookupId the rule for the packet with that `conj_id`.
 */
export function resolveConjunctions(
  plain: ClassifierRule | null,
  parts: readonly ClassifierRule[],
  lookupId: (id: number) => ClassifierRule | null,
): ClassifierRule | null {
  let best = plain;
  let candidates: readonly (ClassifierRule | null)[] = parts;
  for (;;) {
    const above = keepAbove(best ? best.priority : -1, candidates);
    if (above.length === 0) return best;
    const priority = above.reduce((max, rule) => Math.max(max, rule.priority), 0);
    for (const id of wholeConjunctions(above.filter((rule) => rule.priority === priority))) {
      const rule = lookupId(id);
      if (rule) return rule;
    }
    candidates = above.map((rule) => {
      if (rule.priority !== priority) return rule;
      const next = rule.hidden();
      if (next === null || next.conjunction !== null) return next;
      if (!best || next.priority > best.priority) best = next;
      return null;
    });
  }
}

/**
 * The rules of a higher priority than that; the last takes the place of one that is not, and so comes earlier, as with the
 * peer.
 */
function keepAbove(priority: number, rules: readonly (ClassifierRule | null)[]): ClassifierRule[] {
  const kept: ClassifierRule[] = [];
  const rest = rules.slice();
  for (let i = 0; i < rest.length;) {
    const rule = rest[i]!;
    if (rule !== null && rule.priority > priority) {
      kept.push(rule);
      i++;
    } else {
      const last = rest.pop()!;
      if (i < rest.length) rest[i] = last;
    }
  }
  return kept;
}

/**
 * The conjunctions of which these rules, all of one priority, have every clause; each rule tells of one at most. Those of
 * more clauses than there are rules are left out: one flow is not several, even where it has parts of several clauses.
 */
function* wholeConjunctions(rules: readonly ClassifierRule[]): Generator<number> {
  const missing = new Map<number, bigint>();
  for (const { conjunction } of rules) {
    for (const { id, clause, nClauses } of conjunction!) {
      if (nClauses > rules.length) continue;
      // Where parts disagree on how many clauses there are, the first is believed.
      const left = (missing.get(id) ?? (1n << BigInt(nClauses)) - 1n) & ~(1n << BigInt(clause));
      missing.set(id, left);
      if (left !== 0n) continue;
      yield id;
      break;
    }
  }
}
