/** Action lists as text, as `ovs-ofctl` reads and prints them (ovs-actions(7)). */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import type { PortMap } from '@ovs-node/flow/ports';
import { colorActions } from '../text/color.js';
import type { FormatContext, ParseContext, TableMap } from './row.js';
import { actionName, formatList, instructionKind, instructionOrderProblem, parseList } from './table.js';
import type { Action } from './types.js';

export type { TableMap } from './row.js';

/** Reads actions and instructions, `text[from..to)`; narrows `context.usable` to the protocols that can carry them. @throws FlowSyntaxError */
export function parseActionsIn(text: string, context: ParseContext, from = 0, to = text.length): Action[] {
  const actions = parseList(text, context, undefined, from, to);
  if (context.onlyActions === true) refuseInstructions(actions);
  const problem = instructionOrderProblem(actions);
  if (problem !== undefined) throw new FlowSyntaxError(problem);
  return actions;
}

/** Of instructions only `meter` is an action, too (OpenFlow 1.5). */
function refuseInstructions(actions: readonly Action[]): void {
  const other = actions.find((a) => instructionKind(a) !== 'apply' && a.type !== 'meter');
  if (other) throw new FlowSyntaxError(`${actionName(other.type)} instruction not allowed here`);
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
