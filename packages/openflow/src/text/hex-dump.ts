/** Bytes as the peer dumps them: 16 a line, offset, hex in two halves, printable characters. */
export function hexDump(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 16) {
    out += `${at.toString(16).padStart(8, '0')}  `;
    let text = '';
    for (let i = 0; i < 16; i++) {
      if (at + i >= bytes.length) {
        out += '   ';
        text += ' ';
        continue;
      }
      const c = bytes[at + i];
      out += `${c.toString(16).padStart(2, '0')}${i === 7 ? '-' : ' '}`;
      text += c >= 0x20 && c < 0x7f ? String.fromCharCode(c) : '.';
    }
    out += `|${text}|\n`;
  }
  return out;
}

/** The same without the characters, and so without what stands before them: how packets are dumped. */
export function hexDumpPlain(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 16) {
    const line = Array.from(bytes.subarray(at, at + 16), (c) => c.toString(16).padStart(2, '0'));
    const [first, second] = [line.slice(0, 8).join(' '), line.slice(8).join(' ')];
    out += `${at.toString(16).padStart(8, '0')}  ${first}${line.length < 8 ? '' : '-'}${second}\n`;
  }
  return out;
}
