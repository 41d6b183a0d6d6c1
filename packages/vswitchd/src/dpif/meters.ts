/** The meters facet: ovs_meter messages. */
import { NlReader, type NlWriter } from '@ovs-node/netlink/attr';
import { decodeAttrs } from '@ovs-node/netlink/attr-table';
import {
  Family,
  FamilyVersion,
  METER_ATTRS,
  METER_BAND_ATTRS,
  METER_BAND_DROP,
  MeterCmd,
} from '@ovs-node/netlink/families';
import type { MsgReader } from '@ovs-node/netlink/messages';
import type { DpifMeters, MeterCounters, MeterSpec, TrafficCount } from './provider.js';
import { type NetlinkSession, type RequestHead, nextOfDump } from './session.js';

function countOf(bytes: Uint8Array | undefined): TrafficCount {
  const r = new NlReader(bytes ?? new Uint8Array(16));
  r.offset = 0;
  return { packets: r.u64n(0), bytes: r.u64n(8) };
}

function* bandsOf(bytes: Uint8Array | undefined) {
  const r = new NlReader(bytes ?? new Uint8Array(0));
  while (r.next()) yield decodeAttrs(METER_BAND_ATTRS, r.bytes());
}

function countersOf(msg: MsgReader): MeterCounters {
  const a = decodeAttrs(METER_ATTRS, msg.buf, msg.attrs, msg.end);
  return { ...countOf(a.STATS), bands: [...bandsOf(a.BANDS)].map((band) => countOf(band.STATS)) };
}

export class Meters implements DpifMeters {
  readonly #session: NetlinkSession;
  readonly #index: number;

  constructor(session: NetlinkSession, index: number) {
    this.#session = session;
    this.#index = index;
  }

  #head(cmd: number): RequestHead {
    return { type: Family.METER, cmd, version: FamilyVersion.METER, dpIfindex: this.#index };
  }

  #named(id: number): (w: NlWriter) => void {
    return (w) => w.putU32(METER_ATTRS.ID.code, id);
  }

  async set(id: number, { isKbps, bands }: MeterSpec): Promise<void> {
    await this.#session.transact(this.#head(MeterCmd.SET), (w) => {
      this.#named(id)(w);
      if (isKbps) w.putFlag(METER_ATTRS.KBPS.code);
      w.nested(METER_ATTRS.BANDS.code, () => {
        for (const [i, { rate, burst }] of bands.entries())
          w.nested(i + 1, () => {
            w.putU32(METER_BAND_ATTRS.TYPE.code, METER_BAND_DROP);
            w.putU32(METER_BAND_ATTRS.RATE.code, rate);
            w.putU32(METER_BAND_ATTRS.BURST.code, burst);
          });
      });
    });
  }

  async del(id: number): Promise<void> {
    await this.#session.transact(this.#head(MeterCmd.DEL), this.#named(id));
  }

  async get(id: number): Promise<MeterCounters> {
    return countersOf(await this.#session.query(this.#head(MeterCmd.GET), this.#named(id)));
  }

  async list(): Promise<number[]> {
    const ids: number[] = [];
    for await (const part of this.#session.dump(this.#head(MeterCmd.GET), () => {}))
      while (nextOfDump(part)) ids.push(decodeAttrs(METER_ATTRS, part.buf, part.attrs, part.end).ID ?? 0);
    return ids;
  }
}
