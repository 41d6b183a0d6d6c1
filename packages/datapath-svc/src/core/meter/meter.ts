/**
 * A meter: bands with a rate each, as token buckets (linux/openvswitch.h, OVS_METER_*; OpenFlow 1.3, section 5.7).
 *
 * A bucket gains `rate` tokens a millisecond, up to `burst` thousand: with rates in kbit/s a token is a bit, with rates in
 * packets/s a thousandth of a packet. A packet takes its bits, or a thousand tokens, from every bucket that has as many;
 * where some do not, the one of these with the highest rate decides: a drop band drops the packet. Buckets begin full.
 */

/** How many meters a datapath has, and bands a meter. */
export const MAX_METERS = 262_144;
export const MAX_BANDS = 8;

export interface BandSpec {
  /** kbit/s or packets/s. */
  readonly rate: number;
  /** kbit or packets. */
  readonly burst: number;
}

class Band {
  readonly rate: number;
  readonly burst: number;
  bucket: number;
  packets = 0;
  bytes = 0;

  constructor({ rate, burst }: BandSpec) {
    this.rate = rate;
    this.burst = burst * 1000;
    this.bucket = this.burst;
  }
}

export class Meter {
  readonly isKbps: boolean;
  readonly bands: readonly Band[];
  packets = 0;
  bytes = 0;
  /** When a packet came last, ms. */
  used: number;

  constructor(isKbps: boolean, bands: readonly BandSpec[], now: number) {
    this.isKbps = isKbps;
    this.bands = bands.map((band) => new Band(band));
    this.used = now;
  }

  /** Meters one packet of `length` bytes at `now` (ms); false: it is dropped. Hot path. */
  pass(length: number, now: number): boolean {
    const elapsed = now > this.used ? now - this.used : 0;
    this.used = now;
    this.packets++;
    this.bytes += length;
    const cost = this.isKbps ? length * 8 : 1000;
    const bands = this.bands;
    let exceeded = -1;
    for (let i = 0; i < bands.length; i++) {
      const band = bands[i];
      band.bucket += elapsed * band.rate;
      if (band.bucket > band.burst) band.bucket = band.burst;
      if (band.bucket >= cost) band.bucket -= cost;
      else if (exceeded < 0 || band.rate > bands[exceeded].rate) exceeded = i;
    }
    if (exceeded < 0) return true;
    bands[exceeded].packets++;
    bands[exceeded].bytes += length;
    return false;
  }
}
