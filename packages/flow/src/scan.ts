/**
 * Scanners of plain numbers and addresses where they stand in a text. Each returns what it read, or -1 or false for
 * anything that is not plain; `stop` then says where reading ended. They make no strings and no objects, and know
 * no errors: what they refuse, a slower reader with messages looks at again.
 */

let at = 0;

/** Where the last scan stopped. */
export function stop(): number {
  return at;
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** A plain decimal or 0x number of less than 53 bits; -1 for anything else, an octal number too. */
export function scanNumber(s: string, from: number, to: number): number {
  let i = from;
  let n = 0;
  if (s.charCodeAt(i) === 48 && i + 1 < to && (s.charCodeAt(i + 1) | 32) === 120) {
    i += 2;
    const start = i;
    for (; i < to; i++) {
      const digit = hexDigit(s.charCodeAt(i));
      if (digit < 0) break;
      n = n * 16 + digit;
    }
    at = i;
    return i === start || i - start > 13 ? -1 : n;
  }
  for (; i < to; i++) {
    const c = s.charCodeAt(i);
    if (c < 48 || c > 57) break;
    n = n * 10 + c - 48;
  }
  at = i;
  if (i === from || i - from > 15) return -1;
  return s.charCodeAt(from) === 48 && i - from > 1 ? -1 : n;
}

/** A dotted address of plain decimal bytes as an unsigned number, or -1. */
export function scanIp4(s: string, from: number, to: number): number {
  let i = from;
  let ip = 0;
  for (let part = 0; part < 4; part++) {
    let n = 0;
    const start = i;
    for (; i < to && i - start < 3; i++) {
      const c = s.charCodeAt(i);
      if (c < 48 || c > 57) break;
      n = n * 10 + c - 48;
    }
    if (i === start || n > 255 || (part < 3 && (i >= to || s.charCodeAt(i) !== 46))) return -1;
    ip = ip * 256 + n;
    if (part < 3) i++;
  }
  at = i;
  return ip;
}

/** Six hexadecimal bytes with colons. */
export class ScanMac {
  /** The upper 16 and the lower 32 bits of what was read. */
  high = 0;
  low = 0;

  scan(s: string, from: number, to: number): boolean {
    let high = 0;
    let low = 0;
    let i = from;
    for (let part = 0; part < 6; part++) {
      let n = 0;
      const start = i;
      for (; i < to && i - start < 2; i++) {
        const digit = hexDigit(s.charCodeAt(i));
        if (digit < 0) break;
        n = n * 16 + digit;
      }
      if (i === start || (part < 5 && (i >= to || s.charCodeAt(i) !== 58))) return false;
      if (part < 2) high = high * 256 + n;
      else low = low * 256 + n;
      if (part < 5) i++;
    }
    this.high = high;
    this.low = low;
    at = i;
    return true;
  }
}

/** An IPv6 address of hexadecimal groups, with at most one `::`; those that end in dotted decimal are not plain. */
export class ScanIp6 {
  /** The four words of what was read. */
  readonly words = new Uint32Array(4);
  private readonly groups = new Uint16Array(8);

  scan(s: string, from: number, to: number): boolean {
    const { groups, words } = this;
    let n = 0;
    let gap = -1;
    let i = from;
    if (i + 1 < to && s.charCodeAt(i) === 58) {
      if (s.charCodeAt(i + 1) !== 58) return false;
      gap = 0;
      i += 2;
    }
    while (i < to && n < 8) {
      let v = 0;
      const start = i;
      for (; i < to && i - start < 4; i++) {
        const digit = hexDigit(s.charCodeAt(i));
        if (digit < 0) break;
        v = v * 16 + digit;
      }
      // Nothing may follow a `::`.
      if (i === start) {
        if (gap !== n) return false;
        break;
      }
      groups[n++] = v;
      if (i >= to || s.charCodeAt(i) !== 58) break;
      if (i + 1 < to && s.charCodeAt(i + 1) === 58) {
        if (gap >= 0) return false;
        gap = n;
        i += 2;
      } else {
        i++;
        if (i >= to || hexDigit(s.charCodeAt(i)) < 0) return false;
      }
    }
    // An address ends at a slash or at the end.
    if (i < to && s.charCodeAt(i) !== 47) return false;
    if (gap < 0 ? n !== 8 : n > 7) return false;
    if (gap >= 0) {
      const moved = n - gap;
      groups.copyWithin(8 - moved, gap, n);
      groups.fill(0, gap, 8 - moved);
    }
    for (let w = 0; w < 4; w++) words[w] = (groups[2 * w]! << 16) | groups[2 * w + 1]!;
    at = i;
    return true;
  }
}
