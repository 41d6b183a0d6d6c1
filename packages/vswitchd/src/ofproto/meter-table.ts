/**
 * The meters of one bridge (OpenFlow 1.3, section 5.7), each of which is a meter of the datapath. Numbers of the datapath's
 * meters are shared by the bridges of its type: `MeterIds`.
 *
 * A datapath that comes back has none of them: `install` gives it all anew.
 */
import { errorMessage } from '@ovs-node/common/errors';
import { OfError } from '@ovs-node/openflow/errors';
import {
  METER,
  MF,
  type MeterConfig,
  type MeterMod,
  type MeterStats,
} from '@ovs-node/openflow/messages/meter-types';
import type { DpifMeters, MeterCounters, MeterSpec } from '../dpif/provider.js';
import { durationSince } from './duration.js';
import { hashInt } from '@ovs-node/flow/hash-bytes';
import { Hmap } from './hmap-order.js';

/** What the peer's datapath has too. */
export const MAX_METERS = 262_144;
export const MAX_BANDS = 8;

/** Numbers of a datapath's meters, the lowest free one first. */
export class MeterIds {
  readonly #taken = new Set<number>();
  /** No number below is free: many meters in a row do not each look through all before them. */
  #lowest = 0;

  /** A number; undefined when all are taken. */
  take(): number | undefined {
    while (this.#taken.has(this.#lowest)) this.#lowest++;
    if (this.#lowest >= MAX_METERS) return undefined;
    this.#taken.add(this.#lowest);
    return this.#lowest++;
  }

  release(id: number): void {
    if (this.#taken.delete(id)) this.#lowest = Math.min(this.#lowest, id);
  }
}

interface Entry {
  config: MeterConfig;
  /** Number in the datapath. */
  readonly dpId: number;
  readonly created: number;
}

export interface MeterHost {
  readonly ids: MeterIds;
  /** The datapath's meters, while there is a datapath. */
  readonly datapath: () => DpifMeters | undefined;
  /** Look-ups may give other results than before. */
  metersChanged(): void;
  /** A meter goes: flows that use it go too. */
  meterDeleted(id: number, now: number): void;
  /** The datapath did not take a meter: one line. */
  failed(text: string): void;
}

export class MeterTable {
  readonly #entries = new Map<number, Entry>();
  /** The same, in the peer's order. */
  readonly #inOrder = new Hmap<Entry>((entry) => hashInt(entry.config.meterId, 0));
  readonly #host: MeterHost;

  constructor(host: MeterHost) {
    this.#host = host;
  }

  has(id: number): boolean {
    return this.#entries.has(id);
  }

  /** The datapath's number of a meter; undefined: there is no such meter. */
  dpId(id: number): number | undefined {
    return this.#entries.get(id)?.dpId;
  }

  /** Configurations of one meter, or of all (METER.ALL), in the order in which the peer lists them. */
  select(id: number): MeterConfig[] {
    return this.#select(id).map((entry) => entry.config);
  }

  #select(id: number): Entry[] {
    if (id !== METER.ALL) {
      const entry = this.#entries.get(id);
      return entry === undefined ? [] : [entry];
    }
    return this.#inOrder.items;
  }

  /**
   * Carries a meter-mod out; the datapath follows, in the order of the calls.
   * @returns the error to answer with; then nothing has changed.
   */
  apply({ command, meter: asked }: MeterMod, now: number): OfError | undefined {
    const meter = withBursts(asked);
    if (command === 'delete') return this.#delete(meter.meterId, now);
    const old = this.#entries.get(meter.meterId);
    const error = checkId(meter) ?? checkNumber(meter);
    if (error) return error;
    if (command === 'modify' && !old) return new OfError('OFPMMFC_UNKNOWN_METER', `meter ${meter.meterId}`);
    if (command === 'add' && old) return new OfError('OFPMMFC_METER_EXISTS', `meter ${meter.meterId}`);
    const bad = check(meter);
    if (bad) return bad;
    if (old) {
      old.config = meter;
      this.#set(old);
      return undefined;
    }
    const dpId = this.#host.ids.take();
    if (dpId === undefined) return new OfError('OFPMMFC_OUT_OF_METERS', `${MAX_METERS} meters`);
    const entry: Entry = { config: meter, dpId, created: now };
    this.#entries.set(meter.meterId, entry);
    this.#inOrder.add(entry);
    this.#set(entry);
    this.#host.metersChanged();
    return undefined;
  }

  /** Gives a datapath that is there again all meters. */
  install(): void {
    for (const entry of this.#entries.values()) this.#set(entry);
  }

  /** Counters of one meter or of all. @param users how many flows use a meter. */
  async stats(id: number, users: (id: number) => number, now: number): Promise<MeterStats[]> {
    return Promise.all(
      this.#select(id).map(async ({ config, dpId, created }) => {
        const counters = await this.#counters(dpId);
        return {
          meterId: config.meterId,
          flowCount: users(config.meterId),
          packetInCount: BigInt(counters?.packets ?? 0),
          byteInCount: BigInt(counters?.bytes ?? 0),
          ...durationSince(created, now),
          bands: config.bands.map((_, i) => ({
            packetCount: BigInt(counters?.bands[i]?.packets ?? 0),
            byteCount: BigInt(counters?.bands[i]?.bytes ?? 0),
          })),
        };
      }),
    );
  }

  async #counters(dpId: number): Promise<MeterCounters | undefined> {
    try {
      return await this.#host.datapath()?.get(dpId);
    } catch {
      // It has gone with its datapath; what it counted went with it.
      return undefined;
    }
  }

