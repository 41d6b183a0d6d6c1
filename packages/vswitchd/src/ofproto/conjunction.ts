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
 * Priorities are tried from the highest down. Where the parts of a priority make no conjunction, what hides behind
 * them (the same match at a lower priority, which a look-up of the best rule per subtable does not see) takes their
 * place: further parts, or a plain rule that may beat `plain`.
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
  let candidates = parts.slice();
  for (;;) {
    const floor = best ? best.priority : -1;
    const priority = candidates.reduce((max, rule) => Math.max(max, rule.priority), floor);
    if (priority === floor) return best;
    const id = completeConjunction(candidates, priority);
    const rule = id === undefined ? null : lookupId(id);
    if (rule) return rule;
    const rest: ClassifierRule[] = [];
    for (const candidate of candidates) {
      const next = candidate.priority < priority ? candidate : candidate.hidden();
      if (!next) continue;
      if (next.conjunction !== null) rest.push(next);
      else if (!best || next.priority > best.priority) best = next;
    }
    candidates = rest;
  }
}

/** The conjunction of which the rules at this priority have every clause. */
function completeConjunction(rules: readonly ClassifierRule[], priority: number): number | undefined {
  const clauses = new Map<number, bigint>();
  for (const rule of rules) {
    if (rule.priority !== priority || !rule.conjunction) continue;
    for (const part of rule.conjunction) {
      const seen = (clauses.get(part.id) ?? 0n) | (1n << BigInt(part.clause));
      if (seen === (1n << BigInt(part.nClauses)) - 1n) return part.id;
      clauses.set(part.id, seen);
    }
  }
  return undefined;
}
