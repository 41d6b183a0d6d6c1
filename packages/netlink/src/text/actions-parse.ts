/** Datapath actions from text, as ovs-dpctl(8) has it: the inverse of `actions-format.ts`. */
import { parseMac } from '@ovs-node/flow/addr-text';
import { OvsError } from '@ovs-node/common/errors';
import {
  ACTION_ATTRS as A,
  CHECK_PKT_LEN_ATTRS,
  CT_ACTION_ATTRS,
  DEC_TTL_ATTRS,
  NAT_ATTRS,
  SAMPLE_ATTRS,
  USERSPACE_ATTRS,
} from '../action-attrs.js';
import { type NlWriter, NlReader, NlWriter as Writer } from '../attr.js';
import { KEY_ATTRS as K, NSH_KEY_ATTRS } from '../key-attrs.js';
import { parseUserdata } from './cookie-text.js';
import { IP4, IP6, WIDE, readNumber } from './formats.js';
import { parseDpKey } from './key-parse.js';
import { type DpPortNames, structByCode } from './key-table.js';

/** What could not be read; the caller of `parseDpActions` gets an `OvsError` for it. */
class Bad extends Error {}

const MAX_DEPTH = 16;

/**
 * Parses an action list; `drop` and an empty text give an empty one. Output ports may be names of `ports`.
 * Throws `OvsError` EINVAL, whose message is the action that was not understood.
 */
export function parseDpActions(text: string, ports?: DpPortNames): Uint8Array {
  const w = new Writer();
  list(w, text, ports, 0);
  return w.bytes();
}

/** Splits at commas and blanks outside parentheses. */
function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === '(' || c === '{' || c === '[') depth++;
    else if (c === ')' || c === '}' || c === ']') depth--;
    else if (
      c === undefined ||
      (depth === 0 && (c === ',' || c === ' ' || c === '\t' || c === '\n' || c === '\r'))
    ) {
      const part = text.slice(start, i).trim();
      if (part !== '') parts.push(part);
      start = i + 1;
    }
  }
  return parts;
}

/** `name(body)` taken apart; body undefined when there are no parentheses. */
function call(text: string): [name: string, body: string | undefined] {
  const at = text.indexOf('(');
  if (at < 0) return [text, undefined];
  if (!text.endsWith(')')) throw new Bad();
  return [text.slice(0, at), text.slice(at + 1, -1)];
}

function list(w: NlWriter, text: string, ports: DpPortNames | undefined, depth: number): void {
  if (depth > MAX_DEPTH) throw new OvsError('actions are nested too deeply', 'EINVAL');
  if (text.trim() === 'drop') return;
  for (const part of split(text)) {
    try {
      one(w, part, ports, depth);
    } catch (error) {
      if (error instanceof Bad) throw new OvsError(part, 'EINVAL');
      throw error;
    }
  }
}

function num(text: string | undefined, bits: number): number {
  const v = text === undefined ? -1n : readNumber(text.trim(), bits);
  if (v < 0n) throw new Bad();
  return Number(v);
}

