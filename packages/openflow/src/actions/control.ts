/** Actions of control flow and bookkeeping: resubmit, clone, exit, note, fin_timeout, conjunction. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { portFromOf10, portToOf10 } from '@ovs-node/flow/fields';
import { BLANKS, scanWrapped } from '@ovs-node/flow/int-text';
import { OFPP } from '@ovs-node/flow/ports';
import { fail } from '../errors.js';
import { parseKeyValues } from '@ovs-node/flow/key-value';
import { parseU16 } from '../text/numbers.js';
import { formatPort, parsePort as readPort } from '@ovs-node/flow/ports';
import { formatTable, readTable } from '../text/tables.js';
import {
  decodeActionList,
  encodeActionList,
  formatActionList,
  parseActionList,
  roomOfList,
} from './nested.js';
import { formatHexBytes, readHexBytes } from './output.js';
import { type ActionRows, nx, padded, type ParseContext } from './row.js';
import type { Action, ActionOf } from './types.js';

function parseResubmit(arg: string, c: ParseContext): Action {
  const [portText = '', tableText = '', ctText] = arg.split(',');
  let inPort: number = OFPP.IN_PORT;
  if (portText !== '') {
    const port = readPort(portText, c.ports);
    if (port === undefined) throw new FlowSyntaxError(`${portText}: resubmit to unknown port`);
    inPort = port;
  }
  let table = 255;
  if (tableText !== '') {
    const t = readTable(tableText, c.tables);
    if (t === undefined) throw new FlowSyntaxError(`${tableText}: resubmit to unknown table`);
    table = t;
  }
  if (ctText !== undefined && ctText !== '' && ctText !== 'ct') {
    throw new FlowSyntaxError(`${ctText}: unknown parameter`);
  }
  if (inPort === OFPP.IN_PORT && table === 255) {
    throw new FlowSyntaxError('at least one "in_port" or "table" must be specified on resubmit');
  }
  return {
    type: 'resubmit',
    inPort,
    table,
    withCtOrig: ctText === 'ct',
    form: 'resubmit_table',
  };
}

const ID = String.raw`([-+]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*))`;
const CLAUSE = String.raw`([-+]?\d+)`;
const CONJUNCTION = new RegExp(
  `^${[ID, ',', CLAUSE, '/', CLAUSE].map((part) => BLANKS + part).join('')}${BLANKS}$`,
);

function parseConjunction(arg: string): Action {
  const m = CONJUNCTION.exec(arg);
  if (!m) throw new FlowSyntaxError('"conjunction" syntax is "conjunction(id,i/n)"');
  const id = Number(BigInt.asUintN(32, scanWrapped(m[1])!.value));
  // Numbers of a byte, as scanf("%hhu") has them.
  const [clause, nClauses] = [m[2], m[3]].map((digits) => Number(BigInt.asUintN(8, BigInt(digits))));
  if (nClauses < 2) throw new FlowSyntaxError('conjunction must have at least 2 clauses');
  if (nClauses > 64) throw new FlowSyntaxError('conjunction must have at most 64 clauses');
  if (clause < 1) throw new FlowSyntaxError('clause index must be positive');
  if (clause > nClauses) {
    throw new FlowSyntaxError('clause index must be less than or equal to number of clauses');
  }
  return { type: 'conjunction', id, clause: clause - 1, nClauses };
}

function parseFinTimeout(arg: string): Action {
  let idle = 0;
  let hard = 0;
  for (const { key, value } of parseKeyValues(arg)) {
    if (key === 'idle_timeout') idle = parseU16(value, key);
    else if (key === 'hard_timeout') hard = parseU16(value, key);
    else throw new FlowSyntaxError(`invalid key '${key}' in 'fin_timeout' argument`);
  }
  return { type: 'fin_timeout', idle, hard };
}

function resubmitForm(code: number, table: boolean, ct: boolean) {
  return nx<ActionOf<'resubmit'>>(
    code,
    16,
    (r) => {
      const inPort = portFromOf10(r.u16());
      const tableId = r.u8();
      if (table) r.zeros(3, 'OFPBAC_BAD_ARGUMENT');
      return {
        type: 'resubmit',
        inPort,
        table: table ? tableId : 255,
        withCtOrig: ct,
        form: table ? 'resubmit_table' : 'resubmit',
      };
    },
    (w, a) => w.u16(portToOf10(a.inPort)).u8(table ? a.table : 0),
    (a) =>
      ct ? a.withCtOrig : table ? !a.withCtOrig : a.form === 'resubmit' && a.table === 255 && !a.withCtOrig,
  );
}

let areDebugActionsRead = false;

/** Has the process read `debug_recirc` and `debug_slow`, which are for tests of a switch; until then they are refused. */
export function readDebugActions(): void {
  areDebugActionsRead = true;
}

