/** Bytes as the peer dumps them: 16 a line, offset, hex in two halves, printable characters. */
export function hexDump(bytes: Uint8Array, ascii = true): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 16) {
    out += `${at.toString(16).padStart(8, '0')} `;
    const n = Math.min(16, bytes.length - at);
    for (let i = 0; i < n; i++) out += `${i === 8 ? '-' : ' '}${bytes[at + i].toString(16).padStart(2, '0')}`;
    if (ascii) {
      out += '   '.repeat(16 - n);
      out += ' |';
      for (let i = 0; i < n; i++) {
        const c = bytes[at + i];
        out += c >= 0x20 && c < 0x7f ? String.fromCharCode(c) : '.';
      }
      out += `${' '.repeat(16 - n)}|`;
    }
    out += '\n';
  }
  return out;
}
