/**
 * The widths of numbers in messages that tell a switch what to do. The codecs write the lower bits of a number; what an
 * application says and would not be what is sent is told of here. A switch has read its numbers off the wire, or counted.
 */
import type { OfMessage } from './types.js';

/** Bits of the properties that are numbers. */
type Widths<T> = { readonly [K in keyof T as T[K] extends number ? K : never]-?: 8 | 16 | 32 };
type Of<T extends OfMessage['type'], K extends string> =
  Extract<OfMessage, { type: T }> extends Readonly<Record<K, infer V>> ? V : never;

const FLOW_MOD: Widths<Of<'flow_mod', 'flowMod'>> = {
  priority: 16,
  tableId: 8,
  idleTimeout: 16,
  hardTimeout: 16,
  importance: 16,
  bufferId: 32,
  outPort: 32,
  outGroup: 32,
  flags: 16,
};
const GROUP_MOD: Widths<Of<'group_mod', 'groupMod'>> = { groupId: 32, commandBucketId: 32 };
const BUCKET: Widths<Of<'group_mod', 'groupMod'>['buckets'][number]> = {
  weight: 16,
  watchPort: 32,
  watchGroup: 32,
  bucketId: 32,
};
const METER: Widths<Of<'meter_mod', 'meterMod'>['meter']> = { meterId: 32, flags: 16 };
const BAND: Widths<Of<'meter_mod', 'meterMod'>['meter']['bands'][number]> = {
  rate: 32,
  burstSize: 32,
  precLevel: 8,
};
const PORT_MOD: Widths<Of<'port_mod', 'portMod'>> = { portNo: 32, config: 32, mask: 32, advertise: 32 };

/** The first number of `value` that does not fit, in words. */
function misfit<T>(widths: Widths<T>, value: T): string | undefined {
  for (const name in widths) {
    const bits = widths[name];
    const number = value[name as unknown as keyof T] as number;
    if (number >>> 0 !== number || number >= 2 ** bits)
      return `${String(name)} ${number} is no number of ${bits} bits`;
  }
  return undefined;
}

function misfitOf<T>(widths: Widths<T>, list: readonly T[]): string | undefined {
  for (const item of list) {
    const text = misfit(widths, item);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Which number of a message is wider than what it is sent as; undefined: none that is looked at. */
export function tooWide(msg: OfMessage): string | undefined {
  switch (msg.type) {
    case 'flow_mod':
      return misfit(FLOW_MOD, msg.flowMod);
    case 'group_mod':
      return misfit(GROUP_MOD, msg.groupMod) ?? misfitOf(BUCKET, msg.groupMod.buckets);
    case 'meter_mod':
      return misfit(METER, msg.meterMod.meter) ?? misfitOf(BAND, msg.meterMod.meter.bands);
    case 'port_mod':
      return misfit(PORT_MOD, msg.portMod);
    default:
      return undefined;
  }
}
