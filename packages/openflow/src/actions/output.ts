/** Actions that send a packet somewhere: output in its forms, controller, enqueue, group, queues. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { portFromOf10, portToOf10 } from '@ovs-node/flow/fields';
import { OFPP } from '@ovs-node/flow/ports';
import { fail, refuse } from '../errors.js';
import { readFieldName } from '../match/headers.js';
import type { Reader } from '../wire.js';
import { propertyName, putProperty, readProperty, unknownProperty } from '../messages/property.js';
import { formatPort, parsePort as readPort } from '@ovs-node/flow/ports';
import { parseKeyValues } from '@ovs-node/flow/key-value';
import { colored } from '../text/color.js';
import { parseU16, parseU32 } from '../text/numbers.js';
import { type ActionRows, type FormatContext, nx, padded, type ParseContext, std } from './row.js';
import {
  checkSubfield,
  formatSubfield,
  isPlainHeader,
  parseSubfield,
  putOfsNbits,
  putSubfieldHeader,
  splitOfsNbits,
} from './subfield.js';
import type { Action, ActionOf } from './types.js';
import type { PropertyName } from '../messages/property-table.js';
import { WHOLE_PACKET } from '../messages/types.js';

export const REASONS = ['no_match', 'action', 'invalid_ttl', 'action_set', 'group', 'packet_out'] as const;
export const REASON_ACTION = 1;
const NAMELESS_REASON = 6;

/** The name of a packet-in reason; the two that only exist inside of a switch have none. */
export function reasonName(reason: number): string {
  if (reason === 6 || reason === 7) return '';
  return REASONS[reason] ?? String(reason);
}

