/**
 * What a bridge of fail mode `standalone` does while none of its controllers can be reached: it becomes a learning
 * switch, by a flow above all others that controllers do not see, and stops being one when a controller governs it
 * again (ovs-vswitchd.conf.db(5), Bridge fail_mode).
 */
import { vlog } from '@ovs-node/common/vlog';
import { Match } from '@ovs-node/flow/match';
import { OFPP } from '@ovs-node/flow/ports';
import type { FailMode, Ofproto } from '../ofproto/ofproto.js';
import type { Rule } from '../ofproto/rule.js';

const log = vlog('fail_open');

/** Above what controllers can give a flow. */
const PRIORITY = 0xf0f0f0;
/** How long controllers may be away when none of them is probed, ms. */
const DEFAULT_PATIENCE_MS = 15_000;
const REMIND_MS = 60_000;

/** A connection to a controller, as far as this is concerned. */
export interface Governor {
  readonly isAdmitted: boolean;
  readonly config: { readonly probeIntervalMs: number };
  failureDuration(now: number): number;
}

export class FailOpen {
  readonly #ofproto: Ofproto;
  #rule: Rule | undefined;
  #reminded = 0;

  constructor(ofproto: Ofproto) {
    this.#ofproto = ofproto;
  }

  get isActive(): boolean {
    return this.#rule !== undefined;
  }

  /** Looks at the controllers; to be called about once a second and after each change. */
  run(mode: FailMode, governors: readonly Governor[], now: number): void {
    if (mode !== 'standalone' || governors.length === 0 || governors.some((each) => each.isAdmitted)) {
      this.#recover(now);
      return;
    }
    const away = Math.min(...governors.map((each) => each.failureDuration(now)));
    const probe = Math.max(...governors.map((each) => each.config.probeIntervalMs));
    if (away < (probe > 0 ? probe * 3 : DEFAULT_PATIENCE_MS)) return;
    const seconds = Math.floor(away / 1000);
    if (this.#rule === undefined) {
      log.warn(
        `Could not connect to controller (or switch failed controller's post-connection admission control policy) for ${seconds} seconds, failing open`,
      );
      this.#ofproto.flushFlows(now);
      this.#reminded = away;
      this.#enter(now);
    } else {
      // A change of the configuration takes all flows, this one too.
      if (this.#rule.removed) this.#enter(now);
      if (away > this.#reminded + REMIND_MS) {
        log.info(`Still in fail-open mode after ${seconds} seconds disconnected from controller`);
        this.#reminded = away;
      }
    }
  }

  #enter(now: number): void {
    const normal = { type: 'output', port: OFPP.NORMAL, maxLen: 0 } as const;
    this.#rule = this.#ofproto.addHiddenFlow(new Match(), PRIORITY, [normal], now);
  }

  #recover(now: number): void {
    const rule = this.#rule;
    this.#rule = undefined;
    if (rule === undefined) return;
    log.warn('No longer in fail-open mode');
    if (!rule.removed) this.#ofproto.delHiddenFlow(rule, now);
  }
}
