/** Locks of RFC 7047 section 4.1.8: one owner and a queue per name. */

/** Who may hold locks. */
export interface LockHolder {
  notifyLock(method: 'locked' | 'stolen', name: string): void;
}

export class LockTable {
  readonly #queues = new Map<string, LockHolder[]>();

  /** Joins the queue at its end, or with `steal` at its head. True when the lock is the holder's now. */
  acquire(name: string, holder: LockHolder, steal: boolean): boolean {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = [];
      this.#queues.set(name, queue);
    }
    if (steal && queue.length > 0) {
      const victim = queue[0]!;
      queue.unshift(holder);
      victim.notifyLock('stolen', name);
      return true;
    }
    queue.push(holder);
    return queue.length === 1;
  }

  /** Leaves the queue; the next one becomes the owner and is told. */
  release(name: string, holder: LockHolder): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    const place = queue.indexOf(holder);
    if (place < 0) return;
    queue.splice(place, 1);
    if (queue.length === 0) this.#queues.delete(name);
    else if (place === 0) queue[0]!.notifyLock('locked', name);
  }

  /** Is this the owner? */
  holds(name: string, holder: LockHolder): boolean {
    return this.#queues.get(name)?.[0] === holder;
  }
}
