/** The learn action: text, and the wire of NXAST_LEARN and NXAST_LEARN2. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { mustField } from '@ovs-node/flow/fields';
import { fail } from '../errors.js';
import { putShortHeader, readFieldName, readShortHeader } from '../match/headers.js';
import { parseKeyValues } from '@ovs-node/flow/key-value';
import { altHex, scanInt, scanU64 } from '@ovs-node/flow/int-text';
import { hex } from '../text/numbers.js';
import { formatTable, readTable } from '../text/tables.js';
import type { Reader, Writer } from '../wire.js';
import { parseMove } from './field.js';
import { formatFieldValue, fullMask, misfit, ones, parseExactValue } from './field-value.js';
import { type ActionRow, type FormatContext, nx, padded, type ParseContext } from './row.js';
import {
  checkWritable,
  formatSubfield,
  isPlainHeader,
  parseSubfield,
  putSubfieldHeader,
} from './subfield.js';
import { atoi } from './text-values.js';
import type { Action, ActionOf, LearnFlowSpec, LearnSpec, Subfield } from './types.js';

/** Bits of `LearnSpec.flags`. */
export const LEARN = { SEND_FLOW_REM: 1, DELETE_LEARNED: 2, WRITE_RESULT: 4 } as const;
const DEFAULT_PRIORITY = 32768;

const IMMEDIATE = 1 << 13;
const DST_SHIFT = 11;
const DST = ['match', 'load', 'output'] as const;

type Learn = ActionOf<'learn'>;

/** The subfield that a text is, or undefined. */
function readSubfieldText(text: string): Subfield | undefined {
  try {
    return parseSubfield(text);
  } catch (e) {
    if (e instanceof FlowSyntaxError) return undefined;
    throw e;
  }
}

/** `FIELD`, `FIELD=FIELD` or `FIELD=VALUE`, where fields may be parts of fields. */
function parseMatchSpec(
  orig: string,
  key: string,
  value: string,
  dstField: Subfield,
  c: ParseContext,
): LearnFlowSpec {
  refuseExperimenter(dstField, orig, key);
  const { nBits } = dstField;
  if (value === '') return { nBits, src: { field: dstField }, dst: 'match', dstField };
  let src: Subfield;
  try {
    src = parseSubfield(value);
  } catch (asField) {
    try {
      return { nBits, src: { value: parseImmediate(orig, value, dstField, c) }, dst: 'match', dstField };
    } catch (e) {
      throw new FlowSyntaxError(
        `${orig}: ${key} value ${value} cannot be parsed as a subfield (${(asField as Error).message}) or an immediate value (${(e as Error).message})`,
      );
    }
  }
  if (src.nBits !== nBits) throw widthError(orig, key, nBits, value, src.nBits);
  return { nBits, src: { field: src }, dst: 'match', dstField };
}

/** A value of a field as the field is written, or of a part of one, a number. */
function parseImmediate(orig: string, text: string, dst: Subfield, c: ParseContext): bigint {
  const f = mustField(dst.field);
  if (dst.nBits === f.bits) return parseExactValue(f, text, c.ports);
  const { value, end, error } = scanInt(text, f.bytes);
  if (error !== undefined || end < text.length)
    throw new FlowSyntaxError(`${orig}: cannot parse integer value`);
  if (value > ones(dst.nBits)) throw misfit(orig, f, value, dst.nBits);
  return value;
}

/** Of a number that is loaded, at most. */
const IMMEDIATE_BYTES = 128;

/** `VALUE->FIELD` or `FIELD->FIELD`. */
function parseLoadSpec(value: string): LearnFlowSpec {
  const arrow = value.indexOf('->');
  if (arrow < 0) throw new FlowSyntaxError(`load: missing \`->' in \`${value}'`);
  if (arrow === 0) throw new FlowSyntaxError(`load: missing source before \`->' in \`${value}'`);
  const number = scanInt(value, IMMEDIATE_BYTES);
  if (number.error !== undefined) {
    const { src, dst } = parseMove(value);
    return { nBits: src.nBits, src: { field: src }, dst: 'load', dstField: dst };
  }
  if (number.end !== arrow) throw new FlowSyntaxError(`load: garbage before \`->' in \`${value}'`);
  const destination = value.slice(arrow + 2);
  const dstField = parseSubfield(destination);
  refuseExperimenter(dstField, value, destination);
  const { nBits } = dstField;
  if (number.value >> BigInt(nBits) !== 0n)
    throw new FlowSyntaxError(`${value}: value does not fit into ${nBits} bits`);
  return { nBits, src: { value: number.value }, dst: 'load', dstField };
}

