/** Random flows from the tables of fields and actions, the same for the same seed. */
import { FIELDS } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';
import { FlowTextGenerator } from '@ovs-node/flow/testkit/generate';
import { BUNDLE_ALGORITHMS, HASH_FIELDS, MULTIPATH_ALGORITHMS } from '../actions/hash.js';
import { fieldCodeName } from '../actions/subfield.js';
import { ACTIONS, instructionKind } from '../actions/table.js';
import type { ActionType } from '../actions/types.js';

const WITH_CODE = FIELDS.filter((f) => f.nxm !== undefined || f.oxm.length > 0);
const WRITABLE = WITH_CODE.filter((f) => f.writable);
/** Fields that only `ct(exec(…))` may set. */
const CT_FIELDS = new Set(['ct_mark', 'ct_label']);
const FREE = WRITABLE.filter((f) => !CT_FIELDS.has(f.name));

export class FlowGenerator extends FlowTextGenerator {
  /** A whole number below 2^bits, often at its ends. */
  private int(bits: number): number {
    return Number(this.big(bits));
  }

  private port(): string {
    return this.pick([
      '1',
      '2',
      '65279',
      'LOCAL',
      'in_port',
      'NORMAL',
      'FLOOD',
      'controller',
      `${this.below(60000)}`,
    ]);
  }

  private fieldName(f: Field): string {
    return this.pick([f.name, f.name, f.alias ?? f.name, fieldCodeName(f)]);
  }

  /** A subfield of `nBits` bits, or of any number. */
  private subfield(from: readonly Field[], nBits?: number): { text: string; nBits: number } {
    let f = this.pick(from);
    while (nBits !== undefined && f.bits < nBits) f = this.pick(from);
    const n = nBits ?? this.pick([f.bits, 1, 1 + this.below(f.bits)]);
    const ofs = this.below(f.bits - n + 1);
    const name = this.fieldName(f);
    if (ofs === 0 && n === f.bits) return { text: this.pick([`${name}[]`, name]), nBits: n };
    return { text: n === 1 ? `${name}[${ofs}]` : `${name}[${ofs}..${ofs + n - 1}]`, nBits: n };
  }

  private move(to: readonly Field[]): string {
    const dst = this.subfield(to);
    return `${this.subfield(WITH_CODE, dst.nBits).text}->${dst.text}`;
  }

  private load(to: readonly Field[]): string {
    const dst = this.subfield(to);
    const value = this.big(Math.min(dst.nBits, 64));
    return `${this.pick([`0x${value.toString(16)}`, value.toString()])}->${dst.text}`;
  }

  private setField(to: readonly Field[]): string {
    const f = this.pick(to);
    return `${this.value(f)}->${this.pick([f.name, f.alias ?? f.name])}`;
  }

  private some(n: number, one: () => string): string {
    return Array.from({ length: this.below(n) + 1 }, one).join(',');
  }

  private keys(options: readonly string[]): string {
    return options.filter(() => this.below(2) === 0).join(',');
  }

  private natRange(): string {
    const v6 = this.below(2) === 0;
    const last = this.below(200);
    const address = (n: number): string => (v6 ? `2001:db8::${n.toString(16)}` : `10.0.0.${n}`);
    const bare = this.pick([address(last), `${address(last)}-${address(last + this.below(50))}`]);
    if (this.below(2) === 0) return bare;
    const low = this.below(60000);
    const ports = this.pick([`${low}`, `${low}-${low + this.below(5000)}`]);
    return `${v6 ? bare.replaceAll(/[0-9a-f:]+/g, '[$&]') : bare}:${ports}`;
  }

  private nat(): string {
    const flags = this.keys(['persistent', this.pick(['hash', 'random'])]);
    const dir = `${this.pick(['src', 'dst'])}${this.pick(['', `=${this.natRange()}`])}`;
    return this.pick(['nat', `nat(${dir}${flags === '' ? '' : `,${flags}`})`]);
  }

  private ct(): string {
    const exec = this.some(2, () =>
      this.pick([
        `set_field:${this.value(this.ctField())}->${this.ctField().name}`,
        `load:${this.load([this.ctField()])}`,
        `move:${this.move([this.ctField()])}`,
      ]),
    );
    const zone = this.pick([
      `zone=${this.int(16)}`,
      `zone=${
        this.subfield(
          FIELDS.filter((f) => f.name === 'reg0'),
          16,
        ).text
      }`,
    ]);
    return this.keys([
      'commit',
      this.pick(['commit', 'commit,force']),
      zone,
      `table=${this.below(255)}`,
      this.pick(['alg=ftp', 'alg=tftp']),
      this.nat(),
      `exec(${exec})`,
    ]);
  }

  private ctField(): Field {
    return this.pick(WITH_CODE.filter((f) => CT_FIELDS.has(f.name)));
  }

