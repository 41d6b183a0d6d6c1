/**
 * Actions that choose one of several by a hash of the packet: multipath stores the number of a link, bundle sends to a
 * port, bundle_load stores the number of a port (ovs-actions(7)). The choice is the peer's.
 */
import { hashInt } from '@ovs-node/flow/hash-bytes';
import { type HashFields, hashFields } from '@ovs-node/flow/hash-fields';
import { portFromOf10, portToOf10 } from '@ovs-node/flow/fields';
import { type FlowKey, newKey } from '@ovs-node/flow/layout';
import { OFPP } from '@ovs-node/flow/ports';
import type { ActionOf } from '@ovs-node/openflow/actions/types';
import type { XlateContext } from './context.js';
import { isPortLive } from './group.js';
import { outputAction } from './output.js';
import { reportSubfield, writeSubfield } from './set-field.js';

/** Links up to which `hrw` tries each; more are chosen among as `iter_hash` does. */
const MAX_HRW_LINKS = 64;
const MAX_LINKS = 65536;

type Multipath = ActionOf<'multipath'>;
type Bundle = ActionOf<'bundle'> | ActionOf<'bundle_load'>;

export function multipathAction(ctx: XlateContext, action: Multipath): void {
  const hash = hashOf(ctx.flow, ctx.wc, action.fields, action.basis);
  writeSubfield(ctx, action.dst, BigInt(link(hash, action)));
  reportSubfield(ctx, action.dst);
}

export function bundleAction(ctx: XlateContext, action: Bundle, isLast: boolean): void {
  const port = member(ctx, action);
  if (action.type === 'bundle_load') {
    writeSubfield(ctx, action.dst, BigInt(portToOf10(port)));
    reportSubfield(ctx, action.dst);
  } else outputAction(ctx, port, 0, false, isLast);
}

/** Of fields whose number has no name the wire admits a few; a hash of nothing stands for them. */
function hashOf(flow: FlowKey, wc: FlowKey, fields: HashFields | number, basis: number): number {
  return typeof fields === 'number' ? basis : hashFields(flow, wc, fields, basis);
}

/** The link that a hash stands for, from 0. */
function link(hash: number, { algorithm, nLinks, arg }: Multipath): number {
  switch (algorithm) {
    case 'modulo_n':
      return hash % nLinks;
    case 'hash_threshold':
      return nLinks === 1 ? 0 : Math.floor(hash / (Math.floor(0xffffffff / nLinks) + 1));
    case 'hrw':
      return nLinks <= MAX_HRW_LINKS ? highestWeight(hash, nLinks) : iterate(hash, nLinks, 0);
    case 'iter_hash':
      return iterate(hash, nLinks, arg);
  }
}

function highestWeight(hash: number, nLinks: number): number {
  let best = 0;
  let bestHash = hashInt(hash, 0);
  for (let i = 1; i < nLinks; i++) {
    const own = hashInt(hash, i);
    if (own > bestHash) [best, bestHash] = [i, own];
  }
  return best;
}

/** Hashes again until what comes out, modulo a number not much above that of the links, is one of them. */
function iterate(hash: number, nLinks: number, wanted: number): number {
  let modulo = wanted;
  if (modulo < nLinks || Math.floor(modulo / 2) > nLinks) {
    modulo = 1;
    while (modulo < nLinks && modulo < MAX_LINKS) modulo *= 2;
  }
  for (let i = 0; ; i++) {
    const at = hashInt(hash, i) % modulo;
    if (at < nLinks) return at;
  }
}

/** The member that a bundle chooses; OFPP.ANY when none could carry the packet. */
function member(ctx: XlateContext, { algorithm, members, fields, basis }: Bundle): number {
  if (algorithm !== 'hrw') return members.find((port) => isEnabled(ctx, port)) ?? OFPP.ANY;
  // With one member there is nothing to choose, and the packet is not looked at.
  const wc = members.length > 1 ? ctx.wc : newKey();
  const hash = hashOf(ctx.flow, wc, fields, basis);
  let best: number = OFPP.ANY;
  let bestHash = -1;
  members.forEach((port, i) => {
    if (!isEnabled(ctx, port)) return;
    const own = hashInt(i, hash);
    if (own > bestHash) [best, bestHash] = [port, own];
  });
  return best;
}

const RESERVED: readonly number[] = [OFPP.IN_PORT, OFPP.TABLE, OFPP.NORMAL, OFPP.FLOOD, OFPP.ALL, OFPP.ANY];

function isEnabled(ctx: XlateContext, member: number): boolean {
  const port = portFromOf10(member);
  return RESERVED.includes(port) || isPortLive(ctx, port);
}
