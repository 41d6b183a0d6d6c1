/**
 * A datapath with one real port, run by hand, and a recording port that everything from it is forwarded to. Frames
 * sent "by the datapath" are received on the recording port and forwarded to the real one.
 */
import { DP_WORDS, W } from '@ovs-node/flow/layout';
import { Act } from '@ovs-node/netlink/action-attrs';
import { VportType } from '@ovs-node/netlink/families';
import { compileActions } from '../../src/core/actions/compile.js';
import { DatapathCore } from '../../src/core/core.js';
import { Datapath } from '../../src/core/datapath.js';
import { Flow } from '../../src/core/flow-table/flow.js';
import { keyId } from '../../src/core/flow-table/flow-table.js';
import { PacketMeta } from '../../src/core/packet-meta.js';
import { HEADROOM, type PortRequest, type Vport } from '../../src/core/vport.js';
import { PortMaker } from '../../src/ports/factory.js';
import { encodePortOptions } from '../../src/ports/options.js';
import type { Port } from '../../src/ports/provider.js';
import type { WindowsHost } from '../../src/ports/windows/host.js';
import { ExtensibleSwitch } from '../../src/switch/switch.js';
import { tryLibc } from '../../src/sys/libc.js';
import { PortLoop } from '../../src/worker/port-loop.js';
import { attrs, RecordingPort } from '../core/kit.js';

/** How long `until` waits before the test fails. */
const PATIENCE_MS = 5000;

export class Rig {
  readonly core: DatapathCore;
  readonly loop: PortLoop;
  readonly switch: ExtensibleSwitch;
  readonly recorder = new RecordingPort();
  readonly log: string[] = [];
  readonly vport: Vport;
  readonly #dp: Datapath;

  /** Adds port `name` of vport type `type`; throws `errno N` when it cannot be made. */
  constructor(name: string, type: number, options: Record<string, string> = {}, windows?: WindowsHost) {
    const libc = tryLibc();
    this.loop = new PortLoop(
      libc,
      () => performance.now(),
      (level, text) => this.log.push(`${level}: ${text}`),
    );
    this.switch = new ExtensibleSwitch(new PortMaker(this.loop, libc, () => Date.now(), windows), {
      dummy: true,
    });
    this.core = new DatapathCore({
      ports: {
        create: (request: PortRequest) =>
          request.name === 'recorder' ? this.recorder : this.switch.create(request),
      },
      allocArena: (size) => this.loop.allocArena(size),
    });
    this.loop.core = this.core;
    const dp = this.core.addDatapath('dp', new Uint32Array(0));
    if (!(dp instanceof Datapath)) throw new Error(`datapath: errno ${dp}`);
    this.#dp = dp;
    this.add('recorder', VportType.NETDEV);
    try {
      this.vport = this.add(name, type, options);
    } catch (error) {
      this.close();
      throw error;
    }
    this.connect(this.recorder.vport!.portNo, this.vport.portNo);
    this.connect(this.vport.portNo, this.recorder.vport!.portNo);
  }

  get port(): Port {
    return this.vport.provider as Port;
  }

  add(name: string, type: number, options: Record<string, string> = {}): Vport {
    const payload = encodePortOptions(Object.entries(options));
    const vport = this.#dp.addVport({
      type,
      name,
      portNo: null,
      options: payload.length === 0 ? null : payload,
      upcallPids: new Uint32Array(0),
    });
    if (typeof vport === 'number') throw new Error(`errno ${vport}`);
    return vport;
  }

  /** A flow: everything from port `from` to port `to`, in place of the one before. */
  connect(from: number, to: number): void {
    const key = new Uint32Array(DP_WORDS);
    const mask = new Uint32Array(DP_WORDS);
    key[W.IN_PORT] = from;
    mask[W.IN_PORT] = 0xffffffff;
    const actions = attrs((w) => w.putU32(Act.OUTPUT, to));
    const before = this.#dp.flows.get(keyId(key));
    if (before !== undefined) this.#dp.flows.remove(before);
    this.#dp.flows.insert(new Flow(key, mask, null, keyId(key), actions, compileActions(actions, key)));
  }

  /** Has the datapath send `frames` out of the port, in one batch. */
  send(frames: readonly Uint8Array[], meta = new PacketMeta()): void {
    this.core.beginBatch(this.loop.now());
    for (const frame of frames) {
      const buf = new Uint8Array(HEADROOM + frame.length);
      buf.set(frame, HEADROOM);
      const own = new PacketMeta();
      own.copyFrom(meta);
      this.#dp.receive(this.recorder.vport!, buf, HEADROOM, buf.length, own);
    }
    this.core.endBatch();
  }

  /** Runs the loop until `done`; fails after five seconds. */
  async until(done: () => boolean, what: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!done()) {
      if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
      this.loop.wait(0);
      this.loop.scan();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Runs the loop until `count` frames came from the port; they are in hexadecimal. */
  async received(count: number): Promise<string[]> {
    await this.until(() => this.recorder.sent.length >= count, `${count} frames`);
    return this.recorder.take();
  }

  close(): void {
    this.core.close();
    this.loop.close();
  }
}
