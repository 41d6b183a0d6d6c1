/** Action lists as text, as `ovs-ofctl` reads and prints them (ovs-actions(7)). */
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import type { PortMap } from '@ovs-node/flow/ports';
import { colorActions } from '../text/color.js';
import type { FormatContext, ParseContext, TableMap } from './row.js';
import { formatList, parseList } from './table.js';
import type { Action } from './types.js';

export type { TableMap } from './row.js';

/** Reads actions and instructions, `text[from..to)`; narrows `context.usable` to the protocols that can carry them. @throws FlowSyntaxError */
export function parseActionsIn(text: string, context: ParseContext, from = 0, to = text.length): Action[] {
  return parseList(text, context, undefined, from, to);
}

/** Reads actions and instructions. Their fit with a match is not checked (see `check.ts`). @throws FlowSyntaxError */
export function parseActions(text: string, ports?: PortMap, tables?: TableMap): Action[] {
  return parseActionsIn(text, { ports, tables, usable: PROTO_ANY, depth: 0 });
}

/** Prints actions; `drop` for none. */
export function formatActions(actions: readonly Action[], ports?: PortMap, tables?: TableMap): string {
  return formatActionsIn(actions, { ports, tables });
}

export function formatActionsIn(actions: readonly Action[], context: FormatContext): string {
  const text = actions.length === 0 ? 'drop' : formatList(actions, context);
  return context.colors === undefined ? text : colorActions(text, context.colors);
}
