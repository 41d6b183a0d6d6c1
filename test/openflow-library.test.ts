/** What a controller does with the library's helpers, in every version, with our switch and with the peer's. */
import { setTimeout } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import {
  connectSwitch,
  type Decoded,
  ErrorReply,
  formatFlow,
  GROUP_ALL,
  inPortOf,
  makeFlowFilter,
  makeFlowMod,
  makeFlowMonitor,
  makeGroupMod,
  makePacketOut,
  matchedValue,
  OF10,
  OF13,
  OF14,
  OF15,
  type OfMessage,
  OFPP,
  parseActions,
  parseFlow,
  parseGroup,
  parseMeter,
  UnencodableError,
  versionName,
} from '@ovs-node/openflow';
import { type LabOptions, withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const BRIDGE =
  'add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure protocols=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15 -- add-port br0 p1 -- set interface p1 type=dummy ofport_request=1 -- add-port br0 p2 -- set interface p2 type=dummy ofport_request=2';
const PACKET = new Uint8Array(Buffer.from('50540000000a5054000000091234', 'hex'));

const flow = (text: string): OfMessage => ({ type: 'flow_mod', flowMod: parseFlow(text, 'add') });

/** The peer's order is that of a hash with a seed. */
const sorted = (texts: readonly string[]): string => texts.toSorted().join('; ');

/** Of what is refused, why. */
async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (e) {
    if (e instanceof ErrorReply) return String(e.error);
    if (e instanceof UnencodableError) return e.message;
    throw e;
  }
}

/** A conversation in one version; what it was told. */
async function converse(
  target: string,
  version: number,
  receive: (port: string) => Promise<void>,
): Promise<readonly string[]> {
  const log: string[] = [];
  let heard: ((decoded: Decoded) => void) | undefined;
  const connection = await connectSwitch(
    target,
    { versions: 1 << version },
    { onMessage: (decoded) => heard?.(decoded) },
  );
  const hear = (of: (msg: OfMessage) => string | undefined): Promise<string> =>
    new Promise((resolve) => {
      heard = ({ msg }) => {
        const text = of(msg);
        if (text !== undefined) resolve(text);
      };
    });
  const flows = async (): Promise<string> => {
    const all = await connection.statistics({ type: 'flow', filter: makeFlowFilter() });
    return sorted(all.flows.map((each) => formatFlow(each, { stats: false })));
  };

  await connection.carryOut({
    type: 'flow_mod',
    flowMod: makeFlowMod({ command: 'delete', priority: 0, tableId: 255 }),
  });
  const overlap = { ...parseFlow('in_port=1,actions=drop', 'add'), flags: 2 };
  log.push(
    await outcome(() =>
      connection.carryOut(flow('dl_vlan=3,actions=output:1'), { type: 'flow_mod', flowMod: overlap }),
    ),
    await flows(),
    await outcome(() =>
      connection.bundle([flow('dl_vlan=4,actions=drop'), flow('dl_vlan=5,actions=group:9')]),
    ),
    await outcome(() => connection.bundle([flow('dl_vlan=6,actions=drop'), flow('dl_vlan=7,actions=drop')])),
    await flows(),
  );

  // Groups and meters, as values and as text.
  const buckets = [{ actions: parseActions('output:1') }, { actions: parseActions('output:2') }];
  log.push(
    await outcome(() =>
      connection.carryOut(
        { type: 'group_mod', groupMod: makeGroupMod({ command: 'delete', groupId: GROUP_ALL }) },
        { type: 'group_mod', groupMod: makeGroupMod({ command: 'add', groupId: 1, buckets }) },
        { type: 'group_mod', groupMod: parseGroup('group_id=2,type=all,bucket=output:2', 'add').groupMod },
      ),
    ),
    await outcome(() =>
      connection.carryOut({
        type: 'meter_mod',
        meterMod: parseMeter(`meter=${version},kbps,band=type=drop rate=1`, 'add'),
      }),
    ),
  );
  const { groups } = await connection.statistics({ type: 'group_desc', group: GROUP_ALL });
  log.push(sorted(groups.map(({ groupId, buckets: some }) => `group ${groupId}: ${some.length} buckets`)));

  // A packet is paused, and goes on; one of our own goes out.
  const paused = hear((msg) => {
    if (msg.type !== 'packet_in') return undefined;
    connection.send({ type: 'resume', packetIn: msg.packetIn });
    const reg = matchedValue(msg.packetIn.match, 'reg0')?.value;
    return `packet of port ${inPortOf(msg.packetIn.match)}, reg0 ${reg}`;
  });
  connection.send({ type: 'set_packet_in_format', format: 'nxt_packet_in2' });
  connection.send({
    type: 'set_config',
    config: { frag: 'normal', invalidTtlToController: undefined, missSendLen: 0xffff },
  });
  await connection.carryOut(
    flow('priority=9,in_port=1,actions=set_field:5->reg0,controller(pause),output:2'),
    { type: 'packet_out', packetOut: makePacketOut({ packet: PACKET, actions: parseActions('output:2') }) },
  );
  // The datapath flow of the conversation before may not be gone yet, whose packets nobody hears of.
  await until(paused, () => receive('p1'));
  log.push(await paused);

  // Monitors tell of what is there, and of what another changes.
  const changed = hear((msg) =>
    msg.type === 'multipart_reply' && msg.reply.type === 'flow_monitor'
      ? msg.reply.updates.map(({ event }) => event).join()
      : undefined,
  );
  const { updates } = await connection.statistics({
    type: 'flow_monitor',
    monitors: [makeFlowMonitor({ id: 1, outPort: OFPP.ANY })],
  });
  log.push(`${updates.length} flows monitored`);
  const other = await connectSwitch(target, { versions: 1 << version });
  await other.carryOut(flow('dl_vlan=8,actions=drop'));
  other.close();
  log.push(await changed);
  connection.close();
  return log;
}

