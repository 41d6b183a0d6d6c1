/**
 * What the peer prints for messages that cannot sensibly be printed so too. A test that compares with it takes a
 * difference for one of these only when the row says so of that very message, and counts them.
 */
import { UNKNOWN_SET_FIELD } from '../../src/actions/field.js';
import { OfError } from '../../src/errors.js';
import { decodeMessage } from '../../src/messages/codec.js';

interface Exception {
  /** Why the peer's answer is not ours too. */
  readonly reason: string;
  /** Whether a difference in what is printed for `bytes` is of this kind. */
  readonly applies: (bytes: Uint8Array, ours: string, theirs: string) => boolean;
}

const EXCEPTIONS = {
  'set-field of a field that there is not': {
    reason:
      'OFPBAC_BAD_SET_TYPE, says the specification; the peer says OFPBAC_BAD_SET_LEN when the bucket of its hash table that the header falls into holds a field of another length',
    applies: (bytes, ours, theirs) =>
      refusal(bytes) === UNKNOWN_SET_FIELD &&
      ours.replace('OFPBAC_BAD_SET_TYPE', 'OFPBAC_BAD_SET_LEN') === theirs,
  },
  'value that an ERSPAN field cannot have': {
    reason:
      'the peer takes whatever the bytes of tun_erspan_idx, _ver, _dir and _hwid hold, of which only 20, 4, 1 and 6 bits go into the header',
    applies: (bytes) => refusal(bytes)?.startsWith('value of tun_erspan_') ?? false,
  },
} as const satisfies Readonly<Record<string, Exception>>;

type ExceptionName = keyof typeof EXCEPTIONS;

/** Why a message is refused, or the one that it holds; undefined when it is not. */
function refusal(bytes: Uint8Array): string | undefined {
  const decoded = decodeMessage(bytes, { loose: true });
  if (decoded instanceof OfError) return decoded.detail;
  const { msg } = decoded;
  if (msg.type === 'bundle_add') return refusal(msg.message);
  return msg.type === 'error' && msg.error.data.length >= 8 ? refusal(msg.error.data) : undefined;
}

/** The exception that a difference is, if it is one. */
export function exceptionFor(bytes: Uint8Array, ours: string, theirs: string): ExceptionName | undefined {
  for (const [name, { applies }] of Object.entries(EXCEPTIONS)) {
    if (applies(bytes, ours, theirs)) return name as ExceptionName;
  }
  return undefined;
}
