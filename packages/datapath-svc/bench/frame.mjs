// A UDP frame over IPv4, `size` bytes without FCS; no UDP checksum.
export function udpFrame({ dst, src, size, sport, dport, sip, dip }) {
  const frame = new Uint8Array(size);
  const view = new DataView(frame.buffer);
  const mac = (text) => text.split(':').map((byte) => parseInt(byte, 16));
  const ip = (text) => text.split('.').map(Number);
  frame.set([...mac(dst), ...mac(src), 8, 0, 0x45]);
  view.setUint16(16, size - 14);
  frame.set([64, 17], 22);
  frame.set([...ip(sip), ...ip(dip)], 26);
  let sum = 0;
  for (let i = 14; i < 34; i += 2) sum += view.getUint16(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(24, ~sum & 0xffff);
  view.setUint16(34, sport);
  view.setUint16(36, dport);
  view.setUint16(38, size - 34);
  return frame;
}
