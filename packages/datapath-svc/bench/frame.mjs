// A UDP frame with right lengths and checksums, `len` bytes without FCS.
export function udpFrame({ dst, src, len, sport, dport, sip = '10.1.0.1', dip = '10.1.0.2' }) {
  const b = new Uint8Array(len);
  const v = new DataView(b.buffer);
  const mac = (s) => s.split(':').map((x) => parseInt(x, 16));
  const ip = (s) => s.split('.').map(Number);
  b.set(mac(dst), 0);
  b.set(mac(src), 6);
  v.setUint16(12, 0x0800);
  b[14] = 0x45;
  v.setUint16(16, len - 14);
  b[22] = 64;
  b[23] = 17;
  b.set(ip(sip), 26);
  b.set(ip(dip), 30);
  let sum = 0;
  for (let i = 14; i < 34; i += 2) sum += v.getUint16(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  v.setUint16(24, ~sum & 0xffff);
  v.setUint16(34, sport);
  v.setUint16(36, dport);
  v.setUint16(38, len - 34);
  return b;
}
