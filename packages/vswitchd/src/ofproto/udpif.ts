/**
 * The shell around upcalls and revalidation of one backer: attaches to a datapath when there is one, and runs the
 * revalidator half a second after the last round, or at once when something changed.
 */
import type { Clock, Timer } from '@ovs-node/common/clock';
import { vlog } from '@ovs-node/common/vlog';
import { Act } from '@ovs-node/netlink/action-attrs';
import { NlReader } from '@ovs-node/netlink/attr';
import type { Dpif } from '../dpif/provider.js';
import type { Backer } from './backer.js';
import { Revalidator } from './revalidate.js';
import type { Ukey } from './ukey.js';
import { UpcallHandler } from './upcall.js';

const log = vlog('ofproto_dpif_upcall');
/** ms between rounds of the revalidator; `other_config:max-revalidator`. */
export const DEFAULT_MAX_REVALIDATOR = 500;

/**
 * ms from a change to the round that follows it. One change seldom comes alone, and most come from a packet (an address
 * learned) whose reply is on its way: the round would be in its way.
 */
const SETTLE_MS = 5;

export class Udpif {
  readonly backer: Backer;
  readonly ukeys = new Map<string, Ukey>();
  readonly upcalls: UpcallHandler;
  readonly revalidator: Revalidator;
  interval = DEFAULT_MAX_REVALIDATOR;
  private readonly clock: Clock;
  private timer: Timer | undefined = undefined;
  private due = Infinity;
  /** The delay that `timer` was set with. */
  private delay = Infinity;
  private running: Promise<void> | undefined = undefined;
  private again = false;
  private stopped = true;

  /**
   * One for a backer, from one datapath to the next.
   * @param maxIdleMs how long a datapath flow may be idle, as the database says now, if it does.
   */
  constructor(backer: Backer, clock: Clock, maxIdleMs?: () => number | undefined) {
    this.backer = backer;
    backer.udpif = this;
    this.clock = clock;
    this.upcalls = new UpcallHandler(backer, this.ukeys);
    this.revalidator = new Revalidator(backer, this.ukeys, this.upcalls, maxIdleMs);
    backer.onChange(() => this.schedule(SETTLE_MS));
  }

  /**
   * Begins to work with a datapath. What it has of flows is from an earlier run and is removed by the first round.
   * Rejects when upcalls cannot be received.
   */
  async attach(dpif: Dpif): Promise<void> {
    this.detach();
    this.backer.dpif = dpif;
    this.stopped = false;
    await this.avoidOldNumbers(dpif);
    await dpif.packets.start((upcalls) => this.upcalls.handle(upcalls, this.clock.now()));
    this.schedule(0);
  }

  /** Recirculation numbers that flows of an earlier run use are not given to other states while those flows live. */
  private async avoidOldNumbers(dpif: Dpif): Promise<void> {
    const reader = new NlReader();
    let highest = 0;
    for await (const batch of dpif.flows.dump()) {
      for (const { actions } of batch) {
        reader.reset(actions);
        while (reader.next()) if (reader.type === Act.RECIRC) highest = Math.max(highest, reader.u32());
      }
    }
    this.backer.recirc.startAfter(highest);
  }

  /** The same as `detach`. */
  stop(): void {
    this.detach();
  }

  /** The datapath is gone (or to be left alone): forgets its flows. */
  detach(): void {
    this.stopped = true;
    this.timer?.cancel();
    this.timer = undefined;
    this.due = Infinity;
    for (const ukey of this.ukeys.values()) this.upcalls.forget(ukey);
    this.backer.dpif = undefined;
  }

  /** Runs whole rounds until one has begun after the call: afterwards statistics and flows are up to date. */
  async wait(): Promise<void> {
    if (this.running) await this.running;
    await this.round();
  }

  /** Removes every datapath flow of ours. */
  async purge(): Promise<void> {
    const { dpif } = this.backer;
    if (dpif) await this.revalidator.purge(dpif, this.clock.now());
  }

  private schedule(delay: number): void {
    if (this.stopped) return;
    if (this.running) {
      if (delay <= SETTLE_MS) this.again = true;
      return;
    }
    // Most calls are of this kind, one for each flow that changes: they need not know the time.
    if (this.timer && this.delay <= delay) return;
    const at = this.clock.now() + delay;
    if (this.timer && this.due <= at) return;
    this.timer?.cancel();
    this.due = at;
    this.delay = delay;
    const begin = (): void => {
      this.timer = undefined;
      this.due = Infinity;
      void this.round();
    };
    // What has changed is seen to while time stands still, too: packets go on.
    this.timer = delay <= SETTLE_MS ? this.clock.soon(delay, begin) : this.clock.setTimer(delay, begin);
  }

  private round(): Promise<void> {
    if (this.running) return this.running;
    const { dpif } = this.backer;
    if (!dpif || this.stopped) return Promise.resolve();
    this.timer?.cancel();
    this.timer = undefined;
    this.due = Infinity;
    this.again = false;
    const done = this.revalidator
      .run(dpif, () => this.clock.now())
      .catch((error: unknown) => {
        if (!dpif.closed) {
          log.warn(
            `${this.backer.dpName}: dump of flows failed (${error instanceof Error ? error.message : String(error)})`,
          );
        }
      })
      .finally(() => {
        this.running = undefined;
        this.schedule(this.again ? 0 : this.interval);
      });
    this.running = done;
    return done;
  }
}
