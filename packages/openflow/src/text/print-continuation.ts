/** What is in a continuation, a line for each part, in the peer's words. */
import { formatActionsIn } from '../actions/text.js';
import type { Continuation, FrozenAction } from '../messages/continuation.js';
import type { Action } from '../actions/types.js';
import type { PrintOptions } from './message.js';

/** Each word of the UUID lies in the order of a little-endian machine. */
function formatUuid(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hex = [0, 4, 8, 12].map((at) => view.getUint32(at, true).toString(16).padStart(8, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Actions with the tables and cookies that they belong to. */
function formatFrozenActions(actions: readonly FrozenAction[], o: PrintOptions): string {
  const parts: string[] = [];
  let run: Action[] = [];
  const endRun = (): void => {
    if (run.length > 0) parts.push(formatActionsIn(run, o));
    run = [];
  };
  for (const action of actions) {
    if (action.type === 'unroll_xlate') {
      endRun();
      parts.push(`unroll_xlate(table=${action.tableId}, cookie=${action.cookie})`);
    } else run.push(action);
  }
  endRun();
  return parts.join(',');
}

export function formatContinuation(c: Continuation, o: PrintOptions): string {
  let out = '';
  const line = (name: string, text: string): void => void (out += ` continuation.${name}=${text}\n`);
  if (c.bridge.some((byte) => byte !== 0)) line('bridge', formatUuid(c.bridge));
  if (c.stack.length > 0) {
    const items = c.stack.toReversed().map(({ value }) => (value === 0n ? '0' : `0x${value.toString(16)}`));
    line('stack', `(top) ${items.join(' ')} (bottom)`);
  }
  if (c.mirrors !== 0) line('mirrors', `0x${c.mirrors.toString(16)}`);
  if (c.conntracked) line('conntracked', 'true');
  if (c.actions.length > 0) line('actions', formatFrozenActions(c.actions, o));
  if (c.actionSet.length > 0) line('action_set', formatActionsIn(c.actionSet, o));
  if (c.odpPort !== 0) line('odp_port', String(c.odpPort));
  return out;
}