  private learn(): string {
    const spec = (): string => {
      const f = this.pick(WITH_CODE);
      const sub = this.subfield(WITH_CODE);
      return this.pick([
        `${f.name}=${this.value(f).split('/')[0]}`,
        sub.text.includes('[') ? sub.text : `${sub.text}[]`,
        `${fieldCodeName(f)}[]=${this.subfield(WITH_CODE, f.bits).text}`,
        `load:${this.pick([this.load(FREE), this.move(FREE)])}`,
        `output:${this.subfield(WITH_CODE).text}`,
      ]);
    };
    const options = this.keys([
      `table=${this.below(255)}`,
      `idle_timeout=${this.int(16)}`,
      `hard_timeout=${this.int(16)}`,
      `fin_idle_timeout=${this.int(16)}`,
      `fin_hard_timeout=${this.int(16)}`,
      `priority=${this.int(16)}`,
      `cookie=0x${this.hex(4)}`,
      'send_flow_rem',
      'delete_learned',
      `limit=${this.int(10)}`,
      `result_dst=${this.subfield(FREE, 1).text}`,
    ]);
    return [options, this.some(4, spec)].filter((s) => s !== '').join(',');
  }

  private hash(algorithms: readonly string[]): string {
    return `${this.pick(HASH_FIELDS)},${this.int(16)},${this.pick(algorithms)}`;
  }

  private readonly actions: { readonly [T in ActionType]: (depth: number) => string } = {
    output: () => this.pick([`output:${this.port()}`, this.pick(['1', 'NORMAL', 'LOCAL', 'all'])]),
    output_reg: () => `output:${this.subfield(WITH_CODE).text}`,
    output_trunc: () =>
      `output(port=${this.pick(['1', 'LOCAL', '77'])},max_len=${this.pick([14, 100, 70000])})`,
    controller: () =>
      `controller(${this.keys([`max_len=${this.int(16)}`, `id=${this.int(16)}`, 'reason=no_match', `userdata=${this.hex(2 * this.below(12))}`, 'pause', `meter_id=${this.int(32)}`])})`,
    enqueue: () => `enqueue:${this.pick(['1', 'LOCAL', 'IN_PORT'])}:${this.int(32)}`,
    group: () => `group:${this.int(32)}`,
    bundle: () => `bundle(${this.hash(BUNDLE_ALGORITHMS)},ofport,members:${this.some(5, () => this.port())})`,
    bundle_load: () =>
      `bundle_load(${this.hash(BUNDLE_ALGORITHMS)},ofport,${this.subfield(FREE, 16 + this.below(17)).text},members:${this.some(5, () => this.port())})`,
    multipath: () =>
      `multipath(${this.hash(MULTIPATH_ALGORITHMS)},${1 + this.below(200)},${this.int(32)},${this.subfield(FREE, 8 + this.below(25)).text})`,
    set_queue: () => `set_queue:${this.int(32)}`,
    pop_queue: () => 'pop_queue',
    strip_vlan: () => this.pick(['strip_vlan', 'pop_vlan']),
    push_vlan: () => this.pick(['push_vlan:0x8100', 'push_vlan:0x88a8']),
    set_vlan_vid: () => `${this.pick(['mod', 'set'])}_vlan_vid:${this.int(12)}`,
    set_vlan_pcp: () => `${this.pick(['mod', 'set'])}_vlan_pcp:${this.int(3)}`,
    set_eth_src: () => `mod_dl_src:${this.mac()}`,
    set_eth_dst: () => `mod_dl_dst:${this.mac()}`,
    set_ipv4_src: () => `mod_nw_src:${this.ip4()}`,
    set_ipv4_dst: () => `mod_nw_dst:${this.ip4()}`,
    set_ip_dscp: () => `mod_nw_tos:${this.int(6) * 4}`,
    set_ip_ecn: () => `mod_nw_ecn:${this.int(2)}`,
    set_ip_ttl: () => `mod_nw_ttl:${this.int(8)}`,
    set_l4_src_port: () => `mod_tp_src:${this.int(16)}`,
    set_l4_dst_port: () => `mod_tp_dst:${this.int(16)}`,
    dec_ttl: () => this.pick(['dec_ttl', `dec_ttl(${this.some(5, () => `${this.int(16)}`)})`]),
    push_mpls: () => this.pick(['push_mpls:0x8847', 'push_mpls:0x8848']),
    pop_mpls: () => `pop_mpls:0x${this.pick(['0800', '8847', '86dd'])}`,
    set_mpls_label: () => `set_mpls_label(${this.int(20)})`,
    set_mpls_tc: () => `set_mpls_tc(${this.int(3)})`,
    set_mpls_ttl: () => `set_mpls_ttl(${this.int(8)})`,
    dec_mpls_ttl: () => 'dec_mpls_ttl',
    set_tunnel: () => `set_tunnel${this.pick(['', '64'])}:0x${this.big(this.pick([32, 64])).toString(16)}`,
    set_field: () => this.pick([`set_field:${this.setField(FREE)}`, `load:${this.load(FREE)}`]),
    move: () => `move:${this.move(FREE)}`,
    push: () => `push:${this.subfield(WITH_CODE).text}`,
    pop: () => `pop:${this.subfield(FREE).text}`,
    delete_field: () => `delete_field:tun_metadata${this.below(64)}`,
    encap: () =>
      `encap(${this.pick(['nsh', 'ethernet', 'mpls', 'mpls_mc', 'nsh(md_type=1)', `nsh(md_type=2,tlv(0x${this.hex(4)},${this.int(8)},0x${this.hex(2 + 2 * this.below(9))}))`])})`,
    decap: () =>
      this.pick([
        'decap',
        'decap(packet_type(ns=0,type=0))',
        `decap(packet_type(ns=1,type=0x${this.hex(4)}))`,
      ]),
    dec_nsh_ttl: () => 'dec_nsh_ttl',
    sample: () =>
      `sample(probability=${1 + this.below(65535)},${this.keys([`collector_set_id=${this.int(32)}`, `obs_domain_id=${this.int(32)}`, `obs_point_id=${this.int(32)}`, `sampling_port=${this.below(60000)}`, this.pick(['ingress', 'egress'])])})`,
    check_pkt_larger: () => `check_pkt_larger(${this.int(16)})->${this.subfield(FREE, 1).text}`,
    debug_recirc: () => 'ct_clear',
    debug_slow: () => 'ct_clear',
    resubmit: () =>
      this.pick([
        `resubmit:${this.below(60000)}`,
        `resubmit(,${this.below(255)})`,
        `resubmit(${this.below(99)},${this.below(255)}${this.pick(['', ',ct'])})`,
      ]),
    note: () => `note:${this.hex(2 * this.below(20))}`,
    exit: () => 'exit',
    fin_timeout: () =>
      `fin_timeout(${this.keys([`idle_timeout=${this.int(16)}`, `hard_timeout=${this.int(16)}`])})`,
    conjunction: () => `conjunction(${this.int(32)},${1 + this.below(2)}/${2 + this.below(60)})`,
    ct: () => `ct(${this.ct()})`,
    // Only inside of ct.
    nat: () => 'ct(nat)',
    ct_clear: () => 'ct_clear',
    clone: (depth) => `clone(${this.some(2, () => this.action(depth + 1))})`,
    learn: () => `learn(${this.learn()})`,
    meter: () => `meter:${this.int(32)}`,
    clear_actions: () => 'clear_actions',
    write_actions: (depth) => `write_actions(${this.some(3, () => this.action(depth + 1))})`,
    write_metadata: () => `write_metadata:0x${this.hex(8)}${this.pick(['', `/0x${this.hex(8)}`])}`,
    goto_table: () => `goto_table:${1 + this.below(253)}`,
  };

