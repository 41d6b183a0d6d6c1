/** The conntrack facet: conntrack messages. */
import { decodeAttrs } from '@ovs-node/netlink/attr-table';
import { CTA, CTA_STATS_GLOBAL, CtCmd } from '@ovs-node/netlink/conntrack-attrs';
import { type CtEntry, type CtTupleFilter, decodeConntrack, encodeTuple } from '@ovs-node/netlink/conntrack';
import { McGroup } from '@ovs-node/netlink/families';
import { type MsgReader, NlFlag, ctMsgType } from '@ovs-node/netlink/messages';
import type { CtEvent, CtFilter, DpifConntrack } from './provider.js';
import { type NetlinkSession, type RequestHead, nextOfDump } from './session.js';

export class Conntrack implements DpifConntrack {
  readonly #session: NetlinkSession;
  readonly #index: number;

  readonly #listeners: ((event: CtEvent) => void)[] = [];
  #onEvent: ((msg: MsgReader) => void) | null = null;

  constructor(session: NetlinkSession, index: number) {
    this.#session = session;
    this.#index = index;
  }

  /** In conntrack messages the place of the command is that of the address family: 0 for any. */
  #head(command: number): RequestHead {
    return { type: ctMsgType(command), cmd: 0, version: 0, dpIfindex: this.#index };
  }

  async stats(): Promise<{ connections: number; maxConnections: number }> {
    const msg = await this.#session.query(this.#head(CtCmd.GET_STATS), () => {});
    const a = decodeAttrs(CTA_STATS_GLOBAL, msg.buf, msg.attrs, msg.end);
    return { connections: a.ENTRIES ?? 0, maxConnections: a.MAX_ENTRIES ?? 0 };
  }

  async watch(listener: (event: CtEvent) => void): Promise<void> {
    this.#listeners.push(listener);
    if (this.#onEvent !== null) return;
    const onEvent = (msg: MsgReader): void => {
      if (msg.dpIfindex !== this.#index) return;
      if (msg.type !== ctMsgType(CtCmd.NEW) && msg.type !== ctMsgType(CtCmd.DELETE)) return;
      const type =
        msg.type === ctMsgType(CtCmd.DELETE) ? 'destroy' : msg.flags & NlFlag.CREATE ? 'new' : 'update';
      const entry = decodeConntrack(msg.buf, msg.attrs, msg.end);
      for (const tell of this.#listeners) tell({ type, entry });
    };
    this.#onEvent = onEvent;
    for (const group of [McGroup.CT_NEW, McGroup.CT_UPDATE, McGroup.CT_DESTROY]) {
      await this.#session.listen(group, onEvent);
    }
  }

  /** Stops telling of events. */
  close(): void {
    if (this.#onEvent !== null) this.#session.unlisten(this.#onEvent);
    this.#listeners.length = 0;
  }

  async *dump(zone?: number): AsyncGenerator<CtEntry[]> {
    const parts = this.#session.dump(this.#head(CtCmd.GET), (w) => {
      if (zone !== undefined) w.putBe16(CTA.ZONE.code, zone);
    });
    for await (const part of parts) {
      const entries: CtEntry[] = [];
      while (nextOfDump(part)) {
        const entry = decodeConntrack(part.buf, part.attrs, part.end);
        if (zone === undefined || entry.zone === zone) entries.push(entry);
      }
      if (entries.length > 0) yield entries;
    }
  }

  async flush(filter: CtFilter = {}): Promise<void> {
    const { zone } = filter;
    if (filter.orig === undefined && filter.reply === undefined) return this.#delete(zone, undefined);
    // One protocol is said, of both directions.
    const proto = filter.orig?.proto ?? filter.reply?.proto;
    const [orig, reply] = [wantedOf(filter.orig, proto), wantedOf(filter.reply, proto)];
    if (isWhole(orig) && isEmpty(reply)) return this.#delete(zone ?? 0, orig);
    // A partial tuple: the datapath deletes by whole ones, so find them first. Collected before any is deleted, for a
    // dump of a table that changes may miss some.
    const found: CtEntry[] = [];
    for await (const entries of this.dump(zone))
      for (const e of entries) if (matches(e.orig, orig) && matches(e.reply, reply)) found.push(e);
    await Promise.all(
      found.map((e) =>
        this.#delete(e.zone, e.orig).catch((error: unknown) => {
          // It expired meanwhile.
          if ((error as { code?: string }).code !== 'ENOENT') throw error;
        }),
      ),
    );
  }

  async #delete(zone: number | undefined, orig: CtTupleFilter | undefined): Promise<void> {
    await this.#session.transact(this.#head(CtCmd.DELETE), (w) => {
      if (orig !== undefined) encodeTuple(w, CTA.TUPLE_ORIG.code, orig);
      if (zone !== undefined) w.putBe16(CTA.ZONE.code, zone);
    });
  }
}

const ICMP = 1;
const ICMPV6 = 58;

const isIcmp = (t: CtTupleFilter): boolean => t.proto === ICMP || t.proto === ICMPV6;

const isSaid = (address: Uint8Array | undefined): address is Uint8Array =>
  address !== undefined && address.some((b) => b !== 0);

/**
 * What a tuple asks for, in the peer's way: addresses and ports that are zero are not asked for, but what is ICMP's is
 * compared always, in both directions.
 */
function wantedOf(
  { src, dst, sport, dport, icmpId, icmpType, icmpCode }: CtTupleFilter = {},
  proto?: number,
): CtTupleFilter {
  const wanted: { -readonly [K in keyof CtTupleFilter]: CtTupleFilter[K] } = {};
  if (proto !== undefined && proto !== 0) wanted.proto = proto;
  if (isSaid(src)) wanted.src = src;
  if (isSaid(dst)) wanted.dst = dst;
  if (isIcmp(wanted))
    return { ...wanted, icmpId: icmpId ?? 0, icmpType: icmpType ?? 0, icmpCode: icmpCode ?? 0 };
  if (sport !== undefined && sport !== 0) wanted.sport = sport;
  if (dport !== undefined && dport !== 0) wanted.dport = dport;
  return wanted;
}

/** Whether a tuple says enough to name one connection. */
function isWhole(t: CtTupleFilter): boolean {
  if (t.src === undefined || t.dst === undefined || t.proto === undefined) return false;
  return isIcmp(t) || (t.sport !== undefined && t.dport !== undefined);
}

/** Whether a tuple says nothing that keeps the other one from naming a connection. */
function isEmpty(t: CtTupleFilter): boolean {
  return t.src === undefined && t.dst === undefined && t.sport === undefined && t.dport === undefined;
}

function matches(tuple: CtEntry['orig'], filter: CtTupleFilter): boolean {
  for (const name of ['proto', 'sport', 'dport', 'icmpId', 'icmpType', 'icmpCode'] as const) {
    if (filter[name] !== undefined && filter[name] !== tuple[name]) return false;
  }
  for (const name of ['src', 'dst'] as const) {
    if (filter[name] !== undefined && Buffer.compare(filter[name], tuple[name]) !== 0) return false;
  }
  return true;
}
