/**
 * Whether actions fit the match of their flow: the checks that a switch makes on a flow-mod and that ovs-ofctl makes
 * before it sends one (ovs-actions(7), "Inconsistencies"). OpenFlow 1.0 lets some inconsistencies pass, 1.1 and
 * later do not; which is which decides the protocols that can carry the flow.
 */
import type { Field } from '@ovs-node/flow/field-types';
import { fieldPrereqsMet, getField, mustField, setField } from '@ovs-node/flow/fields';
import { CT, VLAN_CFI, W } from '@ovs-node/flow/layout';
import { Match, type MatchWords, newWords } from '@ovs-node/flow/match';
import { matchPrereqsMet } from '@ovs-node/flow/match-fields';
import { PROTO_ANY, PROTO_OF10_NXM_ANY, PROTO_OF10_STD_ANY } from '@ovs-node/flow/field-types';
import { OFPP } from '@ovs-node/flow/ports';
import type { ErrorName } from '../error-table.js';
import { DecodeFailure, fail, refuse } from '../errors.js';
import type { Explain, SubfieldRole } from '../explain.js';
import type { TunnelOptionBits } from '../wire.js';
import { PACKET_TYPE } from './packet-type.js';
import { checkSubfield } from './subfield.js';
import type { Action, ActionOf, LearnSpec, Subfield } from './types.js';

export interface CheckLimits {
  /** Port numbers from here on do not exist (reserved ones apart). */
  readonly maxPorts?: number;
  /** The flow's table, against which goto_table is checked; 255: unknown. */
  readonly tableId?: number;
  /** 255: unknown. */
  readonly nTables?: number;
  /** Protocols (bits of `PROTO`) of which one must be left; any. */
  readonly protocols?: number;
  /** What tunnel options there are; when absent, any, as long as can be. */
  readonly tunnelOptionBits?: TunnelOptionBits | undefined;
  /** Is told what is wrong. */
  readonly explain?: Explain | undefined;
}

export interface CheckResult {
  /** Undefined when the actions can be. */
  readonly error: ErrorName | undefined;
  /** Protocols (bits of `PROTO`) in which the actions are consistent with the match. */
  readonly usable: number;
  /** The actions, where VLAN actions know whether the packet has a tag by then. */
  readonly actions: readonly Action[];
}

const PROTO_OF10 = PROTO_OF10_STD_ANY | PROTO_OF10_NXM_ANY;

/** OFPM_MAX of OpenFlow 1.3. */
const MAX_METER = 0xffff0000;

/** Ends a check. */
const refused = (error: ErrorName): never => fail(error, 'an action does not fit its match');

/** The flow as the actions change it; one at a time, because a match is big and checks are many. */
const scratch = newWords();

class Checker {
  usable = PROTO_ANY;
  private maxPorts: number = OFPP.MAX;
  private tableId = 255;
  private nTables = 255;
  private match: MatchWords = scratch;
  private loaded = true;
  explain: Explain | undefined;
  tunnelOptionBits: TunnelOptionBits | undefined;

  start(match: Match | MatchWords, limits: CheckLimits): void {
    this.usable = PROTO_ANY;
    this.match = match;
    this.loaded = false;
    this.maxPorts = limits.maxPorts ?? OFPP.MAX;
    this.tableId = limits.tableId ?? 255;
    this.nTables = limits.nTables ?? 255;
    this.explain = limits.explain;
    this.tunnelOptionBits = limits.tunnelOptionBits;
  }

  /** The flow as the actions before have changed it. Most actions do not ask. */
  private get flow(): MatchWords {
    if (!this.loaded) {
      const { match } = this;
      if (match instanceof Match) {
        match.copyTo(scratch);
      } else {
        scratch.key.set(match.key);
        scratch.mask.set(match.mask);
      }
      this.loaded = true;
    }
    return scratch;
  }

