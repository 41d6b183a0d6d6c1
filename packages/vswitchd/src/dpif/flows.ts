/** The flows facet: ovs_flow requests. */
import { coverageCounter } from '@ovs-node/common/coverage';
import { randomFillSync } from 'node:crypto';
import { NlReader, type NlWriter } from '@ovs-node/netlink/attr';
import { FLOW_ATTRS, Family, FamilyVersion, FlowCmd, UfidFlag } from '@ovs-node/netlink/families';
import { type KeyEncoding, encodeKey, encodeMask, keyOf } from '@ovs-node/netlink/key';
import { type MsgReader, NlFlag } from '@ovs-node/netlink/messages';
import type { DpFlow, DpifFlows, FlowPut, FlowRef, FlowStats, KeyInput, Outcome } from './provider.js';
import { type NetlinkSession, type RequestHead, errnoError, nextOfDump } from './session.js';

const EMPTY = new Uint8Array(0);
const A = {
  KEY: FLOW_ATTRS.KEY.code,
  MASK: FLOW_ATTRS.MASK.code,
  ACTIONS: FLOW_ATTRS.ACTIONS.code,
  STATS: FLOW_ATTRS.STATS.code,
  TCP_FLAGS: FLOW_ATTRS.TCP_FLAGS.code,
  USED: FLOW_ATTRS.USED.code,
  UFID: FLOW_ATTRS.UFID.code,
  UFID_FLAGS: FLOW_ATTRS.UFID_FLAGS.code,
  CLEAR: FLOW_ATTRS.CLEAR.code,
  PROBE: FLOW_ATTRS.PROBE.code,
} as const;

const pool = new Uint8Array(16 * 256);
let poolAt = pool.length;

const flowPut = coverageCounter('dpif_flow_put');
const flowDel = coverageCounter('dpif_flow_del');
const flowGet = coverageCounter('dpif_flow_get');
const flowFlush = coverageCounter('dpif_flow_flush');

/** A fresh unique flow identifier: 16 random bytes. */
export function newUfid(): Uint8Array {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  const ufid = pool.slice(poolAt, poolAt + 16);
  poolAt += 16;
  return ufid;
}

/** Appends a key, in either of its forms, as the nested attribute `code`. */
export function putKey(w: NlWriter, code: number, key: KeyInput, encoding: KeyEncoding): void {
  if (key instanceof Uint8Array) {
    w.putBytes(code, key);
    return;
  }
  const mark = w.startNested(code);
  encodeKey(w, key, encoding);
  w.endNested(mark);
}

function putMask(w: NlWriter, mask: KeyInput, key: KeyInput, encoding: KeyEncoding): void {
  if (mask instanceof Uint8Array) {
    w.putBytes(A.MASK, mask);
    return;
  }
  const mark = w.startNested(A.MASK);
  encodeMask(w, key instanceof Uint8Array ? keyOf(key) : key, mask, encoding);
  w.endNested(mark);
}

/** Decodes the flow message at which `msg` stands. Byte arrays are views of the message, which is nobody else's. */
export function flowOf(msg: MsgReader, now: number): DpFlow {
  const r = new NlReader(msg.buf, msg.attrs, msg.end);
  let ufid: Uint8Array | undefined;
  let keyAttrs: Uint8Array = EMPTY;
  let maskAttrs: Uint8Array | undefined;
  let actions: Uint8Array = EMPTY;
  let packets = 0;
  let bytes = 0;
  let idleMs = -1;
  let tcpFlags = 0;
  while (r.next()) {
    switch (r.type) {
      case A.KEY:
        keyAttrs = r.bytes();
        break;
      case A.MASK:
        maskAttrs = r.bytes();
        break;
      case A.ACTIONS:
        actions = r.bytes();
        break;
      case A.UFID:
        ufid = r.bytes();
        break;
      case A.STATS:
        if (r.length === 16) {
          packets = r.u64n(0);
          bytes = r.u64n(8);
        }
        break;
      case A.TCP_FLAGS:
        if (r.length >= 1) tcpFlags = r.length >= 2 ? r.be16() : r.u8();
        break;
      case A.USED:
        if (r.length === 8) idleMs = Math.max(0, Math.trunc(now) - r.u64n());
        break;
    }
  }
  if (r.malformed) throw errnoError(71, 'malformed flow message');
  return { ufid, keyAttrs, maskAttrs, actions, stats: { packets, bytes, idleMs, tcpFlags } };
}

