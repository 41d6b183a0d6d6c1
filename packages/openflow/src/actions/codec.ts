/** Action lists and instructions as bytes, both ways. */
import { fail, guard, type OfError, refuse } from '../errors.js';
import type { Explain } from '../explain.js';
import { Reader, Writer } from '../wire.js';
import {
  INSTRUCTION_ROWS,
  INSTRUCTION_TABLE,
  type InstructionKind,
  instructionOfType,
} from './instruction-table.js';
import { putRepeated, type ReadList, readRepeated } from './repeated-lists.js';
import { decodeList, encodeList, instructionKind, NOT_IN_ACTION_SET, verifyList } from './table.js';
import type { Action } from './types.js';

/** The type of instructions of experimenters, of which none is known. */
const EXPERIMENTER = 0xffff;

/** Writes an action list in the form of `version`. */
export function putActions(w: Writer, actions: readonly Action[], version: number): void {
  encodeList(w, actions, version);
}

/** A reader of the next `length` bytes of `r`, which are to be a list. */
function readerOfList(r: Reader, what: 'actions' | 'instructions', length: number): Reader {
  const error = what === 'actions' ? 'OFPBRC_BAD_LEN' : 'OFPBIC_BAD_LEN';
  if (length % 8 !== 0) refuse(r, error, 'odd_list', what, length);
  if (length > r.left) refuse(r, error, 'long_list', what, length, r.left);
  return r.sub(length, error);
}

/** Reads `length` bytes of actions, with instructions among them or without; fails inside of `guard` only. */
export function readActions(r: Reader, version: number, length = r.left, instructions = false): Action[] {
  const actions = decodeList(readerOfList(r, 'actions', length), { version, depth: 0 });
  verifyList(r, actions, version, instructions);
  return actions;
}

/** Reads a list of actions to go into an action set, where not all can be. */
function readActionSet(r: Reader, version: number): Action[] {
  const actions = decodeList(r, { version, depth: 0 });
  const misplaced = actions.find((a) => NOT_IN_ACTION_SET.has(a.type));
  if (misplaced) refuse(r, 'OFPBAC_BAD_TYPE', 'action_set');
  return actions;
}

/** Writes an instruction of OpenFlow 1.1 and later with what `put` has it hold, if it holds anything. */
function putInstruction(w: Writer, kind: InstructionKind, put: () => void, ifEmpty = true): void {
  const start = w.length;
  w.u16(INSTRUCTION_TABLE[kind].type).u16(0);
  const from = w.length;
  put();
  // What a version has no way to say leaves no instruction.
  if (!ifEmpty && w.length === from + 4) w.length = start;
  else w.setU16(start + 2, w.length - start);
}

/** Writes an action that is an instruction of its own; nothing where the version has none for it. */
function putOwnInstruction(w: Writer, a: Action, version: number): void {
  switch (a.type) {
    case 'goto_table':
      putInstruction(w, 'goto', () => w.u8(a.table).zeros(3));
      break;
    case 'write_metadata':
      putInstruction(w, 'metadata', () => w.zeros(4).u64(a.metadata).u64(a.mask));
      break;
    case 'clear_actions':
      putInstruction(w, 'clear', () => w.zeros(4));
      break;
    case 'write_actions':
      putInstruction(w, 'write', () => encodeList(w.zeros(4), a.actions, version), false);
      break;
    case 'meter':
      if (version >= 4) putInstruction(w, 'meter', () => w.u32(a.meter));
      break;
  }
}

/** Writes actions (OpenFlow 1.1 and later), `putRun` those between the ones that are instructions of their own. */
function putRuns(
  w: Writer,
  actions: readonly Action[],
  version: number,
  putRun: (run: readonly Action[]) => void,
): void {
  // OpenFlow 1.5 has made an action of the meter.
  const isPlain = (a: Action): boolean =>
    instructionKind(a) === 'apply' || (a.type === 'meter' && version >= 6);
  for (let i = 0; i < actions.length;) {
    const from = i;
    while (i < actions.length && isPlain(actions[i])) i++;
    if (i > from) putRun(actions.slice(from, i));
    else putOwnInstruction(w, actions[i++], version);
  }
}

/** Writes instructions (OpenFlow 1.1 and later): runs of plain actions become apply-actions. */
export function putInstructions(w: Writer, actions: readonly Action[], version: number): void {
  putRuns(w, actions, version, (run) =>
    putInstruction(w, 'apply', () => encodeList(w.zeros(4), run, version), false),
  );
}