  private inconsistent(): void {
    this.usable &= PROTO_OF10;
  }
  /** Of a packet without an Ethernet header, what its type says. */
  private get ethType(): number {
    const { key } = this.flow;
    const packetType = key[W.PACKET_TYPE];
    if (packetType === PACKET_TYPE.ETHERNET) return key[W.ETH_TYPE] >>> 16;
    return packetType >>> 16 === 1 ? packetType & 0xffff : 0;
  }
  private get isIp(): boolean {
    return this.ethType === 0x0800 || this.ethType === 0x86dd;
  }
  private get isMpls(): boolean {
    return this.ethType === 0x8847 || this.ethType === 0x8848;
  }
  private get proto(): number {
    return this.flow.key[W.NW] >>> 24;
  }
  private get hasVlan(): boolean {
    return (this.flow.key[W.VLAN0] & VLAN_CFI) !== 0;
  }
  private setEthType(type: number): void {
    this.flow.key[W.ETH_TYPE] = ((type << 16) | (this.flow.key[W.ETH_TYPE] & 0xffff)) >>> 0;
  }

  private source(s: Subfield): void {
    this.part('source', s, this.flow);
  }
  private destination(s: Subfield): void {
    this.part('destination', s, this.flow);
    this.writable(mustField(s.field));
  }
  /** A part of a field of a packet of `flow`, which has to be there. */
  private part(role: SubfieldRole, s: Subfield, flow: MatchWords): void {
    const f = mustField(s.field);
    checkSubfield(this, role, f, s.ofs, s.nBits);
    if (!matchPrereqsMet(flow, f))
      refuse(this, 'OFPBAC_MATCH_INCONSISTENT', 'no_prerequisites', role, f.name);
  }
  private writable(f: Field): void {
    if (!f.writable) refuse(this, 'OFPBAC_BAD_SET_ARGUMENT', 'read_only', f.name);
  }

  /** The same list when no action changes. */
  list(actions: readonly Action[]): readonly Action[] {
    let out: Action[] | undefined;
    for (let i = 0; i < actions.length; i++) {
      const a = this.one(actions[i]);
      if (a === actions[i]) continue;
      out ??= [...actions];
      out[i] = a;
    }
    return out ?? actions;
  }

  private nested(a: ActionOf<'clone'> | ActionOf<'write_actions'>): Action {
    // What they do to the packet is not seen outside.
    const before = this.flow.key.slice();
    const actions = this.list(a.actions);
    this.flow.key.set(before);
    return actions === a.actions ? a : { ...a, actions };
  }

