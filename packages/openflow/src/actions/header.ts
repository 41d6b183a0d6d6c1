/** Actions on VLAN, Ethernet, IP, transport and MPLS headers that have a name of their own. */
import { formatIp4, formatMac } from '@ovs-node/flow/addr-text';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { mustField } from '@ovs-node/flow/fields';
import { PROTO } from '@ovs-node/flow/field-types';
import { PROTO_OXM_ANY } from '@ovs-node/flow/field-types';
import { altHex } from '@ovs-node/flow/int-text';
import { fail, refuse } from '../errors.js';
import { fullMask } from './field-value.js';
import { hex, parseIpv4, parseMac, parseU16, parseU32, parseU64, parseU8 } from '../text/numbers.js';
import { type ActionRow, type ActionRows, nx, padded, type ParseContext, std } from './row.js';
import { atoi } from './text-values.js';
import type { Action, ActionOf, ActionType } from './types.js';

const VLAN_CFI = 0x1000;

/** A set-field of a whole field, as `form` says. */
export function setWhole(field: string, value: bigint, form: 'set_field' | 'load' = 'set_field'): Action {
  const f = mustField(field);
  return { type: 'set_field', field: f.name, value, mask: fullMask(f), form };
}

/** The VLAN actions before 1.2's set-field, with the tag pushed first where that is asked for. */
function vlanTranslate(
  a: ActionOf<'set_vlan_vid'> | ActionOf<'set_vlan_pcp'>,
  version: number,
): readonly Action[] | undefined {
  const push: Action[] =
    version >= 2 && !a.hasVlan && a.pushIfNeeded ? [{ type: 'push_vlan', ethertype: 0x8100 }] : [];
  if (version >= 3) {
    return a.type === 'set_vlan_vid'
      ? [...push, setWhole('vlan_vid', BigInt(a.vid | VLAN_CFI))]
      : [...push, setWhole('vlan_pcp', BigInt(a.pcp))];
  }
  return push.length === 0 ? undefined : [...push, { ...a, pushIfNeeded: false }];
}

function parseVid(arg: string, pushIfNeeded: boolean): Action {
  const vid = parseU16(arg, 'VLAN VID');
  if (vid > 0xfff) throw new FlowSyntaxError(`${arg}: not a valid VLAN VID`);
  return { type: 'set_vlan_vid', vid, pushIfNeeded, hasVlan: false };
}

function parsePcp(arg: string, pushIfNeeded: boolean): Action {
  const pcp = parseU8(arg, 'VLAN PCP');
  if (pcp > 7) throw new FlowSyntaxError(`${arg}: not a valid VLAN PCP`);
  return { type: 'set_vlan_pcp', pcp, pushIfNeeded, hasVlan: false };
}

/** Actions of OpenFlow 1.0 and 1.1 whose whole content is one number, and which 1.2 says by set-field. */
function numberAction<T extends ActionType>(
  codes: readonly [of10: number | undefined, of11: number | undefined],
  bytes: 1 | 2 | 4 | 6,
  field: string,
  make: (v: bigint) => ActionOf<T>,
  value: (a: ActionOf<T>) => bigint,
  parse: Readonly<Record<string, (arg: string, c: ParseContext) => ActionOf<T>>>,
  format: (a: ActionOf<T>) => string,
): ActionRow<ActionOf<T>> {
  const length = bytes === 6 ? 16 : 8;
  const wire = codes.flatMap((code, i) =>
    code === undefined
      ? []
      : [
          std<ActionOf<T>>(
            i + 1,
            // Those of 1.1 are deprecated later, and understood still.
            i === 0 ? 1 : 6,
            code,
            length,
            (r) => make(r.big(bytes)),
            (w, a) => w.big(value(a), bytes),
          ),
        ],
  );
  return {
    wire,
    translate: (a, version) => {
      if (version >= 3 || codes[version - 1] === undefined) {
        return [setWhole(field, value(a), version >= 3 ? 'set_field' : 'load')];
      }
      return undefined;
    },
    parse,
    format,
    room: padded(bytes + 4),
  };
}

function macAction(type: 'set_eth_src' | 'set_eth_dst', codes: [number, number], field: string, key: string) {
  return numberAction<'set_eth_src' | 'set_eth_dst'>(
    codes,
    6,
    field,
    (mac) => ({ type, mac }),
    (a) => a.mac,
    { [key]: (arg) => ({ type, mac: parseMac(arg) }) },
    (a) => `${key}:${formatMac(a.mac)}`,
  );
}

