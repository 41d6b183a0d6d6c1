/** Actions that pick one of several by a hash of the packet: bundle, bundle_load, multipath. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { portFromOf10, portToOf10 } from '@ovs-node/flow/fields';
import { HASH_FIELDS as HASH_ROWS, type HashFields } from '@ovs-node/flow/hash-fields';
import { formatPort, OFPP, parsePort } from '@ovs-node/flow/ports';
import { Words } from '@ovs-node/flow/words';
import { fail, refuse } from '../errors.js';
import { readFieldName } from '../match/headers.js';
import { isAllZeros, type Reader, type Writer } from '../wire.js';
import { type ActionRow, type ActionRows, nx, padded, type ParseContext } from './row.js';
import {
  checkSubfield,
  checkWritable,
  formatSubfield,
  isPlainHeader,
  parseSubfield,
  putOfsNbits,
  putSubfieldHeader,
  splitOfsNbits,
} from './subfield.js';
import { atoi } from './text-values.js';
import type { Action, ActionOf, Subfield } from './types.js';

/** Sets of fields that can be hashed, by their numbers on the wire. */
export const HASH_FIELDS = Object.keys(HASH_ROWS) as readonly HashFields[];
export const BUNDLE_ALGORITHMS = ['active_backup', 'hrw'] as const;
export const MULTIPATH_ALGORITHMS = ['modulo_n', 'hash_threshold', 'hrw', 'iter_hash'] as const;

/** NXM_OF_IN_PORT: members are OpenFlow ports, the only kind there is. */
const MEMBER_TYPE = 0x00000002;
const MAX_MEMBERS = 2048;

type Bundle = ActionOf<'bundle'> | ActionOf<'bundle_load'>;

function numberOf<T extends string>(names: readonly T[], name: string, what: string, arg: string): T {
  const found = names.find((each) => each === name);
  if (found === undefined) throw new FlowSyntaxError(`${arg}: unknown ${what} \`${name}'`);
  return found;
}

/** The subfield that a word is, one that the actions have room for. */
function destination(word: string, arg: string): Subfield {
  const subfield = parseSubfield(word);
  refuseExperimenter(subfield, word, arg);
  return subfield;
}

/** These actions have room for four bytes of a header. */
function refuseExperimenter(s: Subfield, word: string, arg: string): void {
  if (!isPlainHeader(s)) {
    throw new FlowSyntaxError(`${arg}: experimenter OXM field '${word}' not supported`);
  }
}

function parseBundle(arg: string, c: ParseContext, load: boolean): Action {
  const words = new Words(arg);
  const [fields, basis, algorithm, memberType] = [
    words.next(', '),
    words.next(', '),
    words.next(', '),
    words.next(', '),
  ];
  const dst = load ? words.next(', ') : undefined;
  const delimiter = words.next(': ');
  if (
    fields === undefined ||
    basis === undefined ||
    algorithm === undefined ||
    memberType === undefined ||
    delimiter === undefined
  ) {
    throw new FlowSyntaxError(`${arg}: not enough arguments to bundle action`);
  }
  if (delimiter !== 'members' && delimiter !== 'slaves') {
    throw new FlowSyntaxError(`${arg}: missing member delimiter, expected \`members', got \`${delimiter}'`);
  }
  const members: number[] = [];
  // Those beyond the most there can be are not looked at.
  while (members.length < MAX_MEMBERS) {
    const word = words.next(', []');
    if (word === undefined) break;
    const port = parsePort(word, c.ports);
    if (port === undefined) throw new FlowSyntaxError(`${word}: bad port number`);
    members.push(port);
  }
  const hash = {
    fields: numberOf(HASH_FIELDS, fields, 'fields', arg),
    basis: atoi(basis) & 0xffff,
    algorithm: numberOf(BUNDLE_ALGORITHMS, algorithm, 'algorithm', arg),
    members,
  };
  if (memberType !== 'ofport' && memberType !== 'NXM_OF_IN_PORT') {
    throw new FlowSyntaxError(`${arg}: unknown member_type \`${memberType}'`);
  }
  return dst === undefined
    ? { type: 'bundle', ...hash }
    : { type: 'bundle_load', ...hash, dst: destination(dst, arg) };
}