function parseSpec(orig: string, key: string, value: string, c: ParseContext): LearnFlowSpec {
  const dstField = readSubfieldText(key);
  if (dstField) return parseMatchSpec(orig, key, value, dstField, c);
  if (key === 'load') return parseLoadSpec(value);
  if (key === 'output') {
    const src = parseSubfield(value);
    return { nBits: src.nBits, src: { field: src }, dst: 'output' };
  }
  throw new FlowSyntaxError(`${orig}: unknown keyword ${key}`);
}

/** A spec has room for four bytes of a destination's header. */
function refuseExperimenter(s: Subfield, orig: string, text: string): void {
  if (!isPlainHeader(s)) throw new FlowSyntaxError(`${orig}: experimenter OXM field '${text}' not supported`);
}

/** The peer names the widths the wrong way round, and so does this. */
function widthError(orig: string, a: string, bBits: number, b: string, aBits: number): FlowSyntaxError {
  return new FlowSyntaxError(`${orig}: bit widths of ${a} (${aBits}) and ${b} (${bBits}) differ`);
}

/** A number that the peer checks no further. */
function atoi16(text: string): number {
  return atoi(text) & 0xffff;
}

function parseLearn(arg: string, c: ParseContext): Action {
  let learn: LearnSpec = {
    idleTimeout: 0,
    hardTimeout: 0,
    priority: DEFAULT_PRIORITY,
    cookie: 0n,
    flags: 0,
    table: 1,
    finIdleTimeout: 0,
    finHardTimeout: 0,
    limit: 0,
    specs: [],
  };
  const specs: LearnFlowSpec[] = [];
  for (const { key, value } of parseKeyValues(arg)) {
    switch (key) {
      case 'table': {
        const table = readTable(value, c.tables);
        if (table === undefined) throw new FlowSyntaxError(`unknown table "${value}"`);
        if (table === 255) throw new FlowSyntaxError(`${arg}: table id 255 not valid for \`learn' action`);
        learn = { ...learn, table };
        break;
      }
      case 'priority':
        learn = { ...learn, priority: atoi16(value) };
        break;
      case 'idle_timeout':
        learn = { ...learn, idleTimeout: atoi16(value) };
        break;
      case 'hard_timeout':
        learn = { ...learn, hardTimeout: atoi16(value) };
        break;
      case 'fin_idle_timeout':
        learn = { ...learn, finIdleTimeout: atoi16(value) };
        break;
      case 'fin_hard_timeout':
        learn = { ...learn, finHardTimeout: atoi16(value) };
        break;
      case 'cookie':
        // The peer takes what is no number for 0, and does not look at what follows one.
        learn = { ...learn, cookie: scanU64(value).value };
        break;
      case 'send_flow_rem':
        learn = { ...learn, flags: learn.flags | LEARN.SEND_FLOW_REM };
        break;
      case 'delete_learned':
        learn = { ...learn, flags: learn.flags | LEARN.DELETE_LEARNED };
        break;
      case 'limit':
        learn = { ...learn, limit: atoi(value) >>> 0 };
        break;
      case 'result_dst': {
        const resultDst = parseSubfield(value);
        if (!mustField(resultDst.field).writable) throw new FlowSyntaxError(`${value} is read-only`);
        if (resultDst.nBits !== 1) {
          throw new FlowSyntaxError("result_dst in 'learn' action must be a single bit");
        }
        learn = { ...learn, resultDst, flags: learn.flags | LEARN.WRITE_RESULT };
        break;
      }
      default:
        specs.push(parseSpec(arg, key, value, c));
    }
  }
  return { type: 'learn', learn: { ...learn, specs } };
}