/** Bytes written as hex digits, pairs possibly apart by dots; undefined when they are not. */
export function readHexBytes(text: string): Uint8Array | undefined {
  // Any number of dots may stand between pairs, in front and behind.
  if (!/^\.*(?:[0-9a-fA-F]{2}\.*)*$/.test(text)) return undefined;
  const digits = text.replaceAll('.', '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Bytes as pairs of hex digits with dots between. */
export function formatHexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('.');
}

/** 32-bit number of a 16-bit port on the wire. */
const from10 = (port: number): number => portFromOf10(port);

/** A port that a packet can be sent to: one that may exist, or a reserved one that stands for some. */
function checkOutPort(r: Reader, port: number): number {
  if (port >= 0xff00 && port < OFPP.MAX) refuse(r, 'OFPBAC_BAD_OUT_PORT', 'port_range', port);
  if (port >= 0xff00 && (port < OFPP.IN_PORT || port === OFPP.ANY))
    fail('OFPBAC_BAD_OUT_PORT', `port ${port}`);
  return port;
}

function parseOutput(arg: string, c: ParseContext): Action {
  const port = readPort(arg, c.ports);
  if (port !== undefined) {
    return { type: 'output', port, maxLen: port === OFPP.CONTROLLER ? WHOLE_PACKET : 0 };
  }
  if (arg.includes('port') && arg.includes('max_len')) return parseTruncated(arg, c);
  try {
    return { type: 'output_reg', src: parseSubfield(arg), maxLen: WHOLE_PACKET };
  } catch (e) {
    if (e instanceof FlowSyntaxError) throw new FlowSyntaxError(`${arg}: output to unknown port`);
    throw e;
  }
}

/** The header of Ethernet stays. */
const MIN_TRUNCATED = 14;

function parseTruncated(arg: string, c: ParseContext): Action {
  let port = 0;
  let maxLen = 0;
  for (const { key, value } of parseKeyValues(arg)) {
    if (key === 'port') {
      const p = readPort(value, c.ports);
      if (p === undefined) throw new FlowSyntaxError(`output to unknown truncate port: ${value}`);
      port = p;
      if (port > OFPP.MAX && port !== OFPP.LOCAL && port !== OFPP.IN_PORT) {
        throw new FlowSyntaxError(`output to unsupported truncate port: ${value}`);
      }
    } else if (key === 'max_len') {
      maxLen = parseU32(value);
      requireLength(maxLen);
    } else {
      throw new FlowSyntaxError(`invalid key '${key}' in output_trunc argument`);
    }
  }
  requireLength(maxLen);
  return { type: 'output_trunc', port, maxLen };
}

function requireLength(maxLen: number): void {
  if (maxLen < MIN_TRUNCATED)
    throw new FlowSyntaxError(`max_len ${maxLen} is less than the minimum value ${MIN_TRUNCATED}`);
}

const EMPTY = new Uint8Array(0);

type Controller = ActionOf<'controller'>;
const CONTROLLER: Controller = {
  type: 'controller',
  maxLen: WHOLE_PACKET,
  reason: REASON_ACTION,
  controllerId: 0,
  userdata: EMPTY,
  pause: false,
  meterId: 0,
};

function parseController(arg: string): Action {
  let a: Controller = CONTROLLER;
  let userdataText: string | undefined;
  if (arg === '') return { type: 'output', port: OFPP.CONTROLLER, maxLen: WHOLE_PACKET };
  if (/^\d+$/.test(arg)) return { type: 'output', port: OFPP.CONTROLLER, maxLen: parseU16(arg, 'max_len') };
  for (const { key, value } of parseKeyValues(arg)) {
    switch (key) {
      case 'reason': {
        // Without a name it is one of those that are a switch's own.
        const reason =
          value === '' ? NAMELESS_REASON : (REASONS as readonly string[]).indexOf(value.toLowerCase());
        if (reason < 0) throw new FlowSyntaxError(`unknown reason "${value}"`);
        a = { ...a, reason };
        break;
      }
      case 'max_len':
        a = { ...a, maxLen: parseU16(value, 'max_len') };
        break;
      case 'id':
        a = { ...a, controllerId: parseU16(value, 'id') };
        break;
      case 'userdata':
        userdataText = value;
        break;
      case 'pause':
        a = { ...a, pause: true };
        break;
      case 'meter_id':
        a = { ...a, meterId: parseU32(value) };
        break;
      default:
        throw new FlowSyntaxError(`unknown key "${key}" parsing controller action`);
    }
  }
  if (userdataText !== undefined) {
    const userdata = readHexBytes(userdataText);
    if (!userdata) throw new FlowSyntaxError("bad hex digit in `controller' action `userdata'");
    a = { ...a, userdata };
  }
  if (a.reason === REASON_ACTION && a.controllerId === 0 && isPlain(a) && userdataText === undefined) {
    return { type: 'output', port: OFPP.CONTROLLER, maxLen: a.maxLen };
  }
  return a;
}

/** Whether the older NXAST_CONTROLLER can say it. */
function isPlain(a: Controller): boolean {
  return a.userdata.length === 0 && !a.pause && a.meterId === 0;
}

function formatController(a: Controller, { colors }: FormatContext): string {
  if (a.reason === REASON_ACTION && a.controllerId === 0 && isPlain(a)) {
    // Colored here: the same text of an output action has no color.
    const name = 'CONTROLLER:';
    return `${colors === undefined ? name : colored(name, 'sp', colors)}${a.maxLen}`;
  }
  const parts: string[] = [];
  if (a.reason !== REASON_ACTION) parts.push(`reason=${reasonName(a.reason)}`);
  if (a.maxLen !== WHOLE_PACKET) parts.push(`max_len=${a.maxLen}`);
  if (a.controllerId !== 0) parts.push(`id=${a.controllerId}`);
  if (a.userdata.length > 0) parts.push(`userdata=${formatHexBytes(a.userdata)}`);
  if (a.pause) parts.push('pause');
  if (a.meterId !== 0) parts.push(`meter_id=${a.meterId}`);
  return `controller(${parts.join(',')})`;
}

function formatOutput(a: ActionOf<'output'>, c: FormatContext): string {
  const name = formatPort(a.port, c.ports);
  if (a.port < OFPP.MAX) return `output:${name}`;
  return a.port === OFPP.CONTROLLER ? `${name}:${a.maxLen}` : name;
}

function parseEnqueue(arg: string, c: ParseContext): Action {
  // A q between the two is an old spelling.
  const m = /^[,:q]*([^,:q]+)[,:q](.+)$/s.exec(arg);
  if (!m) {
    throw new FlowSyntaxError('"enqueue" syntax is "enqueue:PORT:QUEUE" or "enqueue(PORT,QUEUE)"');
  }
  const port = readPort(m[1], c.ports);
  if (port === undefined) throw new FlowSyntaxError(`${m[1]}: enqueue to unknown port`);
  return { type: 'enqueue', port, queue: parseU32(m[2]) };
}

export const OUTPUT_ACTIONS: ActionRows<
  'output' | 'output_reg' | 'output_trunc' | 'controller' | 'enqueue' | 'group' | 'set_queue' | 'pop_queue'
> = {
  output: {
    wire: [
      std(
        1,
        1,
        0,
        8,
        (r) => ({ type: 'output', port: checkOutPort(r, from10(r.u16())), maxLen: r.u16() }),
        (w, a) => w.u16(portToOf10(a.port)).u16(a.maxLen),
      ),
      std(
        2,
        6,
        0,
        16,
        (r) => ({ type: 'output', port: checkOutPort(r, r.u32()), maxLen: r.u16() }),
        (w, a) => w.u32(a.port).u16(a.maxLen),
      ),
    ],
    parse: { output: parseOutput, output_reg: parseOutput },
    format: formatOutput,
    room: 16,
  },
  output_reg: {
    wire: [
      nx(
        15,
        24,
        (r) => {
          const { ofs, nBits } = splitOfsNbits(r.u16());
          const header = r.sub(4);
          const maxLen = r.u16();
          r.zeros(6, 'OFPBAC_BAD_ARGUMENT');
          const f = readFieldName(header, 'OFPBAC_BAD_SET_TYPE');
          return { type: 'output_reg', src: checkSubfield(r, 'source', f, ofs, nBits), maxLen };
        },
        (w, a) => {
          putOfsNbits(w, a.src);
          putSubfieldHeader(w, a.src);
          w.u16(a.maxLen);
        },
        (a) => isPlainHeader(a.src) && !a.isNewForm,
      ),
      nx(
        32,
        24,
        (r) => {
          const { ofs, nBits } = splitOfsNbits(r.u16());
          const maxLen = r.u16();
          const f = readFieldName(r);
          r.zeros(r.left, 'NXBRC_MUST_BE_ZERO');
          return {
            type: 'output_reg',
            src: checkSubfield(r, 'source', f, ofs, nBits),
            maxLen,
            isNewForm: true,
          };
        },
        (w, a) => {
          const start = w.length - 10;
          putOfsNbits(w, a.src);
          w.u16(a.maxLen);
          putSubfieldHeader(w, a.src);
          w.zeros(24 - (w.length - start));
        },
      ),
    ],
    parse: {},
    format: (a) => `output:${formatSubfield(a.src)}`,
    room: 24,
  },
  output_trunc: {
    wire: [
      nx(
        39,
        16,
        (r) => {
          const [port, maxLen] = [from10(r.u16()), r.u32()];
          if (maxLen < MIN_TRUNCATED) fail('OFPBAC_BAD_ARGUMENT', `max_len ${maxLen}`);
          return { type: 'output_trunc', port, maxLen };
        },
        (w, a) => w.u16(portToOf10(a.port)).u32(a.maxLen),
      ),
    ],
    parse: {},
    format: (a, c) => `output(port=${formatPort(a.port, c.ports)},max_len=${a.maxLen})`,
    room: 16,
  },
  controller: {
    wire: [
      nx(
        20,
        16,
        (r) => {
          const maxLen = r.u16();
          const controllerId = r.u16();
          return { ...CONTROLLER, maxLen, controllerId, reason: r.u8() };
        },
        (w, a) => w.u16(a.maxLen).u16(a.controllerId).u8(a.reason),
        (a) => isPlain(a) && !a.isNewForm,
      ),
      nx(
        37,
        undefined,
        (r) => {
          r.zeros(6, 'NXBRC_MUST_BE_ZERO');
          let a: Controller = { ...CONTROLLER, isNewForm: true };
          while (r.left > 0) {
            const property = readProperty(r);
            const { body: p } = property;
            switch (propertyName('NXAST_RAW_CONTROLLER2', property)) {
              case 'maxLen':
                a = { ...a, maxLen: p.u16() };
                break;
              case 'controllerId':
                a = { ...a, controllerId: p.u16() };
                break;
              case 'reason':
                a = { ...a, reason: p.u8() };
                break;
              case 'userdata':
                a = { ...a, userdata: p.rest() };
                break;
              case 'pause':
                a = { ...a, pause: true };
                break;
              case 'meterId':
                a = { ...a, meterId: p.u32() };
                break;
              case undefined:
                unknownProperty(property, 'NXAST_RAW_CONTROLLER2', false);
            }
          }
          return a;
        },
        (w, a) => {
          w.zeros(6);
          const property = (name: PropertyName<'NXAST_RAW_CONTROLLER2'>, put: () => void): void =>
            putProperty(w, 'NXAST_RAW_CONTROLLER2', name, put);
          if (a.maxLen !== WHOLE_PACKET) property('maxLen', () => w.u16(a.maxLen).zeros(2));
          if (a.controllerId !== 0) property('controllerId', () => w.u16(a.controllerId).zeros(2));
          if (a.reason !== REASON_ACTION) property('reason', () => w.u8(a.reason));
          if (a.userdata.length > 0) property('userdata', () => w.bytes(a.userdata));
          if (a.pause) property('pause', () => undefined);
          if (a.meterId !== 0) property('meterId', () => w.u32(a.meterId));
        },
      ),
    ],
    parse: { controller: parseController },
    format: formatController,
    room: (a) => 24 + padded(a.userdata.length),
  },
  enqueue: {
    wire: [
      std(
        1,
        1,
        11,
        16,
        (r) => {
          const port = from10(r.u16());
          if (port >= OFPP.MAX && port !== OFPP.IN_PORT && port !== OFPP.LOCAL)
            fail('OFPBAC_BAD_OUT_PORT', `port ${port}`);
          r.skip(6);
          return { type: 'enqueue', port, queue: r.u32() };
        },
        (w, a) => w.u16(portToOf10(a.port)).zeros(6).u32(a.queue),
      ),
    ],
    translate: (a, version) =>
      version === 1
        ? undefined
        : [
            { type: 'set_queue', queue: a.queue },
            { type: 'output', port: a.port, maxLen: WHOLE_PACKET },
            { type: 'pop_queue' },
          ],
    parse: { enqueue: parseEnqueue },
    format: (a, c) => `enqueue:${formatPort(a.port, c.ports)}:${a.queue}`,
    room: 16,
  },
  group: {
    wire: [
      std(
        2,
        6,
        22,
        8,
        (r) => ({ type: 'group', group: r.u32() }),
        (w, a) => w.u32(a.group),
      ),
      {
        ...nx<ActionOf<'group'>>(
          40,
          16,
          (r) => {
            r.skip(2);
            return { type: 'group', group: r.u32() };
          },
          (w, a) => w.zeros(2).u32(a.group),
        ),
        to: 1,
      },
    ],
    parse: { group: (arg) => ({ type: 'group', group: parseU32(arg) }) },
    format: (a) => `group:${a.group}`,
  },
  set_queue: {
    wire: [
      std(
        2,
        6,
        21,
        8,
        (r) => ({ type: 'set_queue', queue: r.u32() }),
        (w, a) => w.u32(a.queue),
      ),
      {
        ...nx<ActionOf<'set_queue'>>(
          4,
          16,
          (r) => {
            r.skip(2);
            return { type: 'set_queue', queue: r.u32() };
          },
          (w, a) => w.zeros(2).u32(a.queue),
        ),
        to: 1,
      },
    ],
    parse: { set_queue: (arg) => ({ type: 'set_queue', queue: parseU32(arg) }) },
    format: (a) => `set_queue:${a.queue}`,
  },
  pop_queue: {
    wire: [
      nx(
        5,
        16,
        () => ({ type: 'pop_queue' }),
        () => undefined,
      ),
    ],
    parse: { pop_queue: () => ({ type: 'pop_queue' }) },
    format: () => 'pop_queue',
  },
};
