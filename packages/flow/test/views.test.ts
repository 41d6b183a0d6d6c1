import test from 'ava';
import fc from 'fast-check';
import { ArpView, emitArp, parseArp } from '../src/views/arp.js';
import type { View } from '../src/views/bytes.js';
import { emitEth, EthView, parseEth } from '../src/views/eth.js';
import { emitIcmp, IcmpView, parseIcmp } from '../src/views/icmp.js';
import { emitIcmpv6, Icmpv6View, parseIcmpv6 } from '../src/views/icmpv6.js';
import { emitIpv4, Ipv4View, parseIpv4 } from '../src/views/ipv4.js';
import { walkIpv6Extensions } from '../src/views/ipv6-ext.js';
import { emitIpv6, Ipv6View, parseIpv6 } from '../src/views/ipv6.js';
import { emitMpls, MplsView, parseMpls } from '../src/views/mpls.js';
import { emitNd, NdView, parseNd } from '../src/views/nd.js';
import { emitSctp, parseSctp, SctpView } from '../src/views/sctp.js';
import { emitTcp, parseTcp, TcpView } from '../src/views/tcp.js';
import { emitUdp, parseUdp, UdpView } from '../src/views/udp.js';
import { emitVlan, parseVlan, VlanView } from '../src/views/vlan.js';

interface Protocol<V extends View, H> {
  readonly check: (buf: Uint8Array, offset: number, end: number) => V | undefined;
  readonly parse: (view: V) => H;
  readonly emit: (value: H, buf: Uint8Array, offset: number) => number;
}
const protocol = <V extends View, H>(
  view: { check: Protocol<V, H>['check'] },
  parse: Protocol<V, H>['parse'],
  emit: Protocol<V, H>['emit'],
): Protocol<View, unknown> => ({ check: view.check, parse, emit }) as unknown as Protocol<View, unknown>;

const PROTOCOLS = {
  eth: protocol(EthView, parseEth, emitEth),
  vlan: protocol(VlanView, parseVlan, emitVlan),
  arp: protocol(ArpView, parseArp, emitArp),
  ipv4: protocol(Ipv4View, parseIpv4, emitIpv4),
  ipv6: protocol(Ipv6View, parseIpv6, emitIpv6),
  tcp: protocol(TcpView, parseTcp, emitTcp),
  udp: protocol(UdpView, parseUdp, emitUdp),
  sctp: protocol(SctpView, parseSctp, emitSctp),
  icmp: protocol(IcmpView, parseIcmp, emitIcmp),
  icmpv6: protocol(Icmpv6View, parseIcmpv6, emitIcmpv6),
  nd: protocol(NdView, parseNd, emitNd),
  mpls: protocol(MplsView, parseMpls, emitMpls),
};

/** Names of the accessors of an object's class and those it extends. */
function accessors(of: object): string[] {
  const prototype = Object.getPrototypeOf(of) as object;
  if (prototype === Object.prototype) return [];
  const own = Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([, d]) => d.get !== undefined)
    .map(([name]) => name);
  return [...own, ...accessors(prototype)];
}

for (const [name, { check, parse, emit }] of Object.entries(PROTOCOLS)) {
  test(`${name}: accessors of a checked view stay within it, and its value emits the same header`, (t) => {
    let checked = 0;
    let header: unknown;
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80, size: 'max' }),
        fc.nat(20),
        fc.nat(30),
        (bytes, offset, cut) => {
          // Mostly a window within the buffer, at times one beyond it.
          const end = bytes.length + 2 - cut;
          // Half of the buffers get a head that passes the check.
          if (name === 'ipv4' && bytes.length > offset + 3) {
            bytes[offset] = 0x45 + (bytes[offset]! & 1);
            bytes[offset + 2] = 0;
            bytes[offset + 3] = Math.max(24, bytes[offset + 3]! & 31);
          }
          if (name === 'ipv6' && bytes.length > offset + 5) {
            bytes[offset + 4] = 0;
            bytes[offset + 5]! &= 7;
          }
          if (name === 'tcp' && bytes.length > offset + 12)
            bytes[offset + 12] = 0x50 | (bytes[offset + 12]! & 15);
          const view = check(bytes, offset, end);
          if (view === undefined) return;
          checked++;
          header = parse(view);
          t.true(end <= bytes.length);
          for (const accessor of accessors(view)) {
            const value = (view as unknown as Record<string, unknown>)[accessor];
            t.not(value, undefined, accessor);
            if (typeof value === 'number') t.true(Number.isInteger(value) && value >= 0, accessor);
          }
          t.true(view.payload >= offset && view.payload <= end);
          const copy = new Uint8Array(bytes.length);
          const behind = emit(parse(view), copy, offset);
          t.deepEqual(copy.subarray(offset, behind), bytes.subarray(offset, behind));
        },
      ),
      { numRuns: 2000 },
    );
    t.true(checked > 20, `${checked} buffers were headers`);
    t.throws(() => emit(header, new Uint8Array(3), 0), { instanceOf: RangeError });
  });
}

test('a walk over IPv6 extension headers ends and stays within the packet', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(0, 43, 44, 51, 60, 6), (bytes, next) => {
      const found = walkIpv6Extensions(bytes, next, 0, bytes.length);
      if (found !== undefined) t.true(found.offset >= 0 && found.offset <= bytes.length);
    }),
  );
  const headers = Uint8Array.from([44, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 9]);
  t.deepEqual(walkIpv6Extensions(headers, 0, 0, 16), {
    proto: 6,
    offset: 16,
    fragment: { offset: 0, more: true, id: 9 },
  });
});

test('neighbour discovery options are found by type', (t) => {
  const nd = new Uint8Array(40);
  nd.set([135, 0], 0);
  nd.set([1, 1, 1, 2, 3, 4, 5, 6, 2, 0], 24);
  const view = NdView.check(nd, 0, 40)!;
  t.is(view.linkLayerAddress(1), 0x010203040506n);
  t.is(view.linkLayerAddress(2), undefined);
});
