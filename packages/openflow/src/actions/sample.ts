/** Actions that look at a packet and leave it alone: sample, check_pkt_larger. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { portFromOf10, portToOf10 } from '@ovs-node/flow/fields';
import { KeyValueCursor } from '@ovs-node/flow/key-value';
import { formatPort, OFPP, parsePort } from '@ovs-node/flow/ports';
import { fail, refuse } from '../errors.js';
import { readFieldName } from '../match/headers.js';
import { parseU16, parseU32 } from '../text/numbers.js';
import type { Reader, Writer } from '../wire.js';
import { type ActionRows, nx, type ParseContext } from './row.js';
import {
  checkSubfield,
  checkWritable,
  formatSubfield,
  parseSubfield,
  putSubfieldHeader,
} from './subfield.js';
import { splitArrow } from './text-values.js';
import type { Action, ActionOf } from './types.js';

type Sample = ActionOf<'sample'>;
const DIRECTIONS = [undefined, 'ingress', 'egress'] as const;

function parseSample(arg: string, c: ParseContext): Action {
  let a: Sample = {
    type: 'sample',
    probability: 0,
    collectorSet: 0,
    obsDomain: 0,
    obsPoint: 0,
    samplingPort: OFPP.ANY,
    direction: undefined,
  };
  const at = new KeyValueCursor(arg);
  while (at.next()) {
    const { key, value } = at;
    switch (key) {
      case 'probability':
        a = { ...a, probability: parseU16(value, 'probability') };
        if (a.probability === 0) throw new FlowSyntaxError(`invalid probability value "${value}"`);
        break;
      case 'collector_set_id':
        a = { ...a, collectorSet: parseU32(value) };
        break;
      case 'obs_domain_id':
        a = { ...a, obsDomain: parseU32(value) };
        break;
      case 'obs_point_id':
        a = { ...a, obsPoint: parseU32(value) };
        break;
      case 'sampling_port': {
        const port = parsePort(value, c.ports);
        if (port === undefined) throw new FlowSyntaxError(`${value}: unknown port`);
        a = { ...a, samplingPort: port };
        break;
      }
      case 'egress':
      case 'ingress':
        a = { ...a, direction: key };
        break;
      default:
        throw new FlowSyntaxError(`invalid key "${key}" in "sample" argument`);
    }
  }
  if (a.probability === 0) throw new FlowSyntaxError('non-zero "probability" must be specified on sample');
  return a;
}

/** The oldest form that can say it, or the one it came in. */
function leastForm({ direction, samplingPort, form }: Sample): 1 | 2 | 3 {
  return form ?? (direction !== undefined ? 3 : samplingPort === OFPP.ANY ? 1 : 2);
}

function putSample(w: Writer, a: Sample, form: 1 | 2 | 3): void {
  w.u16(a.probability).u32(a.collectorSet).u32(a.obsDomain).u32(a.obsPoint);
  if (form > 1) w.u16(portToOf10(a.samplingPort));
  if (form > 2) w.u8(DIRECTIONS.indexOf(a.direction));
}

function readSample(r: Reader, form: 1 | 2 | 3): Action {
  const [probability, collectorSet, obsDomain, obsPoint] = [r.u16(), r.u32(), r.u32(), r.u32()];
  const samplingPort = form > 1 ? portFromOf10(r.u16()) : OFPP.ANY;
  let direction: Sample['direction'];
  if (form > 2) {
    const n = r.u8();
    r.zeros(5, 'NXBRC_MUST_BE_ZERO');
    if (n >= DIRECTIONS.length) refuse(r, 'OFPBAC_BAD_ARGUMENT', 'sample_direction', n);
    direction = DIRECTIONS[n];
  }
  if (probability === 0) fail('OFPBAC_BAD_ARGUMENT', 'probability 0');
  const a: Sample = {
    type: 'sample',
    probability,
    collectorSet,
    obsDomain,
    obsPoint,
    samplingPort,
    direction,
  };
  return form !== 1 && form > leastForm(a) ? { ...a, form } : a;
}

function parseCheckPktLarger(arg: string): Action {
  const { value, field } = splitArrow(arg);
  const dst = parseSubfield(field);
  if (dst.nBits !== 1) throw new FlowSyntaxError('Only 1-bit destination field is allowed');
  const length = value.replace(/\)$/, '');
  // The peer has no name for the number in its message.
  const pktLen = parseU16(length, '(null)');
  return { type: 'check_pkt_larger', pktLen, dst };
}

export const SAMPLE_ACTIONS: ActionRows<'sample' | 'check_pkt_larger'> = {
  sample: {
    wire: [
      nx(
        29,
        24,
        (r) => readSample(r, 1),
        (w, a) => putSample(w, a, 1),
        (a) => leastForm(a) === 1,
      ),
      nx(
        38,
        32,
        (r) => readSample(r, 2),
        (w, a) => putSample(w, a, 2),
        (a) => leastForm(a) === 2,
      ),
      nx(
        41,
        32,
        (r) => readSample(r, 3),
        (w, a) => putSample(w, a, 3),
      ),
    ],
    parse: { sample: parseSample },
    room: 32,
    format: (a, c) => {
      let out = `sample(probability=${a.probability},collector_set_id=${a.collectorSet}`;
      out += `,obs_domain_id=${a.obsDomain},obs_point_id=${a.obsPoint}`;
      if (a.samplingPort !== OFPP.ANY) out += `,sampling_port=${formatPort(a.samplingPort, c.ports)}`;
      return `${out}${a.direction === undefined ? '' : `,${a.direction}`})`;
    },
  },
  check_pkt_larger: {
    wire: [
      {
        ...nx<ActionOf<'check_pkt_larger'>>(
          49,
          undefined,
          (r) => {
            const pktLen = r.u16();
            const ofs = r.u16();
            const f = readFieldName(r);
            r.zeros(r.left, 'NXBRC_MUST_BE_ZERO');
            const dst = checkSubfield(r, 'destination', f, ofs, 1);
            checkWritable(r, f);
            return { type: 'check_pkt_larger', pktLen, dst };
          },
          (w, a) => {
            const start = w.length - 10;
            w.u16(a.pktLen).u16(a.dst.ofs);
            putSubfieldHeader(w, a.dst);
            w.zeros(24 - (w.length - start));
          },
        ),
        minLength: 24,
      },
    ],
    parse: { check_pkt_larger: parseCheckPktLarger },
    room: 32,
    format: (a) => `check_pkt_larger(${a.pktLen})->${formatSubfield(a.dst)}`,
  },
};
