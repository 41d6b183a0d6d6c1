/** Meters as text: what `ovs-ofctl add-meter` and its like read (ovs-ofctl(8), "Meter Syntax"). */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { Words } from '@ovs-node/flow/words';
import {
  METER,
  MF,
  type MeterBand,
  type MeterBandType,
  type MeterCommand,
  type MeterMod,
} from '../messages/meter-types.js';
import { parseU32, parseU8 } from './numbers.js';

/** What ends a key; a value ends at a blank or comma. */
const KEY_ENDS = ', \t\r\n=';

const FLAGS: Readonly<Record<string, number>> = {
  kbps: MF.KBPS,
  pktps: MF.PKTPS,
  burst: MF.BURST,
  stats: MF.STATS,
};
const NAMES: Readonly<Record<string, number>> = {
  all: METER.ALL,
  controller: METER.CONTROLLER,
  slowpath: METER.SLOWPATH,
};
const BAND_TYPES: readonly MeterBandType[] = ['drop', 'dscp_remark'];

function parseMeterId(text: string): number {
  if (Object.hasOwn(NAMES, text)) return NAMES[text];
  const id = parseU32(text);
  if (id === 0 || id > METER.MAX) throw new FlowSyntaxError('invalid value for meter');
  return id;
}

function parseBands(text: string, flags: number): MeterBand[] {
  const bands: { -readonly [K in keyof MeterBand]: MeterBand[K] }[] = [];
  const words = new Words(text);
  for (let key = words.next(KEY_ENDS); key !== undefined; key = words.next(KEY_ENDS)) {
    const value = words.next();
    if (value === undefined) throw new FlowSyntaxError(`field ${key} missing value`);
    if (key === 'type') {
      const type = BAND_TYPES.find((t) => t === value);
      if (!type) throw new FlowSyntaxError(`field ${key} unknown value ${value}`);
      bands.push({ type, rate: 0, burstSize: 0, precLevel: 0 });
      continue;
    }
    const band = bands.at(-1);
    if (!band) throw new FlowSyntaxError("band must start with the 'type' keyword");
    if (key === 'rate') band.rate = parseU32(value);
    else if (key === 'burst_size') band.burstSize = parseU32(value);
    else if (key === 'prec_level') band.precLevel = parseU8(value, key);
    else throw new FlowSyntaxError(`unknown keyword ${key}`);
  }
  if (bands.length === 0) throw new FlowSyntaxError('meter must have bands');
  for (const band of bands) {
    if (band.type === 'dscp_remark' && band.precLevel === 0)
      throw new FlowSyntaxError("'dscp_remark' band must have 'prec_level'");
    if (band.type === 'drop' && band.precLevel !== 0)
      throw new FlowSyntaxError("Only 'dscp_remark' band may have 'prec_level'");
    if (band.rate === 0) throw new FlowSyntaxError("band must have 'rate'");
    if ((flags & MF.BURST) !== 0 && band.burstSize === 0)
      throw new FlowSyntaxError("band must have 'burst_size' when 'burst' flag is set");
    if ((flags & MF.BURST) === 0 && band.burstSize !== 0)
      throw new FlowSyntaxError("band may have 'burst_size' only when 'burst' flag is set");
  }
  return bands;
}

/**
 * Reads the description of a meter: a whole one to add or modify, only its number otherwise.
 *
 * @throws FlowSyntaxError with the peer's words.
 */
export function parseMeter(text: string, command: MeterCommand): MeterMod {
  const whole = command !== 'delete';
  let head = text;
  let bandText = '';
  if (whole) {
    const at = text.indexOf('band');
    const equals = at < 0 ? -1 : text.indexOf('=', at);
    if (equals < 0) throw new FlowSyntaxError('must specify bands');
    head = text.slice(0, at);
    bandText = text.slice(equals + 1);
  }
  let meterId: number | undefined;
  let flags = 0;
  const words = new Words(head);
  for (let key = words.next(KEY_ENDS); key !== undefined; key = words.next(KEY_ENDS)) {
    if (whole && Object.hasOwn(FLAGS, key)) {
      flags |= FLAGS[key];
      continue;
    }
    const value = words.next();
    if (value === undefined) throw new FlowSyntaxError(`field ${key} missing value`);
    if (key !== 'meter') throw new FlowSyntaxError(`unknown keyword ${key}`);
    meterId = parseMeterId(value);
  }
  if (meterId === undefined) throw new FlowSyntaxError("must specify 'meter'");
  if (whole && flags === 0) throw new FlowSyntaxError("meter must specify either 'kbps' or 'pktps'");
  return { command, meter: { meterId, flags, bands: whole ? parseBands(bandText, flags) : [] } };
}
