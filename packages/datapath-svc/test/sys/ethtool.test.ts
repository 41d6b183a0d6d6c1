import test from 'ava';
import { PORT_FEATURES as F } from '@ovs-node/flow/port-features';
import {
  driverInfo,
  ETHTOOL_CMD_LENGTH,
  ETHTOOL_DRVINFO_LENGTH,
  linkFeatures,
} from '../../src/sys/ethtool.js';

/** `struct ethtool_cmd` of a link. */
function command(
  speed: number,
  duplex: number,
  port: number,
  autoneg: number,
  modes = [0, 0, 0],
): Uint8Array {
  const bytes = new Uint8Array(ETHTOOL_CMD_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, modes[0]!, true);
  view.setUint32(8, modes[1]!, true);
  view.setUint16(12, speed, true);
  view.setUint8(14, duplex);
  view.setUint8(15, port);
  view.setUint8(18, autoneg);
  view.setUint16(28, speed >>> 16, true);
  view.setUint32(32, modes[2]!, true);
  return bytes;
}

test('speed and duplex, medium and negotiation are the current features', (t) => {
  t.is(linkFeatures(command(1000, 1, 0, 1)).current, F.FD_1GB | F.COPPER | F.AUTONEG);
  t.is(linkFeatures(command(100, 0, 3, 0)).current, F.HD_100MB | F.FIBER);
  t.is(linkFeatures(command(100_000, 1, 3, 0)).current, F.FD_100GB | F.FIBER, 'a speed beyond 16 bits');
});

test('a speed without a bit of its own is another one, an unknown speed is none', (t) => {
  t.is(linkFeatures(command(2500, 1, 0, 0)).current, F.OTHER | F.COPPER);
  t.is(linkFeatures(command(0xffffffff, 0xff, 0xef, 0)).current, 0);
});

test('modes that are supported, advertised and the partner’s, some of which share a feature', (t) => {
  const { supported, advertised, peer } = linkFeatures(
    command(0, 0, 0, 0, [0x3f, (1 << 12) | (1 << 19), 0x6040]),
  );
  t.is(supported, F.HD_10MB | F.FD_10MB | F.HD_100MB | F.FD_100MB | F.HD_1GB | F.FD_1GB);
  t.is(advertised, F.FD_10GB);
  t.is(peer, F.AUTONEG | F.PAUSE | F.PAUSE_ASYM);
});

test('names of the driver end at a zero or with their field', (t) => {
  const bytes = new Uint8Array(ETHTOOL_DRVINFO_LENGTH);
  bytes.set(Buffer.from('veth'), 4);
  bytes.set(Buffer.from('v'.repeat(32)), 36);
  t.deepEqual(driverInfo(bytes), { name: 'veth', version: 'v'.repeat(32), firmware: '' });
});
