/** Messages of every kind and version, as tests give them to the peer. */
import { OfError } from '../../src/errors.js';
import { decodeHeader } from '../../src/messages/codec.js';
import { generate, KINDS } from '../../src/testkit/diff-run.js';
import type { Random } from '../../src/testkit/random.js';

/** Of long messages, such as features of many tables, only some are worth their time. */
const LONG = 2000;

export interface Case {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/**
 * Now and then, an extension under the number of another version that has it: mostly one which would say the same by a
 * message of the standard's.
 */
function renumbered(r: Random, bytes: Uint8Array): Uint8Array | undefined {
  const known = decodeHeader(bytes);
  if (known instanceof OfError || known.wire.vendor === 0 || r.chance(0.7)) return undefined;
  const { from, to } = known.wire;
  const other = new Uint8Array(bytes);
  other[0] = from + r.below(Math.min(to, 6) - from + 1);
  return other[0] === bytes[0] ? undefined : other;
}

/** `runs` messages of each kind in each version that has it, `change`d by one who knows the one before too. */
export function* cases(
  r: Random,
  runs: number,
  change: (bytes: Uint8Array, before: Uint8Array) => Uint8Array,
): Generator<Case> {
  let before = new Uint8Array(8);
  for (let run = 0; run < runs; run++) {
    for (const kind of KINDS) {
      for (let version = 1; version <= 6; version++) {
        const bytes = generate(r, kind, version);
        if (!bytes || (run > 0 && bytes.length > LONG && r.chance(0.97))) continue;
        yield { what: `${kind} in version ${version}`, bytes: change(bytes, before) };
        before = new Uint8Array(bytes);
        const other = renumbered(r, bytes);
        if (other)
          yield { what: `${kind} of version ${version} in ${other[0]}`, bytes: change(other, before) };
      }
    }
  }
}
