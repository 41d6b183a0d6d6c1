/**
 * Capture files in the classic pcap format (tcpdump's, version 2.4), for the pcap options of dummy ports and for
 * tests. Reading takes both byte orders and both time units; writing is little-endian with microseconds.
 *
 *     file header (24)    magic u32, version 2.4, timezone, sigfigs, snaplen, linktype (1 = Ethernet)
 *     record header (16)  seconds, microseconds, captured length, length on the wire; then the bytes
 */

/** One packet of a capture. */
export interface PcapRecord {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Length on the wire, at least that of `data`. */
  readonly length: number;
  /** The captured bytes; a view of the file's buffer. */
  readonly data: Uint8Array;
}

const MAGIC_US = 0xa1b2c3d4;
const MAGIC_NS = 0xa1b23c4d;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** No captured packet is longer; a larger length in a record means that the file is damaged. */
const MAX_RECORD = 0x40000;

/** The header of a new capture file of Ethernet frames. */
export function pcapHeader(): Uint8Array {
  const header = new Uint8Array(FILE_HEADER);
  const view = new DataView(header.buffer);
  view.setUint32(0, MAGIC_US, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 1518, true);
  view.setUint32(20, 1, true);
  return header;
}

/** One record, header and bytes; `time` is in milliseconds since 1970. */
export function pcapRecord(data: Uint8Array, time: number): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER + data.length);
  const view = new DataView(record.buffer);
  const us = Math.round(time * 1000);
  view.setUint32(0, Math.floor(us / 1e6), true);
  view.setUint32(4, us % 1e6, true);
  view.setUint32(8, data.length, true);
  view.setUint32(12, data.length, true);
  record.set(data, RECORD_HEADER);
  return record;
}

/**
 * The packets of a capture file. A record that is cut short, as a file still being written has, ends the list.
 * Throws Error when `file` is no capture.
 */
export function readPcap(file: Uint8Array): PcapRecord[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < FILE_HEADER) throw new Error(`not a pcap file: ${file.length} bytes`);
  const big = view.getUint32(0, false);
  const little = view.getUint32(0, true);
  const isLittle = little === MAGIC_US || little === MAGIC_NS;
  const magic = isLittle ? little : big;
  if (magic !== MAGIC_US && magic !== MAGIC_NS) {
    throw new Error(`not a pcap file: magic 0x${big.toString(16).padStart(8, '0')}`);
  }
  const perMs = magic === MAGIC_NS ? 1e6 : 1e3;
  const records: PcapRecord[] = [];
  for (let at = FILE_HEADER; at + RECORD_HEADER <= file.length;) {
    const captured = view.getUint32(at + 8, isLittle);
    const length = view.getUint32(at + 12, isLittle);
    if (captured > MAX_RECORD) throw new Error(`damaged pcap file: record of ${captured} bytes at ${at}`);
    const start = at + RECORD_HEADER;
    if (start + captured > file.length) break;
    records.push({
      time: view.getUint32(at, isLittle) * 1000 + view.getUint32(at + 4, isLittle) / perMs,
      length: Math.max(length, captured),
      data: file.subarray(start, start + captured),
    });
    at = start + captured;
  }
  return records;
}
