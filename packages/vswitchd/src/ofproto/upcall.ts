/**
 * Upcalls: packets that no datapath flow matched, and packets that a flow sent here on purpose.
 *
 * A batch is handled in one go: every packet is translated, megaflows that are not there yet are installed, and then
 * all packets are executed, in their order. The datapath takes requests in the order they were made, so the packets
 * find their flows installed.
 */
import { FIELDS, getField, maskField, setField } from '@ovs-node/flow/fields';
import { CT, type FlowKey, newKey, VLAN_CFI, VLAN_VID, W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { NO_BUFFER } from '@ovs-node/openflow/messages/types';
import { completeMask, exactMask } from '@ovs-node/netlink/key';
import { formatDpActions } from '@ovs-node/netlink/text/actions-format';
import { errnoName } from '@ovs-node/common/errors';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import type { Execute, FlowPut, Upcall } from '../dpif/provider.js';
import type { Backer } from './backer.js';
import { continuationOf } from './resume.js';
import { thawMetadata } from './recirc.js';
import { LONG_KEY_WORDS, type TlvTable } from './tlv-table.js';
import { Ukey, megaflowId } from './ukey.js';
import { CookieType, type ControllerCookie, decodeCookie } from './user-cookie.js';
import { trace } from './trace.js';
import { clearConntrack } from './xlate/header.js';
import type { CacheEntry, XlateInput, XlateResult } from './xlate/context.js';
import { slowPathActions, translate } from './xlate/xlate.js';

const log = vlog('ofproto_dpif_upcall');
const rateLimit = new RateLimit(5, 5);
/** Of traces, which are long. */
const traceLimit = new RateLimit(1, 1);

/** The upcall side of a backer; `ukeys` and `flowLimit` are shared with the revalidator. */
export class UpcallHandler {
  private readonly backer: Backer;
  private readonly ukeys: Map<string, Ukey>;
  flowLimit = 10000;
  /** Off: datapath flows match one flow of packets each, for debugging. */
  megaflows = true;
  /** The OpenFlow key of the packet at hand. */
  private readonly flow = newKey();

  constructor(backer: Backer, ukeys: Map<string, Ukey>) {
    this.backer = backer;
    this.ukeys = ukeys;
  }

  /** Handles a batch. Requests to the datapath are made before it returns; their failures are logged. */
  handle(upcalls: readonly Upcall[], now: number): void {
    const { dpif } = this.backer;
    if (!dpif) return;
    const puts: FlowPut[] = [];
    const fresh: Ukey[] = [];
    const executions: Execute[] = [];
    for (const upcall of upcalls) {
      const cookie = upcall.type === 'action' ? decodeCookie(upcall.userdata) : undefined;
      if (upcall.type === 'action' && cookie === undefined) {
        log.warnRl(rateLimit, `invalid user cookie of ${upcall.userdata.length} bytes`);
        continue;
      }
      if (cookie?.type === CookieType.CONTROLLER) {
        this.toController(upcall, cookie);
        continue;
      }
      // Nothing is exported yet.
      if (cookie?.type === CookieType.FLOW_SAMPLE) continue;
      const at = this.backer.originOf(upcall.key);
      if (!at) {
        log.infoRl(rateLimit, `received packet on unassociated datapath port ${upcall.key[W.IN_PORT]}`);
        continue;
      }
      const flow = this.flow;
      flow.set(upcall.key);
      flow[W.IN_PORT] = at.ofport;
      const cache: CacheEntry[] = [];
      // Packets that a megaflow sends here are counted to it, and go from there to the flows that it came from.
      const [packets, bytes] = cookie === undefined ? [1, upcall.length] : [0, 0];
      const input = {
        ofproto: at.ofproto,
        flow,
        effects: { packets, bytes, used: now, tcpFlags: flow[W.ETH_TYPE]! & 0xfff },
        cache,
        trace: undefined,
        now,
        hasPacket: true,
      };
      // What the packet itself changes, as stations that it is heard from, its datapath flow has yet to hear of.
      const { sequence } = this.backer;
      const result = translate(input);
      if (result.error === 'depth' || result.error === 'resubmits') this.logTrace(input, upcall.packet);
      if (cookie !== undefined) this.backer.releaseLater(result.recircIds);
      else if (result.taught && this.backer.sequence !== sequence) {
        // Its datapath flow is that of the packets to come, which meet what it has taught.
        this.backer.releaseLater(result.recircIds);
        const later = { ...input, effects: undefined, cache: [], hasPacket: false };
        this.prepare(upcall, translate(later), later, this.backer.sequence, puts, fresh);
      } else this.prepare(upcall, result, input, sequence, puts, fresh);
      if (result.actions.length > 0) {
        const { packet, key, mru, recircs, hash } = upcall;
        executions.push({ packet, key, actions: result.actions, mru, recircs, hash });
      }
    }
    // The packets go first: somebody waits for them.
    if (executions.length > 0) {
      void dpif.packets.executeAll(executions).then((outcomes) => {
        for (const outcome of outcomes) {
          if (!outcome.ok && !dpif.closed)
            log.warnRl(
              rateLimit,
              `${this.backer.dpName}: failed to execute packet (${outcome.error.message})`,
            );
        }
      });
    }
    if (puts.length > 0) {
      void dpif.flows.putAll(puts).then((outcomes) => {
        outcomes.forEach((outcome, i) => {
          if (outcome.ok) return;
          const said = `${this.backer.dpName}: failed to put flow (${outcome.error.message})`;
          // Flows of one batch may overlap: the first will do.
          if (errnoName(outcome.error) === 'EEXIST') log.dbgRl(rateLimit, said);
          else if (!dpif.closed) log.warnRl(rateLimit, said);
          this.forget(fresh[i]!);
        });
      });
    }
  }

  /** Tells the log how flow tables that lead nowhere led there. */
  private logTrace({ ofproto, flow, now }: XlateInput, packet: Uint8Array): void {
    log.warnRl(traceLimit, () =>
      trace(ofproto, flow, { ctNext: [], packet, formatActions: (bytes) => formatDpActions(bytes), now }),
    );
  }

  /** Takes a flow out of our books, with what it held. */
  forget(ukey: Ukey): void {
    if (this.ukeys.get(ukey.id) !== ukey) return;
    this.ukeys.delete(ukey.id);
    this.backer.releaseLater(ukey.recircIds);
  }

  private prepare(
    upcall: Upcall,
    result: XlateResult,
    input: XlateInput & { readonly cache: readonly CacheEntry[] },
    sequence: number,
    puts: FlowPut[],
    fresh: Ukey[],
  ): void {
    const actions = result.slow === 0 ? result.actions : slowPathActions(input, result.slow);
    const mask = result.wc;
    const { key } = upcall;
    if (!this.megaflows) exactMask(key, mask);
    // As in the peer's userspace datapath, where the number of the VLAN always counts.
    else if (this.backer.type !== 'system' && (mask[W.VLAN0]! & 0xffff) === 0)
      mask[W.VLAN0]! |= VLAN_CFI | VLAN_VID;
    completeMask(key, mask);
    const id = megaflowId(key, mask);
    if (result.isUnique || this.ukeys.has(id.text) || this.ukeys.size >= this.flowLimit) {
      this.backer.releaseLater(result.recircIds);
      return;
    }
    const ukey = new Ukey(
      id,
      key,
      mask,
      { actions, slow: result.slow, cache: input.cache, recircIds: result.recircIds, sequence },
      input.now,
    );
    this.ukeys.set(ukey.id, ukey);
    fresh.push(ukey);
    // The key goes out whole; the mask says what of it counts.
    puts.push({ key, mask, actions, ufid: ukey.ufid, mode: 'create' });
  }

  private toController(upcall: Upcall, cookie: ControllerCookie): void {
    if (cookie.dontSend) return;
    const ofproto = this.backer.byUuid(cookie.ofproto);
    const state = this.backer.recirc.lookup(cookie.recircId);
    if (!ofproto || !state) return;
    const flow = new Uint32Array(LONG_KEY_WORDS);
    flow.set(upcall.key);
    thawMetadata(state, flow);
    // What a `ct` before has found out is for the table that it sends the packet to.
    if (!state.conntracked) clearConntrack(flow);
    ofproto.events.onPacketIn({
      packetIn: {
        bufferId: NO_BUFFER,
        totalLen: upcall.length,
        reason: cookie.reason,
        tableId: state.tableId,
        cookie: cookie.ruleCookie,
        match: metadataMatch(flow, ofproto.tables.tlv),
        // Whole: `max_len` is for packets that wait in a buffer, of which there are none (as in the peer).
        packet: upcall.packet.slice(),
        ...(state.userdata ? { userdata: state.userdata } : {}),
      },
      ...(cookie.isContinuation
        ? { continuation: continuationOf(ofproto, state, upcall.key[W.IN_PORT]!) }
        : {}),
      maxLen: cookie.maxLen,
      controllerId: cookie.controllerId,
    });
  }
}

/** The original direction of a tracked packet's connection, which is to be read by the Ethernet type. */
function takeTuple(flow: FlowKey, take: (word: number, bits?: number) => void): void {
  take(W.ETH_TYPE, 0xffff0000);
  const type = flow[W.ETH_TYPE]! >>> 16;
  const isKnown = (flow[W.CT_STATE]! & (CT.INV | CT.TRK)) === CT.TRK && flow[W.CT_ZONE]! << 24 !== 0;
  if (!isKnown || (type !== 0x0800 && type !== 0x86dd)) return;
  if (type === 0x0800) for (const w of [W.CT_NW_SRC, W.CT_NW_DST]) take(w);
  else for (let w = W.CT_IPV6_SRC; w < W.CT_IPV6_SRC + 8; w++) take(w);
  take(W.CT_ZONE, 0xff);
  take(W.CT_TP);
}

/** Of a tunnel, but for its options: each is told as a whole, or not at all. */
const TUNNEL_FIELDS = FIELDS.filter((f) => f.name.startsWith('tun_') && f.option === undefined);

/** The packet's metadata as a packet-in carries it: in_port, what is not zero of the rest, and the options there are. */
export function metadataMatch(flow: FlowKey, tlv: TlvTable): Match {
  const match = new Match();
  match.tunMetadata = tlv.options(flow);
  const take = (word: number, bits = 0xffffffff): void => {
    match.key[word]! |= flow[word]! & bits;
    match.mask[word]! |= bits;
  };
  take(W.IN_PORT);
  for (const f of TUNNEL_FIELDS) {
    const value = getField(flow, f);
    if (value === 0n) continue;
    setField(match.key, f, value);
    maskField(match.mask, f);
  }
  if (flow[W.METADATA] !== 0 || flow[W.METADATA + 1] !== 0) for (const w of [0, 1]) take(W.METADATA + w);
  for (let w = W.REG; w < W.ACTSET_OUTPUT; w++) if (flow[w] !== 0) take(w);
  if (flow[W.PKT_MARK] !== 0) take(W.PKT_MARK);
  if (flow[W.PACKET_TYPE] !== 0) take(W.PACKET_TYPE);
  if (flow[W.CT_STATE] !== 0) {
    take(W.CT_STATE);
    takeTuple(flow, take);
    if (flow[W.CT_ZONE]! >>> 16 !== 0) take(W.CT_ZONE, 0xffff0000);
    if (flow[W.CT_MARK] !== 0) take(W.CT_MARK);
    if ([0, 1, 2, 3].some((i) => flow[W.CT_LABEL + i] !== 0))
      for (let i = 0; i < 4; i++) take(W.CT_LABEL + i);
  }
  return match;
}
