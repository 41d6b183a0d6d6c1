/**
 * Where the values of a flow are in its text: those that nothing else of its message depends on, with the bounds
 * within which that is so. The counterpart of `spans.ts`, for flows as ovs-ofctl(8) and ovs-actions(7) write them.
 */
import { fieldByCodeName, fieldByName } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';
import { KeyValueCursor } from '@ovs-node/flow/key-value';
import { isFree } from './spans.js';

/** How a value is written; a shape holds for values written as its first flow's were. */
export type Notation = 'decimal' | 'hexadecimal' | 'ip4' | 'mac' | 'ip6';

/** A value in a line of text. */
export interface LineSpan {
  readonly from: number;
  readonly to: number;
  readonly notation: Notation;
  /** The least and the greatest number. */
  readonly low: number;
  readonly high: number;
  /** The table of the flow, and the one that its goto_table names, which has to be beyond it. */
  readonly role?: 'table' | 'goto_table';
}

const PORT_MAX = 0xfeff;
const TABLE_MAX = 254;
const U16 = 0xffff;
const U32 = 0xffffffff;

/** Greatest numbers of the words of a flow that are not fields. */
const FLOW_WORDS: Readonly<Record<string, number>> = {
  table: TABLE_MAX,
  priority: U16,
  idle_timeout: U16,
  hard_timeout: U16,
  importance: U16,
  cookie: Number.MAX_SAFE_INTEGER,
  in_port: PORT_MAX,
  dl_vlan: 0x0ffe,
};

/** Greatest numbers of actions with one argument. */
const ACTION_WORDS: Readonly<Record<string, number>> = {
  output: PORT_MAX,
  goto_table: TABLE_MAX,
  group: 0xfffffeff,
  set_queue: U32,
  set_tunnel: U32,
  mod_vlan_vid: 0x0fff,
  mod_tp_src: U16,
  mod_tp_dst: U16,
  mod_dl_src: 0,
  mod_dl_dst: 0,
  mod_nw_src: 0,
  mod_nw_dst: 0,
  resubmit: PORT_MAX,
};
const CT_WORDS: Readonly<Record<string, number>> = { zone: U16, table: TABLE_MAX };

/** How `text` is written, if in one of the plain notations. */
function notationOf(text: string): Notation | undefined {
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return 'decimal';
  if (/^0x[0-9a-f]{1,13}$/i.test(text)) return 'hexadecimal';
  if (/^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(text)) return 'ip4';
  if (/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(text)) return 'mac';
  return /^[0-9a-f:]*::?[0-9a-f:]*$/i.test(text) ? 'ip6' : undefined;
}

/** A field, or a subfield, as its name and its first and last bit. */
const SUBFIELD = /^([A-Za-z0-9_]+)(?:\[(?:(\d+)(?:\.\.(\d+))?)?\])?$/;

class LineSpans {
  readonly spans: LineSpan[] = [];
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  private add(from: number, to: number, high: number, role?: LineSpan['role']): void {
    const notation = notationOf(this.text.slice(from, to));
    if (notation === undefined) return;
    // A port that looks like hexadecimal is none.
    if (notation === 'hexadecimal' && high === PORT_MAX) return;
    this.spans.push({ from, to, notation, low: 0, high, ...(role && { role }) });
  }

  /** A value of a field, up to a mask or to `->`. */
  private fieldValue(f: Field, from: number, to: number, bits = f.bits): void {
    if (!isFree(f)) return;
    const value = this.text.slice(from, to);
    const slash = value.indexOf('/');
    this.add(
      from,
      slash < 0 ? to : from + slash,
      Math.min(2 ** Math.min(bits, 53) - 1, Number.MAX_SAFE_INTEGER),
    );
  }

  match(from: number, to: number): void {
    const at = new KeyValueCursor(this.text, from, to);
    while (at.next()) {
      const { key, valueFrom, valueTo } = at;
      const high = FLOW_WORDS[key];
      const field = high === undefined ? fieldByName(key) : undefined;
      if (high !== undefined) this.add(valueFrom, valueTo, high, key === 'table' ? 'table' : undefined);
      else if (field) this.fieldValue(field, valueFrom, valueTo);
    }
  }

  actions(from: number, to: number): void {
    const at = new KeyValueCursor(this.text, from, to);
    while (at.next()) this.action(at.key, at.valueFrom, at.valueTo);
  }

  private action(key: string, from: number, to: number): void {
    const value = this.text.slice(from, to);
    if (key === 'load' || key === 'set_field') {
      const arrow = value.indexOf('->');
      if (arrow >= 0) this.assignment(key, from, from + arrow, value.slice(arrow + 2));
    } else if (key === 'resubmit' && value.includes(',')) {
      const comma = from + value.indexOf(',');
      this.add(from, comma, PORT_MAX);
      this.add(comma + 1, to, TABLE_MAX);
    } else if (key === 'ct') {
      this.ct(from, to);
    } else if (key === 'clone' || key === 'write_actions') {
      this.actions(from, to);
    } else {
      const high = ACTION_WORDS[key];
      if (high !== undefined) this.add(from, to, high, key === 'goto_table' ? key : undefined);
    }
  }

  private assignment(key: 'load' | 'set_field', from: number, to: number, target: string): void {
    const [, name = '', first, last = first] = SUBFIELD.exec(target) ?? [];
    const field = fieldByCodeName(name) ?? fieldByName(name);
    if (field === undefined) return;
    const bits = first === undefined ? field.bits : Number(last) - Number(first) + 1;
    this.fieldValue(field, from, to, key === 'load' ? bits : field.bits);
  }

  private ct(from: number, to: number): void {
    const at = new KeyValueCursor(this.text, from, to);
    while (at.next()) {
      const high = CT_WORDS[at.key];
      if (at.key === 'exec') this.actions(at.valueFrom, at.valueTo);
      else if (high !== undefined) this.add(at.valueFrom, at.valueTo, high);
    }
  }
}

/** The values of a flow that can be read, in the order of the text. */
export function lineSpans(text: string): readonly LineSpan[] {
  const list = new LineSpans(text);
  const actions = text.indexOf('action');
  const equals = actions < 0 ? -1 : text.indexOf('=', actions);
  list.match(0, equals < 0 ? text.length : actions);
  if (equals >= 0) list.actions(equals + 1, text.length);
  return list.spans;
}