  /** Deletes all meters: the bridge goes, or begins anew. */
  clear(now: number): void {
    this.#delete(METER.ALL, now);
  }

  #delete(id: number, now: number): undefined {
    const gone = this.#select(id);
    for (const entry of gone) {
      const { config, dpId } = entry;
      this.#host.meterDeleted(config.meterId, now);
      this.#entries.delete(config.meterId);
      this.#inOrder.delete(entry);
      this.#host.ids.release(dpId);
      // One that is not there is as good as deleted.
      this.#host
        .datapath()
        ?.del(dpId)
        .catch(() => {});
    }
    if (gone.length > 0) this.#host.metersChanged();
  }

  #set({ config, dpId }: Entry): void {
    this.#host
      .datapath()
      ?.set(dpId, specOf(config))
      .catch((error: unknown) => this.#host.failed(`meter ${config.meterId}: ${errorMessage(error)}`));
  }
}

/** A band without a burst gets one that works, as the peer's datapath gives it: what the rate lets through in a second. */
function withBursts(meter: MeterConfig): MeterConfig {
  const bands = meter.bands.map((band) => (band.burstSize === 0 ? { ...band, burstSize: band.rate } : band));
  return { ...meter, bands };
}

/** A rate without a burst may be used up at once, a second's worth of it. */
function specOf({ flags, bands }: MeterConfig): MeterSpec {
  return {
    isKbps: (flags & MF.KBPS) !== 0,
    bands: bands.map(({ rate, burstSize }) => ({
      rate,
      burst: (flags & MF.BURST) !== 0 ? burstSize : rate,
    })),
  };
}

function checkId({ meterId }: MeterConfig): OfError | undefined {
  const isReserved = meterId === METER.SLOWPATH || meterId === METER.CONTROLLER;
  if (meterId === 0 || (meterId > METER.MAX && !isReserved))
    return new OfError('OFPMMFC_INVALID_METER', `meter ${meterId}`);
  return undefined;
}

/** How many bands there can be is looked at before whether there is the meter. */
function checkNumber({ bands }: MeterConfig): OfError | undefined {
  if (bands.length <= MAX_BANDS) return undefined;
  return new OfError('OFPMMFC_OUT_OF_BANDS', `${bands.length} bands`);
}

/** What a datapath that takes drop bands only cannot do, in the order in which the peer looks. */
function check({ flags, bands }: MeterConfig): OfError | undefined {
  const badFlags = (): OfError => new OfError('OFPMMFC_BAD_FLAGS', `flags ${flags}`);
  const unit = flags & (MF.KBPS | MF.PKTPS);
  if (unit !== MF.KBPS && unit !== MF.PKTPS) return badFlags();
  if (bands.length === 0) return new OfError('OFPMMFC_OUT_OF_BANDS', 'no bands');
  if (bands.some(({ rate }) => rate === 0)) return new OfError('OFPMMFC_BAD_RATE', 'rate 0');
  if ((flags & ~(MF.KBPS | MF.PKTPS | MF.BURST | MF.STATS)) !== 0) return badFlags();
  if (bands.some(({ type }) => type !== 'drop'))
    return new OfError('OFPMMFC_BAD_BAND', 'only drop bands are supported');
  return undefined;
}
