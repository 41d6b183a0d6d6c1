/** Frames to send through ports. */

/** A UDP datagram over IPv4 with `payload` bytes of payload and right checksums; `id` makes frames differ. */
export function udp(payload: number, id = 0): Uint8Array {
  const frame = new Uint8Array(42 + payload);
  const view = new DataView(frame.buffer);
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45]);
  view.setUint16(16, 28 + payload);
  view.setUint16(18, id);
  frame.set([64, 17], 22);
  frame.set([10, 1, 0, 1, 10, 1, 0, 2], 26);
  view.setUint16(24, ~ones(frame, 14, 34, 0) & 0xffff);
  view.setUint16(34, 1000);
  view.setUint16(36, 2000);
  view.setUint16(38, 8 + payload);
  for (let i = 0; i < payload; i++) frame[42 + i] = i + id;
  view.setUint16(40, ~ones(frame, 34, frame.length, ones(frame, 26, 34, 17 + 8 + payload)) & 0xffff);
  return frame;
}

/**
 * A TCP segment, IPv4 or IPv6, tagged or not, with `payload` bytes and the flags given; checksum of TCP as a sender
 * with offloads leaves it: the pseudo header's sum.
 */
export function tcp(payload: number, flags: number, v6 = false, tag?: number): Uint8Array {
  const l3 = tag === undefined ? 14 : 18;
  const l4 = l3 + (v6 ? 40 : 20);
  const frame = new Uint8Array(l4 + 20 + payload);
  const view = new DataView(frame.buffer);
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
  if (tag !== undefined) {
    view.setUint16(12, 0x8100);
    view.setUint16(14, tag);
  }
  view.setUint16(l3 - 2, v6 ? 0x86dd : 0x0800);
  const length = frame.length - l4;
  let addresses: number;
  if (v6) {
    frame[l3] = 0x60;
    view.setUint16(l3 + 4, length);
    frame.set([6, 64], l3 + 6);
    frame[l3 + 8] = 0xfd;
    frame[l3 + 23] = 1;
    frame[l3 + 24] = 0xfd;
    frame[l3 + 39] = 2;
    addresses = ones(frame, l3 + 8, l3 + 40, 6 + length);
  } else {
    frame[l3] = 0x45;
    view.setUint16(l3 + 2, 20 + length);
    view.setUint16(l3 + 4, 0xfffe);
    frame.set([64, 6], l3 + 8);
    frame.set([10, 1, 0, 1, 10, 1, 0, 2], l3 + 12);
    view.setUint16(l3 + 10, ~ones(frame, l3, l3 + 20, 0) & 0xffff);
    addresses = ones(frame, l3 + 12, l3 + 20, 6 + length);
  }
  view.setUint16(l4, 40000);
  view.setUint16(l4 + 2, 80);
  view.setUint32(l4 + 4, 0xfffffff0);
  frame[l4 + 12] = 0x50;
  frame[l4 + 13] = flags;
  view.setUint16(l4 + 16, addresses);
  for (let i = 0; i < payload; i++) frame[l4 + 20 + i] = i * 7;
  return frame;
}

/** Ones' complement sum, folded; written differently from the code under test. */
export function ones(bytes: Uint8Array, start: number, end: number, initial: number): number {
  let sum = initial;
  for (let i = start; i < end; i++) {
    sum += (i - start) % 2 === 0 ? bytes[i]! * 256 : bytes[i]!;
    sum = (sum % 65536) + Math.floor(sum / 65536);
  }
  return sum;
}

export function hex(frame: Uint8Array): string {
  return Buffer.from(frame).toString('hex');
}
