/**
 * The list codecs and list text as the rows that hold nested actions see them. The rows cannot import the lists
 * themselves, which are loops over the table of rows; `table.ts` ties the knot when it is loaded.
 */
import type { Reader, Writer } from '../wire.js';
import type { DecodeContext, FormatContext, ParseContext } from './row.js';
import type { Action, ActionType } from './types.js';

export interface ListOperations {
  encode(w: Writer, actions: readonly Action[], version: number): void;
  decode(r: Reader, context: DecodeContext, within: ActionType): Action[];
  parse(text: string, context: ParseContext, within: ActionType): Action[];
  format(actions: readonly Action[], context: FormatContext): string;
  room(actions: readonly Action[]): number;
}

let lists: ListOperations | undefined;

/** Called once, by `table.ts`. */
export function setListOperations(operations: ListOperations): void {
  lists = operations;
}

function get(): ListOperations {
  if (!lists) throw new Error('the action table is not loaded');
  return lists;
}

export function encodeActionList(w: Writer, actions: readonly Action[], version: number): void {
  get().encode(w, actions, version);
}
/** The actions in the rest of `r`, inside of the action `within`, one level deeper than `context`. */
export function decodeActionList(r: Reader, context: DecodeContext, within: ActionType): Action[] {
  return get().decode(r, context, within);
}
export function parseActionList(text: string, context: ParseContext, within: ActionType): Action[] {
  return get().parse(text, context, within);
}
/** What a list takes in the peer's lists (`room` of the rows). */
export function roomOfList(actions: readonly Action[]): number {
  return get().room(actions);
}
export function formatActionList(actions: readonly Action[], context: FormatContext): string {
  return get().format(actions, context);
}
