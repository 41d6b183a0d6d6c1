/** Commands on packets and captures, without a switch: compose-packet, parse-packet, parse-pcap, ofp-parse-pcap. */
import fs from 'node:fs';
import os from 'node:os';
import { byteTextPath } from '@ovs-node/common/byte-text';
import { errnoName, FatalError, isOfDirectory, strerror } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { composePacket } from '@ovs-node/flow/compose';
import { extractKey, newOffsets, OFS } from '@ovs-node/flow/extract';
import { formatFlow, parseExactFlow } from '@ovs-node/flow/flow-text';
import { type FlowKey, newKey, VLAN_CFI, W } from '@ovs-node/flow/layout';
import { pcapHeader, pcapRecord, type PcapRecord, readPcap } from '@ovs-node/flow/pcap';
import { OFPP } from '@ovs-node/flow/ports';
import { HEADER_LENGTH } from '@ovs-node/openflow/messages/codec';
import { colorMatch } from '@ovs-node/openflow/text/color';
import { printMessage } from '@ovs-node/openflow/text/message';
import { hex } from '@ovs-node/openflow/text/numbers';
import type { OfctlContext } from './context.js';
import { parseOrFail } from './flow-commands.js';
import { packetToBytes, plainHexDump, readFileOrInput } from './input.js';

const log = vlog('pcap');

/** The fields of a packet that came from nowhere. */
function keyOf(packet: Uint8Array, inPort: number = OFPP.ANY): FlowKey {
  const key = newKey();
  extractKey(packet, 0, packet.length, key, newOffsets());
  key[W.IN_PORT] = inPort;
  return key;
}

/** A packet's fields, in colors where there are some. */
function flowText(c: OfctlContext, key: FlowKey): string {
  const text = formatFlow(key);
  return c.colors === undefined ? text : colorMatch(text, c.colors);
}

/** compose-packet: a packet with the fields of a flow, and what is read from it when that is something else. */
export function composePacketCommand(c: OfctlContext, [text, data]: readonly string[]): number {
  const key = parseOrFail(() => parseExactFlow(text));
  // A VLAN tag without an Ethernet type of its own is one of 802.1Q.
  if ((key[W.VLAN0] & VLAN_CFI) !== 0 && key[W.VLAN0] >>> 16 === 0) key[W.VLAN0] |= 0x8100 << 16;
  const l7 = data === undefined ? undefined : packetToBytes(data);
  if (data !== undefined && l7 === undefined)
    throw new FatalError(`${data}: trailing garbage in packet data`);
  const packet = composePacket(key, l7 === undefined ? {} : { l7 });
  const extracted = keyOf(packet);
  const same = key.every((word, i) => word === extracted[i]);
  if (!same) {
    process.stderr.write(
      `specified and extracted flows differ:\nspecified: ${flowText(c, key)}\nextracted: ${flowText(c, extracted)}`,
    );
  }
  if (c.settings.pcap) {
    process.stdout.write(pcapHeader());
    process.stdout.write(pcapRecord(packet, Date.now()));
  } else {
    process.stdout.write(plainHexDump(packet));
  }
  return same ? 0 : 1;
}

/** parse-packet: the fields of the packet that is on standard input. */
export function parsePacket(c: OfctlContext): void {
  process.stdout.write(`${flowText(c, keyOf(readFileOrInput('-'), 0))}\n`);
}

const RECORD_HEADER = 16;
const PCAP_MAGICS = [0xa1b2c3d4, 0xa1b23c4d];

/** The packets of a capture file. @throws FatalError whose status is the system's number of the error */
function readCapture(file: string): PcapRecord[] {
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(byteTextPath(file));
  } catch (e) {
    const reason = strerror(errnoName(e));
    log.warn(
      isOfDirectory(e)
        ? `failed to read pcap header: ${reason}`
        : `${file}: failed to open pcap file for reading (${reason})`,
    );
    throw new FatalError(`${file}: open failed (${reason})`, os.constants.errno[errnoName(e) as 'ENOENT']);
  }
  if (bytes.length < pcapHeader().length) {
    log.warn('failed to read pcap header: End of file');
    throw new FatalError(`${file}: open failed (End of file)`, 255);
  }
  const magic = bytes.readUInt32LE(0);
  if (!PCAP_MAGICS.includes(magic) && !PCAP_MAGICS.includes(bytes.readUInt32BE(0))) {
    log.warn(
      `bad magic ${hex(magic, 8)} reading pcap file (expected 0xa1b2c3d4, 0xa1b23c4d, 0xd4c3b2a1, or 0x4d3cb2a1)`,
    );
    throw new FatalError(`${file}: open failed (${strerror('EPROTO')})`, 71);
  }
  const records = readPcap(bytes);
  const whole = records.reduce((sum, r) => sum + RECORD_HEADER + r.data.length, pcapHeader().length);
  if (whole < bytes.length) log.warn('failed to read pcap packet: End of file');
  return records;
}

