/**
 * How many packets a controller gets in a second (Controller controller_rate_limit, controller_burst_limit): a bucket of
 * tokens, one to a packet, that fills at the rate and holds a burst. What finds none waits in a queue of its port; ports
 * take turns, and when as many wait as a burst holds the longest queue loses its oldest.
 *
 * As by the peer the bucket is only filled when it is empty: up to two bursts may go at once after a pause.
 */
import type { Clock, Timer } from '@ovs-node/common/clock';

export interface PacketLimits {
  /** Packets per second; 0: any number. */
  readonly rate: number;
  /** Packets at once; 0: a quarter of the rate. */
  readonly burst: number;
}

export class PacketLimiter<T> {
  /** How many found a token, had to wait, and were lost. */
  readonly counts = { bypassed: 0, queued: 0, dropped: 0 };
  readonly #clock: Clock;
  readonly #send: (packet: T) => void;
  #rate: number;
  #burst: number;
  #tokens = 0;
  #filled = -Infinity;
  /** What waits, by port; the first one has its turn next. */
  readonly #queues = new Map<number, T[]>();
  #timer: Timer | undefined;

  constructor(clock: Clock, limits: PacketLimits, send: (packet: T) => void) {
    this.#clock = clock;
    this.#send = send;
    this.#rate = limits.rate;
    this.#burst = burstOf(limits);
  }

  /** Takes over other limits; what waits and has no place any more is lost. */
  configure(limits: PacketLimits): void {
    this.#rate = limits.rate;
    this.#burst = burstOf(limits);
    while (this.backlog > this.#burst) this.#drop();
  }

  /** How many wait. */
  get backlog(): number {
    let sum = 0;
    for (const queue of this.#queues.values()) sum += queue.length;
    return sum;
  }

  /** Sends a packet that came in on a port, now or later. */
  offer(port: number, packet: T): void {
    if (this.#queues.size === 0 && this.#take()) {
      this.counts.bypassed++;
      this.#send(packet);
      return;
    }
    if (this.backlog >= this.#burst) this.#drop();
    this.counts.queued++;
    const queue = this.#queues.get(port);
    if (queue) queue.push(packet);
    else this.#queues.set(port, [packet]);
    this.#arm();
  }

  /** Forgets what waits. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#queues.clear();
  }

  #take(): boolean {
    if (this.#tokens < 1) {
      const now = this.#clock.now();
      this.#tokens = Math.min(this.#burst, this.#tokens + (this.#rate * (now - this.#filled)) / 1000);
      this.#filled = now;
    }
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #drop(): void {
    let longest: readonly [number, T[]] | undefined;
    for (const each of this.#queues) if (!longest || each[1].length > longest[1].length) longest = each;
    if (!longest) return;
    const [port, queue] = longest;
    queue.shift();
    if (queue.length === 0) this.#queues.delete(port);
    this.counts.dropped++;
  }

  #run(): void {
    this.#timer = undefined;
    for (const [port, queue] of this.#queues) {
      if (!this.#take()) break;
      // Behind the others, where this loop comes to it again.
      this.#queues.delete(port);
      const packet = queue.shift()!;
      if (queue.length > 0) this.#queues.set(port, queue);
      this.#send(packet);
    }
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#queues.size === 0) return;
    const wait = Math.ceil(((1 - this.#tokens) * 1000) / this.#rate);
    this.#timer = this.#clock.setTimer(Math.max(1, wait), () => this.#run());
  }
}

function burstOf({ rate, burst }: PacketLimits): number {
  return burst === 0 ? Math.floor(rate / 4) : burst;
}
