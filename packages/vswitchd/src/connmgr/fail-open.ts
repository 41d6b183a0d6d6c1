/**
 * What a bridge of fail mode `standalone` does while none of its controllers can be reached: it becomes a learning
 * switch, by a flow above all others that controllers do not see, and stops being one when a controller governs it
 * again (ovs-vswitchd.conf.db(5), Bridge fail_mode).
 */
import { randomBytes } from 'node:crypto';
import { vlog } from '@ovs-node/common/vlog';
import { W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { OFPP } from '@ovs-node/flow/ports';
import { NO_BUFFER, type PacketIn, PR } from '@ovs-node/openflow/messages/types';
import type { FailMode, Ofproto } from '../ofproto/ofproto.js';
import type { Rule } from '../ofproto/rule.js';
import { probeInterval } from './remote.js';

const log = vlog('fail_open');

/** Above what controllers can give a flow. */
const PRIORITY = 0xf0f0f0;
/** How long controllers may be away when none of them is probed, ms: not at all, but the peer counts in seconds. */
const UNPROBED_PATIENCE_MS = 1000;
const REMIND_MS = 60_000;
/** How often a connected controller is given a packet, which to answer shows that it governs the switch. */
const PROVOKE_MS = 2000;

/** A connection to a controller, as far as this is concerned. */
export interface Governor {
  readonly isConnected: boolean;
  readonly isAdmitted: boolean;
  readonly config: { readonly probeIntervalMs: number };
  failureDuration(now: number): number;
}

export class FailOpen {
  readonly #ofproto: Ofproto;
  #rule: Rule | undefined;
  readonly #provoke: (packetIn: PacketIn) => void;
  #reminded = 0;
  #provokeAt: number | undefined;

  /** @param provoke gives controllers a packet as of a table miss. */
  constructor(ofproto: Ofproto, provoke: (packetIn: PacketIn) => void) {
    this.#ofproto = ofproto;
    this.#provoke = provoke;
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
    const probe = Math.max(...governors.map((each) => probeInterval(each.config.probeIntervalMs)));
    if (away < (probe > 0 ? probe * 3 : UNPROBED_PATIENCE_MS)) return;
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
    this.#provokeIfDue(
      governors.some((each) => each.isConnected),
      now,
    );
  }

  #provokeIfDue(isConnected: boolean, now: number): void {
    if (!isConnected) {
      this.#provokeAt = undefined;
    } else if (this.#provokeAt === undefined) {
      this.#provokeAt = now + PROVOKE_MS;
    } else if (now >= this.#provokeAt) {
      this.#provokeAt = now + PROVOKE_MS;
      this.#provoke(announcement());
    }
  }

  #enter(now: number): void {
    const normal = { type: 'output', port: OFPP.NORMAL, maxLen: 0 } as const;
    this.#rule = this.#ofproto.addHiddenFlow(new Match(), PRIORITY, [normal], now);
  }

  #recover(now: number): void {
    const rule = this.#rule;
    this.#rule = undefined;
    this.#provokeAt = undefined;
    if (rule === undefined) return;
    log.warn('No longer in fail-open mode');
    if (!rule.removed) this.#ofproto.delHiddenFlow(rule, now);
  }
}

/** A RARP packet from the local port and an address that nobody has: harmless, and new to any controller. */
function announcement(): PacketIn {
  const mac = Uint8Array.of(0x00, 0x23, 0x20, ...randomBytes(3));
  // Ethernet/IPv4, 6- and 4-byte addresses, request reverse (RFC 903).
  const header = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...mac, 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3];
  const packet = Uint8Array.of(...header, ...mac, 0, 0, 0, 0, ...mac, 0, 0, 0, 0);
  const match = new Match();
  match.key[W.IN_PORT] = OFPP.LOCAL;
  match.mask[W.IN_PORT] = 0xffffffff;
  return {
    bufferId: NO_BUFFER,
    totalLen: packet.length,
    reason: PR.NO_MATCH,
    tableId: 0,
    cookie: 0n,
    match,
    packet,
  };
}
