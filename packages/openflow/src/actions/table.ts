/**
 * The action table: every action and instruction, one row each, and the four loops over it: encode, decode, parse
 * and print a list.
 */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { parsePort } from '@ovs-node/flow/ports';
import { OFPP } from '@ovs-node/flow/ports';
import { DecodeFailure, type ErrorName, fail, refuse } from '../errors.js';
import { KeyValueCursor } from '@ovs-node/flow/key-value';
import { WordTable } from '@ovs-node/flow/word-table';
import { Reader, type Writer } from '../wire.js';
import { CONTROL_ACTIONS } from './control.js';
import { CT_ACTIONS } from './ct.js';
import { FIELD_ACTIONS } from './field.js';
import { HEADER_ACTIONS } from './header.js';
import { HASH_ACTIONS } from './hash.js';
import { INSTRUCTIONS } from './instruction.js';
import { LEARN_ACTION } from './learn.js';
import { setListOperations } from './nested.js';
import { OUTPUT_ACTIONS } from './output.js';
import { PACKET_TYPE_ACTIONS } from './packet-type.js';
import { SAMPLE_ACTIONS } from './sample.js';
import type { ActionRow, ActionTable, DecodeContext, FormatContext, ParseContext, WireForm } from './row.js';
import type { InstructionKind } from './instruction-table.js';
import { NX_VENDOR } from './row.js';
import type { Action, ActionType } from './types.js';
import { actionWireName, isDeprecated } from './wire-names.js';
import { WHOLE_PACKET } from '../messages/types.js';

export const ACTIONS: ActionTable = {
  ...OUTPUT_ACTIONS,
  ...HEADER_ACTIONS,
  ...FIELD_ACTIONS,
  ...CONTROL_ACTIONS,
  ...CT_ACTIONS,
  ...HASH_ACTIONS,
  ...PACKET_TYPE_ACTIONS,
  ...SAMPLE_ACTIONS,
  ...INSTRUCTIONS,
  learn: LEARN_ACTION,
};

const EXPERIMENTER = 0xffff;
/** The longest action: lengths are multiples of 8. */
const LONGEST = 0xfff8;
/** The most that a list may take in the peer's memory (`room` of the rows), when it comes as text. */
const MAX_ROOM = 0xffff;
/**
 * Lists within lists. The peer's limit of what is written in text; of what a stranger sends it has none, but our stack would
 * not hold what fits into a message.
 */
const MAX_DEPTH = 100;

/** The row of an action. @throws TypeError for a type that there is not, of who is not held to types */
export function actionRow(type: ActionType): ActionRow {
  const row = ACTIONS[type] as unknown as ActionRow | undefined;
  if (row === undefined) throw new TypeError(`there is no action ${String(type)}`);
  return row;
}

/** What kind of instruction an action belongs to in OpenFlow 1.1 and later. */
export function instructionKind(a: Action): InstructionKind {
  return actionRow(a.type).instruction ?? 'apply';
}

/** Actions that make no sense in an action set, which has one of each kind and an order of its own. */
export const NOT_IN_ACTION_SET: ReadonlySet<ActionType> = new Set<ActionType>([
  'bundle',
  'bundle_load',
  'check_pkt_larger',
  'clone',
  'conjunction',
  'controller',
  'debug_recirc',
  'debug_slow',
  'delete_field',
  'exit',
  'fin_timeout',
  'learn',
  'meter',
  'multipath',
  'nat',
  'note',
  'output_reg',
  'output_trunc',
  'pop',
  'pop_queue',
  'push',
  'sample',
  'write_metadata',
]);

/** Wire forms by number: version, vendor, code. */
const decoders = new Map<number, WireForm<Action>>();
const decoderKey = (version: number, vendor: number, code: number): number =>
  ((version * 4 + (vendor === 0 ? 0 : vendor === NX_VENDOR ? 1 : 2)) << 16) | code;
const parsers: [keyword: string, parse: (arg: string, context: ParseContext) => Action][] = [];
for (const row of Object.values(ACTIONS) as unknown as ActionRow[]) {
  for (const form of row.wire) {
    if (form.unread) continue;
    for (let v = form.from; v <= form.to; v++) decoders.set(decoderKey(v, form.vendor, form.code), form);
  }
  parsers.push(...Object.entries(row.parse));
}

