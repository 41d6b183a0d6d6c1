/**
 * What every port provider must do, run against each of them through the core (provider.ts is the contract). `open`
 * gives a rig with the port in it and the wire at its other end.
 */
import type { ExecutionContext } from 'ava';
import { hex, udp } from './frames.js';
import type { Rig } from './rig.js';

/** The other end of a port. */
export interface Wire {
  readonly rig: Rig;
  /** Puts frames onto the wire towards the port. */
  send(frames: readonly Uint8Array[]): void;
  /** Frames that the port sent, in hexadecimal, waiting until there are `count` of them. */
  receive(count: number): Promise<string[]>;
  close(): Promise<void> | void;
}

/** Runs all checks; each provider's test file calls it. `longest` is the longest frame that the wire takes. */
export async function conforms(t: ExecutionContext, wire: Wire, longest: number): Promise<void> {
  const { rig } = wire;
  const stats = rig.vport.stats;
  try {
    // State.
    await rig.until(() => rig.port.carrier, 'the link');
    t.is(rig.port.error, '');
    t.is(rig.port.mac.length, 6);
    t.is(rig.port.flags & 1, 1);
    t.true(rig.port.mtu >= 68);
    t.not(rig.port.describe(), '');

    // Frames come and go whole and in order, of all lengths.
    const lengths = [18, 19, 100, 1000, longest - 42];
    const frames = lengths.map((length, id) => udp(length, id));
    wire.send(frames);
    t.deepEqual(await rig.received(frames.length), frames.map(hex), 'received');
    t.is(stats.rxPackets, frames.length);
    rig.send(frames);
    t.deepEqual(await wire.receive(frames.length), frames.map(hex), 'sent');
    t.is(stats.txPackets, frames.length);

    // More than one batch at a time, both ways.
    const many = Array.from({ length: 200 }, (_, id) => udp(60, id));
    wire.send(many);
    t.deepEqual(await rig.received(many.length), many.map(hex), 'a burst received');
    rig.send(many);
    t.deepEqual(await wire.receive(many.length), many.map(hex), 'a burst sent');

    // The same bytes queued again after a flush; frames changed between batches do not change what was sent.
    rig.send([frames[2]!]);
    rig.send([frames[3]!]);
    t.deepEqual(await wire.receive(2), [hex(frames[2]!), hex(frames[3]!)]);

    t.deepEqual(
      [stats.rxErrors, stats.rxDropped, stats.txErrors, stats.txDropped],
      [0, 0, 0, 0],
      'nothing was lost',
    );
    t.notThrows(() => rig.port.refresh(rig.loop.now()));
    t.notThrows(() => rig.port.flush());
  } finally {
    // Closing gives everything back: the loop has no port left but the datapath's own.
    rig.core.delDatapath(rig.vport.datapath);
    t.is(rig.loop.ports.size, 0);
    t.is(rig.switch.hostAdded.size + rig.switch.userAdded.size, 0);
    await wire.close();
    rig.close();
  }
}