  private one(a: Action): Action {
    switch (a.type) {
      case 'output':
      case 'output_trunc':
        this.outputPort(a.port);
        return a;
      case 'enqueue':
        if (a.port >= this.maxPorts && a.port !== OFPP.IN_PORT && a.port !== OFPP.LOCAL) {
          refused('OFPBAC_BAD_OUT_PORT');
        }
        return a;
      case 'output_reg':
        this.source(a.src);
        return a;
      case 'set_vlan_vid':
      case 'set_vlan_pcp': {
        const { hasVlan } = this;
        if (!hasVlan && !a.pushIfNeeded) this.inconsistent();
        this.flow.key[W.VLAN0] |= VLAN_CFI;
        return { ...a, hasVlan };
      }
      case 'strip_vlan':
        if (!this.hasVlan) this.inconsistent();
        this.flow.key[W.VLAN0] = this.flow.key[W.VLAN1];
        this.flow.key[W.VLAN1] = 0;
        return a;
      case 'push_vlan':
        if ((this.flow.key[W.VLAN1] & VLAN_CFI) !== 0) refused('OFPBAC_BAD_TAG');
        this.flow.key[W.VLAN1] = this.flow.key[W.VLAN0];
        this.flow.key[W.VLAN0] = ((a.ethertype << 16) | VLAN_CFI) >>> 0;
        return a;
      case 'set_ipv4_src':
      case 'set_ipv4_dst':
        if (this.ethType !== 0x0800) this.inconsistent();
        return a;
      case 'set_ip_dscp':
      case 'set_ip_ecn':
      case 'set_ip_ttl':
      case 'dec_ttl':
        if (!this.isIp) this.inconsistent();
        return a;
      case 'set_l4_src_port':
      case 'set_l4_dst_port':
        if (!this.isIp || ![6, 17, 132].includes(this.proto) || (this.flow.key[W.NW] & 2) !== 0)
          this.inconsistent();
        return { ...a, proto: this.proto };
      case 'set_mpls_label':
      case 'set_mpls_tc':
      case 'set_mpls_ttl':
      case 'dec_mpls_ttl':
        if (!this.isMpls) this.inconsistent();
        return a;
      case 'push_mpls':
        if (this.flow.key[W.PACKET_TYPE] !== PACKET_TYPE.ETHERNET) this.inconsistent();
        this.setEthType(a.ethertype);
        this.flow.key[W.NW] &= 0x00ffffff;
        return a;
      case 'pop_mpls':
        if (!this.isMpls || this.flow.key[W.PACKET_TYPE] !== PACKET_TYPE.ETHERNET) this.inconsistent();
        this.setEthType(a.ethertype);
        return a;
      case 'set_field':
        return this.setField(a);
      case 'move':
        this.source(a.src);
        this.destination(a.dst);
        return a;
      case 'bundle':
      case 'bundle_load':
        if (a.type === 'bundle_load') this.destination(a.dst);
        for (const port of a.members) this.memberPort(port);
        return a;
      case 'multipath':
      case 'check_pkt_larger':
        if (a.type === 'multipath') this.destination(a.dst);
        return a;
      case 'delete_field':
        if (!a.field.startsWith('tun_metadata')) refused('OFPBAC_BAD_ARGUMENT');
        return a;
      case 'encap':
        this.encap(a.packetType);
        return a;
      case 'decap':
        this.decap();
        return a;
      case 'dec_nsh_ttl':
        if (!this.isNsh) this.inconsistent();
        return a;
      case 'push':
        this.source(a.subfield);
        return a;
      case 'pop':
        this.destination(a.subfield);
        return a;
      case 'resubmit': {
        const valid = matchPrereqsMet(this.flow, mustField('ct_nw_proto'));
        if (a.withCtOrig && !valid) refused('OFPBAC_MATCH_INCONSISTENT');
        return a;
      }
      case 'fin_timeout':
        if (!this.isIp || this.proto !== 6) this.inconsistent();
        return a;
      case 'learn':
        this.learn(a.learn);
        return a;
      case 'ct':
        return this.ct(a);
      case 'nat': {
        const family = a.nat.addr?.family;
        if (
          !this.isIp ||
          (family === 4 && this.ethType !== 0x0800) ||
          (family === 6 && this.ethType !== 0x86dd)
        ) {
          refused('OFPBAC_MATCH_INCONSISTENT');
        }
        return a;
      }
      case 'clone':
        return this.nested(a);
      case 'write_actions': {
        // What an action set will find cannot be known, so its consistency does not count.
        const { usable } = this;
        const checked = this.nested(a);
        this.usable = usable;
        return checked;
      }
      case 'meter':
        if (a.meter === 0 || a.meter > MAX_METER) refused('OFPMMFC_INVALID_METER');
        return a;
      case 'goto_table':
        if (
          (this.tableId !== 255 && a.table <= this.tableId) ||
          (this.nTables !== 255 && a.table >= this.nTables)
        ) {
          refused('OFPBIC_BAD_TABLE_ID');
        }
        return a;
      default:
        return a;
    }
  }

  private get isNsh(): boolean {
    return this.flow.key[W.PACKET_TYPE] === PACKET_TYPE.NSH || this.ethType === 0x894f;
  }

  private encap(packetType: number): void {
    this.flow.key[W.PACKET_TYPE] = packetType;
    if (packetType >>> 16 === 1) this.setEthType(packetType & 0xffff);
    if (!this.isIp) this.flow.key[W.NW] &= 0x00ffffff;
  }

