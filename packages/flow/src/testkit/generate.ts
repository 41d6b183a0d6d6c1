import { FIELDS, fieldPrereqsMet, mustField } from '../fields.js';
import type { Field, Prereq } from '../field-types.js';
import { CT_STATE_FLAGS, TCP_FLAGS } from '../flags-text.js';
import { parseMatch } from '../match-text.js';

/** Random flow text from the field table, the same for the same seed; for tests of this package and those above it. */
export class FlowTextGenerator {
  private seed: number;
  constructor(seed: number) {
    this.seed = seed;
  }

  below(n: number): number {
    this.seed = (Math.imul(this.seed, 1103515245) + 12345) >>> 0;
    return Math.floor(((this.seed >>> 8) / 0x1000000) * n);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.below(16).toString(16)).join('');
  }

  big(bits: number): bigint {
    const ones = (1n << BigInt(bits)) - 1n;
    const any = BigInt('0x' + this.hex(Math.ceil(bits / 4))) & ones;
    return this.pick([any, any, 0n, 1n, ones, any >> BigInt(this.below(bits))]);
  }

  number(bits: number): string {
    const v = this.big(bits);
    return bits > 64 || this.below(2) === 0 ? '0x' + v.toString(16) : v.toString();
  }

  mac(): string {
    return Array.from({ length: 6 }, () => this.pick([this.hex(2), '00', 'ff'])).join(':');
  }

  ip4(): string {
    return Array.from({ length: 4 }, () => this.pick([this.below(256), 0, 255])).join('.');
  }

  ip6(): string {
    const full = Array.from({ length: 8 }, () => this.pick(['0', '0', this.hex(4), this.hex(1)])).join(':');
    return this.pick([
      full,
      '::' + this.hex(2),
      `::ffff:${this.ip4()}`,
      `::${this.ip4()}`,
      `2001:db8::${this.hex(2)}:0:0:1`,
    ]);
  }

  private flags(names: readonly string[]): string {
    const signed = names.filter(() => this.below(2) === 0).map((n) => this.pick(['+', '-']) + n);
    const exact = names.filter(() => this.below(3) === 0).join('|');
    const all = 1 << names.length;
    return this.pick([
      signed.join('') || `+${names[0]}`,
      exact || names[0]!,
      `0x${this.below(all).toString(16)}`,
      `${this.below(all)}/${this.below(all)}`,
    ]);
  }

  /** A value that the field takes, with a mask at times where it takes one. */
  value(f: Field): string {
    switch (f.format) {
      case 'decimal':
      case 'hexadecimal':
        // Options of a tunnel share 256 bytes.
        if (f.option !== undefined) {
          const bits = this.pick([8, 16, 32, 128]);
          return this.below(2) === 0 ? this.number(bits) : `${this.number(bits)}/${this.number(bits)}`;
        }
        return f.maskable && this.below(2) === 0
          ? `${this.number(f.bits)}/${this.number(f.bits)}`
          : this.number(f.bits);
      case 'ethernet':
        return this.below(2) === 0 ? this.mac() : `${this.mac()}/${this.mac()}`;
      case 'ipv4':
        return this.pick([this.ip4(), `${this.ip4()}/${this.below(33)}`, `${this.ip4()}/${this.ip4()}`]);
      case 'ipv6':
        return this.pick([
          this.ip6(),
          `${this.ip6()}/${this.below(129)}`,
          `${this.ip6()}/${this.pick(['ffff::1', '::', 'ff00::ff'])}`,
        ]);
      case 'port':
      case 'port_oxm':
        return this.pick(['1', '65279', 'LOCAL', 'controller', String(this.below(60000))]);
      case 'frag':
        return this.pick(['no', 'yes', 'first', 'later', 'not_later']);
      case 'packet_type':
        return '(0,0)';
      case 'ct_state':
        return this.flags(CT_STATE_FLAGS.names);
      case 'tcp_flags':
        return this.flags(TCP_FLAGS.names);
      case 'tnl_flags':
        return this.pick(['oam', '+oam', '-oam', '0', '1']);
    }
  }

  /** A match of one to six fields whose prerequisites are met. */
  match(): string {
    return this.matchFields().join(',');
  }

  private matchFields(): string[] {
    const lead = this.pick(USABLE);
    const parts = [this.pick(LEADS[lead.prereq])].filter((p) => p !== '');
    const probe = parseMatch(parts.join(','));
    parts.push(`${this.pick([lead.name, lead.alias ?? lead.name])}=${this.value(lead)}`);
    for (let n = this.below(5); n > 0; n--) {
      const f = this.pick(USABLE);
      if (DECISIVE.has(f.name) && f !== lead) continue;
      // An option can be asked for once.
      if (f.option !== undefined && parts.some((p) => p.startsWith(`${f.name}=`))) continue;
      const free = f.prereq === 'none' || f.prereq === 'ethernet';
      if (free || fieldPrereqsMet(f, probe.key, probe.mask)) parts.push(`${f.name}=${this.value(f)}`);
    }
    return parts;
  }
}

/** Fields that no OpenFlow message carries are of no use against the peer, nor one that it leaves out when 0. */
const USABLE = FIELDS.filter((f) => !['tun_ttl', 'tun_tos', 'skb_priority', 'ct_nw_proto'].includes(f.name));
/** Fields that other fields' prerequisites hang on. */
const DECISIVE = new Set(
  [
    'eth_type',
    'nw_proto',
    'packet_type',
    'ct_state',
    'icmp_type',
    'icmpv6_type',
    'icmp_code',
    'icmpv6_code',
    'ip_frag',
    'in_port_oxm',
    'dl_vlan',
    'vlan_vid',
    'vlan_tci',
    'vlan_pcp',
    'dl_vlan_pcp',
    'tun_erspan_ver',
    'tun_gtpu_flags',
    'tun_gtpu_msgtype',
    'ct_nw_proto',
    'nsh_mdtype',
  ].map((n) => mustField(n).name),
);
const IP = ['ip', 'ipv6', 'tcp', 'udp6'];
const ND = 'icmp6,icmp_code=0,icmp_type=';
const LEADS: Readonly<Record<Prereq, readonly string[]>> = {
  none: ['', '', 'tcp', 'arp', 'ipv6'],
  ethernet: [''],
  arp: ['arp', 'rarp'],
  vlan: ['dl_vlan=5', 'vlan_tci=0x1000/0x1000'],
  ipv4: ['ip', 'tcp', 'udp', 'icmp', 'sctp'],
  ipv6: ['ipv6', 'tcp6', 'icmp6'],
  ip: IP,
  nsh: ['dl_type=0x894f,nsh_mdtype=1'],
  ct: ['ct_state=+trk+est,ip,ct_nw_proto=6'],
  mpls: ['mpls', 'mplsm'],
  tcp: ['tcp', 'tcp6'],
  udp: ['udp', 'udp6'],
  sctp: ['sctp', 'sctp6'],
  icmpv4: ['icmp'],
  icmpv6: ['icmp6'],
  nd: [`${ND}135`, `${ND}136`],
  nd_solicit: [`${ND}135`],
  nd_advert: [`${ND}136`],
};