/** Writes what a flow does as a list of actions; where a version has instructions they stand among them as they are. */
export function putMixedActions(w: Writer, actions: readonly Action[], version: number): void {
  if (version === 1) putActions(w, actions, version);
  else putRuns(w, actions, version, (run) => encodeList(w, run, version));
}

/** Reads `length` bytes of instructions, in the order in which they are executed. */
export function readInstructions(all: Reader, version: number, length = all.left): Action[] {
  const r = readerOfList(all, 'instructions', length);
  const from = r.pos;
  // All of them are looked over before what is in them is read.
  const found = new Map<InstructionKind, Reader>();
  while (r.left > 0) {
    const start = r.pos;
    const type = r.u16();
    const length = r.u16();
    if (length < 8 || length % 8 !== 0 || length > r.end - start)
      refuse(r, 'OFPBIC_BAD_LEN', 'bad_instruction', start - from);
    if (type === EXPERIMENTER) fail('OFPBIC_BAD_EXPERIMENTER', 'experimenter instruction');
    const kind = instructionOfType(type);
    if (kind === undefined) return fail('OFPBIC_UNKNOWN_INST', `instruction ${type}`);
    const row = INSTRUCTION_TABLE[kind];
    if ((row.length ?? length) !== length) fail('OFPBIC_BAD_LEN', `length ${length} of instruction ${type}`);
    // The peer understands a meter before 1.3 too.
    if (version > row.to) fail('OFPBIC_UNKNOWN_INST', `instruction ${type}`);
    if (found.has(kind)) fail('OFPBIC_DUP_INST', `instruction ${type} twice`);
    found.set(kind, r.sub(length - 4, 'OFPBAC_BAD_LEN'));
  }
  const out: Action[] = [];
  for (const [kind] of INSTRUCTION_ROWS) {
    const body = found.get(kind);
    if (body) out.push(...readInstruction(kind, body, version));
  }
  verifyList(r, out, version, true);
  return out;
}

function readInstruction(kind: InstructionKind, body: Reader, version: number): readonly Action[] {
  switch (kind) {
    case 'goto':
      return [{ type: 'goto_table', table: body.u8() }];
    case 'meter':
      return [{ type: 'meter', meter: body.u32() }];
    case 'clear':
      return [{ type: 'clear_actions' }];
    case 'metadata': {
      body.skip(4);
      const metadata = body.u64();
      return [{ type: 'write_metadata', metadata, mask: body.u64() }];
    }
    case 'write':
      body.skip(4);
      return [{ type: 'write_actions', actions: readActionSet(body, version) }];
    case 'apply':
      body.skip(4);
      return decodeList(body, { version, depth: 0 });
  }
}

/** What a flow does, as the bytes that end a flow-mod: actions in OpenFlow 1.0, instructions later. */
export function putFlowActions(w: Writer, actions: readonly Action[], version: number): void {
  putRepeated(w, actions, version, version === 1 ? putActions : putInstructions);
}

/** Reads `length` bytes of what a flow does. */
export function readFlowActions(r: Reader, version: number, length = r.left): readonly Action[] {
  return readRepeated(r, version, length, version === 1 ? readPlain : readInstructions);
}
const readPlain: ReadList = (r, version, length) => readActions(r, version, length, true);

/** The bytes of an action list. */
export function encodeActions(actions: readonly Action[], version: number): Uint8Array {
  const w = new Writer();
  putActions(w, actions, version);
  return w.finish();
}

/** The actions in `bytes`, all of it. */
export function decodeActions(bytes: Uint8Array, version: number, explain?: Explain): Action[] | OfError {
  return guard(() => readActions(new Reader(bytes, 0, bytes.length, 'OFPBAC_BAD_LEN', explain), version));
}

/** The bytes of the instructions of OpenFlow 1.1 and later. */
export function encodeInstructions(actions: readonly Action[], version: number): Uint8Array {
  const w = new Writer();
  putInstructions(w, actions, version);
  return w.finish();
}

export function decodeInstructions(
  bytes: Uint8Array,
  version: number,
  explain?: Explain,
): Action[] | OfError {
  return guard(() =>
    readInstructions(new Reader(bytes, 0, bytes.length, 'OFPBIC_BAD_LEN', explain), version),
  );
}
