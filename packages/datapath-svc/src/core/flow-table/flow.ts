import type { Program } from '../actions/program.js';
import type { Subtable } from './subtable.js';

/**
 * One datapath flow: a masked key and what to do. All fields are there from the start, so that every flow has one
 * shape. Statistics are plain numbers, exact to 2^53.
 */
export class Flow {
  /**
   * `DP_WORDS` words as they were given, unmasked: the identity of a flow without UFID, and what dumps show. The masked
   * words lie in the subtable; a copy per flow would be the larger part of its memory.
   */
  readonly key: Uint32Array;
  /** `DP_WORDS` words; the subtable's own once the flow is in a table. */
  mask: Uint32Array;
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
    key: Uint32Array,
    mask: Uint32Array,
    ufid: Uint8Array | null,
    id: string,
    actions: Uint8Array,
    program: Program,
  ) {
    this.key = key;
    this.mask = mask;
    this.ufid = ufid;
    this.id = id;
    this.actions = actions;
    this.program = program;
  }

  /** A new array of the key's words under the mask. */
  maskedKey(): Uint32Array {
    return this.key.map((word, i) => word & this.mask[i]);
  }
}