function ipAction(
  type: 'set_ipv4_src' | 'set_ipv4_dst',
  codes: [number, number],
  field: string,
  key: string,
) {
  return numberAction<'set_ipv4_src' | 'set_ipv4_dst'>(
    codes,
    4,
    field,
    (ip) => ({ type, ip: Number(ip) }),
    (a) => BigInt(a.ip),
    { [key]: (arg) => ({ type, ip: parseIpv4(arg) }) },
    (a) => `${key}:${formatIp4(a.ip)}`,
  );
}

/** The field that holds a port of an IP protocol, when it is one with ports. */
function l4Field(which: 'src' | 'dst', proto: number | undefined): string | undefined {
  return proto === 6
    ? `tcp_${which}`
    : proto === 17
      ? `udp_${which}`
      : proto === 132
        ? `sctp_${which}`
        : undefined;
}

function l4Action(
  type: 'set_l4_src_port' | 'set_l4_dst_port',
  code: number,
  which: 'src' | 'dst',
  what: string,
) {
  const key = `mod_tp_${which}`;
  return {
    ...numberAction<'set_l4_src_port' | 'set_l4_dst_port'>(
      [code, code],
      2,
      `tcp_${which}`,
      (port) => ({ type, port: Number(port) }),
      (a) => BigInt(a.port),
      { [key]: (arg) => ({ type, port: parseU16(arg, what) }) },
      (a) => `${key}:${a.port}`,
    ),
    translate: (a: ActionOf<'set_l4_src_port' | 'set_l4_dst_port'>, version: number) => {
      if (version < 3) return undefined;
      const field = l4Field(which, a.proto);
      return field === undefined ? undefined : [setWhole(field, BigInt(a.port))];
    },
  };
}

function checkMplsType(ethertype: number): number {
  if (ethertype !== 0x8847 && ethertype !== 0x8848)
    fail('OFPBAC_BAD_ARGUMENT', `Ethernet type ${hex(ethertype)}`);
  return ethertype;
}

function mplsAction(
  type: 'set_mpls_label' | 'set_mpls_tc' | 'set_mpls_ttl',
  nxCode: number,
  of11: number,
  of11Last: number,
  bytes: 1 | 4,
  field: string,
  max: number,
  what: string,
): ActionRow<ActionOf<'set_mpls_label' | 'set_mpls_tc' | 'set_mpls_ttl'>> {
  return {
    wire: [
      std(
        2,
        6,
        of11,
        8,
        // More bits than there are are let pass and kept, in set-field too, though nobody takes that.
        (r) => ({ type, value: Number(r.big(bytes)) }),
        (w, a) => w.big(BigInt(a.value), bytes),
      ),
      {
        ...nx<ActionOf<typeof type>>(
          nxCode,
          16,
          (r) => {
            if (bytes === 4) r.skip(2);
            return { type, value: Number(r.big(bytes)) };
          },
          (w, a) => {
            if (bytes === 4) w.zeros(2);
            w.big(BigInt(a.value), bytes);
          },
        ),
        to: 1,
      },
    ],
    translate: (a, version) => (version > of11Last ? [setWhole(field, BigInt(a.value))] : undefined),
    parse: {
      [type]: (arg) => {
        if (arg === '') throw new FlowSyntaxError(`${type}: expected label.`.replace('label', type.slice(9)));
        if (bytes === 4) {
          const value = parseU32(arg);
          if (value > max) throw new FlowSyntaxError(`${arg}: not a valid ${what}`);
          return { type, value };
        }
        const value = parseU8(arg, what);
        if (value > max) throw new FlowSyntaxError(`${arg}: not a valid ${what}`);
        return { type, value };
      },
    },
    format: (a) => `${type}(${a.value})`,
  };
}

/** Whether it names no controllers. */
function isPlainDecTtl(a: ActionOf<'dec_ttl'>): boolean {
  return a.ids.length === 0 && a.listed === undefined;
}