/** parse-pcap: the fields of each packet of captures, a line each. The status is that of the last file that is none. */
export function parsePcap(c: OfctlContext, files: readonly string[]): number {
  let status = 0;
  for (const file of files) {
    try {
      for (const { data } of readCapture(file)) process.stdout.write(`${flowText(c, keyOf(data))}\n`);
    } catch (error) {
      if (!(error instanceof FatalError)) throw error;
      process.stderr.write(`ovs-ofctl: ${error.message}\n`);
      ({ status } = error);
    }
  }
  return status;
}

const TCP = 6;
const SYN = 2;
/** Segments that wait for one before them, at most, in one direction of one connection. */
const MAX_PENDING = 1024;

/** One direction of a TCP connection: puts segments in order. */
class TcpStream {
  private next: number | undefined;
  private readonly pending = new Map<number, Uint8Array>();
  /** What is in order and not taken yet. */
  data: Uint8Array = new Uint8Array(0);

  segment(seq: number, flags: number, payload: Uint8Array): void {
    if ((flags & SYN) !== 0) {
      this.next = (seq + 1) >>> 0;
      return;
    }
    this.next ??= seq;
    if (payload.length === 0 || this.pending.size >= MAX_PENDING) return;
    this.pending.set(seq, payload);
    for (let part = this.pending.get(this.next); part; part = this.pending.get(this.next)) {
      this.pending.delete(this.next);
      this.data = Buffer.concat([this.data, part]);
      this.next = (this.next + part.length) >>> 0;
    }
  }

  /** The next whole message, or undefined. */
  message(): Uint8Array | undefined {
    if (this.data.length < HEADER_LENGTH) return undefined;
    const length = (this.data[2] << 8) | this.data[3];
    if (length < HEADER_LENGTH) {
      // Not OpenFlow: nothing behind it can be found any more.
      this.data = new Uint8Array(0);
      return undefined;
    }
    if (this.data.length < length) return undefined;
    const message = this.data.subarray(0, length);
    this.data = this.data.subarray(length);
    return message;
  }
}

const DEFAULT_PORTS = [6633, 6653];

function ipText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** ofp-parse-pcap: the OpenFlow messages of the TCP connections in a capture. */
export function ofpParsePcap(c: OfctlContext, [file, ...portWords]: readonly string[]): void {
  const ports = portWords.length === 0 ? DEFAULT_PORTS : portWords.map((w) => Number.parseInt(w, 10) || 0);
  const streams = new Map<string, TcpStream>();
  const offsets = newOffsets();
  let records: PcapRecord[];
  try {
    records = readCapture(file);
  } catch (e) {
    throw e instanceof FatalError ? new FatalError(e.message) : e;
  }
  for (const { data, time } of records) {
    const key = newKey();
    extractKey(data, 0, data.length, key, offsets);
    if (key[W.ETH_TYPE] >>> 16 !== 0x0800 || key[W.NW] >>> 24 !== TCP) continue;
    const [from, to] = [key[W.TP] >>> 16, key[W.TP] & 0xffff];
    if (!ports.includes(from) && !ports.includes(to)) continue;
    const l4 = offsets[OFS.L4];
    const l3 = offsets[OFS.L3];
    if (l4 + 20 > data.length) continue;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const start = l4 + (data[l4 + 12] >> 4) * 4;
    const end = Math.min(data.length, l3 + view.getUint16(l3 + 2));
    const name = `${ipText(key[W.NW_SRC])}.${from} > ${ipText(key[W.NW_DST])}.${to}:`;
    let stream = streams.get(name);
    if (!stream) streams.set(name, (stream = new TcpStream()));
    stream.segment(view.getUint32(l4 + 4), data[l4 + 13], data.subarray(start, Math.max(start, end)));
    const stamp = c.settings.timestamp ? `${new Date(time).toISOString().slice(11, 23)} ` : '';
    for (let message = stream.message(); message; message = stream.message()) {
      const text = printMessage(message, c.plainOptions(1));
      process.stdout.write(`${stamp}${name}\n${text}\n`);
    }
  }
}
