/**
 * A bounded first-in first-out queue of netlink messages. A message that would go beyond either bound is refused and
 * counted in `lost`; the queue never drops what it accepted. Each message is padded to 4 bytes when taken, so that
 * several can be handed over in one buffer.
 */
export class MessageQueue {
  /** Messages refused. */
  lost = 0;
  bytes = 0;
  private items: Uint8Array[] = [];
  private head = 0;
  private readonly maxMessages: number;
  private readonly maxBytes: number;

  constructor(maxMessages: number, maxBytes: number) {
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
  }

  get length(): number {
    return this.items.length - this.head;
  }

  /** Whether a message of `size` bytes would be taken now. Counts nothing. */
  accepts(size: number): boolean {
    return this.length < this.maxMessages && this.bytes + size <= this.maxBytes;
  }

  /** Queues `message`, which now belongs to the queue; false when it did not fit. */
  push(message: Uint8Array): boolean {
    if (!this.accepts(message.length)) {
      this.lost++;
      return false;
    }
    this.items.push(message);
    this.bytes += message.length;
    return true;
  }

  /** Removes and returns messages of together at most `maxBytes`, at least one; empty when the queue is. */
  take(maxBytes: number): Uint8Array {
    const first = this.head;
    let size = 0;
    while (this.head < this.items.length) {
      const next = (this.items[this.head].length + 3) & ~3;
      if (this.head > first && size + next > maxBytes) break;
      size += next;
      this.head++;
    }
    let out: Uint8Array;
    if (this.head === first + 1 && (this.items[first].length & 3) === 0) out = this.items[first];
    else {
      out = new Uint8Array(size);
      for (let i = first, at = 0; i < this.head; i++) {
        out.set(this.items[i], at);
        at += (this.items[i].length + 3) & ~3;
      }
    }
    for (let i = first; i < this.head; i++) this.bytes -= this.items[i].length;
    if (this.head === this.items.length) {
      this.items = [];
      this.head = 0;
    } else if (this.head > 1024) {
      this.items.splice(0, this.head);
      this.head = 0;
    }
    return out;
  }

  clear(): void {
    this.items = [];
    this.head = 0;
    this.bytes = 0;
  }
}
