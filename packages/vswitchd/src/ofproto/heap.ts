/**
 * A binary heap: what has the lowest priority is on top. Of equals, the one that came first stays on top until it is taken out;
 * then the last in the array takes its place, and stays.
 */

/** The place of an item in a heap. */
export interface HeapNode<T> {
  readonly item: T;
  priority: number;
  /** Where it is in the array. */
  at: number;
}

export class Heap<T> {
  readonly #nodes: HeapNode<T>[] = [];

  get size(): number {
    return this.#nodes.length;
  }

  /** What is on top. */
  get first(): T | undefined {
    return this.#nodes[0]?.item;
  }

  add(item: T, priority: number): HeapNode<T> {
    const node = { item, priority, at: this.size };
    this.#nodes.push(node);
    this.#rise(node);
    return node;
  }

  remove(node: HeapNode<T>): void {
    const last = this.#nodes.pop()!;
    if (last === node) return;
    this.#put(last, node.at);
    this.#rise(last);
    this.#sink(last);
  }

  change(node: HeapNode<T>, priority: number): void {
    node.priority = priority;
    this.#rise(node);
    this.#sink(node);
  }

  /** Puts the nodes in order again, of which any may have got another priority. */
  rebuild(): void {
    for (let at = (this.size >> 1) - 1; at >= 0; at--) this.#sink(this.#nodes[at]!);
  }

  #put(node: HeapNode<T>, at: number): void {
    this.#nodes[at] = node;
    node.at = at;
  }

  #swap(a: HeapNode<T>, b: HeapNode<T>): void {
    const { at } = a;
    this.#put(a, b.at);
    this.#put(b, at);
  }

  #rise(node: HeapNode<T>): void {
    while (node.at > 0) {
      const parent = this.#nodes[(node.at - 1) >> 1]!;
      if (parent.priority <= node.priority) return;
      this.#swap(node, parent);
    }
  }

  #sink(node: HeapNode<T>): void {
    for (;;) {
      let least = node;
      for (const at of [2 * node.at + 1, 2 * node.at + 2]) {
        const child = this.#nodes[at];
        if (child !== undefined && child.priority < least.priority) least = child;
      }
      if (least === node) return;
      this.#swap(node, least);
    }
  }
}