/** `key=value` and flags of a body. Each must be taken, see `done`. */
class Args {
  readonly #map = new Map<string, string>();
  constructor(body: string | undefined) {
    for (const item of split(body ?? '')) {
      const paren = item.indexOf('(');
      const eq = item.indexOf('=');
      const cut = eq >= 0 && (paren < 0 || eq < paren) ? eq : paren;
      if (cut < 0) this.#map.set(item, '');
      else this.#map.set(item.slice(0, cut).trim(), item.slice(cut === eq ? cut + 1 : cut).trim());
    }
  }
  has(name: string): boolean {
    return this.#map.delete(name);
  }
  get(name: string): string | undefined {
    const v = this.#map.get(name);
    this.#map.delete(name);
    return v;
  }
  /** The body of `name(…)`. */
  body(name: string): string | undefined {
    const v = this.get(name);
    if (v === undefined) return undefined;
    if (!v.startsWith('(') || !v.endsWith(')')) throw new Bad();
    return v.slice(1, -1);
  }
  rest(): [string, string][] {
    return [...this.#map];
  }
  done(): void {
    if (this.#map.size > 0) throw new Bad();
  }
}

type Parse = (w: NlWriter, body: string | undefined, ports: DpPortNames | undefined, depth: number) => void;

/** Actions that stand alone, without a body. */
const PLAIN: Readonly<Record<string, number>> = {
  pop_vlan: A.POP_VLAN.code,
  pop_eth: A.POP_ETH.code,
  ct_clear: A.CT_CLEAR.code,
  pop_nsh: A.POP_NSH.code,
};

const CALLS: Readonly<Record<string, Parse>> = {
  set,
  ct,
  userspace,
  push_vlan(w, body) {
    const args = new Args(body);
    const tpid = args.get('tpid');
    const vid = num(args.get('vid'), 12);
    const pcp = num(args.get('pcp'), 3);
    const cfi = args.get('cfi');
    args.done();
    const at = w.header(A.PUSH_VLAN.code, 4);
    const view = new DataView(w.buf.buffer);
    view.setUint16(at, tpid === undefined ? 0x8100 : num(tpid, 16));
    view.setUint16(at + 2, vid | (pcp << 13) | (cfi === undefined || num(cfi, 1) ? 0x1000 : 0));
  },
  recirc: (w, body) => w.putU32(A.RECIRC.code, num(body, 32)),
  trunc(w, body) {
    const length = num(body, 32);
    // Shorter than an Ethernet header makes no sense.
    if (length < 14) throw new Bad();
    w.putU32(A.TRUNC.code, length);
  },
  meter: (w, body) => w.putU32(A.METER.code, num(body, 32)),
  hash(w, body) {
    const [alg, basis] = call(body ?? '');
    if (alg !== 'l4' && alg !== 'sym_l4') throw new Bad();
    const at = w.header(A.HASH.code, 8);
    const view = new DataView(w.buf.buffer);
    view.setUint32(at, alg === 'l4' ? 0 : 1, true);
    view.setUint32(at + 4, num(basis, 32), true);
  },
  push_mpls: (w, body) => mpls(w, A.PUSH_MPLS.code, body),
  add_mpls: (w, body) => mpls(w, A.ADD_MPLS.code, body),
  pop_mpls(w, body) {
    const args = new Args(body);
    w.putBe16(A.POP_MPLS.code, num(args.get('eth_type'), 16));
    args.done();
  },
  push_eth(w, body) {
    const args = new Args(body);
    const macs = [args.get('src'), args.get('dst')].map((text) =>
      text === undefined ? undefined : parseMac(text),
    );
    args.done();
    const at = w.header(A.PUSH_ETH.code, 12);
    macs.forEach((mac, i) => {
      if (mac === undefined) throw new Bad();
      for (let k = 0; k < 6; k++) w.buf[at + 6 * i + k] = Number((mac >> BigInt(40 - 8 * k)) & 0xffn);
    });
  },
  push_nsh(w, body) {
    const { key } = parseDpKey(`nsh(${body ?? ''})`);
    const r = new NlReader(key);
    r.next();
    w.putBytes(A.PUSH_NSH.code, r.bytes());
  },
  pop_nsh: (w) => w.putFlag(A.POP_NSH.code),
  clone(w, body, ports, depth) {
    w.nested(A.CLONE.code, () => list(w, body ?? '', ports, depth + 1));
  },
  sample(w, body, ports, depth) {
    const args = new Args(body);
    const percent = /^([0-9]+(?:\.[0-9]*)?)%$/.exec(args.get('sample') ?? '');
    const actions = args.body('actions');
    args.done();
    if (percent === null || actions === undefined || Number(percent[1]) > 100) throw new Bad();
    w.nested(A.SAMPLE.code, () => {
      w.putU32(SAMPLE_ATTRS.PROBABILITY.code, Math.floor((Number(percent[1]) / 100) * 0xffffffff));
      w.nested(SAMPLE_ATTRS.ACTIONS.code, () => list(w, actions, ports, depth + 1));
    });
  },
  check_pkt_len(w, body, ports, depth) {
    const args = new Args(body);
    const size = num(args.get('size'), 16);
    const gt = args.body('gt');
    const le = args.body('le');
    args.done();
    if (gt === undefined || le === undefined) throw new Bad();
    w.nested(A.CHECK_PKT_LEN.code, () => {
      w.putU16(CHECK_PKT_LEN_ATTRS.PKT_LEN.code, size);
      w.nested(CHECK_PKT_LEN_ATTRS.ACTIONS_IF_GREATER.code, () => list(w, gt, ports, depth + 1));
      w.nested(CHECK_PKT_LEN_ATTRS.ACTIONS_IF_LESS_EQUAL.code, () => list(w, le, ports, depth + 1));
    });
  },
  dec_ttl(w, body, ports, depth) {
    const args = new Args(body);
    const actions = args.body('le_1');
    args.done();
    if (actions === undefined) throw new Bad();
    w.nested(A.DEC_TTL.code, () =>
      w.nested(DEC_TTL_ATTRS.ACTION.code, () => list(w, actions, ports, depth + 1)),
    );
  },
};

function one(w: NlWriter, text: string, ports: DpPortNames | undefined, depth: number): void {
  if (/^[0-9]/.test(text)) {
    w.putU32(A.OUTPUT.code, num(text, 32));
    return;
  }
  const [name, body] = call(text);
  const plain = PLAIN[name];
  if (plain !== undefined && body === undefined) {
    w.putFlag(plain);
    return;
  }
  const parse = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
  if (parse !== undefined && (body !== undefined || name === 'ct')) {
    parse(w, body, ports, depth);
    return;
  }
  const portNo = ports?.numberOf(text);
  if (portNo === undefined) throw new Bad();
  w.putU32(A.OUTPUT.code, portNo);
}

function mpls(w: NlWriter, code: number, body: string | undefined): void {
  const args = new Args(body);
  const label = num(args.get('label'), 20);
  const tc = num(args.get('tc'), 3);
  const ttl = num(args.get('ttl'), 8);
  const bos = num(args.get('bos'), 1);
  const type = num(args.get('eth_type'), 16);
  args.done();
  const at = w.header(code, 8);
  const view = new DataView(w.buf.buffer);
  view.setUint32(at, (label * 4096 + (tc << 9) + (bos << 8) + ttl) >>> 0);
  view.setUint16(at + 4, type);
  view.setUint16(at + 6, 0);
}

/** A set action is masked unless every bit of the header is set. */
function set(w: NlWriter, body: string | undefined): void {
  const { key, mask } = parseDpKey(body ?? '');
  const r = new NlReader(key);
  const m = new NlReader(mask);
  const more = new NlReader(key);
  if (!more.next() || more.next() || !r.next() || !m.next() || r.type !== m.type) throw new Bad();
  if (r.type === K.ENCAP.code) throw new Bad();
  if (r.type === K.NSH.code) {
    setNsh(w, r, m);
    return;
  }
  if (r.type === K.TUNNEL.code || isFull(r.type, m.bytes())) {
    w.putBytes(A.SET.code, key);
    return;
  }
  w.nested(A.SET_MASKED.code, () => {
    const at = w.header(r.type, 2 * r.length);
    for (let i = 0; i < r.length; i++) {
      // Bits that are not set must be zero.
      w.buf[at + i] = r.buf[r.offset + i]! & m.buf[m.offset + i]!;
      w.buf[at + r.length + i] = m.buf[m.offset + i]!;
    }
  });
}

/** Each attribute of the nest holds value and mask; type of metadata and of what follows cannot be set. */
function setNsh(w: NlWriter, key: NlReader, mask: NlReader): void {
  const values = key.enter(new NlReader());
  const masks = mask.enter(new NlReader());
  w.nested(A.SET_MASKED.code, () =>
    w.nested(K.NSH.code, () => {
      while (values.next() && masks.next()) {
        const bits = masks.bytes().slice();
        if (values.type === NSH_KEY_ATTRS.BASE.code) bits.fill(0, 2, 4);
        const both = new Uint8Array(2 * bits.length);
        both.set(values.bytes().map((byte, i) => byte & bits[i]!));
        both.set(bits, bits.length);
        w.putBytes(values.type, both);
      }
    }),
  );
}

/** Whether every field of the structure is wholly masked; padding does not count. */
function isFull(code: number, mask: Uint8Array): boolean {
  const struct = structByCode.get(code);
  if (struct === undefined) {
    return code === K.CT_STATE.code
      ? mask[0] === 0xff
      : code === K.TCP_FLAGS.code
        ? mask[1] === 0xff
        : mask.every((b) => b === 0xff);
  }
  return struct.fields.every((f) => {
    const bits = f.format.bits ?? 8 * f.n;
    for (let i = 0; i < f.n; i++) {
      const left = bits - 8 * (f.n - 1 - i);
      const want = left >= 8 ? 0xff : left <= 0 ? 0 : (1 << left) - 1;
      if ((mask[f.at + i]! & want) !== want) return false;
    }
    return true;
  });
}

function userspace(w: NlWriter, body: string | undefined, ports: DpPortNames | undefined): void {
  const args = new Args(body);
  const pid = num(args.get('pid'), 32);
  const actions = args.has('actions');
  const outPort = args.get('tunnel_out_port');
  const rest = args.rest();
  if (rest.length > 1) throw new Bad();
  w.nested(A.USERSPACE.code, () => {
    w.putU32(USERSPACE_ATTRS.PID.code, pid);
    for (const [name, text] of rest) {
      const data =
        text.startsWith('(') && text.endsWith(')') ? parseUserdata(name, text.slice(1, -1)) : undefined;
      if (data === undefined) throw new Bad();
      w.putBytes(USERSPACE_ATTRS.USERDATA.code, data);
    }
    if (outPort !== undefined) {
      w.putU32(USERSPACE_ATTRS.EGRESS_TUN_PORT.code, ports?.numberOf(outPort) ?? num(outPort, 32));
    }
    if (actions) w.putFlag(USERSPACE_ATTRS.ACTIONS.code);
  });
}

function ct(w: NlWriter, body: string | undefined): void {
  const args = new Args(body);
  const commit = args.has('commit');
  const force = args.has('force_commit');
  const zone = args.get('zone');
  const mark = args.get('mark');
  const label = args.get('label');
  const helper = args.get('helper');
  const timeout = args.get('timeout');
  const nat = args.get('nat');
  args.done();
  w.nested(A.CT.code, () => {
    if (force) w.putFlag(CT_ACTION_ATTRS.FORCE_COMMIT.code);
    else if (commit) w.putFlag(CT_ACTION_ATTRS.COMMIT.code);
    if (zone !== undefined) w.putU16(CT_ACTION_ATTRS.ZONE.code, num(zone, 16));
    if (mark !== undefined) {
      const [v, m] = mark.split('/');
      const at = w.header(CT_ACTION_ATTRS.MARK.code, 8);
      const view = new DataView(w.buf.buffer);
      view.setUint32(at, num(v, 32), true);
      view.setUint32(at + 4, m === undefined ? 0xffffffff : num(m, 32), true);
    }
    if (label !== undefined) {
      const [v, m] = label.split('/');
      const bytes = new Uint8Array(32).fill(0xff, 16);
      if (!WIDE.read(v!, bytes, 0, 16) || (m !== undefined && !WIDE.read(m, bytes, 16, 16))) throw new Bad();
      w.putBytes(CT_ACTION_ATTRS.LABELS.code, bytes);
    }
    if (helper !== undefined) w.putString(CT_ACTION_ATTRS.HELPER.code, name(helper, 15));
    if (timeout !== undefined) w.putString(CT_ACTION_ATTRS.TIMEOUT.code, name(timeout, 31));
    if (nat !== undefined) natOf(w, nat);
  });
}

function name(text: string, max: number): string {
  if (text === '' || text.length > max) throw new Bad();
  return text;
}

/** `''` for a bare `nat`, or `(src=MIN-MAX:PORT-PORT,flags)`. */
function natOf(w: NlWriter, text: string): void {
  if (text !== '' && !(text.startsWith('(') && text.endsWith(')'))) throw new Bad();
  const args = new Args(text.slice(1, -1));
  const src = args.get('src');
  const dst = args.get('dst');
  const flags = (['persistent', 'hash', 'random'] as const).map((flag) => args.has(flag));
  args.done();
  if (src !== undefined && dst !== undefined) throw new Bad();
  w.nested(CT_ACTION_ATTRS.NAT.code, () => {
    if (src !== undefined) w.putFlag(NAT_ATTRS.SRC.code);
    if (dst !== undefined) w.putFlag(NAT_ATTRS.DST.code);
    const range = src ?? dst ?? '';
    if (range !== '') natRange(w, range);
    else if (flags.some(Boolean)) throw new Bad();
    if (flags[0]) w.putFlag(NAT_ATTRS.PERSISTENT.code);
    if (flags[1]) w.putFlag(NAT_ATTRS.PROTO_HASH.code);
    if (flags[2]) w.putFlag(NAT_ATTRS.PROTO_RANDOM.code);
  });
}

function natRange(w: NlWriter, text: string): void {
  const m =
    /^\[([^\]]+)\](?:-\[([^\]]+)\])?(?::(\d+)(?:-(\d+))?)?$/.exec(text) ??
    /^([0-9.]+)(?:-([0-9.]+))?(?::(\d+)(?:-(\d+))?)?$/.exec(text) ??
    /^([0-9a-fA-F:.]+)(?:-([0-9a-fA-F:.]+))?()()$/.exec(text);
  if (m === null) throw new Bad();
  const format = m[1]!.includes(':') ? IP6 : IP4;
  const n = format === IP6 ? 16 : 4;
  for (const [ip, code] of [
    [m[1], NAT_ATTRS.IP_MIN.code],
    [m[2], NAT_ATTRS.IP_MAX.code],
  ] as const) {
    if (ip === undefined) continue;
    const bytes = new Uint8Array(n);
    if (!format.read(ip, bytes, 0, n)) throw new Bad();
    w.putBytes(code, bytes);
  }
  if (m[3]) w.putU16(NAT_ATTRS.PROTO_MIN.code, num(m[3], 16));
  if (m[4]) w.putU16(NAT_ATTRS.PROTO_MAX.code, num(m[4], 16));
}
