/** Packet sequences through conntrack, as `warp` (milliseconds) and frames; for the peer and for this conntrack. */
import { echo, icmp, icmpL4, ipPacket, eth, tcp, tcpL4, udp, udpL4, type Segment } from './frames.js';

export type Step = { readonly name: string } & ({ readonly frame: string } | { readonly warp: number });

const A = '10.1.1.1';
const B = '10.1.1.2';
const A6 = 'fc00::1';
const B6 = 'fc00::2';

class Talk {
  readonly steps: Step[] = [];
  frame(name: string, frame: string): this {
    this.steps.push({ name, frame });
    return this;
  }
  warp(ms: number): this {
    this.steps.push({ name: `warp ${ms}`, warp: ms });
    return this;
  }
  /** From A to B. */
  a(flags: string, seq: number, ack = 0, more: Partial<Segment> = {}): this {
    return this.frame(
      `A ${flags} ${seq} ${ack}`,
      tcp({ src: A, dst: B, sport: 1000, dport: 80, flags, seq, ack, ...more }),
    );
  }
  b(flags: string, seq: number, ack = 0, more: Partial<Segment> = {}): this {
    return this.frame(
      `B ${flags} ${seq} ${ack}`,
      tcp({ src: B, dst: A, sport: 80, dport: 1000, flags, seq, ack, ...more }),
    );
  }
}

const open = (): Talk => new Talk().a('S', 100).b('SA', 500, 101).a('A', 101, 501);
const unreachable = (type: number, quoted = ipPacket(A, B, 17, udpL4(A, B, 7, 8)).slice(0, 28)): string => {
  return eth(ipPacket(B, A, 1, icmpL4(B, A, type, type === 3 ? 3 : 0, [0, 0, 0, 0, ...quoted])));
};

