/**
 * Which flow of a table makes room for another (ovs-vswitchd.conf.db(5), Flow_Table): one with a timeout, of the group with the
 * most of them, that of least importance, and among those the one that expires first. When that is, is known to about a
 * second; of those that expire at one time the peer takes the first, and then the last that came, which follows from its
 * heaps, and these are the same.
 *
 * Timeouts run with traffic, but the heaps are only put in order again when a flow is asked for, once a second at most.
 */
import { fieldPrereqsMet, getField, mustField } from '@ovs-node/flow/fields';
import type { Subfield } from '@ovs-node/openflow/actions/types';
import { Heap, type HeapNode } from './heap.js';
import type { Rule } from './rule.js';

/** How old the order may be, ms. */
const REFRESH_MS = 1000;
/** ms in the unit of the time at which flows expire. */
const EXPIRY_UNIT = 1024;
/** More than the number of any time. */
const PER_IMPORTANCE = 2 ** 32;

/** Flows of one group. */
interface Group {
  readonly key: string;
  readonly flows: Heap<Rule>;
}

export class EvictionGroups {
  readonly #fields: readonly Subfield[];
  readonly #groups = new Map<string, HeapNode<Group>>();
  /** The biggest on top. */
  readonly #bySize = new Heap<Group>();
  readonly #flows = new Map<Rule, { readonly group: HeapNode<Group>; readonly node: HeapNode<Rule> }>();
  #refreshed = -Infinity;

  /** @param fields what flows of one group have in common. */
  constructor(fields: readonly Subfield[]) {
    this.#fields = fields;
  }

  /** A flow with a timeout has come, or a timeout to it; one without a timeout is none that may go. */
  add(rule: Rule): void {
    if ((rule.idleTimeout === 0 && rule.hardTimeout === 0) || this.#flows.has(rule)) return;
    const group = this.#group(rule);
    const { flows } = group.item;
    this.#flows.set(rule, { group, node: flows.add(rule, priorityOf(rule)) });
    this.#bySize.change(group, -flows.size);
  }

  remove(rule: Rule): void {
    const entry = this.#flows.get(rule);
    if (entry === undefined) return;
    const { group, node } = entry;
    const { key, flows } = group.item;
    this.#flows.delete(rule);
    flows.remove(node);
    if (flows.size > 0) {
      this.#bySize.change(group, -flows.size);
      return;
    }
    this.#groups.delete(key);
    this.#bySize.remove(group);
  }

  /** The flow that makes room first. */
  first(now: number): Rule | undefined {
    if (now >= this.#refreshed + REFRESH_MS) this.#refresh(now);
    return this.#bySize.first?.flows.first;
  }

  #refresh(now: number): void {
    this.#refreshed = now;
    for (const [rule, { node }] of this.#flows) node.priority = priorityOf(rule);
    for (const { item } of this.#groups.values()) item.flows.rebuild();
  }

  #group(rule: Rule): HeapNode<Group> {
    const key = this.#keyOf(rule);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = this.#bySize.add({ key, flows: new Heap() }, 0);
      this.#groups.set(key, group);
    }
    return group;
  }

  #keyOf(rule: Rule): string {
    if (this.#fields.length === 0) return '';
    const { key } = rule.match();
    return this.#fields
      .map(({ field: name, ofs, nBits }) => {
        const field = mustField(name);
        if (!fieldPrereqsMet(field, key)) return '';
        return (getField(key, field) >> BigInt(ofs)) & ((1n << BigInt(nBits)) - 1n);
      })
      .join();
  }
}

/** Low for those that make room first. */
function priorityOf({ importance, idleTimeout, hardTimeout, modified, used }: Rule): number {
  const hard = hardTimeout === 0 ? Infinity : modified + hardTimeout * 1000;
  const idle = idleTimeout === 0 ? Infinity : used + idleTimeout * 1000;
  return importance * PER_IMPORTANCE + Math.floor(Math.min(hard, idle) / EXPIRY_UNIT);
}
