/**
 * Continuations (NXPINT_CONTINUATION): what a switch must know to go on with a packet that it paused for a controller. They
 * are private to the switch that makes them, in the manner of Open vSwitch 3.1, whose tools print what is in them.
 *
 * A list of actions is cut where the table or the cookie changes that asynchronous messages of later actions name; in
 * front of each piece stands what has changed (an `unroll_xlate`). What OpenFlow has no action for, the instructions
 * that work on the action set, travels in properties of our own, which others pass over.
 */
import { readActions, readInstructions, putActions, putInstructions } from '../actions/codec.js';
import { instructionKind } from '../actions/table.js';
import type { Action } from '../actions/types.js';
import { guard, type OfError, refuse } from '../errors.js';
import type { Explain } from '../explain.js';
import { Reader, Writer } from '../wire.js';
import { propertyName, putProperty, readProperty, unknownProperty } from './property.js';
import type { PropertyName } from './property-table.js';

/** A value that was pushed, and how many bytes of it count. */
export interface StackItem {
  readonly value: bigint;
  readonly bytes: number;
}

/** Makes messages of the actions after it name this table and cookie. */
export interface Unroll {
  readonly type: 'unroll_xlate';
  readonly tableId: number;
  readonly cookie: bigint;
}
export type FrozenAction = Action | Unroll;

export interface Continuation {
  /** UUID of the bridge, 16 bytes. */
  readonly bridge: Uint8Array;
  /** The last one is the top. */
  readonly stack: readonly StackItem[];
  /** Mirrors that have had their copy, a bit each. */
  readonly mirrors: number;
  readonly conntracked: boolean;
  readonly actions: readonly FrozenAction[];
  readonly actionSet: readonly Action[];
  /** Datapath port that the packet came in on. */
  readonly odpPort: number;
}

const INSTRUCTION_VERSION = 4;
const UUID_BYTES = 16;
const MAX_STACK_BYTES = 128;

/** Writes a property with actions, which begin where 8 divides. */
function putActionsProperty(w: Writer, name: PropertyName<'continuation'>, put: () => void): void {
  putProperty(w, 'continuation', name, () => {
    w.zeros(4);
    put();
  });
}

/** How actions go between lists: a jump as resubmit, metadata as a set field. */
function asActions(action: Action): readonly Action[] {
  switch (action.type) {
    case 'goto_table':
      return [
        {
          type: 'resubmit',
          inPort: 0xfffffff8,
          table: action.table,
          withCtOrig: false,
          form: 'resubmit_table',
        },
      ];
    case 'write_metadata':
      return [
        {
          type: 'set_field',
          field: 'metadata',
          value: action.metadata & action.mask,
          mask: action.mask,
          form: 'load',
        },
      ];
    default:
      return [action];
  }
}

function isInstruction(action: Action): boolean {
  return instructionKind(action) !== 'apply';
}

function putFrozenActions(w: Writer, frozen: readonly FrozenAction[], version: number): void {
  let tableId = 0;
  let cookie = 0n;
  for (let i = 0; i < frozen.length;) {
    const first = frozen[i]!;
    if (first.type === 'unroll_xlate') {
      const { tableId: table, cookie: own } = first;
      if (table !== tableId) putProperty(w, 'continuation', 'tableId', () => w.u8(table));
      if (own !== cookie) putProperty(w, 'continuation', 'cookie', () => w.zeros(4).u64(own));
      tableId = table;
      cookie = own;
      i++;
      continue;
    }
    const actions = asActions(first);
    if (actions.some(isInstruction)) {
      putActionsProperty(w, 'instruction', () => putInstructions(w, actions, INSTRUCTION_VERSION));
      i++;
      continue;
    }
    const run: Action[] = [];
    for (let a = frozen[i]; a !== undefined && a.type !== 'unroll_xlate'; a = frozen[++i]) {
      const plain = asActions(a);
      if (plain.some(isInstruction)) break;
      run.push(...plain);
    }
    putActionsProperty(w, 'actions', () => putActions(w, run, version));
  }
}

/** The bytes of a continuation, with actions as `version` has them. */
export function encodeContinuation(c: Continuation, version: number): Uint8Array {
  const w = new Writer();
  putProperty(w, 'continuation', 'bridge', () => w.bytes(c.bridge));
  for (const { value, bytes } of c.stack.toReversed()) {
    putProperty(w, 'continuation', 'stack', () => {
      for (let i = bytes - 1; i >= 0; i--) w.u8(Number((value >> BigInt(8 * i)) & 0xffn));
    });
  }
  if (c.mirrors !== 0) putProperty(w, 'continuation', 'mirrors', () => w.u32(c.mirrors));
  if (c.conntracked) putProperty(w, 'continuation', 'conntracked', () => undefined);
  putFrozenActions(w, c.actions, version);
  if (c.actionSet.length > 0) putActionsProperty(w, 'actionSet', () => putActions(w, c.actionSet, version));
  if (c.odpPort !== 0) putProperty(w, 'continuation', 'odpPort', () => w.u32(c.odpPort));
  return w.finish();
}

type Mutable = { -readonly [K in keyof Continuation]: Continuation[K] };

function read(r: Reader, version: number, loose: boolean): Continuation {
  const stack: StackItem[] = [];
  const actions: FrozenAction[] = [];
  const c: Mutable = {
    bridge: new Uint8Array(UUID_BYTES),
    stack,
    mirrors: 0,
    conntracked: false,
    actions,
    actionSet: [],
    odpPort: 0,
  };
  let tableId = 0;
  let cookie = 0n;
  while (r.left > 0) {
    const property = readProperty(r);
    const { length, body } = property;
    const afterPadding = (): Reader => {
      if (body.left < 4) refuse(r, 'OFPBPC_BAD_LEN', 'frozen_actions', length);
      body.skip(4);
      return body;
    };
    switch (propertyName('continuation', property)) {
      case 'bridge':
        c.bridge = body.rest().slice();
        break;
      case 'stack':
        if (body.left > MAX_STACK_BYTES) refuse(r, 'OFPBPC_BAD_LEN', 'stack_item', body.left);
        stack.push({ bytes: body.left, value: body.left === 0 ? 0n : body.big(body.left) });
        break;
      case 'mirrors':
        c.mirrors = body.u32();
        break;
      case 'conntracked':
        c.conntracked = true;
        break;
      case 'tableId':
        tableId = body.u8();
        break;
      case 'cookie':
        body.skip(4);
        cookie = body.u64();
        break;
      case 'actions':
        actions.push({ type: 'unroll_xlate', tableId, cookie }, ...readActions(afterPadding(), version));
        break;
      case 'actionSet':
        c.actionSet = readActions(afterPadding(), version);
        break;
      case 'odpPort':
        c.odpPort = body.u32();
        break;
      case 'instruction':
        actions.push(...readInstructions(afterPadding(), INSTRUCTION_VERSION));
        break;
      case undefined:
        unknownProperty(property, 'continuation', loose);
    }
  }
  stack.reverse();
  return c;
}

/** Reads a continuation; `loose`: properties that are not known are passed over. Owns what it returns. */
export function decodeContinuation(
  bytes: Uint8Array,
  version: number,
  loose = false,
): Continuation | OfError {
  return guard(() => read(new Reader(bytes), version, loose));
}

/** Fails, inside of `guard`, when bytes are no continuation; of properties that are not known it does not. */
export function checkContinuation(bytes: Uint8Array | undefined, version: number, explain?: Explain): void {
  if (bytes !== undefined) read(new Reader(bytes, 0, bytes.length, 'OFPBRC_BAD_LEN', explain), version, true);
}
