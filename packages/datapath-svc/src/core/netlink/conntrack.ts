/** Conntrack messages: GET (dump, or one by tuple), DELETE, GET_STATS, and the events NEW and DESTROY. */
import { NetlinkError, NlWriter } from '@ovs-node/netlink/attr';
import { encodeAttrs } from '@ovs-node/netlink/attr-table';
import { CTA, CTA_STATS_GLOBAL, CtCmd } from '@ovs-node/netlink/conntrack-attrs';
import { decodeTuple, encodeConntrack } from '@ovs-node/netlink/conntrack';
import { McGroup } from '@ovs-node/netlink/families';
import { beginMessage, ctMsgType, endMessage, NlFlag } from '@ovs-node/netlink/messages';
import type { ConntrackListener } from '../conntrack/conntrack.js';
import { entryValue, tupleWords } from '../conntrack/entry.js';
import { STRIDE, TIMES, X } from '../conntrack/table.js';
import type { Datapath } from '../datapath.js';
import { Errno } from '../errno.js';
import type { Dump } from '../handle.js';
import { ListDump, type Request } from './request.js';

const AF_INET = 2;
const AF_INET6 = 10;

/** The datapath that the request names, or all of them when it names none (number 0). Throws ENODEV. */
function datapaths(request: Request): Datapath[] {
  return request.msg.dpIfindex === 0 ? [...request.core.byIndex.values()] : [request.datapath()];
}

function put(
  w: NlWriter,
  dp: Datapath,
  entry: number,
  cmd: number,
  flags: number,
  seq: number,
  pid: number,
): void {
  const c = dp.conntrack;
  const family = (c.table.words[entry * STRIDE] & 0xff) === 0 ? AF_INET : AF_INET6;
  const mark = beginMessage(w, ctMsgType(cmd), flags, seq, pid, family, 0, dp.index);
  encodeConntrack(w, entryValue(c, entry, dp.core.now));
  endMessage(w, mark);
}

/** A dump (of one zone when ZONE is given), or the one connection of TUPLE_ORIG in ZONE (or 0). ENOENT: none. */
export function ctGet(request: Request): Dump | void {
  const attrs = request.attrs(CTA);
  const { seq } = request.msg;
  const { pid } = request.handle;
  if (attrs.TUPLE_ORIG !== undefined && !request.isDump) {
    const words = tupleWords(decodeTuple(attrs.TUPLE_ORIG), attrs.ZONE ?? 0);
    for (const dp of datapaths(request)) {
      const slot = dp.conntrack.table.find(words);
      if (slot < 0) continue;
      put(request.w, dp, slot >> 1, CtCmd.NEW, 0, seq, pid);
      return;
    }
    throw new NetlinkError(Errno.ENOENT, 'no such connection');
  }
  const all: { dp: Datapath; entry: number; id: number }[] = [];
  for (const dp of datapaths(request)) {
    const { table } = dp.conntrack;
    for (const { entry, id } of table.entries()) {
      if (attrs.ZONE === undefined || table.words[entry * STRIDE] >>> 16 === attrs.ZONE)
        all.push({ dp, entry, id });
    }
  }
  return new ListDump(request, all, (w, { dp, entry, id }) => {
    const { table } = dp.conntrack;
    if (!table.isLive(entry, id) || table.times[entry * TIMES + X.EXPIRY] <= dp.core.now) return;
    put(w, dp, entry, CtCmd.NEW, NlFlag.MULTI, seq, pid);
  });
}

/** Deletes the connection of TUPLE_ORIG in ZONE (or 0), or all of ZONE, or all. ENOENT: no such connection. */
export function ctDelete(request: Request): void {
  const attrs = request.attrs(CTA);
  const dps = datapaths(request);
  const tuple = attrs.TUPLE_ORIG ?? attrs.TUPLE_REPLY;
  if (tuple === undefined) {
    for (const dp of dps) dp.conntrack.flush(attrs.ZONE ?? null);
    return;
  }
  const words = tupleWords(decodeTuple(tuple), attrs.ZONE ?? 0);
  let found = false;
  for (const dp of dps) if (dp.conntrack.removeByTuple(words)) found = true;
  if (!found) throw new NetlinkError(Errno.ENOENT, 'no such connection');
}

/** How many connections there are, and may be. */
export function ctGetStats(request: Request): void {
  const dps = datapaths(request);
  const { w } = request;
  const mark = beginMessage(
    w,
    request.msg.type,
    0,
    request.msg.seq,
    request.handle.pid,
    0,
    0,
    request.msg.dpIfindex,
  );
  encodeAttrs(w, CTA_STATS_GLOBAL, {
    ENTRIES: dps.reduce((sum, dp) => sum + dp.conntrack.table.count, 0),
    MAX_ENTRIES: dps.reduce((sum, dp) => sum + dp.conntrack.maxConnections, 0),
  });
  endMessage(w, mark);
}

/** Tells the handles that joined the conntrack groups what happens in a datapath. */
export function ctEvents(dp: Datapath): ConntrackListener {
  const send = (group: number, cmd: number, flags: number, entry: number): void => {
    if (!dp.core.hasListeners(group)) return;
    const w = new NlWriter(512);
    put(w, dp, entry, cmd, flags, 0, 0);
    dp.core.multicast(group, w.bytes());
  };
  return {
    created: (entry) => send(McGroup.CT_NEW, CtCmd.NEW, NlFlag.CREATE | NlFlag.EXCL, entry),
    destroyed: (entry) => send(McGroup.CT_DESTROY, CtCmd.DELETE, 0, entry),
  };
}
