/**
 * The shape of a row of the message table: one row per message, with each form it has on the wire. `codec.ts` loops
 * over the rows.
 */
import type { Reader, Writer } from '../wire.js';
import type { MessageOf, OfMessage, OfMessageType } from './types.js';

export const NX_VENDOR = 0x2320;

/** One form of a message on the wire. */
export interface MessageForm<M> {
  /** First and last version that have it. */
  readonly from: number;
  readonly to: number;
  /** 0: `code` is the message type; else a vendor's subtype. */
  readonly vendor: number;
  readonly code: number;
  /** Whether this form can say `m`; the first form of the version that can is sent. */
  readonly when?: (m: M, version: number) => boolean;
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
}

export interface MessageRow<M> {
  readonly forms: readonly MessageForm<M>[];
}

export type MessageTable = { readonly [T in OfMessageType]: MessageRow<MessageOf<T>> };
export type MessageRows<T extends OfMessageType> = { readonly [K in T]: MessageRow<MessageOf<K>> };

/** A standard form. */
export function std<M>(
  from: number,
  to: number,
  code: number,
  encode: MessageForm<M>['encode'],
  decode: MessageForm<M>['decode'],
  when?: MessageForm<M>['when'],
): MessageForm<M> {
  return { from, to, vendor: 0, code, encode, decode, ...(when === undefined ? {} : { when }) };
}

/** A Nicira form, in versions 1.0 to 1.5 unless said otherwise. */
export function nx<M>(
  code: number,
  encode: MessageForm<M>['encode'],
  decode: MessageForm<M>['decode'],
  when?: MessageForm<M>['when'],
  to = 6,
): MessageForm<M> {
  return { from: 1, to, vendor: NX_VENDOR, code, encode, decode, ...(when === undefined ? {} : { when }) };
}
