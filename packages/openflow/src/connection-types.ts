/** What `OfConnection` is told and tells of, and its errors. */
import type { OfError } from './errors.js';
import type { Explain } from './explain.js';
import type { Decoded, DecodeOptions, Refusal } from './messages/codec.js';
import { hex } from './text/numbers.js';

/** What a connection is to be like. */
export interface ConnectionOptions {
  /** Versions to offer: bit n for version n on the wire. */
  readonly versions: number;
  /** Whether messages that cannot be decoded are answered with their error, as a switch does. */
  readonly answerErrors?: boolean;
  /** Which messages are refused by their type, whatever is in them. */
  readonly refuses?: Refusal;
  /** Is told what is wrong with what comes in. */
  readonly explain?: Explain;
  /**
   * Given each message before it is read: what is to be read in its place, nothing while it waits for more of its kind, or
   * the error to answer with, which quotes what it is of. For a switch, which gets requests in parts.
   */
  readonly assemble?: (bytes: Uint8Array) => Uint8Array | OfError | undefined;
  /** As in `DecodeOptions`. */
  readonly tunnelOptionBits?: DecodeOptions['tunnelOptionBits'];
  /** Take messages of any version after the hello, and answer none: for watching a conversation of others. */
  readonly watch?: boolean;
  /** Nothing is read but what `take` asks for, and nothing of that is answered, but messages of another version. */
  readonly onDemand?: boolean;
}

/** What a connection tells of. */
export interface ConnectionHandlers {
  /** The version is agreed on, out of `theirs` (as `ConnectionOptions.versions`); messages follow. */
  readonly onReady?: (version: number, theirs: number) => void;
  /** Something is wrong with what came before the version was agreed on, or with its version: words for the log. */
  readonly onTrouble?: (text: string, level?: 'err' | 'warn') => void;
  /** A message that is no reply to a request of ours. `bytes` is borrowed. */
  readonly onMessage?: (decoded: Decoded, bytes: Uint8Array) => void;
  /** A message that could not be decoded. */
  readonly onBadMessage?: (error: OfError, bytes: Uint8Array) => void;
  /** Something came, be it a part of a message. */
  readonly onActivity?: () => void;
  /** Every message as it came, before anything else is done with it. */
  readonly onFrame?: (bytes: Uint8Array) => void;
  /** Every message as it goes; `onDemand`, when the system has it, or with the reason why it has not. */
  readonly onSend?: (bytes: Uint8Array, error?: Error) => void;
  /** The end; called once. `reason` is undefined when it was orderly. */
  readonly onClose?: (reason: Error | undefined) => void;
}

/** A request was answered with an error. */
export class ErrorReply extends Error {
  override name = 'ErrorReply';
  readonly error: OfError;
  /** The error message as it came. */
  readonly bytes: Uint8Array;
  constructor(error: OfError, bytes: Uint8Array) {
    super(error.toString());
    this.error = error;
    this.bytes = bytes;
  }
}

/** The connection ended, or its peer does not keep to the protocol. `code` is an errno name. */
export class ConnectionError extends Error {
  override name = 'ConnectionError';
  readonly code: string;
  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** `version 0x01` or `versions 0x01, 0x04`. */
export function formatVersions(versions: number): string {
  const list: string[] = [];
  for (let v = 0; v <= 31; v++) if ((versions & (1 << v)) !== 0) list.push(hex(v, 2));
  const range =
    list.length > 1 && list.every((_, i) => i === 0 || parseInt(list[i]) === parseInt(list[i - 1]) + 1);
  if (range && list[0] === '0x01') return `version ${list[list.length - 1]} and earlier`;
  return `version${list.length === 1 ? '' : 's'} ${list.join(', ')}`;
}
