/** Flow monitors as text. */
import { altHex } from '@ovs-node/flow/int-text';
import { formatPort, OFPP } from '@ovs-node/flow/ports';
import { formatActionsIn } from '../actions/text.js';
import { isChange } from '../messages/monitor.js';
import { FMF, type FlowMonitorRequest, type FlowUpdate } from '../messages/monitor-types.js';
import { ALL_TABLES, GROUP_ANY } from '../messages/types.js';
import type { PrintOptions } from './message.js';
import { hex } from './numbers.js';
import { formatBits } from './print-port.js';
import { formatMatchIn } from './match.js';
import { formatTable } from './tables.js';

const FLAGS = [
  [FMF.INITIAL, 'initial'],
  [FMF.ADD, 'add'],
  [FMF.REMOVED, 'delete'],
  [FMF.MODIFY, 'modify'],
  [FMF.INSTRUCTIONS, 'actions'],
  [FMF.ONLY_OWN, 'own'],
] as const;

export function formatMonitorRequest(m: FlowMonitorRequest, o: PrintOptions): string {
  if (m.command === 'delete') return `\n id=${m.id} command=delete`;
  let out = `\n id=${m.id} flags=${formatBits(m.flags, FLAGS).replaceAll(' ', ',')}`;
  if (m.outPort !== OFPP.ANY) out += ` out_port=${formatPort(m.outPort, o.ports)}`;
  // As a signed number, and not when it is 0.
  if (m.outGroup !== 0 && m.outGroup !== GROUP_ANY) out += ` out_group=${m.outGroup | 0}`;
  if (m.tableId !== ALL_TABLES) out += ` table=${formatTable(m.tableId, o.tables)}`;
  const match = formatMatchIn(m.match, o);
  return match === '' ? out : `${out} ${match}`;
}

const EVENTS = { initial: 'INITIAL', added: 'ADDED', removed: 'DELETED', modified: 'MODIFIED' } as const;

export function formatFlowUpdate(u: FlowUpdate, o: PrintOptions): string {
  if (u.event === 'abbrev') return `\n event=ABBREV xid=${hex(u.xid)}`;
  if (!isChange(u)) return `\n event=${u.event.toUpperCase()}`;
  let out = `\n event=${EVENTS[u.event]}`;
  if (u.event === 'removed') out += ` reason=${u.reasonNumber ?? u.reason}`;
  out += ` table=${formatTable(u.tableId, o.tables)}`;
  if (u.idleTimeout !== 0) out += ` idle_timeout=${u.idleTimeout}`;
  if (u.hardTimeout !== 0) out += ` hard_timeout=${u.hardTimeout}`;
  out += ` cookie=${altHex(u.cookie)} `;
  out += formatMatchIn(u.match, o);
  if (u.actions.length > 0) {
    if (!out.endsWith(' ')) out += ' ';
    out += `actions=${formatActionsIn(u.actions, o)}`;
  }
  return out;
}
