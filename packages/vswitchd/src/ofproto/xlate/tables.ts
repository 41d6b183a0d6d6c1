/**
 * Table look-ups of a translation: the first one, resubmit, goto_table and output:TABLE.
 */
import { FRAG_ANY, W } from '@ovs-node/flow/layout';
import { PC } from '@ovs-node/openflow/messages/types';
import { formatRuleMatch } from '../rule-text.js';
import { N_USER_TABLES } from '../check-actions.js';
import { N_TABLES } from '../flow-store.js';
import type { FlowTable } from '../flow-table.js';
import type { Rule } from '../rule.js';
import { MAX_ACTION_BYTES, MAX_DEPTH, MAX_RESUBMITS, type XlateContext, type Xlator } from './context.js';
import { isIpAny } from './header.js';

/**
 * The rule for the flow in a table, taking `inPort` for its input port.
 * A miss gives one of the switch's own rules: to the controllers when `mayPacketIn`, or drop.
 */
export function lookupRule(ctx: XlateContext, tableId: number, inPort: number, mayPacketIn: boolean): Rule {
  const { flow } = ctx;
  const { ofproto } = ctx;
  const internal = ofproto.internalRules;
  const savedPort = flow[W.IN_PORT]!;
  const savedTp = flow[W.TP]!;
  if (isIpAny(flow) && (flow[W.NW]! & FRAG_ANY) !== 0) {
    if (ofproto.settings.frag === 'drop') {
      creditRule(ctx, internal.dropFrags);
      return internal.dropFrags;
    }
    // Fragments have no ports that a flow could match, unless nx-match lets flows tell fragments apart.
    if (ofproto.settings.frag === 'normal') flow[W.TP] = 0;
  }
  flow[W.IN_PORT] = inPort;
  let id = tableId;
  let table = ofproto.tables.table(id);
  let found = table.classifier.lookup(flow, ctx.wc) as Rule | null;
  // What OpenFlow 1.1 and 1.2 let a controller say of misses (OFPT_TABLE_MOD).
  while (found === null && mayPacketIn && table.miss === 'continue' && id + 1 < N_USER_TABLES) {
    count(ctx, table, false);
    table = ofproto.tables.table(++id);
    found = table.classifier.lookup(flow, ctx.wc) as Rule | null;
  }
  ctx.tableId = id;
  flow[W.IN_PORT] = savedPort;
  flow[W.TP] = savedTp;

  count(ctx, table, found !== null);
  const rule =
    found ??
    (mayPacketIn && missGoesToControllers(ctx, id < N_TABLES ? table.miss : 'continue', savedPort)
      ? internal.miss
      : internal.noPacketIn);
  creditRule(ctx, rule);
  return rule;
}

/**
 * Whether a miss goes to the controllers: by default if one of them wants it; where the table was told to, or to go on and
 * is the last, or where there is no such table (255), if the port is there and sends packets to controllers at all
 * (NO_PACKET_IN), as by the peer.
 */
function missGoesToControllers({ ofproto }: XlateContext, miss: FlowTable['miss'], inPort: number): boolean {
  if (miss === 'drop') return false;
  if (miss === 'default') return ofproto.wantsPacketInOnMiss;
  const port = ofproto.port(inPort);
  return port !== undefined && (port.phy.config & PC.NO_PACKET_IN) === 0;
}

function count(ctx: XlateContext, table: FlowTable, matched: boolean): void {
  const { effects, cache } = ctx.input;
  if (effects) {
    if (matched) table.matched += effects.packets;
    else table.missed += effects.packets;
  }
  cache?.push({ type: 'table', table, matched });
}

function creditRule(ctx: XlateContext, rule: Rule): void {
  const { effects, cache } = ctx.input;
  if (effects) rule.credit(effects.packets, effects.bytes, effects.used);
  cache?.push({ type: 'rule', rule });
}

