import test from 'ava';
import { VportType } from '@ovs-node/netlink/families';
import { nextState } from '../../src/switch/life-cycle.js';
import { findDummy } from '../../src/ports/dummy.js';
import { hex, udp } from '../ports/frames.js';
import { Rig } from '../ports/rig.js';

const NONE = new Map<string, string>();

test('the life of a host port', (t) => {
  t.is(nextState('created', 'nic-create'), 'nic-created');
  t.is(nextState('nic-created', 'nic-connect'), 'connected');
  t.is(nextState('connected', 'nic-disconnect'), 'nic-created');
  t.is(nextState('nic-created', 'nic-delete'), 'created');
  t.is(nextState('created', 'port-delete'), 'gone');
  t.is(nextState('connected', 'port-delete'), undefined);
  t.is(nextState('connected', 'nic-create'), undefined);
  t.is(nextState('created', 'nic-connect'), undefined);
  t.is(nextState('nic-created', 'port-delete'), undefined);
});

test('a system port matches a host port by its OVS-port-name, once its NIC is connected', async (t) => {
  const rig = new Rig('other', VportType.DUMMY);
  const sw = rig.switch;
  sw.portCreate('Hyper 1', 'vif-a');
  t.throws(() => rig.add('vif-a', VportType.NETDEV), { message: 'errno 19' }, 'no NIC yet');
  sw.nicCreate('Hyper 1', { kind: 'dummy', options: NONE });
  t.throws(() => rig.add('vif-a', VportType.NETDEV), { message: 'errno 19' }, 'not connected yet');
  sw.step('Hyper 1', 'nic-connect');
  const vport = rig.add('vif-a', VportType.NETDEV);
  t.is(sw.hostAdded.size, 1);
  t.is(sw.userAdded.size, 2, 'the local port and the other one');
  t.throws(() => sw.portRename('Hyper 1', 'vif-b'), { message: 'Hyper 1: port is in use as "vif-a"' });

  // Frames, until the NIC is pulled; again when it is back. The datapath's port stays.
  rig.connect(vport.portNo, rig.recorder.vport!.portNo);
  findDummy(rig.loop, 'Hyper 1')!.inject(udp(20));
  t.deepEqual(await rig.received(1), [hex(udp(20))]);
  sw.step('Hyper 1', 'nic-disconnect');
  t.is(findDummy(rig.loop, 'Hyper 1'), undefined);
  t.is(vport.provider.flags, 0);
  vport.provider.send(udp(20), 0, 10, rig.recorder.metas[0]!);
  t.is(vport.stats.txDropped, 1);
  sw.step('Hyper 1', 'nic-connect');
  findDummy(rig.loop, 'Hyper 1')!.inject(udp(21));
  t.deepEqual(await rig.received(1), [hex(udp(21))]);
  t.is(vport.stats.rxPackets, 2);

  // Userspace deletes its port; the host's stays and can be renamed, and then matches by the new name.
  vport.datapath.delVport(vport);
  t.is(sw.hostAdded.size, 0);
  t.deepEqual(
    [...sw.hostPorts()],
    [{ name: 'Hyper 1', ovsPortName: 'vif-a', state: 'connected', inUse: false }],
  );
  sw.portRename('Hyper 1', 'vif-b');
  t.throws(() => rig.add('vif-a', VportType.NETDEV), { message: 'errno 19' });
  rig.add('vif-b', VportType.NETDEV);
  rig.close();
});

test('mistakes on the host side are refused in one line and change nothing', (t) => {
  const rig = new Rig('other', VportType.DUMMY);
  const sw = rig.switch;
  sw.portCreate('p');
  t.throws(() => sw.portCreate('p'), { message: 'p: port exists already' });
  t.throws(() => sw.portCreate('q', 'p'), { message: 'p: OVS-port-name of port p already' });
  t.throws(() => sw.portCreate('q', ''), { message: /bad OVS-port-name/ });
  t.throws(() => sw.step('q', 'nic-connect'), { message: 'q: no such port' });
  t.throws(() => sw.step('p', 'nic-connect'), { message: 'p: nic-connect is not possible in state created' });
  sw.nicCreate('p', { kind: 'stream', options: NONE });
  t.throws(() => sw.step('p', 'port-delete'), {
    message: 'p: port-delete is not possible in state nic-created',
  });
  sw.step('p', 'nic-connect');
  t.throws(() => rig.add('p', VportType.NETDEV), { message: 'errno 22' }, 'a stream without an address');
  t.is(sw.hostAdded.size, 0);
  rig.close();
});

test('port types nobody knows and options that are none are refused', (t) => {
  const rig = new Rig('other', VportType.DUMMY);
  t.throws(() => rig.add('x', 77), { message: 'errno 97' });
  const dp = rig.vport.datapath;
  for (const options of [
    Uint8Array.of(1, 2, 3),
    Uint8Array.of(6, 0, 100, 0, 65, 0, 0, 0),
    Uint8Array.of(6, 0, 100, 0, 0xff, 0xfe, 0, 0),
  ]) {
    t.is(
      dp.addVport({
        type: VportType.DUMMY,
        name: 'x',
        portNo: null,
        options,
        upcallPids: new Uint32Array(0),
      }),
      22,
    );
  }
  rig.close();
});
