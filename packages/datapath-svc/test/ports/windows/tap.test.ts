import test, { type ExecutionContext } from 'ava';
import { VportType } from '@ovs-node/netlink/families';
import type { WindowsHost } from '../../../src/ports/windows/host.js';
import { CompletionPort } from '../../../src/sys/windows/completion-port.js';
import { conforms } from '../conformance.js';
import { hex, udp } from '../frames.js';
import { Rig } from '../rig.js';
import { FakeAdapter, FakeWin32 } from './fake-win32.js';

const MAC = [0, 0xff, 1, 2, 3, 4];

function fake(): { win32: FakeWin32; adapter: FakeAdapter; windows: WindowsHost } {
  const win32 = new FakeWin32();
  const adapter = new FakeAdapter(win32, 'the adapter', MAC);
  win32.adapters.push(adapter);
  const { api } = win32;
  const completions = CompletionPort.create(api)!;
  return {
    win32,
    adapter,
    windows: { api, completions, pathOf: (name) => (name === 'Tap 1' ? adapter.path : undefined) },
  };
}

/** Everything that was opened is closed again. */
async function allClosed(
  t: ExecutionContext,
  win32: FakeWin32,
  windows: WindowsHost,
  rig: Rig,
): Promise<void> {
  windows.completions.close();
  await rig.until(() => win32.open.size === 0, 'handles to be closed');
  t.is(win32.open.size, 0);
}

for (const [name, type] of [
  ['tap', VportType.TAP],
  ['system', VportType.NETDEV],
] as const) {
  test(`a port of type ${name} on an adapter conforms`, async (t) => {
    const { win32, adapter, windows } = fake();
    const rig = new Rig('Tap 1', type, {}, windows);
    t.true(adapter.isPlugged);
    t.deepEqual([...rig.port.mac], MAC);
    await conforms(
      t,
      {
        rig,
        send: (frames) => adapter.push(frames),
        receive: async (count) => {
          await rig.until(() => adapter.written.length >= count, `${count} frames at the adapter`);
          return adapter.written.splice(0);
        },
        close: () => {},
      },
      1514,
    );
    t.false(adapter.isPlugged, 'the cable is out');
    await allClosed(t, win32, windows, rig);
  });
}

test('an adapter that is not there, and one that another program has, are told apart', async (t) => {
  const { win32, windows } = fake();
  t.throws(() => new Rig('Tap 2', VportType.TAP, {}, windows), { message: 'errno 19' });
  const rig = new Rig('Tap 1', VportType.TAP, {}, windows);
  t.throws(() => new Rig('Tap 1', VportType.TAP, {}, windows), { message: 'errno 16' });
  rig.close();
  await allClosed(t, win32, windows, rig);
});

test('an adapter that is disabled leaves its port down, and is taken up again when it is back', async (t) => {
  const { win32, adapter, windows } = fake();
  const rig = new Rig('Tap 1', VportType.TAP, {}, windows);
  adapter.remove();
  await rig.until(() => !rig.port.carrier, 'the port to be down');
  t.is(rig.port.error, 'Tap 1: No such device');
  rig.send([udp(20)]);
  t.is(rig.vport.stats.txDropped, 1);
  rig.port.refresh(0);
  t.false(rig.port.carrier);
  adapter.isThere = true;
  rig.port.refresh(0);
  t.true(rig.port.carrier);
  adapter.push([udp(20)]);
  t.deepEqual(await rig.received(1), [hex(udp(20))]);
  rig.close();
  await allClosed(t, win32, windows, rig);
});

test('address and MTU are the adapter’s own', async (t) => {
  const { win32, windows } = fake();
  const rig = new Rig('Tap 1', VportType.TAP, { mac: '02:00:00:00:00:01' }, windows);
  t.deepEqual([...rig.port.mac], MAC, 'what was asked for is no reason to have no port');
  rig.close();
  await allClosed(t, win32, windows, rig);
});