/** The remark of a look-up; remarks of the rule's actions go below it from now on. */
export function reportTable(ctx: XlateContext, rule: Rule, tableId: number): void {
  if (ctx.trace === undefined) return;
  // Of the bridge that the packet came in by: the rules of another one are told of as they are, as by the peer.
  const internal = ctx.input.ofproto.internalRules;
  const number = String(tableId).padStart(2);
  let text: string;
  if (rule === internal.miss) {
    text = `${number}. No match, and a "packet-in" is called for.`;
  } else if (rule === internal.noPacketIn) {
    text = `${number}. No match.`;
  } else if (rule === internal.dropFrags) {
    text = `${number}. Packets are IP fragments and the fragment handling mode is "drop".`;
  } else {
    const match = formatRuleMatch(rule, ctx.ofproto.traceNames);
    text = `${number}. ${match === '' ? '' : `${match}, `}priority ${rule.priority}`;
    if (rule.cookie !== 0n) text += `, cookie 0x${rule.cookie.toString(16)}`;
  }
  ctx.trace = ctx.report('table', text);
}

/** Whether one more look-up is allowed; when not, the translation ends (with an error, or as slow). */
export function resourcesLeft(ctx: XlateContext): boolean {
  if (ctx.depth >= MAX_DEPTH) {
    ctx.fail('depth', `over max translation depth ${MAX_DEPTH}`);
  } else if (ctx.resubmits >= MAX_RESUBMITS) {
    ctx.fail('resubmits', `over ${MAX_RESUBMITS} resubmit actions`);
  } else if (!roomForActions(ctx)) {
    return false;
  } else if (ctx.stack.length >= 4096) {
    ctx.fail('stack', 'resubmits yielded over 64 kB of stack');
  } else {
    return true;
  }
  return false;
}

/** Whether the datapath takes more actions; when not, the translation ends, and packets are handled here. */
export function roomForActions(ctx: XlateContext): boolean {
  if (ctx.out.length <= MAX_ACTION_BYTES) return true;
  ctx.reportError('resubmits yielded over 64 kB of actions');
  ctx.exit = true;
  return false;
}

/** Looks the flow up in a table and translates what it finds there with `xlator`. */
export function tableAction(
  ctx: XlateContext,
  inPort: number,
  tableId: number,
  mayPacketIn: boolean,
  withCtOrig: boolean,
  isLast: boolean,
  xlator: Xlator = ctx.doActions,
): void {
  if (!resourcesLeft(ctx)) return;
  const oldTable = ctx.tableId;
  const oldRule = ctx.rule;
  const oldCookie = ctx.ruleCookie;
  const oldTrace = ctx.trace;
  const deepens = tableId <= oldTable ? 1 : 0;
  ctx.tableId = tableId;
  if (withCtOrig) {
    if (ctx.flow[W.CT_ZONE]! << 24 === 0 || !isIpAny(ctx.flow)) {
      ctx.reportError('resubmit(ct) with non-tracked or non-IP packet!');
      ctx.tableId = oldTable;
      return;
    }
    swapTuple(ctx.flow);
    swapTuple(ctx.wc);
  }
  const rule = lookupRule(ctx, tableId, inPort, mayPacketIn);
  if (withCtOrig) {
    swapTuple(ctx.flow);
    swapTuple(ctx.wc);
  }
  // Whichever table it is found in, it is the first that is told of.
  reportTable(ctx, rule, tableId);
  ctx.resubmits++;
  ctx.depth += deepens;
  ctx.rule = rule;
  ctx.ruleCookie = rule.cookie;
  const { inBucket } = ctx;
  ctx.inBucket = false;
  xlator(ctx, rule.actions, isLast);
  ctx.inBucket = inBucket;
  ctx.rule = oldRule;
  ctx.ruleCookie = oldCookie;
  ctx.depth -= deepens;
  ctx.trace = oldTrace;
  ctx.tableId = oldTable;
}

/** Exchanges the packet's addresses, ports and protocol with those of its connection's original direction. */
function swapTuple(key: Uint32Array): void {
  swapWords(key, W.NW_SRC, W.CT_NW_SRC);
  swapWords(key, W.NW_DST, W.CT_NW_DST);
  swapWords(key, W.TP, W.CT_TP);
  for (let i = 0; i < 8; i++) swapWords(key, W.IPV6_SRC + i, W.CT_IPV6_SRC + i);
  const proto = key[W.NW]! >>> 24;
  key[W.NW] = (key[W.NW]! & 0x00ffffff) | ((key[W.CT_ZONE]! & 0xff) << 24);
  key[W.CT_ZONE] = (key[W.CT_ZONE]! & 0xffffff00) | proto;
}

function swapWords(key: Uint32Array, a: number, b: number): void {
  const value = key[a]!;
  key[a] = key[b]!;
  key[b] = value;
}