const KEYWORDS = new WordTable(parsers);

/** Whether any version knows this experimenter. */
const VENDORS = new Set(
  Object.values(ACTIONS).flatMap((row) =>
    (row as unknown as ActionRow).wire.map((f) => f.vendor).filter((vendor) => vendor !== 0),
  ),
);

/** An action that a version has no way to say; `encodeActions` leaves it out, as the peer does. */
function encodeOne(w: Writer, a: Action, version: number): void {
  const row = actionRow(a.type);
  const others = row.translate?.(a, version);
  if (others) {
    for (const other of others) encodeOne(w, other, version);
    return;
  }
  for (const form of row.wire) {
    if (version < form.from || version > form.to || !form.encode) continue;
    if (form.when && !form.when(a, version)) continue;
    const start = w.length;
    if (form.vendor === 0) w.u16(form.code).u16(0);
    else w.u16(EXPERIMENTER).u16(0).u32(form.vendor).u16(form.code);
    form.encode(w, a, version);
    w.pad(8, start);
    w.setU16(start + 2, w.length - start);
    return;
  }
}

/** Writes a list of actions in the form of `version`. Instructions other than apply-actions are left out. */
export function encodeList(w: Writer, actions: readonly Action[], version: number): void {
  for (const a of actions) encodeOne(w, a, version);
}

/** Reads actions to the end of `r`. */
export function decodeList(r: Reader, context: DecodeContext): Action[] {
  if (context.depth >= MAX_DEPTH) fail('OFPBAC_TOO_MANY', 'actions nested too deeply');
  const deeper = { version: context.version, depth: context.depth + 1 };
  const from = r.pos;
  const out: Action[] = [];
  let start = from;
  try {
    for (; r.left > 0; start = r.pos) out.push(decodeOne(r, deeper));
  } catch (e) {
    if (e instanceof DecodeFailure)
      r.explain?.('bad_action', start - from, e.error.name!, r.buf.subarray(from, r.end));
    throw e;
  }
  return out;
}

/** Reads one action; `context` is that of actions inside of it. */
function decodeOne(r: Reader, context: DecodeContext): Action {
  if (r.left < 8) fail('OFPBAC_BAD_LEN', `${r.left} bytes after the last action`);
  const start = r.pos;
  const type = r.u16();
  const length = r.u16();
  const { version } = context;
  let vendor = 0;
  let code = type;
  if (type === EXPERIMENTER) {
    vendor = r.u32();
    if (!VENDORS.has(vendor)) refuse(r, 'OFPBAC_BAD_VENDOR', 'action_vendor', vendor);
    if (r.left < 2) fail('OFPBAC_BAD_LEN', 'experimenter action without a type');
    code = r.u16();
  }
  const form = decoders.get(decoderKey(version, vendor, code));
  if (!form) {
    const error = vendor === 0 ? 'OFPBAC_BAD_TYPE' : 'OFPBAC_BAD_VENDOR_TYPE';
    return refuse(r, error, 'unknown_action', version, vendor, code);
  }
  if (r.explain && isDeprecated(version, vendor, code))
    r.explain('deprecated_action', actionWireName(version, vendor, code), version);
  const most = form.length ?? LONGEST;
  if (length > r.end - start || length < form.minLength || length > most || length % 8 !== 0) {
    const name = actionWireName(version, vendor, code);
    if (length > r.end - start) refuse(r, 'OFPBAC_BAD_LEN', 'long_action', name, length, r.end - start);
    if (length < form.minLength || length > most)
      refuse(r, 'OFPBAC_BAD_LEN', 'action_length', name, length, form.minLength, most);
    refuse(r, 'OFPBAC_BAD_LEN', 'odd_action', name, length);
  }
  return form.decode(r.sub(length - (r.pos - start), 'OFPBAC_BAD_LEN'), context);
}

