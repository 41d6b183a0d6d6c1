/**
 * Capture files (pcap 2.4, microseconds, Ethernet, in the machine's byte order) as the peer's dummy devices write
 * them: appended to, each frame complete on the disk before the next begins.
 */

import fs from 'node:fs';

const MAGIC = 0xa1b2c3d4;
const SNAPLEN = 1518;
const ETHERNET = 1;

export class PcapWriter {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Opens `path` for appending, and writes the file header when it is empty; undefined when it cannot be opened. */
  static open(path: string): PcapWriter | undefined {
    try {
      const fd = fs.openSync(path, 'a');
      if (fs.fstatSync(fd).size === 0) {
        const header = new DataView(new ArrayBuffer(24));
        header.setUint32(0, MAGIC, true);
        header.setUint16(4, 2, true);
        header.setUint16(6, 4, true);
        header.setUint32(16, SNAPLEN, true);
        header.setUint32(20, ETHERNET, true);
        fs.writeSync(fd, new Uint8Array(header.buffer));
      }
      return new PcapWriter(fd);
    } catch {
      return undefined;
    }
  }

  /** Appends the frame `buf[start, end)`, seen at `wallMs`. A full disk loses the frame and nothing else. */
  write(buf: Uint8Array, start: number, end: number, wallMs: number): void {
    const record = new Uint8Array(16 + end - start);
    const view = new DataView(record.buffer);
    view.setUint32(0, Math.floor(wallMs / 1000), true);
    view.setUint32(4, Math.floor((wallMs % 1000) * 1000), true);
    view.setUint32(8, end - start, true);
    view.setUint32(12, end - start, true);
    record.set(buf.subarray(start, end), 16);
    try {
      fs.writeSync(this.#fd, record);
    } catch {
      // Nothing sensible to do with a capture that cannot be written.
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}
