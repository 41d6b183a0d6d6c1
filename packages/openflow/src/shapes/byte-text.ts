import { formatIp6Words } from '@ovs-node/flow/addr-text';
import { u32 } from '@ovs-node/flow/views/bytes';

/** Text being made as bytes: what is printed by the megabyte is not worth a string on its way out. */
export class ByteText {
  private buf: Buffer;
  /** Of the buffer that `room` gave last. */
  view: DataView;
  length = 0;

  constructor(size = 0x10000) {
    this.buf = Buffer.allocUnsafe(size);
    this.view = viewOf(this.buf);
  }

  /** Makes room for `n` bytes more; gives the buffer, which is another than before when it had to grow. */
  room(n: number): Uint8Array {
    const need = this.length + n;
    if (need > this.buf.length) {
      const bigger = Buffer.allocUnsafe(Math.max(this.buf.length * 2, need));
      bigger.set(this.buf.subarray(0, this.length));
      this.use(bigger);
    }
    return this.buf;
  }

  /** Adds a string, a byte for each of its characters (`common/byte-text.ts`). */
  add(text: string): void {
    this.room(text.length);
    this.length += this.buf.write(text, this.length, 'latin1');
  }

  /** Takes back what was added after `length`; false, for those who give up. */
  cutTo(length: number): false {
    this.length = length;
    return false;
  }

  /** The text so far; valid until the next call. */
  borrow(): Uint8Array {
    return this.buf.subarray(0, this.length);
  }

  /** Forgets the text; what comes next takes its place. */
  clear(): void {
    this.length = 0;
  }

  /** Takes the text away, to be kept by the caller. */
  take(): Uint8Array {
    const out = this.borrow();
    this.use(Buffer.allocUnsafe(this.buf.length));
    this.length = 0;
    return out;
  }

  private use(buf: Buffer): void {
    this.buf = buf;
    this.view = viewOf(buf);
  }
}

/** A view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const ZERO = 48;
const COLON = 58;

function hexDigit(n: number): number {
  return n < 10 ? ZERO + n : 87 + n;
}

/** Writes an unsigned number of up to 53 bits in decimal at `out[at..)`; gives where it ends. */
export function putDecimal(out: Uint8Array, at: number, v: number): number {
  let digits = 1;
  for (let limit = 10; v >= limit; limit *= 10) digits++;
  let i = at + digits;
  let n = v;
  while (n > 0x7fffffff) {
    const rest = Math.floor(n / 10);
    out[--i] = ZERO + (n - rest * 10);
    n = rest;
  }
  let small = n | 0;
  do {
    const rest = (small / 10) | 0;
    out[--i] = ZERO + (small - rest * 10);
    small = rest;
  } while (i > at);
  return at + digits;
}

/** Writes an unsigned number of 32 bits in hexadecimal, without prefix or zeros before it. */
export function putHex(out: Uint8Array, at: number, v: number): number {
  let shift = 28 - (Math.clz32(v | 1) & ~3);
  let i = at;
  for (; shift >= 0; shift -= 4) out[i++] = hexDigit((v >>> shift) & 15);
  return i;
}

/** Writes all eight hexadecimal digits of 32 bits. */
export function putHex8(out: Uint8Array, at: number, v: number): number {
  for (let shift = 28, i = at; shift >= 0; shift -= 4) out[i++] = hexDigit((v >>> shift) & 15);
  return at + 8;
}

/** Of each byte its decimal digits and a dot behind them, the first in the highest byte of the word, and how many digits. */
const DOTTED = new Int32Array(256);
const DIGITS = new Uint8Array(256);
/** Of each byte its two hexadecimal digits and a colon behind them, and what is left of the word. */
const COLONED = new Int32Array(256);
for (let n = 0; n < 256; n++) {
  const text = `${n}.`.padEnd(4, '\0');
  DIGITS[n] = String(n).length;
  for (let i = 0; i < 4; i++) DOTTED[n] |= text.charCodeAt(i) << (24 - 8 * i);
  COLONED[n] = (hexDigit(n >> 4) << 24) | (hexDigit(n & 15) << 16) | (COLON << 8);
}

/**
 * Writes the four bytes at `bytes[from..)` as `a.b.c.d`, and up to three bytes beyond: a word for each, as `npm run
 * bench:openflow` shows of ofp-parse.
 */
export function putIp4(out: DataView, at: number, bytes: Uint8Array, from: number): number {
  let i = at;
  for (let part = 0; part < 4; part++) {
    const byte = bytes[from + part];
    out.setInt32(i, DOTTED[byte]);
    i += DIGITS[byte] + 1;
  }
  return i - 1;
}

/** Writes the six bytes at `bytes[from..)` as `aa:bb:cc:dd:ee:ff`, and two bytes beyond: a word for each. */
export function putMac(out: DataView, at: number, bytes: Uint8Array, from: number): number {
  for (let part = 0; part < 6; part++) out.setInt32(at + 3 * part, COLONED[bytes[from + part]]);
  return at + 17;
}

/** Writes the sixteen bytes at `bytes[from..)` as an IPv6 address. */
export function putIp6(out: Uint8Array, at: number, bytes: Uint8Array, from: number): number {
  const text = formatIp6Words(
    u32(bytes, from),
    u32(bytes, from + 4),
    u32(bytes, from + 8),
    u32(bytes, from + 12),
  );
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}
