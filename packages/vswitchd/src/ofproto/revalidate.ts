/**
 * The revalidator: goes through the datapath's flows, carries their statistics to the OpenFlow flows, removes what is
 * idle, not ours, or too much, and translates anew what may have changed.
 *
 * A round is one terse dump. Statistics are credited as deltas, so nothing is counted twice however often a flow is
 * seen; a flow's last delta comes with the answer to its deletion.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { newKey, W } from '@ovs-node/flow/layout';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import type { Dpif, FlowPut, FlowStats } from '../dpif/provider.js';
import type { Backer } from './backer.js';
import { credit } from './credit.js';
import { hasExtraBits, sameBytes, type Ukey, ufidText } from './ukey.js';
import type { UpcallHandler } from './upcall.js';
import type { CacheEntry } from './xlate/context.js';
import { slowPathActions, translate } from './xlate/xlate.js';

const log = vlog('ofproto_dpif_upcall');
const rateLimit = new RateLimit(5, 5);

/** ms without packets after which a flow goes; `other_config:max-idle`. */
export const DEFAULT_MAX_IDLE = 10000;
/** The same while there are more flows than the limit. */
const MAX_IDLE_CROWDED = 100;
/** Flows of a purge that are removed before all else that waits has its turn. */
const PURGE_PIECE = 500;

export interface RevalidateStats {
  /** Flows in the last dump. */
  flows: number;
  average: number;
  maximum: number;
  /** ms */
  dumpDuration: number;
}

export class Revalidator {
  private readonly backer: Backer;
  private readonly ukeys: Map<string, Ukey>;
  private readonly handler: UpcallHandler;
  readonly stats: RevalidateStats = { flows: 0, average: 0, maximum: 0, dumpDuration: 0 };
  private readonly maxIdleMs: (() => number | undefined) | undefined;
  private round = 0;
  /** The OpenFlow key of the flow at hand. */
  private readonly flow = newKey();

  /** @param maxIdleMs what the database says now, if it does. */
  constructor(
    backer: Backer,
    ukeys: Map<string, Ukey>,
    handler: UpcallHandler,
    maxIdleMs?: () => number | undefined,
  ) {
    this.backer = backer;
    this.ukeys = ukeys;
    this.handler = handler;
    this.maxIdleMs = maxIdleMs;
  }

  /** One round. Rejects when the datapath goes away under it. */
  async run(dpif: Dpif, now: () => number): Promise<void> {
    const round = ++this.round;
    const started = now();
    // Flows that exist now must be in the dump; those installed while it runs may be.
    const expected = [...this.ukeys.values()];
    let flows = 0;
    const limit = this.handler.flowLimit;
    const crowded = this.stats.flows > limit;
    const killAll = this.stats.flows > 2 * limit;
    const maxIdle = crowded ? MAX_IDLE_CROWDED : (this.maxIdleMs?.() ?? DEFAULT_MAX_IDLE);
    for await (const batch of dpif.flows.dump({ terse: true })) {
      const gone: { ufid: Uint8Array; ukey: Ukey | undefined }[] = [];
      const changed: FlowPut[] = [];
      for (const flow of batch) {
        flows++;
        if (!flow.ufid) continue;
        const ukey = this.ukeys.get(ufidText(flow.ufid));
        if (!ukey) {
          // Flows of an earlier run carry traffic until there are bridges to take it over.
          if (!this.backer.hasBridges) continue;
          gone.push({ ufid: flow.ufid, ukey });
          continue;
        }
        if (ukey.seen === round) continue;
        ukey.seen = round;
        const at = now();
        if (killAll || at - lastUse(ukey, flow.stats, at) > maxIdle || !this.recheck(ukey, at, changed)) {
          // What it has counted is told of when it is removed.
          gone.push({ ufid: flow.ufid, ukey });
        } else {
          this.update(ukey, flow.stats, at);
        }
      }
      if (changed.length > 0) await this.modify(dpif, changed);
      if (gone.length > 0) await this.remove(dpif, gone, now());
    }
    for (const ukey of expected) if (ukey.seen !== round) this.handler.forget(ukey);
    this.stats.flows = flows;
    this.stats.average = Math.floor((this.stats.average + flows) / 2);
    this.stats.maximum = Math.max(this.stats.maximum, flows);
    this.stats.dumpDuration = Math.max(1, Math.round(now() - started));
  }

