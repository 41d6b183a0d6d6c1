/** Commands on packets and captures, without a switch: compose-packet, parse-packet, parse-pcap, ofp-parse-pcap. */
import { FatalError } from '@ovs-node/common/errors';
import { composePacket } from '@ovs-node/flow/compose';
import { extractKey, newOffsets } from '@ovs-node/flow/extract';
import { portToOf10 } from '@ovs-node/flow/fields';
import { formatFlow, parseExactFlow } from '@ovs-node/flow/flow-text';
import { type FlowKey, newKey, VLAN_CFI, W } from '@ovs-node/flow/layout';
import { pcapHeader, pcapRecord } from '@ovs-node/flow/pcap';
import { OFPP } from '@ovs-node/flow/ports';
import { atoi } from '@ovs-node/openflow/actions/text-values';
import { HEADER_LENGTH } from '@ovs-node/openflow/messages/codec';
import { colorMatch } from '@ovs-node/openflow/text/color';
import { printMessage } from '@ovs-node/openflow/text/message';
import { explainBroken, formatPacket } from '@ovs-node/openflow/text/packet';
import { Capture } from './capture.js';
import type { OfctlContext } from './context.js';
import { parseOrFail } from './flow-commands.js';
import { packetToBytes, plainHexDump, readFileOrInput } from './input.js';
import { TcpReader, type TcpStream } from './tcp-reader.js';

/** The fields of a packet that came from nowhere; that it is broken is told of. */
function keyOf(c: OfctlContext, packet: Uint8Array): FlowKey {
  const key = newKey();
  const offsets = newOffsets();
  extractKey(packet, 0, packet.length, key, offsets);
  explainBroken(c.explain, portToOf10(OFPP.ANY), packet, key, offsets);
  key[W.IN_PORT] = OFPP.ANY;
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
  const extracted = keyOf(c, packet);
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
  process.stdout.write(formatPacket(readFileOrInput('-'), c.plainOptions(1), 0));
}

/** parse-pcap: the fields of each packet of captures, a line each. The status is that of the last file that is none. */
export function parsePcap(c: OfctlContext, files: readonly string[]): number {
  let status = 0;
  for (const file of files) {
    try {
      for (const { data } of new Capture(file).packets())
        process.stdout.write(`${flowText(c, keyOf(c, data))}\n`);
    } catch (error) {
      if (!(error instanceof FatalError)) throw error;
      process.stderr.write(`ovs-ofctl: ${error.message}\n`);
      ({ status } = error);
    }
  }
  return status;
}

const DEFAULT_PORTS = [6633, 6653];

/** Takes the next whole message from a stream; undefined when there is none, or something else is in its place. */
function takeMessage(stream: TcpStream): Uint8Array | undefined {
  const { data } = stream;
  if (data.length < HEADER_LENGTH) return undefined;
  const length = (data[2] << 8) | data[3];
  if (length < HEADER_LENGTH || data.length < length) return undefined;
  stream.data = data.subarray(length);
  return data.subarray(0, length);
}

/** ofp-parse-pcap: the OpenFlow messages of the TCP connections in a capture. */
export function ofpParsePcap(c: OfctlContext, [file, ...portWords]: readonly string[]): void {
  const ports = new Set(portWords.length === 0 ? DEFAULT_PORTS : portWords.map(atoi));
  const reader = new TcpReader((port) => ports.has(port), c.explain);
  let capture: Capture;
  try {
    capture = new Capture(file);
  } catch (e) {
    throw e instanceof FatalError ? new FatalError(e.message) : e;
  }
  let isFirst = true;
  try {
    for (const { data, time } of capture.packets()) {
      const stream = reader.add(data);
      if (!stream) continue;
      const stamp = c.settings.timestamp ? `${new Date(time).toISOString().slice(11, 23)} ` : '';
      for (let message = takeMessage(stream); message; message = takeMessage(stream)) {
        process.stdout.write(`${isFirst ? '' : '\n'}${stamp}${stream.name}:\n`);
        process.stdout.write(printMessage(message, c.plainOptions(1)));
        isFirst = false;
      }
    }
  } catch (e) {
    // A packet that cannot be one was told of, and ends them, no more.
    if (!(e instanceof FatalError)) throw e;
  }
}