/** Does something, again after a second, until a promise is fulfilled. */
async function until(promise: Promise<unknown>, work: () => Promise<void>): Promise<void> {
  let isFulfilled = false;
  const fulfilled = promise.then(() => {
    isFulfilled = true;
  });
  while (!isFulfilled) {
    await work();
    await Promise.race([fulfilled, setTimeout(1000)]);
  }
}

async function conversations(
  t: ExecutionContext,
  side: NonNullable<LabOptions['side']>,
): Promise<Record<string, readonly string[]>> {
  return withSuite(t, { side, vswitchdArgs: ['--enable-dummy'] }, async (suite, place) => {
    await suite.vsctl(...BRIDGE.split(' '));
    const receive = async (port: string): Promise<void> => {
      await suite.appctl('netdev-dummy/receive', port, Buffer.from(PACKET).toString('hex'));
    };
    const told: Record<string, readonly string[]> = {};
    for (let version = OF10; version <= OF15; version++)
      told[versionName(version)] = await converse(`unix:${place}/br0.mgmt`, version, receive);
    return told;
  });
}

testWith(PEER)('a controller gets on with either switch in every version', async (t) => {
  t.timeout(120_000);
  const [ours, peers] = [await conversations(t, 'ours'), await conversations(t, 'peer')];
  t.deepEqual(ours, peers);
  const bundled = 'dl_vlan=3 actions=output:1; dl_vlan=6 actions=drop; dl_vlan=7 actions=drop';
  for (const version of [OF13, OF14, OF15]) {
    const [refused, , inBundle, done, flows] = ours[versionName(version)]!;
    t.deepEqual([refused, inBundle, done], ['OFPFMFC_OVERLAP', 'OFPBAC_BAD_OUT_GROUP', 'done']);
    t.is(flows, bundled);
  }
  t.is(ours[versionName(OF10)]![2], 'OpenFlow 1.0 has no message bundle_control');
});