function putBundle(w: Writer, a: Bundle): void {
  w.u16(wireNumber(BUNDLE_ALGORITHMS, a.algorithm)).u16(wireNumber(HASH_FIELDS, a.fields)).u16(a.basis);
  w.u32(MEMBER_TYPE).u16(a.members.length);
  if (a.type === 'bundle_load') {
    putOfsNbits(w, a.dst);
    putSubfieldHeader(w, a.dst);
  } else {
    w.zeros(6);
  }
  w.zeros(4);
  for (const port of a.members) w.u16(portToOf10(port));
}

/** The name that a number stands for, or the number. */
function nameOf<T extends string>(names: readonly T[], n: number): T | number {
  return names[n] ?? n;
}

function wireNumber<T extends string>(names: readonly T[], name: T | number): number {
  return typeof name === 'number' ? name : names.indexOf(name);
}

function hashText(name: string | number): string {
  return typeof name === 'number' ? '<unknown>' : name;
}

/** A member of a bundle may be any port there can be, and none but the controller among those with a meaning. */
function isMember(port: number): boolean {
  return port < OFPP.MAX || (port >= OFPP.IN_PORT && port !== OFPP.CONTROLLER);
}

function readBundle(r: Reader, load: boolean): Action {
  const algorithm = nameOf(BUNDLE_ALGORITHMS, r.u16());
  const fields = nameOf(HASH_FIELDS, r.u16());
  const [basis, memberType] = [r.u16(), r.u32()];
  const n = r.u16();
  const { ofs, nBits } = splitOfsNbits(r.u16());
  const destination = r.buf.subarray(r.pos - 2, r.pos + 4);
  const reserved = r.buf.subarray(r.pos + 4, r.pos + 8);
  // All that is wrong is told, though of bundle_load not all of it counts.
  let bad = true;
  if (typeof fields === 'number') r.explain?.('bundle_fields', fields);
  else if (n > MAX_MEMBERS) r.explain?.('too_many_members');
  else if (typeof algorithm === 'number') r.explain?.('bundle_algorithm', algorithm);
  else if (memberType !== MEMBER_TYPE) r.explain?.('member_type', memberType);
  else bad = false;
  if (!isAllZeros(reserved)) {
    r.explain?.('reserved_nonzero');
    bad = true;
  }
  const f = load ? readFieldName(r, 'OFPBAC_BAD_SET_TYPE') : undefined;
  r.skip(load ? 4 : 8);
  if (load) {
    bad = nBits < 16;
    if (bad) r.explain?.('bundle_load_bits');
  } else if (!isAllZeros(destination)) {
    r.explain?.('bundle_reserved');
    bad = true;
  }
  if (2 * n > r.left) refuse(r, 'OFPBAC_BAD_LEN', 'many_members', load ? 'bundle_load' : 'bundle', r.left, n);
  const members = Array.from({ length: n }, () => portFromOf10(r.u16()));
  if (bad) fail('OFPBAC_BAD_ARGUMENT', 'arguments of a bundle action');
  const dst = f && checkSubfield(r, 'destination', f, ofs, nBits);
  if (f) checkWritable(r, f);
  for (const port of members) {
    if (port === OFPP.CONTROLLER) refuse(r, 'OFPBAC_BAD_OUT_PORT', 'controller_member');
    if (!isMember(port)) refuse(r, 'OFPBAC_BAD_OUT_PORT', 'bundle_member', port);
  }
  const hash = { fields, basis, algorithm, members };
  return dst === undefined ? { type: 'bundle', ...hash } : { type: 'bundle_load', ...hash, dst };
}

function bundleRow<A extends Bundle>(keyword: A['type'], code: number): ActionRow<A> {
  const load = keyword === 'bundle_load';
  return {
    wire: [nx<A>(code, { atLeast: 32 }, (r) => readBundle(r, load), putBundle)],
    parse: { [keyword]: (arg, c) => parseBundle(arg, c, load) },
    room: (a) => padded(40 + 4 * a.members.length),
    format: (a, c) => {
      const dst = a.type === 'bundle_load' ? `${formatSubfield(a.dst)},` : '';
      const members = a.members.map((port) => formatPort(port, c.ports)).join(',');
      return `${keyword}(${hashText(a.fields)},${a.basis},${hashText(a.algorithm)},ofport,${dst}members:${members})`;
    },
  };
}

