/** A seeded source of choices, so that a run can be repeated: mulberry32. */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }
  /** The next 32 bits. */
  u32(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  /** 0 to n-1. */
  below(n: number): number {
    return this.u32() % n;
  }
  chance(p: number): boolean {
    return this.u32() / 0x100000000 < p;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  /** Numbers as protocols meet them: small, at the limits, anything. */
  bits(n: number): number {
    const max = n === 32 ? 0xffffffff : 2 ** n - 1;
    const kind = this.below(5);
    if (kind === 0) return 0;
    if (kind === 1) return Math.min(max, this.below(20));
    if (kind === 2) return max - this.below(3);
    return n === 32 ? this.u32() : this.u32() & max;
  }
  u64(): bigint {
    const kind = this.below(4);
    if (kind === 0) return BigInt(this.below(1000));
    if (kind === 1) return 0xffffffffffffffffn;
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }
  bytes(n: number): Uint8Array {
    return Uint8Array.from({ length: n }, () => this.u32() & 255);
  }
  many<T>(max: number, make: (i: number) => T): T[] {
    return Array.from({ length: this.below(max + 1) }, (_, i) => make(i));
  }
  /** Some of the bits of `mask`. */
  some(mask: number): number {
    return this.chance(0.2) ? mask : (this.u32() & mask) >>> 0;
  }
}
