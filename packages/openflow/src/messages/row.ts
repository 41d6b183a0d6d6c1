/**
 * The shape of a row of the message table: one row per message, with each form it has on the wire. `codec.ts` loops
 * over the rows.
 */
import type { Explain } from '../explain.js';
import type { Reader, TunnelOptionBits, Writer } from '../wire.js';
import type { MessageOf, OfMessage, OfMessageType } from './types.js';
import { type WireForm, type WireFormKey, wireForm } from './wire-forms.js';

/** One form of a message on the wire. */
export interface MessageForm<M> {
  readonly wire: WireForm;
  /** Whether this form can say `m`; the first form of the version that can is sent. */
  readonly when?: ((m: M, version: number) => boolean) | undefined;
  /** Writes what follows the header (8 bytes, or 16 with a vendor). */
  readonly encode: (w: Writer, m: M, version: number) => void;
  /** Reads what follows the header. */
  readonly decode: (r: Reader, version: number, options: DecodeOptions) => OfMessage;
}

/** What decoding depends on beyond the bytes. */
export interface DecodeOptions {
  /**
   * OpenFlow 1.0: whether the connection has the table id extension on (NXT_FLOW_MOD_TABLE_ID), which puts a table
   * into the upper byte of a flow-mod's command. When absent it is: that is how messages are printed.
   */
  readonly tableId?: boolean;
  /**
   * What tunnel options there are (`tun_metadata<index>`): a flow-mod, or a request for flows, that names another, or
   * bits that one does not have, is bad where the name stands. When absent, any is good.
   */
  readonly tunnelOptionBits?: TunnelOptionBits | undefined;
  /** Whether to pass over what an extension does not define, as one does who prints a message. */
  readonly loose?: boolean;
  /** Is told what is wrong with the message. */
  readonly explain?: Explain | undefined;
}

export interface MessageRow<M> {
  readonly forms: readonly MessageForm<M>[];
}

export type MessageTable = { readonly [T in OfMessageType]: MessageRow<MessageOf<T>> };
export type MessageRows<T extends OfMessageType> = { readonly [K in T]: MessageRow<MessageOf<K>> };

/** The form of a message that has `key` in the table of wire forms. */
export function form<M>(
  key: WireFormKey,
  encode: MessageForm<M>['encode'],
  decode: MessageForm<M>['decode'],
  when?: MessageForm<M>['when'],
): MessageForm<M> {
  return { wire: wireForm(key), encode, decode, when };
}

/** The same encoding under several numbers. */
export function forms<M>(
  keys: readonly WireFormKey[],
  encode: MessageForm<M>['encode'],
  decode: MessageForm<M>['decode'],
  when?: MessageForm<M>['when'],
): readonly MessageForm<M>[] {
  return keys.map((key) => form(key, encode, decode, when));
}

/** One form of a body of a multipart (statistics) message. */
export interface BodyForm<B> {
  readonly wire: WireForm;
  /** Sent only for messages in nx_match (`format: 'nxm'`), of OpenFlow 1.0. */
  readonly nxm: boolean;
  readonly put: (w: Writer, body: B, version: number) => void;
  readonly read: (r: Reader, version: number, options: DecodeOptions) => B;
}

/** A kind of multipart message: its requests and its replies. */
export interface BodyRow<Q, P> {
  readonly request: readonly BodyForm<Q>[];
  readonly reply: readonly BodyForm<P>[];
}

export function bodies<B>(
  keys: readonly WireFormKey[],
  put: BodyForm<B>['put'],
  read: BodyForm<B>['read'],
): readonly BodyForm<B>[] {
  return keys.map((key) => ({
    wire: wireForm(key),
    nxm: /^NXST_(FLOW|AGGREGATE)_RE/.test(key),
    put,
    read,
  }));
}

/** A body of nothing. */
export function emptyBody<B>(keys: readonly WireFormKey[], value: B): readonly BodyForm<B>[] {
  return bodies(
    keys,
    () => undefined,
    () => value,
  );
}
