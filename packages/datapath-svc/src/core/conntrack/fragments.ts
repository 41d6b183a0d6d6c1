/**
 * Which connection the later fragments of a packet belong to: ports and ICMP types are in the first fragment alone.
 *
 * Nothing is held back and reassembled. The first fragment leaves a note (addresses, protocol, identification, zone
 * to ports word), and later fragments that come within `LIFETIME` read it; one that comes before the first is
 * invalid. So fragments in order are tracked as the peer tracks them, which reassembles; out of order they are not.
 *
 * A direct-mapped table: a note goes to the one place that its hash says and replaces what is there. The memory is
 * fixed, so a flood of fragments costs only other fragments. Checked by the whole key, never by hash alone.
 */
import { finish, mix } from '../flow-table/hash.js';
import { T, TUPLE_WORDS } from './table.js';

const PLACES = 2048;
/** Milliseconds that a note is good for. */
export const LIFETIME = 15_000;

/** Words of a note: the tuple, then the identification. */
const WIDTH = TUPLE_WORDS + 1;

export class FragmentNotes {
  private readonly words = new Uint32Array(PLACES * WIDTH);
  private readonly expiry = new Float64Array(PLACES);
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** Leaves a note of a first fragment's tuple. */
  put(tuple: Uint32Array, id: number, now: number): void {
    const place = this.place(tuple, id);
    const at = place * WIDTH;
    for (let i = 0; i < TUPLE_WORDS; i++) this.words[at + i] = tuple[i];
    this.words[at + TUPLE_WORDS] = id;
    this.expiry[place] = now + LIFETIME;
  }

  /** Completes a later fragment's tuple by the ports word of its first one; false when there is no note. */
  complete(tuple: Uint32Array, id: number, now: number): boolean {
    const place = this.place(tuple, id);
    if (this.expiry[place] <= now) return false;
    const at = place * WIDTH;
    const words = this.words;
    if (words[at + TUPLE_WORDS] !== id >>> 0) return false;
    for (let i = 0; i < TUPLE_WORDS; i++) if (i !== T.PORTS && words[at + i] !== tuple[i]) return false;
    tuple[T.PORTS] = words[at + T.PORTS];
    return true;
  }

  private place(tuple: Uint32Array, id: number): number {
    let h = mix(this.seed, id);
    for (let i = 0; i < TUPLE_WORDS; i++) if (i !== T.PORTS) h = mix(h, tuple[i]);
    return finish(h) & (PLACES - 1);
  }
}
