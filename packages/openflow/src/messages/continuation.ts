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
import { fail, guard, type OfError, refuse } from '../errors.js';
import type { Explain } from '../explain.js';
import { Reader, Writer } from '../wire.js';
import { putProperty, readProperty, unknownProperty } from './property.js';

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

const NXCPT = {
  BRIDGE: 0x8000,
  STACK: 0x8001,
  MIRRORS: 0x8002,
  CONNTRACKED: 0x8003,
  TABLE_ID: 0x8004,
  COOKIE: 0x8005,
  ACTIONS: 0x8006,
  ACTION_SET: 0x8007,
  ODP_PORT: 0x8008,
  /** Ours: one instruction of OpenFlow 1.3. */
  INSTRUCTION: 0x80f0,
} as const;

const INSTRUCTION_VERSION = 4;
const UUID_BYTES = 16;
const MAX_STACK_BYTES = 128;

/** Writes a property with actions, which begin where 8 divides. */
function putActionsProperty(w: Writer, type: number, put: () => void): void {
  putProperty(w, type, () => {
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
      if (table !== tableId) putProperty(w, NXCPT.TABLE_ID, () => w.u8(table));
      if (own !== cookie) putProperty(w, NXCPT.COOKIE, () => w.zeros(4).u64(own));
      tableId = table;
      cookie = own;
      i++;
      continue;
    }
    const actions = asActions(first);
    if (actions.some(isInstruction)) {
      putActionsProperty(w, NXCPT.INSTRUCTION, () => putInstructions(w, actions, INSTRUCTION_VERSION));
      i++;
      continue;
    }
    const run: Action[] = [];
    for (let a = frozen[i]; a !== undefined && a.type !== 'unroll_xlate'; a = frozen[++i]) {
      const plain = asActions(a);
      if (plain.some(isInstruction)) break;
      run.push(...plain);
    }
    putActionsProperty(w, NXCPT.ACTIONS, () => putActions(w, run, version));
  }
}

/** The bytes of a continuation, with actions as `version` has them. */
export function encodeContinuation(c: Continuation, version: number): Uint8Array {
  const w = new Writer();
  putProperty(w, NXCPT.BRIDGE, () => w.bytes(c.bridge));
  for (const { value, bytes } of c.stack.toReversed()) {
    putProperty(w, NXCPT.STACK, () => {
      for (let i = bytes - 1; i >= 0; i--) w.u8(Number((value >> BigInt(8 * i)) & 0xffn));
    });
  }
  if (c.mirrors !== 0) putProperty(w, NXCPT.MIRRORS, () => w.u32(c.mirrors));
  if (c.conntracked) putProperty(w, NXCPT.CONNTRACKED, () => undefined);
  putFrozenActions(w, c.actions, version);
  if (c.actionSet.length > 0)
    putActionsProperty(w, NXCPT.ACTION_SET, () => putActions(w, c.actionSet, version));
  if (c.odpPort !== 0) putProperty(w, NXCPT.ODP_PORT, () => w.u32(c.odpPort));
  return w.finish();
}

/** Lengths of the properties that have one. */
const EXACT: Readonly<Record<number, number>> = {
  [NXCPT.BRIDGE]: 20,
  [NXCPT.MIRRORS]: 8,
  [NXCPT.TABLE_ID]: 5,
  [NXCPT.COOKIE]: 16,
  [NXCPT.ODP_PORT]: 8,
};

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
    const property = readProperty(r, 'OFPBPC_BAD_LEN', 0x10000);
    const { type, length, body } = property;
    if ((EXACT[type] ?? length) !== length) fail('OFPBPC_BAD_LEN', `property of ${length} bytes`);
    const afterPadding = (): Reader => {
      if (body.left < 4) refuse(r, 'OFPBPC_BAD_LEN', 'frozen_actions', length);
      body.skip(4);
      return body;
    };
    switch (type) {
      case NXCPT.BRIDGE:
        c.bridge = body.rest().slice();
        break;
      case NXCPT.STACK:
        if (body.left > MAX_STACK_BYTES) refuse(r, 'OFPBPC_BAD_LEN', 'stack_item', body.left);
        stack.push({ bytes: body.left, value: body.left === 0 ? 0n : body.big(body.left) });
        break;
      case NXCPT.MIRRORS:
        c.mirrors = body.u32();
        break;
      case NXCPT.CONNTRACKED:
        c.conntracked = true;
        break;
      case NXCPT.TABLE_ID:
        tableId = body.u8();
        break;
      case NXCPT.COOKIE:
        body.skip(4);
        cookie = body.u64();
        break;
      case NXCPT.ACTIONS:
        actions.push({ type: 'unroll_xlate', tableId, cookie }, ...readActions(afterPadding(), version));
        break;
      case NXCPT.ACTION_SET:
        c.actionSet = readActions(afterPadding(), version);
        break;
      case NXCPT.ODP_PORT:
        c.odpPort = body.u32();
        break;
      case NXCPT.INSTRUCTION:
        actions.push(...readInstructions(afterPadding(), INSTRUCTION_VERSION));
        break;
      default:
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
