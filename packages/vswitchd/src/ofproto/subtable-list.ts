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

/** A subtable, and the priority that it is sorted by. */
interface Entry {
  readonly subtable: Subtable;
  priority: number;
}

interface Draft {
  entries: Entry[];
  room: number;
}

export class SubtableList {
  /** What is looked at: subtables and their priorities, two arrays as look-ups go through them for each packet. */
  subtables: Subtable[] = [];
  priorities: number[] = [];
  #room = SPARE;
  #draft: Draft | undefined;

  /** Adds one that is not there. */
  add(subtable: Subtable, priority: number): void {
    const { subtables, priorities } = this;
    const n = subtables.length;
    if (this.#draft === undefined && n < this.#room && (n === 0 || priority <= priorities[n - 1]!)) {
      subtables.push(subtable);
      priorities.push(priority);
      return;
    }
    const draft = this.#drafted();
    if (draft.entries.length === draft.room) draft.room += SPARE;
    draft.entries.push({ subtable, priority });
  }

  remove(subtable: Subtable): void {
    const { entries } = this.#drafted();
    const at = entries.findIndex((entry) => entry.subtable === subtable);
    const last = entries.pop()!;
    if (at < entries.length) entries[at] = last;
  }

  change(subtable: Subtable, priority: number): void {
    if (this.#draft === undefined) {
      const { priorities } = this;
      const at = this.subtables.indexOf(subtable);
      const isInOrder =
        priority > priorities[at]!
          ? at === 0 || priority <= priorities[at - 1]!
          : at === priorities.length - 1 || priority >= priorities[at + 1]!;
      if (isInOrder) {
        priorities[at] = priority;
        return;
      }
    }
    this.#drafted().entries.find((entry) => entry.subtable === subtable)!.priority = priority;
  }

  /** From now on look-ups see all that was changed. */
  publish(): void {
    if (this.#draft === undefined) return;
    const { entries, room } = this.#draft;
    entries.sort((a, b) => b.priority - a.priority);
    this.subtables = entries.map((entry) => entry.subtable);
    this.priorities = entries.map((entry) => entry.priority);
    this.#room = room;
    this.#draft = undefined;
  }

  #drafted(): Draft {
    return (this.#draft ??= {
      entries: this.subtables.map((subtable, i) => ({ subtable, priority: this.priorities[i]! })),
      room: this.subtables.length + SPARE,
    });
  }
}
