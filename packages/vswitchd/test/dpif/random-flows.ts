/** Random datapath flows as text, from a seed: keys that make sense, with masks anywhere a mask may be. */

/** A generator of numbers below `n` (mulberry32). */
export function random(seed: number): (n: number) => number {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const list = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(',');
const hex = (n: number): string => `0x${n.toString(16)}`;

export class FlowText {
  readonly #below: (n: number) => number;

  constructor(seed: number) {
    this.#below = random(seed);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)]!;
  }
  #maybe(make: () => string, oneIn = 2): string {
    return this.#below(oneIn) === 0 ? make() : '';
  }
  #number(bits: number, show: (n: number) => string = String): string {
    const value = show(this.#below(2 ** Math.min(bits, 30)));
    return this.#below(4) === 0 ? `${value}/${hex(this.#below(2 ** Math.min(bits, 30)))}` : value;
  }
  #mac(): string {
    const bytes = Array.from({ length: 6 }, () => this.#below(256).toString(16).padStart(2, '0')).join(':');
    return bytes + this.#maybe(() => this.#pick(['/ff:ff:ff:00:00:00', '/00:00:00:00:00:ff']), 3);
  }
  #ip(): string {
    return Array.from({ length: 4 }, () => this.#below(256)).join('.');
  }
  #ipMasked(): string {
    return this.#ip() + this.#maybe(() => this.#pick(['/255.255.0.0', '/255.255.255.254', '/0.0.0.255']), 3);
  }
  #ip6(): string {
    const ip = this.#pick(['fe80::', '2001:db8:1::', '::']) + (1 + this.#below(9999)).toString(16);
    return ip + this.#maybe(() => this.#pick(['/ffff::', '/ffff:ffff:ffff:ffff::', '/::ff']), 3);
  }
  #field(name: string, make: () => string): string {
    return this.#maybe(() => `${name}=${make()}`);
  }

  #transport(v6: boolean): { readonly proto: number; readonly text: string } {
    const proto = this.#pick(v6 ? [6, 17, 132, 58, 58, 99] : [6, 17, 132, 1, 99]);
    const ports = (): string =>
      list(
        this.#field('src', () => this.#number(16)),
        this.#field('dst', () => this.#number(16)),
      );
    switch (proto) {
      case 6: {
        const flags = this.#maybe(
          () => `tcp_flags(${this.#pick(['syn', '+syn-ack', '-fin', '0x12/0xfff', '+ns'])})`,
        );
        return { proto, text: list(`tcp(${ports()})`, flags) };
      }
      case 17:
        return { proto, text: `udp(${ports()})` };
      case 132:
        return { proto, text: `sctp(${ports()})` };
      case 1:
        return { proto, text: `icmp(${this.#field('type', () => this.#number(8))})` };
      case 58: {
        if (this.#below(2) === 0) return { proto, text: `icmpv6(type=${128 + this.#below(2)},code=0)` };
        const nd = list(
          this.#field('target', () => this.#ip6()),
          this.#field('sll', () => this.#mac()),
          this.#field('tll', () => this.#mac()),
        );
        return { proto, text: `icmpv6(type=${this.#pick([135, 136])},code=0),nd(${nd})` };
      }
      default:
        return { proto, text: '' };
    }
  }

  #network(): string {
    const kind = this.#below(6);
    if (kind === 4) {
      const arp = list(
        this.#field('sip', () => this.#ipMasked()),
        this.#field('tip', () => this.#ipMasked()),
        this.#field('op', () => String(1 + this.#below(2))),
        this.#field('sha', () => this.#mac()),
        this.#field('tha', () => this.#mac()),
      );
      return `eth_type(0x0806),arp(${arp})`;
    }
    if (kind === 5) return `eth_type(${this.#pick(['0x88cc', '0x1234', '0x0900'])})`;
    const v6 = kind >= 2;
    const frag = this.#pick(['no', 'no', 'first', 'later']);
    const { proto, text } = this.#transport(v6);
    const address = (): string => (v6 ? this.#ip6() : this.#ipMasked());
    const ip = list(
      this.#field('src', address),
      this.#field('dst', address),
      v6 ? this.#field('label', () => this.#number(20, hex)) : '',
      `proto=${proto}`,
      this.#field(v6 ? 'tclass' : 'tos', () => this.#number(8, hex)),
      this.#field(v6 ? 'hlimit' : 'ttl', () => this.#number(8)),
      `frag=${frag}`,
    );
    return list(
      v6 ? `eth_type(0x86dd),ipv6(${ip})` : `eth_type(0x0800),ipv4(${ip})`,
      frag === 'later' ? '' : text,
    );
  }

  #tunnel(): string {
    return `tunnel(${list(
      `tun_id=${this.#number(16, hex)}`,
      this.#field('src', () => this.#ipMasked()),
      `dst=${this.#ip()}`,
      'ttl=64',
      this.#field('tp_dst', () => this.#number(16)),
      `flags(${this.#pick(['df|key', '+df+key', '-df+csum+key', 'key'])})`,
    )})`;
  }

  /** A flow that comes in at port 1. */
  next(): string {
    const metadata = list(
      this.#maybe(() => `skb_priority(${this.#number(32, hex)})`, 4),
      this.#maybe(() => this.#tunnel(), 5),
      this.#maybe(() => `skb_mark(${this.#number(32, hex)})`, 4),
      this.#maybe(() => `ct_state(${this.#pick(['+trk', '+new+trk', '-new+est', '0x21/0x3f', 'trk'])})`, 3),
      this.#maybe(() => `ct_zone(${this.#number(16, hex)})`, 4),
      this.#maybe(() => `ct_mark(${this.#number(32, hex)})`, 4),
      this.#maybe(() => `ct_label(${this.#pick(['0x1/0xf', '0x123456789abcdef0123456789abcdef'])})`, 4),
      this.#maybe(() => `recirc_id(${this.#below(50)})`, 3),
      this.#maybe(() => `dp_hash(${this.#number(8, hex)})`, 5),
    );
    const eth = list(
      this.#field('src', () => this.#mac()),
      this.#field('dst', () => this.#mac()),
    );
    const tag = (): string =>
      `eth_type(${this.#pick(['0x8100', '0x88a8'])}),vlan(vid=${this.#number(12)},pcp=${this.#number(3)}),encap(${this.#network()})`;
    return list(metadata, 'in_port(1)', `eth(${eth})`, this.#below(4) === 0 ? tag() : this.#network());
  }
}