export const HEADER_ACTIONS: ActionRows<
  | 'strip_vlan'
  | 'push_vlan'
  | 'set_vlan_vid'
  | 'set_vlan_pcp'
  | 'set_eth_src'
  | 'set_eth_dst'
  | 'set_ipv4_src'
  | 'set_ipv4_dst'
  | 'set_ip_dscp'
  | 'set_ip_ecn'
  | 'set_ip_ttl'
  | 'set_l4_src_port'
  | 'set_l4_dst_port'
  | 'dec_ttl'
  | 'push_mpls'
  | 'pop_mpls'
  | 'set_mpls_label'
  | 'set_mpls_tc'
  | 'set_mpls_ttl'
  | 'dec_mpls_ttl'
  | 'set_tunnel'
> = {
  strip_vlan: {
    wire: [
      std(
        1,
        1,
        3,
        8,
        () => ({ type: 'strip_vlan' }),
        () => undefined,
      ),
      std(
        2,
        6,
        18,
        8,
        () => ({ type: 'strip_vlan', form: 'pop_vlan' }),
        () => undefined,
      ),
    ],
    parse: {
      strip_vlan: () => ({ type: 'strip_vlan' }),
      pop_vlan: () => ({ type: 'strip_vlan', form: 'pop_vlan' }),
    },
    format: (action) => action.form ?? 'strip_vlan',
  },
  push_vlan: {
    wire: [
      std(
        2,
        6,
        17,
        8,
        (r) => {
          const ethertype = r.u16();
          if (ethertype !== 0x8100 && ethertype !== 0x88a8)
            fail('OFPBAC_BAD_ARGUMENT', `Ethernet type ${hex(ethertype)}`);
          return { type: 'push_vlan', ethertype };
        },
        (w, a) => w.u16(a.ethertype),
      ),
    ],
    parse: {
      push_vlan: (arg, c) => {
        c.usable &= PROTO_OXM_ANY | PROTO.OF11_STD;
        const ethertype = parseU16(arg, 'ethertype');
        if (ethertype !== 0x8100 && ethertype !== 0x88a8) {
          throw new FlowSyntaxError(`${arg}: not a valid VLAN ethertype`);
        }
        return { type: 'push_vlan', ethertype };
      },
    },
    format: (a) => `push_vlan:${hex(a.ethertype, 4)}`,
  },
  set_vlan_vid: {
    wire: [1, 2].map((v) =>
      std<ActionOf<'set_vlan_vid'>>(
        v,
        v === 1 ? 1 : 6,
        1,
        8,
        (r) => {
          const vid = r.u16();
          if (vid > 0xfff) fail('OFPBAC_BAD_ARGUMENT', `VLAN VID ${vid}`);
          return { type: 'set_vlan_vid', vid, pushIfNeeded: v === 1, hasVlan: false };
        },
        (w, a) => w.u16(a.vid),
      ),
    ),
    translate: vlanTranslate,
    parse: { mod_vlan_vid: (arg) => parseVid(arg, true), set_vlan_vid: (arg) => parseVid(arg, false) },
    format: (a) => `${a.pushIfNeeded ? 'mod_vlan_vid' : 'set_vlan_vid'}:${a.vid}`,
  },
  set_vlan_pcp: {
    wire: [1, 2].map((v) =>
      std<ActionOf<'set_vlan_pcp'>>(
        v,
        v === 1 ? 1 : 6,
        2,
        8,
        (r) => {
          const pcp = r.u8();
          if (pcp > 7) fail('OFPBAC_BAD_ARGUMENT', `VLAN PCP ${pcp}`);
          return { type: 'set_vlan_pcp', pcp, pushIfNeeded: v === 1, hasVlan: false };
        },
        (w, a) => w.u8(a.pcp),
      ),
    ),
    translate: vlanTranslate,
    parse: { mod_vlan_pcp: (arg) => parsePcp(arg, true), set_vlan_pcp: (arg) => parsePcp(arg, false) },
    format: (a) => `${a.pushIfNeeded ? 'mod_vlan_pcp' : 'set_vlan_pcp'}:${a.pcp}`,
  },
  set_eth_src: macAction('set_eth_src', [4, 3], 'eth_src', 'mod_dl_src') as ActionRow<
    ActionOf<'set_eth_src'>
  >,
  set_eth_dst: macAction('set_eth_dst', [5, 4], 'eth_dst', 'mod_dl_dst') as ActionRow<
    ActionOf<'set_eth_dst'>
  >,
  set_ipv4_src: ipAction('set_ipv4_src', [6, 5], 'ip_src', 'mod_nw_src') as ActionRow<
    ActionOf<'set_ipv4_src'>
  >,
  set_ipv4_dst: ipAction('set_ipv4_dst', [7, 6], 'ip_dst', 'mod_nw_dst') as ActionRow<
    ActionOf<'set_ipv4_dst'>
  >,
  set_ip_dscp: {
    ...numberAction<'set_ip_dscp'>(
      [8, 7],
      1,
      'nw_tos',
      (tos) =>
        (tos & 3n) === 0n
          ? { type: 'set_ip_dscp', dscp: Number(tos) >> 2 }
          : fail('OFPBAC_BAD_ARGUMENT', `TOS ${tos}`),
      (a) => BigInt(a.dscp << 2),
      {
        mod_nw_tos: (arg) => {
          const tos = parseU8(arg, 'TOS');
          if ((tos & 3) !== 0) throw new FlowSyntaxError(`${arg}: not a valid TOS`);
          return { type: 'set_ip_dscp', dscp: tos >> 2 };
        },
      },
      (a) => `mod_nw_tos:${a.dscp << 2}`,
    ),
    translate: (a, version) => (version >= 3 ? [setWhole('ip_dscp', BigInt(a.dscp))] : undefined),
  },
  set_ip_ecn: numberAction<'set_ip_ecn'>(
    [undefined, 8],
    1,
    'nw_ecn',
    (ecn) =>
      ecn > 3n ? fail('OFPBAC_BAD_ARGUMENT', `ECN ${ecn}`) : { type: 'set_ip_ecn', ecn: Number(ecn) },
    (a) => BigInt(a.ecn),
    {
      mod_nw_ecn: (arg) => {
        const ecn = parseU8(arg, 'ECN');
        if (ecn > 3) throw new FlowSyntaxError(`${arg}: not a valid ECN`);
        return { type: 'set_ip_ecn', ecn };
      },
    },
    (a) => `mod_nw_ecn:${a.ecn}`,
  ),
  set_ip_ttl: {
    wire: [
      std(
        2,
        6,
        23,
        8,
        (r) => ({ type: 'set_ip_ttl', ttl: r.u8() }),
        (w, a) => w.u8(a.ttl),
      ),
    ],
    translate: (a, version) => (version === 1 ? [setWhole('nw_ttl', BigInt(a.ttl), 'load')] : undefined),
    parse: Object.fromEntries(
      ['mod_nw_ttl', 'set_nw_ttl'].map((key) => [
        key,
        (arg: string) => ({ type: 'set_ip_ttl', ttl: parseU8(arg, 'TTL') }),
      ]),
    ) as ActionRow['parse'],
    format: (a) => `mod_nw_ttl:${a.ttl}`,
  },
  set_l4_src_port: l4Action('set_l4_src_port', 9, 'src', 'source port') as ActionRow<
    ActionOf<'set_l4_src_port'>
  >,
  set_l4_dst_port: l4Action('set_l4_dst_port', 10, 'dst', 'destination port') as ActionRow<
    ActionOf<'set_l4_dst_port'>
  >,
  dec_ttl: {
    wire: [
      std(
        2,
        6,
        24,
        8,
        () => ({ type: 'dec_ttl', ids: [] }),
        () => undefined,
        isPlainDecTtl,
      ),
      {
        ...nx<ActionOf<'dec_ttl'>>(
          18,
          16,
          () => ({ type: 'dec_ttl', ids: [] }),
          () => undefined,
          isPlainDecTtl,
        ),
        to: 1,
      },
      nx(
        21,
        undefined,
        (r) => {
          const n = r.u16();
          r.zeros(4, 'NXBRC_MUST_BE_ZERO');
          const ids: number[] = [];
          if (2 * n > r.left) refuse(r, 'OFPBAC_BAD_LEN', 'many_ids', r.left, n);
          for (let i = 0; i < n; i++) ids.push(r.u16());
          return ids.length === 0 ? { type: 'dec_ttl', ids, listed: true } : { type: 'dec_ttl', ids };
        },
        (w, a) => {
          w.u16(a.ids.length).zeros(4);
          for (const id of a.ids) w.u16(id);
        },
      ),
    ],
    parse: {
      dec_ttl: (arg) => {
        if (arg === '') return { type: 'dec_ttl', ids: [] };
        const ids = arg
          .split(/[ ,]+/)
          .filter((s) => s !== '')
          .map((s) => atoi(s) & 0xffff);
        if (ids.length === 0) {
          throw new FlowSyntaxError('dec_ttl_cnt_ids: expected at least one controller id.');
        }
        return { type: 'dec_ttl', ids };
      },
    },
    format: (a) => (isPlainDecTtl(a) ? 'dec_ttl' : `dec_ttl(${a.ids.join(',')})`),
    // A plain one names controller 0.
    room: (a) => 8 + padded(2 * Math.max(a.ids.length, 1)),
  },
  push_mpls: {
    wire: [
      std(
        2,
        6,
        19,
        8,
        (r) => ({ type: 'push_mpls', ethertype: checkMplsType(r.u16()) }),
        (w, a) => w.u16(a.ethertype),
      ),
      {
        ...nx<ActionOf<'push_mpls'>>(
          23,
          16,
          (r) => ({ type: 'push_mpls', ethertype: checkMplsType(r.u16()) }),
          (w, a) => w.u16(a.ethertype),
        ),
        to: 1,
      },
    ],
    parse: { push_mpls: (arg) => ({ type: 'push_mpls', ethertype: parseU16(arg, 'push_mpls') }) },
    format: (a) => `push_mpls:${hex(a.ethertype, 4)}`,
  },
  pop_mpls: {
    wire: [
      std(
        2,
        6,
        20,
        8,
        (r) => ({ type: 'pop_mpls', ethertype: r.u16() }),
        (w, a) => w.u16(a.ethertype),
      ),
      {
        ...nx<ActionOf<'pop_mpls'>>(
          24,
          16,
          (r) => ({ type: 'pop_mpls', ethertype: r.u16() }),
          (w, a) => w.u16(a.ethertype),
        ),
        to: 1,
      },
    ],
    parse: { pop_mpls: (arg) => ({ type: 'pop_mpls', ethertype: parseU16(arg, 'pop_mpls') }) },
    format: (a) => `pop_mpls:${hex(a.ethertype, 4)}`,
  },
  set_mpls_label: mplsAction(
    'set_mpls_label',
    30,
    13,
    2,
    4,
    'mpls_label',
    0xfffff,
    'MPLS label',
  ) as ActionRow<ActionOf<'set_mpls_label'>>,
  set_mpls_tc: mplsAction('set_mpls_tc', 31, 14, 2, 1, 'mpls_tc', 7, 'MPLS TC') as ActionRow<
    ActionOf<'set_mpls_tc'>
  >,
  set_mpls_ttl: mplsAction('set_mpls_ttl', 25, 15, 6, 1, 'mpls_ttl', 255, 'MPLS TTL') as ActionRow<
    ActionOf<'set_mpls_ttl'>
  >,
  dec_mpls_ttl: {
    wire: [
      std(
        2,
        6,
        16,
        8,
        () => ({ type: 'dec_mpls_ttl' }),
        () => undefined,
      ),
      {
        ...nx<ActionOf<'dec_mpls_ttl'>>(
          26,
          16,
          () => ({ type: 'dec_mpls_ttl' }),
          () => undefined,
        ),
        to: 1,
      },
    ],
    parse: { dec_mpls_ttl: () => ({ type: 'dec_mpls_ttl' }) },
    format: () => 'dec_mpls_ttl',
  },
  set_tunnel: {
    wire: [
      nx(
        2,
        16,
        (r) => {
          r.skip(2);
          return { type: 'set_tunnel', tunId: BigInt(r.u32()), wide: false };
        },
        (w, a) => w.zeros(2).u32(Number(a.tunId)),
        (a) => !a.wide,
      ),
      nx(
        9,
        24,
        (r) => {
          r.skip(6);
          return { type: 'set_tunnel', tunId: r.u64(), wide: true };
        },
        (w, a) => w.zeros(6).u64(a.tunId),
      ),
    ],
    translate: (a, version) => (version >= 3 ? [setWhole('tun_id', a.tunId)] : undefined),
    parse: {
      set_tunnel: (arg) => {
        const tunId = parseU64(arg);
        return { type: 'set_tunnel', tunId, wide: tunId > 0xffffffffn };
      },
      set_tunnel64: (arg) => ({ type: 'set_tunnel', tunId: parseU64(arg), wide: true }),
    },
    format: (a) => `${a.wide ? 'set_tunnel64' : 'set_tunnel'}:${altHex(a.tunId)}`,
    room: 16,
  },
};
