/**
 * Capture files, as the peer's tool reads them: a packet at a time, with what is wrong told of when it is come to.
 *
 *     file header (24)    magic u32, version 2.4, timezone, sigfigs, snaplen, link type (1 Ethernet, 113 Linux "cooked")
 *     record header (16)  seconds, fraction, captured length, length on the wire; then the bytes
 *
 * The byte order is that of each record: a length that makes no sense is one of the other order.
 */
import fs from 'node:fs';
import os from 'node:os';
import { byteTextPath } from '@ovs-node/common/byte-text';
import { errnoName, FatalError, isOfDirectory, strerror } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { hexDumpPlain } from '@ovs-node/openflow/text/hex-dump';
import { hex } from '@ovs-node/openflow/text/numbers';

const log = vlog('pcap');

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const MAX_PACKET = 0xffff;
/** Fractions of a second that make a millisecond, by magic. */
const PER_MS: ReadonlyMap<number, number> = new Map([
  [0xa1b2c3d4, 1e3],
  [0xa1b23c4d, 1e6],
]);
const ETHERNET = 1;
const LINUX_COOKED = 113;

/** One packet of a capture. */
export interface CapturedPacket {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** An Ethernet frame. */
  readonly data: Uint8Array;
}

/** Exit status of parse-pcap for what is no capture: the number of the error that the peer has for it. */
const EPROTO = 71;

function failure(file: string, what: 'open' | 'read', reason: string, status: number): FatalError {
  return new FatalError(`${file}: ${what} failed (${reason})`, status);
}

function readBytes(file: string): Buffer {
  try {
    return fs.readFileSync(byteTextPath(file));
  } catch (e) {
    const reason = strerror(errnoName(e));
    log.warn(
      isOfDirectory(e)
        ? `failed to read pcap header: ${reason}`
        : `${file}: failed to open pcap file for reading (${reason})`,
    );
    throw failure(file, 'open', reason, os.constants.errno[errnoName(e) as 'ENOENT']);
  }
}

/** A capture that was opened. */
export class Capture {
  private readonly file: string;
  private readonly bytes: Buffer;
  private readonly perMs: number;
  private readonly isCooked: boolean;

  /** @throws FatalError whose status is the system's number of the error */
  constructor(file: string) {
    this.file = file;
    const bytes = readBytes(file);
    this.bytes = bytes;
    if (bytes.length < FILE_HEADER) {
      log.warn('failed to read pcap header: End of file');
      throw failure(file, 'open', 'End of file', 255);
    }
    const magic = bytes.readUInt32LE(0);
    const isLittle = PER_MS.has(magic);
    const perMs = PER_MS.get(isLittle ? magic : bytes.readUInt32BE(0));
    if (perMs === undefined) {
      log.warn(
        `bad magic ${hex(magic, 8)} reading pcap file (expected 0xa1b2c3d4, 0xa1b23c4d, 0xd4c3b2a1, or 0x4d3cb2a1)`,
      );
      throw failure(file, 'open', strerror('EPROTO'), EPROTO);
    }
    this.perMs = perMs;
    const network = isLittle ? bytes.readUInt32LE(20) : bytes.readUInt32BE(20);
    if (network !== ETHERNET && network !== LINUX_COOKED) {
      log.warn(`unknown network type ${network} reading pcap file`);
      throw failure(file, 'open', strerror('EPROTO'), EPROTO);
    }
    this.isCooked = network === LINUX_COOKED;
  }

  /** @throws FatalError at a packet that cannot be one; one that is cut short ends them */
  *packets(): Generator<CapturedPacket> {
    const { bytes } = this;
    for (let at = FILE_HEADER; at + RECORD_HEADER <= bytes.length;) {
      const written = bytes.readUInt32LE(at + 8);
      const isSwapped = written > MAX_PACKET;
      const u32 = (from: number): number => (isSwapped ? bytes.readUInt32BE(from) : bytes.readUInt32LE(from));
      const length = u32(at + 8);
      if (length > MAX_PACKET) {
        log.warn(`bad packet length ${length} or ${written} reading pcap file`);
        throw failure(this.file, 'read', strerror('EPROTO'), EPROTO);
      }
      const start = at + RECORD_HEADER;
      // As with the peer, nothing cannot be read.
      if (length === 0 || start + length > bytes.length) {
        log.warn('failed to read pcap packet: End of file');
        return;
      }
      const data = bytes.subarray(start, start + length);
      const time = u32(at) * 1000 + Math.floor(u32(at + 4) / this.perMs);
      yield { time, data: this.isCooked ? this.ethernetOf(data) : data };
      at = start + length;
    }
  }

  /**
   * The Ethernet frame of a "cooked" packet, which does not say where it went to.
   *
   *     type u16, hardware u16, length of the address u16 (6), address 6, unused 2, Ethernet type u16
   */
  private ethernetOf(packet: Uint8Array): Uint8Array {
    const header = packet.subarray(0, 16);
    if (header.length < 16) {
      log.warn('pcap packet too short for SLL header');
      throw failure(this.file, 'read', strerror('EPROTO'), EPROTO);
    }
    if (header[4] !== 0 || header[5] !== 6) {
      process.stdout.write(hexDumpPlain(header));
      log.warn('bad SLL header');
      throw failure(this.file, 'read', strerror('EPROTO'), EPROTO);
    }
    return Buffer.concat([new Uint8Array(6), packet.subarray(6, 12), packet.subarray(14)]);
  }
}
