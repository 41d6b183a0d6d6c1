import { DP_WORDS } from '@ovs-node/flow/layout';
import type { Program } from '../actions/program.js';
import type { Subtable } from './subtable.js';

/**
 * One datapath flow: a masked key and what to do. All fields are there from the start, so that every flow has one
 * shape. Statistics are plain numbers, exact to 2^53.
 */
export class Flow {
  /** `DP_WORDS` words, masked by the subtable's mask. */
  readonly key: Uint32Array;
  /** The key as it was given, unmasked: the identity of a flow without UFID, and what a dump prints bits of. */
  readonly fullKey: Uint32Array;
  /** `DP_WORDS` words. */
  readonly mask: Uint32Array;
  /** 1 to 16 bytes, or null when the flow is known by its key. */
  readonly ufid: Uint8Array | null;
  /** The string under which the flow is in the table's index. */
  readonly id: string;
  /** OVS_ACTION_ATTR_* as given. */
  actions: Uint8Array;
  program: Program;
  packets = 0;
  bytes = 0;
  /** Time of the last packet in milliseconds, 0 when there was none. */
  used = 0;
  /** Inclusive or of the TCP flags seen, 12 bits. */
  tcpFlags = 0;
  /** Taken out of the table; caches that still hold it must not use it. */
  dead = false;
  subtable: Subtable | null = null;

  constructor(
    fullKey: Uint32Array,
    mask: Uint32Array,
    ufid: Uint8Array | null,
    id: string,
    actions: Uint8Array,
    program: Program,
  ) {
    this.key = new Uint32Array(DP_WORDS);
    for (let i = 0; i < DP_WORDS; i++) this.key[i] = fullKey[i] & mask[i];
    this.fullKey = fullKey;
    this.mask = mask;
    this.ufid = ufid;
    this.id = id;
    this.actions = actions;
    this.program = program;
  }
}
