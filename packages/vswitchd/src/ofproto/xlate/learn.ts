/**
 * The learn action (ovs-actions(7)): adds a flow made of the packet, or keeps the one alive that is there already.
 */
import { OFPP } from '@ovs-node/flow/ports';
import { getField, portToOf10 } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';
import { Match } from '@ovs-node/flow/match';
import { CT_STATE_BITS, W } from '@ovs-node/flow/layout';
import { matchSet } from '@ovs-node/flow/match-fields';
import { addEthernetPrereq, formatMatch } from '@ovs-node/flow/match-text';
import { insertTunMetadata } from '@ovs-node/flow/tun-metadata';
import { ones } from '@ovs-node/openflow/actions/field-value';
import type { Action, LearnFlowSpec, LearnSpec, Subfield } from '@ovs-node/openflow/actions/types';
import { OfError } from '@ovs-node/openflow/errors';
import { makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import type { FlowMod } from '@ovs-node/openflow/messages/types';
import type { Lesson } from '../flow-tables.js';
import { formatActionList } from '../rule-text.js';
import type { XlateContext } from './context.js';
import { field, fieldOf, maskBits, reportSubfield, writeSubfield } from './set-field.js';

export function learnAction(ctx: XlateContext, learn: LearnSpec): void {
  for (const { src, nBits } of learn.specs) {
    if ('field' in src) maskBits(ctx, fieldOf(ctx, src.field.field), ones(nBits) << BigInt(src.field.ofs));
  }
  const { effects, cache } = ctx.input;
  if (!effects && !cache) {
    ctx.report('warn', 'suppressing side effects, so learn action ignored');
    return;
  }
  const flowMod = learnedFlow(learn, ctx);
  if (ctx.trace !== undefined) {
    const text = formatMatch(flowMod.match);
    const match = text === '' ? '' : ` ${text}`;
    const actions = formatActionList(flowMod.actions, undefined);
    const cookie = learn.cookie === 0n ? '' : ` cookie=0x${learn.cookie.toString(16)}`;
    const idle = learn.idleTimeout === 0 ? '' : ` idle=${learn.idleTimeout}`;
    const hard = learn.hardTimeout === 0 ? '' : ` hard=${learn.hardTimeout}`;
    const tells = (learn.flags & SEND_FLOW_REM) === 0 ? '' : ' send_flow_rem';
    ctx.report(
      'detail',
      `table=${learn.table}${match} priority=${learn.priority}${cookie}${idle}${hard}${tells} actions=${actions}`,
    );
  }
  const { ofproto } = ctx;
  const error = ofproto.tables.problem(flowMod) ?? teach(ctx, learn, flowMod);
  if (error) ctx.reportError(`LEARN action execution failed (${error.toString()}).`);
}

/** Teaches the flow; says so to the packet where the action asks for that. @returns why it could not be added. */
function teach(ctx: XlateContext, { limit, resultDst }: LearnSpec, flowMod: FlowMod): OfError | undefined {
  const { ofproto, input } = ctx;
  const { effects, cache } = input;
  let lesson: Lesson | OfError | undefined;
  // The packet that teaches a flow does not meet it.
  if (effects) lesson = ofproto.tables.teach(flowMod, input.now, limit);
  // Whether it could be learned again only a packet can tell, and the actions may depend on it.
  else if (limit > 0 && ofproto.tables.taught(flowMod) === undefined) ctx.isUnique = true;
  const isLearned = lesson === undefined || lesson instanceof OfError || lesson.isLearned;
  if (resultDst) {
    writeSubfield(ctx, resultDst, isLearned ? 1n : 0n);
    reportSubfield(ctx, resultDst);
  }
  if (!isLearned) {
    ctx.report('detail', 'Limit exceeded, learn failed');
    return undefined;
  }
  cache?.push({ type: 'learn-flow', ofproto, flowMod, limit });
  if (lesson === undefined) return undefined;
  if (lesson instanceof OfError) return lesson;
  ctx.learned.push({ ofproto, lesson });
  return undefined;
}

/** Of the flags of a learn action the one that its flow has, too. */
const SEND_FLOW_REM = 1;

/** Where a learned flow may send to: ports, and those of the reserved ones that stand for ports. */
const isLearnedPort = (port: number): boolean => port < portToOf10(OFPP.MAX) || RESERVED.has(port);
const RESERVED: ReadonlySet<number> = new Set(
  [OFPP.IN_PORT, OFPP.FLOOD, OFPP.ALL, OFPP.LOCAL].map(portToOf10),
);

const allBytes = (f: Field): bigint => ones(8 * f.bytes);

/** The flow that a packet teaches. */
function learnedFlow(learn: LearnSpec, ctx: XlateContext): FlowMod {
  const match = new Match();
  const actions: Action[] = [];
  const { finIdleTimeout: idle, finHardTimeout: hard } = learn;
  if (idle !== 0 || hard !== 0) actions.push({ type: 'fin_timeout', idle, hard });
  for (const spec of learn.specs) {
    const value = sourceValue(spec, ctx);
    if (spec.dst === 'output') {
      const port = Number(value);
      if (isLearnedPort(port)) actions.push({ type: 'output', port, maxLen: 0 });
      continue;
    }
    const dst = spec.dstField!;
    const f = field(dst.field);
    const mask = ones(spec.nBits) << BigInt(dst.ofs);
    const shifted = value << BigInt(dst.ofs);
    if (spec.dst === 'load') {
      actions.push({ type: 'set_field', field: f.name, value: shifted, mask, form: 'load' });
    } else if (f.option !== undefined) {
      const option = { index: f.option, length: Math.ceil((dst.ofs + spec.nBits) / 8), masked: true };
      match.tunMetadata = insertTunMetadata(match.tunMetadata, { ...option, value: shifted, mask });
    } else if (f.maskable || (getField(match.mask, f) | mask) === allBytes(f)) {
      // A part of a field that matches as a whole or not at all is nothing; nor is one that does not fill its bytes a whole.
      addEthernetPrereq(match, f);
      if (!f.maskable) matchSet(match, f, shifted);
      else matchSet(match, f, (getField(match.key, f) & ~mask) | shifted, getField(match.mask, f) | mask);
    }
  }
  match.mask[W.CT_STATE]! &= CT_STATE_BITS;
  match.key[W.CT_STATE]! &= CT_STATE_BITS;
  return makeFlowMod({
    command: 'modify_strict',
    match,
    priority: learn.priority,
    newCookie: learn.cookie,
    tableId: learn.table,
    idleTimeout: learn.idleTimeout,
    hardTimeout: learn.hardTimeout,
    flags: learn.flags & SEND_FLOW_REM,
    actions,
  });
}

function sourceValue({ src, nBits }: LearnFlowSpec, ctx: XlateContext): bigint {
  return 'field' in src ? bitsOf(src.field, nBits, ctx) : src.value & ones(nBits);
}

function bitsOf(sub: Subfield, nBits: number, ctx: XlateContext): bigint {
  return (getField(ctx.flow, fieldOf(ctx, sub.field)) >> BigInt(sub.ofs)) & ones(nBits);
}
