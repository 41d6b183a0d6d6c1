/** A bridge with a connection manager under a fake clock, and controllers that speak to it. */
import path from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import type { ExecutionContext } from 'ava';
import { connectStream } from '@ovs-node/common/stream';
import { FakeClock } from '@ovs-node/common/testkit/fake-clock';
import { tmpDir } from '@ovs-node/common/testkit/tmp';
import { setLevels } from '@ovs-node/common/vlog';
import { OfConnection } from '@ovs-node/openflow/connection';
import { Match } from '@ovs-node/flow/match';
import { W } from '@ovs-node/flow/layout';
import {
  NO_BUFFER,
  type OfMessage,
  type OfMessageType,
  type PacketIn,
  PR,
} from '@ovs-node/openflow/messages/types';
import type { ControllerConfig } from '../../src/bridge/config.js';
import { ConnectionManager, type ConnectionManagerOptions } from '../../src/connmgr/connection-manager.js';
import type { Ofproto } from '../../src/ofproto/ofproto.js';
import { bareBridge } from '../ofproto/bench.js';

// What these tests provoke is logged; results are what they look at.
setLevels(null, 'console', 'off');

/** The controller's end of a connection. */
export class TestController {
  readonly of: OfConnection;
  readonly seen: OfMessage[] = [];
  /** Whether it still has its connection. */
  isOpen = true;
  readonly ready: Promise<number>;
  readonly closed: Promise<void>;
  readonly stream: Duplex;

  constructor(stream: Duplex, version: number) {
    this.stream = stream;
    let ready: (version: number) => void = () => {};
    let closed: () => void = () => {};
    this.ready = new Promise((resolve) => (ready = resolve));
    this.closed = new Promise((resolve) => (closed = resolve));
    this.of = new OfConnection(
      stream,
      { versions: 1 << version },
      {
        onReady: ready,
        onMessage: ({ msg }) => this.seen.push(msg),
        onClose: () => {
          this.isOpen = false;
          closed();
        },
      },
    );
  }

  /** Sends messages and waits until they were carried out; gives the errors that came back. */
  async send(...messages: OfMessage[]): Promise<string[]> {
    const before = this.seen.length;
    for (const msg of messages) this.of.send(msg);
    await this.of.ask({ type: 'barrier_request' }, 'barrier_reply');
    return this.seen.slice(before).flatMap((msg) => (msg.type === 'error' ? [msg.error.toString()] : []));
  }

  /** Everything that arrived, by type, after all that was sent before. */
  async received(): Promise<OfMessageType[]> {
    await this.send();
    return this.seen.map((msg) => msg.type);
  }
}

export interface Rig {
  readonly manager: ConnectionManager;
  readonly ofproto: Ofproto;
  readonly clock: FakeClock;
  readonly rundir: string;
  /** Connects to BRIDGE.mgmt. */
  readonly tool: (version: number) => Promise<TestController>;
  /** Connects to another socket of the run directory. */
  readonly dial: (file: string, version: number) => Promise<TestController>;
  /** The switch's attempts to connect to controllers. */
  readonly attempts: Attempt[];
}

/** One attempt of the switch to connect; the test decides what comes of it. */
export interface Attempt {
  readonly target: string;
  readonly accept: (version: number) => TestController;
  readonly refuse: (error: Error) => void;
  /** Takes up the connection, and says nothing. */
  readonly hold: () => void;
}

/** Makes a rig that is taken down with the test. */
export async function makeRig(
  t: ExecutionContext,
  more: Partial<ConnectionManagerOptions> = {},
): Promise<Rig> {
  const clock = new FakeClock(1000);
  const ofproto = bareBridge();
  const rundir = tmpDir(t);
  const attempts: Attempt[] = [];
  const connect = (target: string): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      attempts.push({
        target,
        accept: (version) => {
          const [ours, theirs] = duplexPair();
          resolve(ours);
          return new TestController(theirs, version);
        },
        refuse: reject,
        hold: () => resolve(duplexPair()[0]),
      });
    });
  const manager = new ConnectionManager({
    ofproto,
    clock,
    rundir,
    datapathId: () => 0x1234n,
    connect,
    ...more,
  });
  await manager.listen();
  t.teardown(() => manager.close());
  const dial = async (file: string, version: number): Promise<TestController> => {
    const controller = new TestController(await connectStream(`unix:${path.join(rundir, file)}`), version);
    t.teardown(() => void controller.stream.destroy());
    await controller.ready;
    return controller;
  };
  return { manager, ofproto, clock, rundir, attempts, dial, tool: (version) => dial('br0.mgmt', version) };
}

export function controllerConfig(target: string, more: Partial<ControllerConfig> = {}): ControllerConfig {
  return {
    uuid: target,
    target,
    maxBackoffMs: 8000,
    probeIntervalMs: 5000,
    isService: false,
    asyncMessages: true,
    packetLimits: { rate: 0, burst: 0 },
    ...more,
  };
}

/** A packet for controllers. */
export function packetIn(reason: number = PR.ACTION, more: Partial<PacketIn> = {}): PacketIn {
  const match = new Match();
  match.key[W.IN_PORT] = 1;
  match.mask[W.IN_PORT] = 0xffffffff;
  const packet = new Uint8Array(100).fill(7);
  return { bufferId: NO_BUFFER, totalLen: 100, reason, tableId: 0, cookie: 0n, match, packet, ...more };
}

/** Lets what is ready to run, run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