function debugRow<T extends 'debug_recirc' | 'debug_slow'>(type: T, code: number) {
  return {
    wire: [
      nx<ActionOf<T>>(
        code,
        16,
        () => (areDebugActionsRead ? { type } : fail('OFPBAC_BAD_VENDOR_TYPE', `${type} is for tests`)),
        () => undefined,
      ),
    ],
    parse: { [type]: (): Action => ({ type }) },
    format: () => type,
  };
}

export const CONTROL_ACTIONS: ActionRows<
  'resubmit' | 'clone' | 'exit' | 'note' | 'fin_timeout' | 'conjunction' | 'debug_recirc' | 'debug_slow'
> = {
  resubmit: {
    wire: [resubmitForm(1, false, false), resubmitForm(14, true, false), resubmitForm(44, true, true)],
    parse: { resubmit: parseResubmit },
    room: 16,
    format: (a, c) => {
      if (a.inPort !== OFPP.IN_PORT && a.table === 255) return `resubmit:${formatPort(a.inPort, c.ports)}`;
      const port = a.inPort === OFPP.IN_PORT ? '' : formatPort(a.inPort, c.ports);
      const table = a.table === 255 ? '' : formatTable(a.table, c.tables);
      return `resubmit(${port},${table}${a.withCtOrig ? ',ct' : ''})`;
    },
  },
  clone: {
    wire: [
      nx(
        42,
        undefined,
        (r, c) => {
          r.skip(6);
          return { type: 'clone', actions: decodeActionList(r, c, 'clone') };
        },
        (w, a, version) => {
          w.zeros(6);
          encodeActionList(w, a.actions, version);
        },
      ),
    ],
    parse: { clone: (arg, c) => ({ type: 'clone', actions: parseActionList(arg, c, 'clone') }) },
    format: (a, c) => `clone(${a.actions.length === 0 ? 'drop' : formatActionList(a.actions, c)})`,
    room: (a) => 8 + roomOfList(a.actions),
  },
  exit: {
    wire: [
      nx(
        17,
        16,
        () => ({ type: 'exit' }),
        () => undefined,
      ),
    ],
    parse: { exit: () => ({ type: 'exit' }) },
    format: () => 'exit',
  },
  note: {
    wire: [
      nx(
        8,
        undefined,
        (r) => ({ type: 'note', data: r.rest() }),
        (w, a) => {
          w.bytes(a.data);
          if (a.data.length < 6) w.zeros(6 - a.data.length);
        },
      ),
    ],
    parse: {
      note: (arg) => {
        const data = readHexBytes(arg);
        if (!data) throw new FlowSyntaxError("bad hex digit in `note' argument");
        return { type: 'note', data };
      },
    },
    format: (a) => `note:${formatHexBytes(a.data)}`,
    room: (a) => 16 + padded(a.data.length),
  },
  debug_recirc: debugRow('debug_recirc', 255),
  debug_slow: debugRow('debug_slow', 254),
  fin_timeout: {
    wire: [
      nx(
        19,
        16,
        (r) => ({ type: 'fin_timeout', idle: r.u16(), hard: r.u16() }),
        (w, a) => w.u16(a.idle).u16(a.hard),
      ),
    ],
    parse: { fin_timeout: parseFinTimeout },
    format: (a) => {
      const parts: string[] = [];
      if (a.idle !== 0) parts.push(`idle_timeout=${a.idle}`);
      if (a.hard !== 0) parts.push(`hard_timeout=${a.hard}`);
      return `fin_timeout(${parts.join(',')})`;
    },
  },
  conjunction: {
    wire: [
      nx(
        34,
        16,
        (r) => {
          const clause = r.u8();
          const nClauses = r.u8();
          const id = r.u32();
          if (nClauses < 2 || nClauses > 64 || clause >= nClauses)
            fail('NXBAC_BAD_CONJUNCTION', `${clause}/${nClauses}`);
          return { type: 'conjunction', id, clause, nClauses };
        },
        (w, a) => w.u8(a.clause).u8(a.nClauses).u32(a.id),
      ),
    ],
    parse: { conjunction: parseConjunction },
    format: (a) => `conjunction(${a.id},${a.clause + 1}/${a.nClauses})`,
    room: 16,
  },
};
