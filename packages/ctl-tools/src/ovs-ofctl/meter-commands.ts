/** Commands on meters: ovs-ofctl(8), "OpenFlow 1.3+ Switch Meter Table Commands". */
import { PROTO } from '@ovs-node/flow/field-types';
import { METER, type MeterMod } from '@ovs-node/openflow/messages/meter-types';
import { parseMeter } from '@ovs-node/openflow/text/parse-meter';
import type { OfctlContext, Switch } from './context.js';
import { parseOrFail } from './flow-commands.js';

/** Protocols that have meters. */
const PROTO_METERS = PROTO.OF13_OXM | PROTO.OF14_OXM | PROTO.OF15_OXM;

const EVERY_METER: MeterMod = { command: 'delete', meter: { meterId: METER.ALL, flags: 0, bands: [] } };

/** Opens a switch in a version that has meters. */
function connect(c: OfctlContext, target: string): Promise<Switch> {
  return c.connectForFlowMods(target, PROTO_METERS);
}

/** add-meter, mod-meter, del-meters. */
export async function meterMod(
  c: OfctlContext,
  [target, text]: readonly string[],
  command: MeterMod['command'],
): Promise<void> {
  const mod = text === undefined ? EVERY_METER : parseOrFail(() => parseMeter(text, command));
  await c.noReply(await connect(c, target), { type: 'meter_mod', meterMod: mod });
}

/** dump-meters, meter-stats. */
export async function dumpMeters(
  c: OfctlContext,
  [target, text]: readonly string[],
  type: 'meter_config' | 'meter',
): Promise<void> {
  const mod = text === undefined ? EVERY_METER : parseOrFail(() => parseMeter(text, 'delete'));
  const request = { type, meter: mod.meter.meterId } as const;
  await c.dump(await connect(c, target), { type: 'multipart_request', request, more: false });
}

export async function meterFeatures(c: OfctlContext, [target]: readonly string[]): Promise<void> {
  const request = { type: 'meter_features' } as const;
  await c.dump(await connect(c, target), { type: 'multipart_request', request, more: false });
}
