/** ovs_meter: FEATURES, SET, DEL, GET (linux/openvswitch.h). */
import { NetlinkError, NlReader, type NlWriter } from '@ovs-node/netlink/attr';
import { type AttrValues, decodeAttrs } from '@ovs-node/netlink/attr-table';
import {
  Family,
  FamilyVersion,
  METER_ATTRS,
  METER_BAND_ATTRS,
  METER_BAND_DROP,
  MeterCmd,
} from '@ovs-node/netlink/families';
import { beginMessage, endMessage, NlFlag } from '@ovs-node/netlink/messages';
import type { Datapath } from '../datapath.js';
import { Errno } from '../errno.js';
import type { Dump } from '../handle.js';
import { type BandSpec, MAX_BANDS, MAX_METERS, Meter } from '../meter/meter.js';
import { ListDump, type Request } from './request.js';

function begin(w: NlWriter, dp: Datapath, cmd: number, flags: number, seq: number, pid: number): number {
  return beginMessage(w, Family.METER, flags, seq, pid, cmd, FamilyVersion.METER, dp.index);
}

function putStats(w: NlWriter, code: number, packets: number, bytes: number): void {
  w.nested(code, () => {
    w.rawU64n(packets);
    w.rawU64n(bytes);
  });
}

function put(
  w: NlWriter,
  dp: Datapath,
  id: number,
  meter: Meter,
  flags: number,
  seq: number,
  pid: number,
): void {
  const mark = begin(w, dp, MeterCmd.GET, flags, seq, pid);
  w.putU32(METER_ATTRS.ID.code, id);
  putStats(w, METER_ATTRS.STATS.code, meter.packets, meter.bytes);
  w.putU64(METER_ATTRS.USED.code, BigInt(Math.floor(meter.used)));
  w.nested(METER_ATTRS.BANDS.code, () => {
    for (const [i, band] of meter.bands.entries())
      w.nested(i + 1, () => {
        w.putU32(METER_BAND_ATTRS.TYPE.code, METER_BAND_DROP);
        w.putU32(METER_BAND_ATTRS.RATE.code, band.rate);
        w.putU32(METER_BAND_ATTRS.BURST.code, band.burst / 1000);
        putStats(w, METER_BAND_ATTRS.STATS.code, band.packets, band.bytes);
      });
  });
  endMessage(w, mark);
}

export function meterFeatures(request: Request): void {
  const { w, msg, handle } = request;
  const mark = begin(w, request.datapath(), MeterCmd.FEATURES, 0, msg.seq, handle.pid);
  w.putU32(METER_ATTRS.MAX_METERS.code, MAX_METERS);
  w.putU32(METER_ATTRS.MAX_BANDS.code, MAX_BANDS);
  w.nested(METER_ATTRS.BANDS.code, () =>
    w.nested(1, () => w.putU32(METER_BAND_ATTRS.TYPE.code, METER_BAND_DROP)),
  );
  endMessage(w, mark);
}

function idOf({ ID }: AttrValues<typeof METER_ATTRS>): number {
  if (ID === undefined) throw new NetlinkError(Errno.EINVAL, 'a meter is named by ID');
  return ID;
}

function bandsOf(bytes: Uint8Array): BandSpec[] {
  const bands: BandSpec[] = [];
  const r = new NlReader(bytes);
  while (r.next()) {
    const { TYPE, RATE, BURST } = decodeAttrs(METER_BAND_ATTRS, r.bytes());
    if (TYPE !== METER_BAND_DROP || RATE === undefined || BURST === undefined)
      throw new NetlinkError(Errno.EINVAL, 'a band is of type drop, with a rate and a burst');
    bands.push({ rate: RATE, burst: BURST });
  }
  if (r.malformed) throw new NetlinkError(Errno.EINVAL, 'malformed meter bands');
  if (bands.length > MAX_BANDS) throw new NetlinkError(Errno.EINVAL, `more than ${MAX_BANDS} bands`);
  return bands;
}

/** Makes a meter, or gives the one of that number other bands and counters of its own. */
export function meterSet(request: Request): void {
  const attrs = request.attrs(METER_ATTRS);
  const id = idOf(attrs);
  if (id >= MAX_METERS) throw new NetlinkError(Errno.EFBIG, `meter number ${id} is too large`);
  const dp = request.datapath();
  dp.meters.set(
    id,
    new Meter(attrs.KBPS === true, bandsOf(attrs.BANDS ?? new Uint8Array(0)), request.core.now),
  );
}

export function meterDel(request: Request): void {
  const id = idOf(request.attrs(METER_ATTRS));
  const { w, msg, handle } = request;
  const dp = request.datapath();
  const meter = dp.meters.get(id);
  if (meter === undefined) throw new NetlinkError(Errno.ENOENT, `no meter ${id}`);
  dp.meters.delete(id);
  put(w, dp, id, meter, 0, msg.seq, handle.pid);
}

/** One meter, or a dump of all. */
export function meterGet(request: Request): Dump | void {
  const dp = request.datapath();
  const { seq } = request.msg;
  const { pid } = request.handle;
  if (request.isDump)
    return new ListDump(request, [...dp.meters], (w, [id, meter]) =>
      put(w, dp, id, meter, NlFlag.MULTI, seq, pid),
    );
  const id = idOf(request.attrs(METER_ATTRS));
  const meter = dp.meters.get(id);
  if (meter === undefined) throw new NetlinkError(Errno.ENOENT, `no meter ${id}`);
  put(request.w, dp, id, meter, 0, seq, pid);
}
