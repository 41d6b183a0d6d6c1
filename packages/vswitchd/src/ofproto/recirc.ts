/**
 * Frozen translations: what a packet's translation knew when it left for the datapath (`recirc`, or `userspace` for
 * a controller), by the number that travels with the packet.
 *
 * Equal states share one number, so a pipeline makes as many numbers as it has places to freeze and megaflows stay
 * broad. A number lives as long as something holds it: the megaflow whose actions name it, a trace. Numbers are not
 * used again while 2^32 - 1 others are free.
 */
import { KEY_WORDS, W } from '@ovs-node/flow/layout';
import type { Action } from '@ovs-node/openflow/actions/types';
import { LONG_KEY_WORDS } from './tlv-table.js';
import type { FrozenAction, StackItem } from '@ovs-node/openflow/messages/continuation';

/** Words of the key's metadata that are frozen: tunnel, metadata, registers, tunnel options. */
const FROZEN_WORDS: readonly number[] = [
  ...range(W.TUN_ID, W.METADATA),
  ...range(W.METADATA, W.REG),
  ...range(W.REG, W.ACTSET_OUTPUT),
  ...range(KEY_WORDS, LONG_KEY_WORDS),
];

/** The numbers from `from` on, before `to`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

export interface FrozenState {
  readonly tableId: number;
  /** Name of the bridge. */
  readonly bridge: string;
  readonly conntracked: boolean;
  /** OpenFlow in_port and the words of FROZEN_WORDS that are not zero. */
  readonly inPort: number;
  readonly metadata: readonly (readonly [word: number, value: number])[];
  readonly stack: readonly StackItem[];
  readonly actionSet: readonly Action[];
  readonly actsetOutput: number;
  /** Actions to go on with instead of a look-up in the table. */
  readonly actions?: readonly FrozenAction[];
  /** Of a `controller` action: what the packet-in carries back. */
  readonly userdata?: Uint8Array;
}

/** The metadata of a flow, for a state. */
export function freezeMetadata(flow: Uint32Array): [number, number][] {
  const metadata: [number, number][] = [];
  for (const w of FROZEN_WORDS) if (flow[w]) metadata.push([w, flow[w]]);
  return metadata;
}

/** Puts a state's metadata into a flow. */
export function thawMetadata(state: FrozenState, flow: Uint32Array): void {
  for (const w of FROZEN_WORDS) flow[w] = 0;
  for (const [w, value] of state.metadata) flow[w] = value;
  flow[W.IN_PORT] = state.inPort;
}

interface Node {
  readonly id: number;
  readonly key: string;
  readonly state: FrozenState;
  refs: number;
  /** Holds for packets that may be under way, and no others. */
  leaving: number;
}

const actionIds = new WeakMap<Action, number>();
let nextActionId = 1;

/** Actions are immutable values that live with their flow, so identity stands for content. */
function actionId(action: Action): number {
  let id = actionIds.get(action);
  if (id === undefined) actionIds.set(action, (id = nextActionId++));
  return id;
}

function frozenId(action: FrozenAction): string | number {
  return action.type === 'unroll_xlate' ? `${action.tableId}/${action.cookie}` : actionId(action);
}

function keyOf(state: FrozenState): string {
  return [
    state.bridge,
    state.tableId,
    state.conntracked ? 1 : 0,
    state.inPort,
    state.metadata.flat().join(','),
    state.stack.map(({ value, bytes }) => `${value}/${bytes}`).join(','),
    state.actionSet.map(actionId).join(','),
    state.actsetOutput,
    state.userdata ?? '',
    state.actions?.map(frozenId).join(',') ?? '',
  ].join('|');
}

export class RecircTable {
  private readonly byId = new Map<number, Node>();
  private readonly byKey = new Map<string, Node>();
  private next = 1;

  /** States that are held. */
  get size(): number {
    return this.byId.size;
  }

  /** The number of an equal state, or a new one; held once more for the caller. */
  acquire(state: FrozenState): number {
    const key = keyOf(state);
    let node = this.byKey.get(key);
    if (!node) {
      while (this.byId.has(this.next)) this.advance();
      node = { id: this.next, key, state, refs: 0, leaving: 0 };
      this.advance();
      this.byId.set(node.id, node);
      this.byKey.set(key, node);
    }
    node.refs++;
    return node.id;
  }

  /** Holds a number once more. */
  hold(id: number): void {
    const node = this.byId.get(id);
    if (node) node.refs++;
  }

  /** Gives one hold back; the last one frees the number. */
  release(id: number): void {
    const node = this.byId.get(id);
    if (!node || --node.refs > 0) return;
    this.retire(node);
    if (node.leaving === 0) this.byId.delete(id);
  }

  /**
   * Gives one hold back but for packets that are under way, until `forget`. When it was the last the number is not given to
   * an equal state again: as with the peer, what comes later is translated anew.
   */
  leave(id: number): void {
    const node = this.byId.get(id);
    if (!node) return;
    node.leaving++;
    if (--node.refs === 0) this.retire(node);
  }

  /** No packets are under way any more that `leave` spoke of. */
  forget(id: number): void {
    const node = this.byId.get(id);
    if (node && --node.leaving === 0 && node.refs <= 0) this.byId.delete(id);
  }

  private retire(node: Node): void {
    if (this.byKey.get(node.key) === node) this.byKey.delete(node.key);
  }

  lookup(id: number): FrozenState | undefined {
    return this.byId.get(id)?.state;
  }

  /** Leaves the numbers up to `id` out for now: packets of an earlier run may still carry them. */
  startAfter(id: number): void {
    if (id >= this.next) {
      this.next = id;
      this.advance();
    }
  }

  private advance(): void {
    this.next = this.next === 0xffffffff ? 1 : this.next + 1;
  }
}