function parseMultipath(arg: string): Action {
  const words = new Words(arg);
  const [fields, basis, algorithm, links, argument, dst] = Array.from({ length: 6 }, () => words.next(', '));
  if (
    fields === undefined ||
    basis === undefined ||
    algorithm === undefined ||
    links === undefined ||
    argument === undefined ||
    dst === undefined
  ) {
    throw new FlowSyntaxError(`${arg}: not enough arguments to multipath action`);
  }
  const hash = {
    fields: numberOf(HASH_FIELDS, fields, 'fields', arg),
    basis: atoi(basis) & 0xffff,
    algorithm: numberOf(MULTIPATH_ALGORITHMS, algorithm, 'algorithm', arg),
  };
  const nLinks = atoi(links);
  if (nLinks < 1 || nLinks > 65536) {
    throw new FlowSyntaxError(`${arg}: n_links ${nLinks} is not in valid range 1 to 65536`);
  }
  const subfield = parseSubfield(dst);
  refuseExperimenter(subfield, dst, arg);
  if (subfield.nBits < 16 && nLinks > 1 << subfield.nBits) {
    throw new FlowSyntaxError(
      `${arg}: ${subfield.nBits}-bit destination field has ${1 << subfield.nBits} possible values, less than specified n_links ${nLinks}`,
    );
  }
  return { type: 'multipath', ...hash, nLinks, arg: atoi(argument) >>> 0, dst: subfield };
}

export const HASH_ACTIONS: ActionRows<'bundle' | 'bundle_load' | 'multipath'> = {
  bundle: bundleRow<ActionOf<'bundle'>>('bundle', 12),
  bundle_load: bundleRow<ActionOf<'bundle_load'>>('bundle_load', 13),
  multipath: {
    wire: [
      nx(
        10,
        32,
        (r) => {
          const [fieldsNo, basis] = [r.u16(), r.u16()];
          r.skip(2);
          const [algorithmNo, nLinks, arg] = [r.u16(), r.u16() + 1, r.u32()];
          const [fields, algorithm] = [HASH_FIELDS[fieldsNo], MULTIPATH_ALGORITHMS[algorithmNo]];
          r.skip(2);
          const { ofs, nBits } = splitOfsNbits(r.u16());
          const f = readFieldName(r, 'OFPBAC_BAD_SET_TYPE');
          if (fields === undefined) return refuse(r, 'OFPBAC_BAD_ARGUMENT', 'multipath_fields', fieldsNo);
          if (algorithm === undefined) {
            return refuse(r, 'OFPBAC_BAD_ARGUMENT', 'multipath_algorithm', algorithmNo);
          }
          if (nBits < 16 && nLinks > 1 << nBits) {
            const needed = 32 - Math.clz32(nLinks - 1);
            refuse(r, 'OFPBAC_BAD_ARGUMENT', 'multipath_bits', needed, nLinks);
          }
          const dst = checkSubfield(r, 'destination', f, ofs, nBits);
          checkWritable(r, f);
          return {
            type: 'multipath',
            fields,
            basis,
            algorithm,
            nLinks,
            arg,
            dst,
          };
        },
        (w, a) => {
          w.u16(wireNumber(HASH_FIELDS, a.fields)).u16(a.basis).zeros(2);
          w.u16(MULTIPATH_ALGORITHMS.indexOf(a.algorithm))
            .u16(a.nLinks - 1)
            .u32(a.arg)
            .zeros(2);
          putOfsNbits(w, a.dst);
          putSubfieldHeader(w, a.dst);
        },
      ),
    ],
    parse: { multipath: parseMultipath },
    room: 40,
    format: (a) =>
      `multipath(${hashText(a.fields)},${a.basis},${a.algorithm},${a.nLinks},${a.arg},${formatSubfield(a.dst)})`,
  },
};
