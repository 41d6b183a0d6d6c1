/**
 * The subtables of a table by falling priority, as look-ups and dumps go through them. Their order, and which of them a
 * bundle sees that has added to them, are the peer's, which users see in `dump-flows`; so this goes by the peer's way of
 * keeping them (checked with `ovs-ofctl bundle` and `dump-flows`, 3.1):
 *
 *     published  what is looked at; a new subtable of no higher priority than the last is put at its end, if there is room
 *     draft      a copy with SPARE more room, made for any other change, sorted (equal ones stay as they are) and
 *                looked at when it is published
 *
 * The room that is left is that of the copy before, which is why it is counted, though an array here grows by itself.
 */
import type { Subtable } from './subtable.js';

/** Room that a copy has beyond what is in it. */
const SPARE = 4;

/** Subtables and the priorities that they are sorted by: two arrays, as look-ups go through them for each packet. */
interface Order {
  readonly subtables: Subtable[];
  readonly priorities: number[];
  /** How many there can be. */
  room: number;
}

export class SubtableList {
  #published: Order = { subtables: [], priorities: [], room: SPARE };
  #draft: Order | undefined;

  /** What is looked at, with the priorities of each. */
  get subtables(): readonly Subtable[] {
    return this.#published.subtables;
  }
  get priorities(): readonly number[] {
    return this.#published.priorities;
  }

  /** Adds one that is not there. */
  add(subtable: Subtable, priority: number): void {
    const { subtables, priorities, room } = this.#published;
    const n = subtables.length;
    const isNext = n < room && (n === 0 || priority <= priorities[n - 1]!);
    const to = this.#draft === undefined && isNext ? this.#published : this.#drafted();
    if (to.subtables.length === to.room) to.room += SPARE;
    to.subtables.push(subtable);
    to.priorities.push(priority);
  }

  remove(subtable: Subtable): void {
    const { subtables, priorities } = this.#drafted();
    const at = subtables.indexOf(subtable);
    const last = { subtable: subtables.pop()!, priority: priorities.pop()! };
    if (at === subtables.length) return;
    subtables[at] = last.subtable;
    priorities[at] = last.priority;
  }

  change(subtable: Subtable, priority: number): void {
    const { subtables, priorities } = this.#draft ?? this.#published;
    const at = subtables.indexOf(subtable);
    const isInOrder =
      priority > priorities[at]!
        ? at === 0 || priority <= priorities[at - 1]!
        : at === priorities.length - 1 || priority >= priorities[at + 1]!;
    if (isInOrder) priorities[at] = priority;
    else this.#drafted().priorities[at] = priority;
  }

  /** From now on look-ups see all that was changed. */
  publish(): void {
    if (this.#draft === undefined) return;
    sort(this.#draft);
    this.#published = this.#draft;
    this.#draft = undefined;
  }

  #drafted(): Order {
    const { subtables, priorities } = this.#published;
    return (this.#draft ??= {
      subtables: subtables.slice(),
      priorities: priorities.slice(),
      room: subtables.length + SPARE,
    });
  }
}

/** Sorts by falling priority, equal ones as they are; most are where they belong, when there are few changes at a time. */
function sort({ subtables, priorities }: Order): void {
  for (let i = 1; i < priorities.length; i++) {
    const priority = priorities[i]!;
    if (priority <= priorities[i - 1]!) continue;
    // Behind those that are as high.
    let [from, to] = [0, i - 1];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (priorities[middle]! >= priority) from = middle + 1;
      else to = middle;
    }
    const [subtable] = subtables.splice(i, 1);
    subtables.splice(from, 0, subtable!);
    priorities.splice(i, 1);
    priorities.splice(from, 0, priority);
  }
}