export const SEQUENCES: ReadonlyMap<string, readonly Step[]> = new Map(
  Object.entries({
    'tcp open': open(),
    'tcp data both ways': open()
      .a('PA', 101, 501, { data: 100 })
      .b('A', 501, 201)
      .b('PA', 501, 201, { data: 1000 })
      .a('A', 201, 1501),
    'tcp close by A': open().a('FA', 101, 501).b('A', 501, 102).b('FA', 501, 102).a('A', 102, 502),
    'tcp close by A, half': open().a('FA', 101, 501).b('A', 501, 102),
    'tcp close at once': open().a('FA', 101, 501).b('FA', 501, 101).a('A', 102, 502).b('A', 502, 102),
    'tcp close, then the same ports again': open()
      .a('FA', 101, 501)
      .b('FA', 501, 102)
      .a('A', 102, 502)
      .a('S', 90000)
      .b('SA', 70000, 90001),
    'tcp reset by B': open().b('RA', 501, 101).a('A', 101, 501),
    'tcp refused': new Talk().a('S', 100).b('RA', 0, 101),
    'tcp reset outside of the window': open().b('R', 40000, 0).a('A', 101, 501),
    'tcp syn repeated': new Talk().a('S', 100).a('S', 100).b('SA', 500, 101),
    'tcp syn alone': new Talk().a('S', 100),
    'tcp syn ack without syn': new Talk().b('SA', 500, 101).a('A', 101, 501),
    'tcp picked up in the middle': new Talk()
      .a('A', 5000, 6000)
      .b('A', 6000, 5000)
      .a('PA', 5000, 6000, { data: 500 })
      .b('A', 6000, 5500),
    'tcp far outside of the window': open()
      .a('PA', 900101, 501, { data: 10 })
      .b('PA', 3000000, 101, { data: 10 })
      .a('A', 101, 501),
    'tcp window scale': new Talk()
      .a('S', 100, 0, { options: [3, 3, 7, 0], win: 1000 })
      .b('SA', 500, 101, { options: [3, 3, 4, 0], win: 1000 })
      .a('A', 101, 501, { win: 100 })
      .b('PA', 501, 101, { data: 1400, win: 100 })
      .b('PA', 1901 + 9000, 101, { data: 1000, win: 100 })
      .b('PA', 1901 + 90000, 101, { data: 1000, win: 100 })
      .a('A', 101, 1901, { win: 100 }),
    'tcp window scale by one side': new Talk()
      .a('S', 100, 0, { options: [3, 3, 7, 0], win: 1000 })
      .b('SA', 500, 101, { win: 1000 })
      .a('A', 101, 501, { win: 1000 })
      .b('PA', 501, 101, { data: 900, win: 1000 })
      .b('PA', 90501, 101, { data: 900, win: 1000 }),
    'tcp bad flags': new Talk()
      .a('SF', 100)
      .a('', 100)
      .a('SR', 100)
      .a('F', 100)
      .a('S', 100)
      .b('SA', 500, 101)
      .a('SF', 101, 501)
      .a('P', 101, 501)
      .a('FPU', 101),
    'tcp first answer acknowledges another syn': new Talk()
      .a('S', 999744)
      .a('S', 69744)
      .b('SA', 500, 69745)
      .a('A', 69745, 501),
    'tcp data before the answer': new Talk()
      .a('S', 100)
      .a('FA', 100, 0)
      .a('A', 5101, 66500, { data: 10 })
      .b('RA', 5500, 4294901397)
      .b('FA', 4294962796, 4294901397, { data: 1000 })
      .b('A', 499, 101),
    'tcp answer invalid, then valid': new Talk()
      .b('S', 2147483648)
      .b('A', 2147483649, 101)
      .a('PA', 100, 0)
      .a('FA', 4294963797, 2147483649)
      .a('FA', 4294963797, 0, { data: 10 }),
    'tcp expires': new Talk().a('S', 100).warp(31000).b('SA', 500, 101).a('A', 101, 501),
    'tcp established lives long': open().warp(80000000).a('A', 101, 501),
    'tcp simultaneous open': new Talk().a('S', 100).b('S', 500).a('SA', 100, 501).b('SA', 500, 101),
    'port 0': new Talk()
      .a('S', 100, 0, { sport: 0 })
      .a('S', 100, 0, { dport: 0 })
      .frame('from', udp(A, B, 0, 8))
      .frame('to', udp(A, B, 7, 0)),
    'an error about another protocol': new Talk()
      .frame('1', eth(ipPacket(A, B, 47, [0, 0, 8, 0])))
      .frame('2', unreachable(3, ipPacket(A, B, 47, [0, 0, 8, 0])))
      .frame('3', unreachable(3, ipPacket(A, B, 47, []))),
    'udp one way': new Talk().frame('1', udp(A, B, 7, 8)).frame('2', udp(A, B, 7, 8)),
    'udp both ways': new Talk()
      .frame('1', udp(A, B, 7, 8))
      .frame('2', udp(B, A, 8, 7))
      .frame('3', udp(A, B, 7, 8)),
    'udp expires': new Talk()
      .frame('1', udp(A, B, 7, 8))
      .frame('2', udp(B, A, 8, 7))
      .warp(31000)
      .frame('3', udp(B, A, 8, 7)),
    'udp lengths': new Talk().frame(
      'short',
      udp(A, B, 7, 8).replace('0007' + '0008' + '000c', '0007' + '0008' + '00ff'),
    ),
    'udp bad checksum': new Talk().frame(
      '1',
      `${udp(A, B, 7, 8).slice(0, 84)}55${udp(A, B, 7, 8).slice(86)}`,
    ),
    'udp without checksum': new Talk().frame(
      '1',
      `${udp(A, B, 7, 8).slice(0, 80)}0000${udp(A, B, 7, 8).slice(84)}`,
    ),
    'ip bad checksum': new Talk().frame(
      '1',
      `${udp(A, B, 7, 8).slice(0, 48)}0000${udp(A, B, 7, 8).slice(52)}`,
    ),
    'icmp error about udp': new Talk()
      .frame('1', udp(A, B, 7, 8))
      .frame('error', unreachable(3))
      .frame('again', udp(A, B, 7, 8)),
    'icmp error about nothing': new Talk().frame('error', unreachable(3)),
    'icmp source quench': new Talk().frame('1', udp(A, B, 7, 8)).frame('error', unreachable(4)),
    'icmp time exceeded': new Talk().frame('1', udp(A, B, 7, 8)).frame('error', unreachable(11)),
    'icmp error about tcp': open().frame(
      'error',
      eth(
        ipPacket(
          B,
          A,
          1,
          icmpL4(B, A, 3, 1, [
            0,
            0,
            0,
            0,
            ...ipPacket(
              A,
              B,
              6,
              tcpL4({ src: A, dst: B, sport: 1000, dport: 80, flags: 'A', seq: 101, ack: 501 }),
            ).slice(0, 28),
          ]),
        ),
      ),
    ),
    ping: new Talk()
      .frame('request', icmp(A, B, 8, 0, echo(77)))
      .frame('reply', icmp(B, A, 0, 0, echo(77)))
      .frame('request', icmp(A, B, 8, 0, echo(77, 2))),
    'ping twice without reply': new Talk()
      .frame('1', icmp(A, B, 8, 0, echo(77)))
      .frame('2', icmp(A, B, 8, 0, echo(77, 2))),
    'ping of two processes': new Talk()
      .frame('1', icmp(A, B, 8, 0, echo(77)))
      .frame('2', icmp(A, B, 8, 0, echo(78)))
      .frame('reply', icmp(B, A, 0, 0, echo(78))),
    'ping reply alone': new Talk().frame('reply', icmp(B, A, 0, 0, echo(77))),
    'ping expires': new Talk()
      .frame('1', icmp(A, B, 8, 0, echo(77)))
      .warp(61000)
      .frame('2', icmp(B, A, 0, 0, echo(77))),
    'icmp timestamp': new Talk()
      .frame('request', icmp(A, B, 13, 0, [...echo(9), ...Array.from({ length: 8 }, () => 0)]))
      .frame('reply', icmp(B, A, 14, 0, [...echo(9), ...Array.from({ length: 8 }, () => 0)])),
    'icmp of another type': new Talk().frame('router', icmp(A, B, 9, 0, echo(9))),
    'icmp6 ping': new Talk()
      .frame('request', icmp(A6, B6, 128, 0, echo(77)))
      .frame('reply', icmp(B6, A6, 129, 0, echo(77))),
    'icmp6 neighbour discovery': new Talk().frame(
      'ns',
      icmp(A6, B6, 135, 0, [0, 0, 0, 0, ...Array.from({ length: 16 }, () => 1)]),
    ),
    'icmp6 error about udp': new Talk()
      .frame('1', udp(A6, B6, 7, 8))
      .frame('error', icmp(B6, A6, 1, 4, [0, 0, 0, 0, ...ipPacket(A6, B6, 17, udpL4(A6, B6, 7, 8))])),
    udp6: new Talk().frame('1', udp(A6, B6, 7, 8)).frame('2', udp(B6, A6, 8, 7)),
    'other protocol': new Talk().frame('gre', eth(ipPacket(A, B, 47, [0, 0, 8, 0, 1, 2, 3, 4]))),
  }).map(([name, talk]) => [name, talk.steps]),
);