function sameSubfield(a: Subfield, b: Subfield): boolean {
  return a.field === b.field && a.ofs === b.ofs && a.nBits === b.nBits;
}

function formatSpec(s: LearnFlowSpec, c: FormatContext): string {
  if (s.dst === 'output') return 'field' in s.src ? `output:${formatSubfield(s.src.field)}` : 'output:0';
  const dst = s.dstField!;
  if (s.dst === 'load') {
    const src = 'field' in s.src ? formatSubfield(s.src.field) : altHex(s.src.value);
    return `load:${src}->${formatSubfield(dst)}`;
  }
  if ('field' in s.src) {
    const text = formatSubfield(dst);
    return sameSubfield(s.src.field, dst) ? text : `${text}=${formatSubfield(s.src.field)}`;
  }
  const f = mustField(dst.field);
  if (dst.ofs === 0 && dst.nBits === f.bits) {
    return `${f.name}=${formatFieldValue(f, s.src.value, fullMask(f), c.ports)}`;
  }
  return `${formatSubfield(dst)}=${altHex(s.src.value)}`;
}

function formatLearn({ learn: l }: Learn, c: FormatContext): string {
  const parts = [`table=${formatTable(l.table, c.tables)}`];
  if (l.idleTimeout !== 0) parts.push(`idle_timeout=${l.idleTimeout}`);
  if (l.hardTimeout !== 0) parts.push(`hard_timeout=${l.hardTimeout}`);
  if (l.finIdleTimeout !== 0) parts.push(`fin_idle_timeout=${l.finIdleTimeout}`);
  if (l.finHardTimeout !== 0) parts.push(`fin_hard_timeout=${l.finHardTimeout}`);
  if (l.priority !== DEFAULT_PRIORITY) parts.push(`priority=${l.priority}`);
  if ((l.flags & LEARN.SEND_FLOW_REM) !== 0) parts.push('send_flow_rem');
  if ((l.flags & LEARN.DELETE_LEARNED) !== 0) parts.push('delete_learned');
  if (l.cookie !== 0n) parts.push(`cookie=${hex(l.cookie)}`);
  if (l.limit !== 0) parts.push(`limit=${l.limit}`);
  if (l.resultDst) parts.push(`result_dst=${formatSubfield(l.resultDst)}`);
  for (const s of l.specs) parts.push(formatSpec(s, c));
  return `learn(${parts.join(',')})`;
}

function putSpecs(w: Writer, specs: readonly LearnFlowSpec[]): void {
  for (const s of specs) {
    const immediate = 'value' in s.src;
    w.u16((immediate ? IMMEDIATE : 0) | (DST.indexOf(s.dst) << DST_SHIFT) | s.nBits);
    if ('field' in s.src) {
      putShortHeader(w, mustField(s.src.field.field));
      w.u16(s.src.field.ofs);
    } else {
      w.big(s.src.value, 2 * Math.ceil(s.nBits / 16));
    }
    if (s.dstField) {
      putShortHeader(w, mustField(s.dstField.field));
      w.u16(s.dstField.ofs);
    }
  }
}

function readSubfieldRef(r: Reader, nBits: number): Subfield {
  // Whether there are such bits is looked at with the match, not here.
  return { field: readShortHeader(r).name, ofs: r.u16(), nBits };
}

function readSpecs(r: Reader): LearnFlowSpec[] {
  const specs: LearnFlowSpec[] = [];
  while (r.left >= 2) {
    const header = r.u16();
    if (header === 0) break;
    const nBits = header & 0x3ff;
    const dst = DST[(header >> DST_SHIFT) & 3];
    const immediate = (header & IMMEDIATE) !== 0;
    // A field takes four bytes, its offset two.
    const bytes = immediate ? 2 * Math.ceil(nBits / 16) : 6;
    const least = bytes + (dst === 'match' || dst === 'load' ? 6 : 0);
    if (dst === undefined || (dst === 'output' && immediate)) {
      fail('OFPBAC_BAD_ARGUMENT', `learn spec ${hex(header)}`);
    }
    if (r.left < least) fail('OFPBAC_BAD_LEN', `learn spec of ${r.left} bytes`);
    if (immediate) {
      const value = r.big(bytes);
      specs.push({
        nBits,
        // Bits of the last byte that are more than asked for are kept.
        src: { value: BigInt.asUintN(8 * Math.ceil(nBits / 8), value) },
        dst,
        dstField: readSubfieldRef(r, nBits),
      });
    } else {
      const src = { field: readSubfieldRef(r, nBits) };
      specs.push(
        dst === 'output' ? { nBits, src, dst } : { nBits, src, dst, dstField: readSubfieldRef(r, nBits) },
      );
    }
  }
  r.zeros(r.left, 'OFPBAC_BAD_ARGUMENT');
  return specs;
}