  /** An action that is no instruction. */
  action(depth = 0): string {
    const types = (Object.keys(ACTIONS) as ActionType[]).filter(
      (type) => instructionKind({ type } as never) === 'apply' && !(depth > 2 && type === 'clone'),
    );
    return this.actions[this.pick(types)](depth);
  }

  /** Instructions in their order, most flows without. */
  actionList(): string {
    const parts: string[] = [];
    if (this.below(12) === 0) parts.push(this.actions.meter(0));
    for (let n = this.below(4); n > 0; n--) parts.push(this.action());
    if (this.below(12) === 0) parts.push('clear_actions');
    if (this.below(8) === 0) parts.push(this.actions.write_actions(0));
    if (this.below(12) === 0) parts.push(this.actions.write_metadata(0));
    if (this.below(8) === 0) parts.push(this.actions.goto_table(0));
    return parts.length === 0 ? 'drop' : parts.join(',');
  }

  /** A flow as `add-flow` takes it. */
  flow(): string {
    const words = this.keys([
      `table=${this.below(255)}`,
      `priority=${this.int(16)}`,
      `cookie=0x${this.hex(8)}${this.pick(['', '', '', `/0x${this.hex(8)}`])}`,
      `idle_timeout=${this.int(16)}`,
      this.pick(['send_flow_rem', 'check_overlap', `hard_timeout=${this.int(16)}`]),
      this.pick(['', '', 'reset_counts', 'no_packet_counts', 'no_byte_counts', `importance=${this.int(16)}`]),
      this.pick(['', '', '', `out_port=${this.port()}`, `out_group=${this.int(32)}`]),
    ]);
    return [words, this.match(), `actions=${this.actionList()}`].filter((s) => s !== '').join(',');
  }
}
