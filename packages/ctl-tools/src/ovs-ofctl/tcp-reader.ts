/**
 * Data of TCP connections in a capture, put together no further than the peer's tool does: segments in their order
 * count, those that come early, again or with the connection's end do not.
 */
import { extractKey, newOffsets, OFS } from '@ovs-node/flow/extract';
import { newKey, W } from '@ovs-node/flow/layout';
import { OFPP } from '@ovs-node/flow/ports';
import type { Explain } from '@ovs-node/openflow/explain';
import { explainBroken } from '@ovs-node/openflow/text/packet';

const IPV4 = 0x0800;
const TCP = 6;
const TCP_HEADER = 20;
const FIN = 1;
const SYN = 2;
const RST = 4;

/** One direction of a connection. */
export interface TcpStream {
  readonly name: string;
  /** What came in order and was not taken yet. */
  data: Uint8Array;
  /** The number of the byte to come. */
  next: number;
}

function ipText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

export class TcpReader {
  private readonly streams = new Map<string, TcpStream>();
  private readonly isWanted: (port: number) => boolean;
  private readonly explain: Explain;

  /** @param isWanted whether connections of a port are looked at; `explain` is told of packets that are broken */
  constructor(isWanted: (port: number) => boolean, explain: Explain) {
    this.isWanted = isWanted;
    this.explain = explain;
  }

  /** Takes a frame in; gives the stream that it carries on, if it does. */
  add(frame: Uint8Array): TcpStream | undefined {
    const key = newKey();
    const offsets = newOffsets();
    extractKey(frame, 0, frame.length, key, offsets);
    explainBroken(this.explain, OFPP.ANY, frame, key, offsets);
    if (key[W.ETH_TYPE] >>> 16 !== IPV4 || key[W.NW] >>> 24 !== TCP) return undefined;
    const [from, to] = [key[W.TP] >>> 16, key[W.TP] & 0xffff];
    if (!this.isWanted(from) && !this.isWanted(to)) return undefined;
    const l4 = offsets[OFS.L4];
    const end = offsets[OFS.END];
    if (l4 < 0 || end - l4 < TCP_HEADER) return undefined;
    const header = (frame[l4 + 12] >> 4) * 4;
    if (header < TCP_HEADER || header > end - l4) return undefined;
    const name = `${ipText(key[W.NW_SRC])}.${from} > ${ipText(key[W.NW_DST])}.${to}`;
    const seq = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(l4 + 4);
    return this.segment(name, seq, frame[l4 + 13], frame.subarray(l4 + header, end));
  }

  private segment(name: string, seq: number, flags: number, payload: Uint8Array): TcpStream | undefined {
    const isStart = (flags & SYN) !== 0;
    let stream = this.streams.get(name);
    if (!stream) {
      if (!isStart && payload.length === 0) return undefined;
      stream = { name, data: new Uint8Array(0), next: isStart ? (seq + 1) >>> 0 : seq };
      this.streams.set(name, stream);
    }
    // A number of 0 stands for none with the peer.
    if (isStart || stream.next === 0) {
      stream.data = new Uint8Array(0);
      stream.next = (seq + 1) >>> 0;
      return undefined;
    }
    if ((flags & (FIN | RST)) !== 0) {
      this.streams.delete(name);
      return undefined;
    }
    if (seq !== stream.next) return undefined;
    stream.data = Buffer.concat([stream.data, payload]);
    stream.next = (seq + payload.length) >>> 0;
    return stream;
  }
}