/** In the order that OpenFlow 1.1 and later execute them. */
const KIND_ORDER: readonly InstructionKind[] = ['meter', 'apply', 'clear', 'write', 'metadata', 'goto'];
const KIND_NAME: Readonly<Record<InstructionKind, string>> = {
  meter: 'meter',
  apply: 'apply_actions',
  clear: 'clear_actions',
  write: 'write_actions',
  metadata: 'write_metadata',
  goto: 'goto_table',
};

/** Why an instruction may not come after another one; undefined when it may. */
function orderProblem(kind: InstructionKind, last: InstructionKind): string | undefined {
  const [order, before] = [KIND_ORDER.indexOf(kind), KIND_ORDER.indexOf(last)];
  if (order < before) {
    return `invalid instruction ordering: ${KIND_NAME[kind]} must appear before ${KIND_NAME[last]}, for OpenFlow 1.1+ compatibility`;
  }
  if (order === before && kind !== 'apply') {
    return `duplicate ${KIND_NAME[kind]} instruction not allowed, for OpenFlow 1.1+ compatibility`;
  }
  return undefined;
}

/** Why an action may not stand where it does: the words for it in text, the error for it on the wire. */
interface Misplaced {
  readonly message: string;
  readonly error: ErrorName;
}

/**
 * What is wrong first with where the actions of a list stand; undefined when nothing is. Behind a conjunction nothing
 * is looked at any more: it has no company but notes, or is itself the problem. `within` is the action that holds the
 * list, `refusal` says why an instruction that is no action may not be in it.
 */
function firstMisplaced(
  actions: readonly Action[],
  within: ActionType | undefined,
  kindOf: (a: Action) => InstructionKind,
  refusal: (a: Action) => string | undefined,
): Misplaced | undefined {
  let last: InstructionKind | undefined;
  for (const a of actions) {
    if (a.type === 'conjunction') {
      const other = besideConjunction(actions);
      return other && { message: conjunctionProblem(other), error: 'NXBAC_BAD_CONJUNCTION' };
    }
    const problem = nestingProblem(a, within);
    if (problem) return problem;
    const kind = kindOf(a);
    const refused = kind === 'apply' ? undefined : refusal(a);
    if (refused !== undefined) return { message: refused, error: 'OFPBIC_UNSUP_INST' };
    const outOfOrder = last === undefined ? undefined : orderProblem(kind, last);
    if (outOfOrder !== undefined) return { message: outOfOrder, error: 'OFPBAC_UNSUPPORTED_ORDER' };
    last = kind;
  }
  return undefined;
}

/** Refuses a list that was read whole for what stands where it may not. `within` is the action that holds it. */
export function verifyList(
  r: Reader,
  actions: readonly Action[],
  version: number,
  instructions: boolean,
  within?: ActionType,
): void {
  // With 1.5 a meter became an action.
  const kindOf = (a: Action): InstructionKind =>
    version >= 6 && a.type === 'meter' ? 'apply' : instructionKind(a);
  const problem = firstMisplaced(actions, within, kindOf, (a) =>
    instructions ? undefined : notAllowedHere(a),
  );
  if (problem) refuse(r, problem.error, 'misplaced_action', problem.message);
}

/** What an action takes in the peer's lists. */
function roomOf(a: Action): number {
  const { room } = actionRow(a.type);
  return typeof room === 'function' ? room(a) : (room ?? 8);
}

const roomOfActions = (actions: readonly Action[]): number => actions.reduce((sum, a) => sum + roomOf(a), 0);

