import test from 'ava';
import { datapathIdOf, formatMac, isGlobalMac, macOfUuid, parseMac } from '../src/bridge/mac.js';

test('a bridge without an address of its own has one from its UUID, as the peer makes it', (t) => {
  // Seen on Open vSwitch 3.1: bridge row 12101e8c-14ff-4403-…, datapath_id 00008e1e10120344.
  const mac = macOfUuid('12101e8c-14ff-4403-adf3-6aeee0810200');
  t.is(formatMac(mac), '8e:1e:10:12:03:44');
  t.is(datapathIdOf(mac), '00008e1e10120344');
});

test('multicast, zero and malformed addresses are refused', (t) => {
  t.is(parseMac('01:00:00:00:00:01'), undefined);
  t.is(parseMac('00:00:00:00:00:00'), undefined);
  t.is(parseMac('aa:bb:cc:dd:ee'), undefined);
  t.is(parseMac(undefined), undefined);
  t.deepEqual([...(parseMac('aa:BB:cc:dd:ee:0f') ?? [])], [0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0x0f]);
});

test('only a vendor’s address of a port may become its bridge’s', (t) => {
  t.true(isGlobalMac(Uint8Array.of(0, 0x1b, 0x21, 1, 2, 3)));
  t.false(isGlobalMac(Uint8Array.of(2, 0, 0, 0, 0, 1)));
  t.false(isGlobalMac(new Uint8Array(6)));
});
