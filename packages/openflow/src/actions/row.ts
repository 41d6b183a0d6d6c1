/**
 * The shape of a row of the action table (`table.ts`): one row per action or instruction, holding its wire form in
 * each version, its syntax and its text. Encoder, decoder, parser and printer are loops over the rows.
 */
import { EXPERIMENTERS } from '@ovs-node/flow/experimenters';
import type { PortMap } from '@ovs-node/flow/ports';
import type { Colors } from '../text/color.js';
import type { Reader, Writer } from '../wire.js';
import type { InstructionKind } from './instruction-table.js';
import type { Action, ActionOf, ActionType } from './types.js';

export const NX_VENDOR = EXPERIMENTERS.nicira;
export const ONF_VENDOR = EXPERIMENTERS.onf;

/** Names of OpenFlow tables, where text may use them. */
export interface TableMap {
  nameToNumber(name: string): number | undefined;
  numberToName(table: number): string | undefined;
}

/** What formatting knows beyond the action. */
export interface FormatContext {
  /** Print names of ports; undefined: numbers. */
  readonly ports?: PortMap | undefined;
  readonly tables?: TableMap | undefined;
  /** Undefined: no colors. */
  readonly colors?: Colors | undefined;
}

/** What parsing knows, and what it finds out. */
export interface ParseContext {
  readonly ports?: PortMap | undefined;
  readonly tables?: TableMap | undefined;
  /** Protocols (bits of `PROTO` of the field types) that can carry what was parsed so far. */
  usable: number;
  /** How deep actions are nested. */
  depth: number;
  /** Instructions are refused: a packet-out and a group's bucket have actions alone. */
  readonly onlyActions?: boolean | undefined;
  /** The action list being inside of another one ('ct', 'write_actions' …), which restricts what is allowed. */
  readonly within?: ActionType | undefined;
}

/** One form of an action on the wire. */
export interface WireForm<A> {
  /** First and last version (numbers on the wire) that have it. */
  readonly from: number;
  readonly to: number;
  /** 0: a standard action; else the vendor of an experimenter action. */
  readonly vendor: number;
  /** Action type, or the vendor's subtype. */
  readonly code: number;
  /** Length of the whole action; undefined: variable, a multiple of 8. */
  readonly length?: number;
  /** The least length: of one that is variable, that of a header padded to 8 unless said otherwise. */
  readonly minLength: number;
  /** Whether this form can say `a`; the first form of the version that can is sent. */
  readonly when?: (a: A, version: number) => boolean;
  /** Sent, but not understood: as if the form were not there. */
  readonly unread?: true;
  /** Writes what follows the header; padding to 8 bytes is added. Absent: understood, but never sent. */
  readonly encode?: (w: Writer, a: A, version: number) => void;
  /** Reads what follows the header. */
  readonly decode: (r: Reader, context: DecodeContext) => Action;
}

export interface DecodeContext {
  readonly version: number;
  readonly depth: number;
}

export interface ActionRow<A extends Action = Action> {
  readonly wire: readonly WireForm<A>[];
  /** Other actions that say the same in a version; undefined: `a` itself is sent. */
  readonly translate?: (a: A, version: number) => readonly Action[] | undefined;
  /** By keyword (in lower case). */
  readonly parse: Readonly<Record<string, (arg: string, context: ParseContext) => Action>>;
  readonly format: (a: A, context: FormatContext) => string;
  /** 'apply' when absent. */
  readonly instruction?: InstructionKind;
  /**
   * The bytes that the action takes in the peer's own lists, a multiple of 8, and 8 when absent. Nothing here is of that
   * size: it is by these that text is refused as too long (`parseList`).
   */
  readonly room?: number | ((a: A) => number);
}

export type ActionTable = { readonly [T in ActionType]: ActionRow<ActionOf<T>> };
/** A part of the table. */
export type ActionRows<T extends ActionType> = { readonly [K in T]: ActionRow<ActionOf<K>> };

/** A fixed length; a variable one, of some number of bytes at least; undefined: a variable one. */
type Lengths = number | { readonly atLeast: number } | undefined;

/** The bytes of something of variable length as the peer's lists keep it. */
export const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** The length that an action has when there is nothing in it. */
const headerLength = (vendor: number): number => (vendor === 0 ? 8 : 16);

/** A standard form of a fixed or (without `length`) variable length. */
export function std<A extends Action>(
  from: number,
  to: number,
  code: number,
  length: Lengths,
  decode: WireForm<A>['decode'],
  encode?: WireForm<A>['encode'],
  when?: WireForm<A>['when'],
): WireForm<A> {
  return form(from, to, 0, code, length, decode, encode, when);
}

/** A Nicira form, in all versions unless said otherwise by `versions`. */
export function nx<A extends Action>(
  code: number,
  length: Lengths,
  decode: WireForm<A>['decode'],
  encode?: WireForm<A>['encode'],
  when?: WireForm<A>['when'],
): WireForm<A> {
  return form(1, 6, NX_VENDOR, code, length, decode, encode, when);
}

function form<A extends Action>(
  from: number,
  to: number,
  vendor: number,
  code: number,
  length: Lengths,
  decode: WireForm<A>['decode'],
  encode: WireForm<A>['encode'],
  when: WireForm<A>['when'],
): WireForm<A> {
  return {
    from,
    to,
    vendor,
    code,
    decode,
    minLength: typeof length === 'number' ? length : (length?.atLeast ?? headerLength(vendor)),
    ...(typeof length === 'number' ? { length } : {}),
    ...(encode === undefined ? {} : { encode }),
    ...(when === undefined ? {} : { when }),
  };
}