type Fixed = Omit<LearnSpec, 'specs' | 'limit'>;

/** Reads the part that both forms have; its padding is looked at by `checkFixed`. */
function readFixed(r: Reader): { readonly fixed: Fixed; readonly padding: number } {
  const idleTimeout = r.u16();
  const hardTimeout = r.u16();
  const priority = r.u16();
  const cookie = r.u64();
  const flags = r.u16();
  const table = r.u8();
  const padding = r.u8();
  const finIdleTimeout = r.u16();
  const finHardTimeout = r.u16();
  const fixed = { idleTimeout, hardTimeout, priority, cookie, flags, table, finIdleTimeout, finHardTimeout };
  return { fixed, padding };
}

function checkFixed({ table, flags }: Fixed, padding: number, knownFlags: number): void {
  if (table === 255 || padding !== 0 || (flags & ~knownFlags) !== 0)
    fail('OFPBAC_BAD_ARGUMENT', `table ${table}, flags ${flags}, padding ${padding}`);
}

function putFixed(w: Writer, l: LearnSpec): void {
  w.u16(l.idleTimeout).u16(l.hardTimeout).u16(l.priority).u64(l.cookie).u16(l.flags).u8(l.table).zeros(1);
  w.u16(l.finIdleTimeout).u16(l.finHardTimeout);
}

export const LEARN_ACTION: ActionRow<Learn> = {
  wire: [
    nx(
      16,
      { atLeast: 32 },
      (r) => {
        const { fixed, padding } = readFixed(r);
        checkFixed(fixed, padding, LEARN.SEND_FLOW_REM | LEARN.DELETE_LEARNED);
        return { type: 'learn', learn: { ...fixed, limit: 0, specs: readSpecs(r) } };
      },
      (w, a) => {
        putFixed(w, a.learn);
        putSpecs(w, a.learn.specs);
      },
      (a) => a.learn.limit === 0 && a.learn.resultDst === undefined,
    ),
    nx(
      45,
      { atLeast: 40 },
      (r) => {
        const { fixed, padding } = readFixed(r);
        const limit = r.u32();
        const ofs = r.u16();
        r.zeros(2, 'NXBAC_MUST_BE_ZERO');
        checkFixed(fixed, padding, LEARN.SEND_FLOW_REM | LEARN.DELETE_LEARNED | LEARN.WRITE_RESULT);
        if ((fixed.flags & LEARN.WRITE_RESULT) === 0) {
          if (ofs !== 0) fail('OFPBAC_BAD_ARGUMENT', 'bit of no result');
          return { type: 'learn', learn: { ...fixed, limit, specs: readSpecs(r) } };
        }
        // Whether there is such a bit, the peer does not ask.
        const f = readFieldName(r);
        checkWritable(r, f);
        const resultDst = { field: f.name, ofs, nBits: 1 };
        return { type: 'learn', learn: { ...fixed, limit, resultDst, specs: readSpecs(r) } };
      },
      (w, { learn: l }) => {
        putFixed(w, l);
        w.u32(l.limit)
          .u16(l.resultDst?.ofs ?? 0)
          .zeros(2);
        if (l.resultDst) putSubfieldHeader(w, l.resultDst);
        putSpecs(w, l.specs);
      },
    ),
  ],
  parse: { learn: parseLearn },
  format: formatLearn,
  room: (a) =>
    a.learn.specs.reduce((sum, s) => sum + 40 + ('value' in s.src ? padded(Math.ceil(s.nBits / 8)) : 0), 48),
};
