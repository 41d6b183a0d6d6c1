/** A dpif over the datapath library in this process, with dummy ports and a clock that stands still. */
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { tmpDir } from '@ovs-node/common/testkit/tmp';
import type { Device } from '@ovs-node/netlink/device';
import { PipeDevice } from '@ovs-node/netlink/pipe/client';
import { serveDevice } from '@ovs-node/netlink/pipe/server';
import { FakeClock } from '@ovs-node/common/testkit/fake-clock';
import { createInProcessDatapath, type InProcessDatapath } from '@ovs-node/datapath-svc/worker/in-process';
import type { UnixctlServer } from '@ovs-node/common/unixctl';
import { DeviceProvider } from '../../src/dpif/dpif.js';
import { registerDpctl } from '../../src/dpif/dpctl.js';

export interface Rig {
  readonly clock: FakeClock;
  readonly datapath: InProcessDatapath;
  readonly provider: DeviceProvider;
  /** Runs a dpctl command as vswitchd's control socket would; an error's text is returned as well. */
  readonly dpctl: (...words: string[]) => Promise<string>;
  /** A frame, in hexadecimal, comes in at a dummy port. */
  readonly receive: (port: string, hex: string) => Promise<void>;
}

/** How the dpif reaches the datapath: in this process, or over a pipe to a server in this process. */
export type Transport = 'local' | 'pipe';
export const TRANSPORTS: readonly Transport[] = ['local', 'pipe'];

/** Waits, turn by turn, until `condition` holds; gives up after some seconds' worth of turns. */
export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 20_000 && !condition(); i++) await new Promise(setImmediate);
}

/** Makes a rig whose provider is connected, taken apart at the end of the test. */
export async function makeRig(t: ExecutionContext, transport: Transport = 'local'): Promise<Rig> {
  const clock = new FakeClock(1_000_000);
  const datapath = createInProcessDatapath({ worker: false, clock });
  let device: Device = datapath;
  if (transport === 'pipe') {
    const file = path.join(tmpDir(t), 'dp.sock');
    const server = await serveDevice(datapath, `punix:${file}`);
    t.teardown(() => server.close());
    device = new PipeDevice(`unix:${file}`);
  }
  const provider = new DeviceProvider({ type: 'dummy', device, clock, usedNow: () => clock.now() });
  await provider.connect();
  t.teardown(async () => {
    provider.close();
    await datapath.close();
  });
  const commands = new Map<string, (args: string[]) => string | Promise<string>>();
  const unixctl = {
    register: (
      name: string,
      _usage: string,
      _min: number,
      _max: number,
      run: (args: string[]) => string | Promise<string>,
    ) => commands.set(name, run),
  };
  registerDpctl(unixctl as unknown as UnixctlServer, {
    program: 'ovs-vswitchd',
    types: () => ['dummy'],
    provider: (type) =>
      type === 'dummy'
        ? Promise.resolve(provider)
        : Promise.reject(
            Object.assign(new Error('unknown type'), { code: type === 'system' ? 'ENOENT' : 'EAFNOSUPPORT' }),
          ),
  });
  return {
    clock,
    datapath,
    provider,
    async dpctl(name, ...args) {
      try {
        return await commands.get(`dpctl/${name}`)!(args);
      } catch (error) {
        return (error as Error).message;
      }
    },
    async receive(port, hex) {
      await datapath.command('netdev-dummy/receive', [port, hex]);
      await new Promise(setImmediate);
    },
  };
}

/** Ethernet + IPv4 + TCP, 54 bytes. */
export function tcpFrame(flags = 0x02, sport = 1000, dport = 80, reply = false): string {
  const frame = Buffer.alloc(54);
  frame.write('50540000000a50540000000908004500002800004000400600000a0000010a000002', 0, 'hex');
  if (reply) frame.write('0a0000020a000001', 26, 'hex');
  frame.writeUInt16BE(sport, 34);
  frame.writeUInt16BE(dport, 36);
  frame[46] = 0x50;
  frame[47] = flags;
  frame.writeUInt16BE(checksum(frame.subarray(14, 34), 0), 24);
  // Conntrack checks the TCP checksum: addresses, protocol and length are summed with the segment.
  const segment = frame.subarray(34);
  frame.writeUInt16BE(checksum(Buffer.concat([frame.subarray(26, 34), segment]), 6 + segment.length), 50);
  return frame.toString('hex');
}

/** The Internet checksum (RFC 1071) of an even number of bytes, started with `sum`. */
function checksum(bytes: Buffer, sum: number): number {
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