  /** What is inside of an Ethernet frame is known, what is inside of other packets only when it is out. */
  private decap(): void {
    const { key } = this.flow;
    if (key[W.PACKET_TYPE] === PACKET_TYPE.ETHERNET) {
      key[W.PACKET_TYPE] = 0x10000 | this.ethType;
    } else {
      key[W.PACKET_TYPE] = 0xffffffff;
      this.setEthType(0xffff);
    }
  }

  /** A member of a bundle may be any port there can be, but for the controller. */
  private memberPort(port: number): void {
    const isController = port === OFPP.CONTROLLER;
    if (!isController && (port < this.maxPorts || port >= OFPP.IN_PORT)) return;
    if (isController) refuse(this, 'OFPBAC_BAD_OUT_PORT', 'controller_member');
    refuse(this, 'OFPBAC_BAD_OUT_PORT', 'bundle_member', port);
  }

  private outputPort(port: number): void {
    if (port === OFPP.ANY || port === OFPP.UNSET) refused('OFPBAC_BAD_OUT_PORT');
    if (port >= this.maxPorts && port < OFPP.IN_PORT) refused('OFPBAC_BAD_OUT_PORT');
  }

  private setField(a: ActionOf<'set_field'>): ActionOf<'set_field'> {
    const f = mustField(a.field);
    const needsTag = f.name === 'vlan_vid' && !this.hasVlan;
    // Not as of a match: there, a connection that is not invalid is one.
    if (!fieldPrereqsMet(f, this.flow.key) || needsTag) {
      refuse(this, 'OFPBAC_MATCH_INCONSISTENT', 'set_field_prerequisites', f.name);
    }
    if (f.name !== 'vlan_tci') return a;
    const { hasVlan } = this;
    setField(this.flow.key, f, (getField(this.flow.key, f) & ~a.mask) | a.value);
    return { ...a, hasVlan };
  }

  private learn(l: LearnSpec): void {
    // The new flow must be able to match and set what the specs say, given those before them.
    const made = newWords();
    for (const s of l.specs) {
      if ('field' in s.src) this.source(s.src.field);
      if (s.dst === 'output' || !s.dstField) continue;
      const f = mustField(s.dstField.field);
      this.part(s.dst === 'load' ? 'destination' : 'source', s.dstField, made);
      if (s.dst === 'load') {
        this.writable(f);
        continue;
      }
      if ('value' in s.src) {
        const shift = BigInt(s.dstField.ofs);
        const bits = ((1n << BigInt(s.nBits)) - 1n) << shift;
        setField(made.key, f, (getField(made.key, f) & ~bits) | (s.src.value << shift));
        setField(made.mask, f, getField(made.mask, f) | bits);
      }
    }
  }

  private ct(a: ActionOf<'ct'>): Action {
    const { flow } = this;
    const invalid = (flow.key[W.CT_STATE] & CT.INV) !== 0;
    const wrongAlg = (a.alg === 21 && this.proto !== 6) || (a.alg === 69 && this.proto !== 17);
    if (!this.isIp || (invalid && a.commit) || wrongAlg) refused('OFPBAC_MATCH_INCONSISTENT');
    // With the zone in a field, the peer looks no further.
    if (typeof a.zone !== 'number') {
      this.source(a.zone);
      return a;
    }
    const actions = this.list(a.actions);
    return actions === a.actions ? a : { ...a, actions };
  }
}

const checker = new Checker();

/** Checks actions and instructions against the match of their flow. */
export function checkActions(
  actions: readonly Action[],
  match: Match | MatchWords,
  limits: CheckLimits = {},
): CheckResult {
  checker.start(match, limits);
  try {
    const checked = checker.list(actions);
    if ((checker.usable & (limits.protocols ?? PROTO_ANY)) === 0) refused('OFPBAC_MATCH_INCONSISTENT');
    return { error: undefined, usable: checker.usable, actions: checked };
  } catch (e) {
    if (e instanceof DecodeFailure) return { error: e.error.name, usable: 0, actions };
    throw e;
  }
}