/** Parses a list, `text[from..to)`; `within` is the action that holds it. @throws FlowSyntaxError */
export function parseList(
  text: string,
  context: ParseContext,
  within?: ActionType,
  from = 0,
  to = text.length,
): Action[] {
  if (context.depth >= MAX_DEPTH) throw new FlowSyntaxError('Action nested too deeply');
  const { ports, tables, depth, onlyActions } = context;
  // As with the peer, a clone makes what came before it count no more.
  const usable = within === 'clone' ? PROTO_ANY : context.usable;
  const c: ParseContext = { ports, tables, usable, depth: depth + 1, within, onlyActions };
  const out: Action[] = [];
  let room = 0;
  let drop = false;
  const at = new KeyValueCursor(text, from, to);
  while (at.next()) {
    // Keywords are the same in capitals, but hardly anyone writes them.
    const parse = at.find(KEYWORDS);
    const a = parse === undefined ? parseOther(at, c) : parse(at.value, c);
    if (a === undefined) {
      drop = true;
      continue;
    }
    out.push(a);
    room += roomOf(a);
    if (room > MAX_ROOM) throw new FlowSyntaxError('input too big');
  }
  context.usable = c.usable;
  if (drop && out.length > 0) {
    throw new FlowSyntaxError('"drop" must not be accompanied by any other action or instruction');
  }
  const problem = firstMisplaced(out, within, instructionKind, (a) => {
    if (within === undefined) {
      // Of instructions only `meter` is an action, too (OpenFlow 1.5).
      return onlyActions !== true || a.type === 'meter' ? undefined : notAllowedHere(a);
    }
    return a.type === 'meter' ? `${within} action doesn't support nested action meter` : notAllowedHere(a);
  });
  if (problem) throw new FlowSyntaxError(problem.message);
  return out;
}

/** The first action that may not be in a list with `conjunction`; undefined when all is well. */
function besideConjunction(actions: readonly Action[]): Action | undefined {
  return actions.find((a) => a.type !== 'conjunction' && a.type !== 'note');
}

function conjunctionProblem(other: Action): string {
  return `"conjunction" actions may be used along with "note" but not any other kind of action (such as the "${actionName(other.type)}" action used here)`;
}

const notAllowedHere = (a: Action): string => `${actionName(a.type)} instruction not allowed here`;

/** A keyword in capitals, `drop` (undefined), or a port to send to. */
function parseOther(at: KeyValueCursor, c: ParseContext): Action | undefined {
  const { key } = at;
  const lower = key.toLowerCase();
  const parse = KEYWORDS.find(lower);
  if (parse) return parse(at.value, c);
  if (lower === 'drop') return undefined;
  if (lower === 'apply_actions') throw new FlowSyntaxError('apply_actions is the default instruction');
  if (lower === 'unroll_xlate') {
    throw new FlowSyntaxError("UNROLL is an internal action that shouldn't be used via OpenFlow");
  }
  const port = parsePort(key, c.ports);
  if (port === undefined) throw new FlowSyntaxError(`unknown action ${key}`);
  return { type: 'output', port, maxLen: port === OFPP.CONTROLLER ? WHOLE_PACKET : 0 };
}

/** What keeps an action from standing inside of `within`, or outside of any. */
function nestingProblem(a: Action, within: ActionType | undefined): Misplaced | undefined {
  const field = a.type === 'set_field' ? a.field : a.type === 'move' ? a.dst.field : undefined;
  const isCtField = field === 'ct_mark' || field === 'ct_label';
  if (within !== 'ct') {
    const error = 'OFPBAC_BAD_SET_ARGUMENT';
    if (isCtField) return { message: 'cannot set CT fields outside of ct action', error };
    if (a.type === 'nat') return { message: 'Cannot have NAT action outside of "ct" action', error };
    return undefined;
  }
  const error = 'OFPBAC_BAD_ARGUMENT';
  if (a.type === 'nat' || isCtField) return undefined;
  return field === undefined
    ? { message: `ct action doesn't support nested action ${actionName(a.type)}`, error }
    : { message: `ct action doesn't support nested modification of ${field}`, error };
}

/** The name of an action in error messages. */
export function actionName(type: ActionType): string {
  if (type === 'bundle_load') return 'bundle';
  if (type === 'set_vlan_vid' || type === 'set_vlan_pcp') return type;
  return Object.keys(actionRow(type).parse)[0] ?? type;
}

/** Prints a list; nothing for an empty one. */
export function formatList(actions: readonly Action[], context: FormatContext): string {
  return actions.map((a) => actionRow(a.type).format(a, context)).join(',');
}

/** Reads the actions inside of another one. */
function decodeNested(r: Reader, context: DecodeContext, within: ActionType): Action[] {
  const actions = decodeList(r, context);
  verifyList(r, actions, context.version, false, within);
  return actions;
}

setListOperations({
  encode: encodeList,
  decode: decodeNested,
  parse: parseList,
  format: formatList,
  room: roomOfActions,
});