async function outcome<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    return { ok: false, error: error as Error };
  }
}

export class Flows implements DpifFlows {
  readonly #session: NetlinkSession;
  readonly #index: number;
  readonly #encoding: KeyEncoding;
  readonly #now: () => number;

  /** `now` is the clock of OVS_FLOW_ATTR_USED. */
  constructor(session: NetlinkSession, index: number, encoding: KeyEncoding, now: () => number) {
    this.#session = session;
    this.#index = index;
    this.#encoding = encoding;
    this.#now = now;
  }

  #head(cmd: number, flags = 0): RequestHead {
    return { type: Family.FLOW, cmd, version: FamilyVersion.FLOW, dpIfindex: this.#index, flags };
  }

  async put(flow: FlowPut): Promise<void> {
    flowPut.total++;
    // As the kernel has it: SET wants the flow to exist; NEW with NLM_F_CREATE wants it not to; NEW alone takes either.
    const cmd = flow.mode === 'modify' ? FlowCmd.SET : FlowCmd.NEW;
    await this.#session.transact(this.#head(cmd, flow.mode === 'create' ? NlFlag.CREATE : 0), (w) => {
      if (flow.ufid !== undefined) w.putBytes(A.UFID, flow.ufid);
      putKey(w, A.KEY, flow.key, this.#encoding);
      if (flow.mask !== undefined) putMask(w, flow.mask, flow.key, this.#encoding);
      if (flow.actions !== undefined || flow.mode !== 'modify') w.putBytes(A.ACTIONS, flow.actions ?? EMPTY);
      if (flow.clear) w.putFlag(A.CLEAR);
      if (flow.probe) w.putFlag(A.PROBE);
    });
  }

  putAll(flows: readonly FlowPut[]): Promise<Outcome<void>[]> {
    return Promise.all(flows.map((flow) => outcome(this.put(flow))));
  }

  #name(w: NlWriter, flow: FlowRef): void {
    if (flow.ufid !== undefined) w.putBytes(A.UFID, flow.ufid);
    if (flow.key !== undefined) putKey(w, A.KEY, flow.key, this.#encoding);
  }

  async del(flow: FlowRef): Promise<FlowStats> {
    flowDel.total++;
    // The reply to DEL is the flow as it was; key, mask and actions are of no interest here.
    const msg = await this.#session.transact(this.#head(FlowCmd.DEL, NlFlag.ECHO), (w) => {
      this.#name(w, flow);
      if (flow.ufid !== undefined) w.putU32(A.UFID_FLAGS, TERSE);
    });
    if (msg === null) return { packets: 0, bytes: 0, idleMs: -1, tcpFlags: 0 };
    return flowOf(msg, this.#now()).stats;
  }

  delAll(flows: readonly FlowRef[]): Promise<Outcome<FlowStats>[]> {
    return Promise.all(flows.map((flow) => outcome(this.del(flow))));
  }

  async get(flow: FlowRef): Promise<DpFlow> {
    flowGet.total++;
    return flowOf(
      await this.#session.query(this.#head(FlowCmd.GET), (w) => this.#name(w, flow)),
      this.#now(),
    );
  }

  async *dump(options: { readonly terse?: boolean } = {}): AsyncGenerator<DpFlow[]> {
    const parts = this.#session.dump(this.#head(FlowCmd.GET), (w) => {
      if (options.terse) w.putU32(A.UFID_FLAGS, TERSE);
    });
    for await (const part of parts) {
      const now = this.#now();
      const flows: DpFlow[] = [];
      while (nextOfDump(part)) flows.push(flowOf(part, now));
      if (flows.length > 0) yield flows;
    }
  }

  async flush(): Promise<void> {
    flowFlush.total++;
    await this.#session.transact(this.#head(FlowCmd.DEL), () => {});
  }
}

const TERSE = UfidFlag.OMIT_KEY | UfidFlag.OMIT_MASK | UfidFlag.OMIT_ACTIONS;