  /** Removes every flow, with its last statistics credited. */
  async purge(dpif: Dpif, now: number): Promise<void> {
    const all = [...this.ukeys.values()];
    for (let at = 0; at < all.length; at += PURGE_PIECE) {
      if (at > 0) await nextTurn();
      // What has gone meanwhile may have come again.
      const flows = all.slice(at, at + PURGE_PIECE).filter((ukey) => this.ukeys.get(ukey.id) === ukey);
      await this.remove(
        dpif,
        flows.map((ukey) => ({ ufid: ukey.ufid, ukey })),
        now,
      );
    }
  }

  /** Credits what came in since the last time. */
  private update(ukey: Ukey, stats: FlowStats, now: number): void {
    const packets = stats.packets - ukey.packets;
    const bytes = stats.bytes - ukey.bytes;
    if (stats.idleMs >= 0) ukey.used = Math.max(ukey.used, now - stats.idleMs);
    ukey.tcpFlags |= stats.tcpFlags;
    ukey.packets = stats.packets;
    ukey.bytes = stats.bytes;
    if (packets <= 0) return;
    credit(
      ukey.cache,
      { packets, bytes: Math.max(0, bytes), used: ukey.used, tcpFlags: stats.tcpFlags },
      now,
    );
  }

  /**
   * Translates a flow anew when something changed since it was translated. Packets that are yet to be credited are so to
   * where they would go now, as in the peer.
   * @returns false when the flow must go; a flow that only needs other actions is added to `changed`.
   */
  private recheck(ukey: Ukey, now: number, changed: FlowPut[]): boolean {
    const { sequence } = this.backer;
    if (ukey.sequence === sequence) return true;
    const cache: CacheEntry[] = [];
    ukey.cache = cache;
    const at = this.backer.originOf(ukey.key);
    if (!at) return false;
    const { flow } = this;
    flow.set(ukey.key);
    flow[W.IN_PORT] = at.ofport;
    const input = {
      ofproto: at.ofproto,
      flow,
      effects: undefined,
      cache,
      trace: undefined,
      now,
      hasPacket: false,
    };
    const result = translate(input);
    const actions = result.slow === 0 ? result.actions : slowPathActions(input, result.slow);
    if (result.isUnique || hasExtraBits(result.wc, ukey.mask)) {
      for (const id of result.recircIds) this.backer.recirc.release(id);
      return false;
    }
    this.backer.releaseLater(ukey.recircIds);
    ukey.recircIds = result.recircIds;
    ukey.slow = result.slow;
    ukey.sequence = sequence;
    if (!sameBytes(actions, ukey.actions)) {
      ukey.actions = actions;
      changed.push({ key: ukey.key, actions, ufid: ukey.ufid, mode: 'modify' });
    }
    return true;
  }

  private async modify(dpif: Dpif, puts: readonly FlowPut[]): Promise<void> {
    const outcomes = await dpif.flows.putAll(puts);
    const failed: { ufid: Uint8Array; ukey: Ukey | undefined }[] = [];
    outcomes.forEach((outcome, i) => {
      if (outcome.ok || dpif.closed) return;
      log.warnRl(rateLimit, `${this.backer.dpName}: failed to modify flow (${outcome.error.message})`);
      const ufid = puts[i]!.ufid!;
      failed.push({ ufid, ukey: this.ukeys.get(ufidText(ufid)) });
    });
    if (failed.length > 0) await this.remove(dpif, failed, 0);
  }

  private async remove(
    dpif: Dpif,
    flows: readonly { ufid: Uint8Array; ukey: Ukey | undefined }[],
    now: number,
  ): Promise<void> {
    const outcomes = await dpif.flows.delAll(
      flows.map(({ ufid, ukey }) => ({ ufid, ...(ukey ? { key: ukey.key } : {}) })),
    );
    outcomes.forEach((outcome, i) => {
      const { ukey } = flows[i]!;
      if (!ukey) return;
      if (outcome.ok) this.update(ukey, outcome.value, now);
      this.handler.forget(ukey);
    });
  }
}

/** When the last packet of a flow came, or the flow itself, ms. */
function lastUse(ukey: Ukey, { idleMs }: FlowStats, now: number): number {
  const used = idleMs < 0 ? ukey.used : Math.max(ukey.used, now - idleMs);
  return used === 0 ? ukey.created : used;
}
