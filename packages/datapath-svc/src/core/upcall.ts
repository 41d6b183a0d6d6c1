/**
 * Upcalls: the message that carries a packet to userspace (OVS_PACKET_CMD_MISS or ACTION), put into the queue of the
 * handle with the PID wanted. Made per missed packet, so it writes into one reused buffer and copies once.
 *
 * No virtio header goes along: a checksum that an offload was to complete is completed in the message, and a giant
 * frame goes up as its segments, one upcall each (as in Linux), since userspace sends back what it gets.
 */
import { NlWriter } from '@ovs-node/netlink/attr';
import { Family, FamilyVersion, PACKET_ATTRS } from '@ovs-node/netlink/families';
import { encodeKey } from '@ovs-node/netlink/key';
import { beginMessage, endMessage } from '@ovs-node/netlink/messages';
import { completeChecksum } from '../offload/checksum.js';
import { Segmenter } from '../offload/segment.js';
import type { Datapath } from './datapath.js';
import type { Handle } from './handle.js';
import type { Packet } from './packet.js';
import { Gso } from './packet-meta.js';

/** Bytes of a frame that fit into a PACKET attribute. */
const MAX_PACKET = 65531;
/** What a message has beside frame, user data and actions, at most. */
const OVERHEAD = 512;

/** What an upcall carries beside the packet. */
export interface UpcallArgs {
  /** PacketCmd.MISS or ACTION. */
  readonly cmd: number;
  readonly userdata: Uint8Array | null;
  /** Empty when the actions are not wanted. */
  readonly actions: Uint8Array;
}

export class UpcallWriter {
  private readonly dp: Datapath;
  private readonly w = new NlWriter(4096);
  private readonly segmenter = new Segmenter();
  private segment = new Uint8Array(2048);

  constructor(dp: Datapath) {
    this.dp = dp;
  }

  /**
   * Queues an upcall for the handle `pid`; when that fails the packet is dropped and the cause counted. The packet's
   * key must be right. `cut` is the most bytes of the frame to send.
   */
  send(args: UpcallArgs, p: Packet, pid: number, cut: number): void {
    const { drops } = this.dp;
    if (pid === 0) {
      drops.noHandler++;
      return;
    }
    const handle = this.dp.core.handle(pid);
    if (handle === undefined || !handle.packetSubscribed) {
      drops.upcallLost++;
      return;
    }
    const size = p.end - p.start;
    const { meta } = p;
    if (cut >= size && meta.gsoType !== Gso.NONE && this.segmenter.begin(p.buf, p.start, p.end, meta)) {
      if (this.segment.length < this.segmenter.maxLength)
        this.segment = new Uint8Array(this.segmenter.maxLength);
      for (let n = this.segmenter.next(this.segment, 0); n > 0; n = this.segmenter.next(this.segment, 0)) {
        this.queue(handle, args, p, this.segment, 0, n, n, -1, 0);
      }
      return;
    }
    const sent = cut < size ? cut : size;
    if (sent > MAX_PACKET) {
      drops.upcallTooLong++;
      return;
    }
    this.queue(
      handle,
      args,
      p,
      p.buf,
      p.start,
      sent,
      size,
      sent === size ? meta.csumStart : -1,
      meta.csumOffset,
    );
  }

  /** Queues `sent` bytes from `buf[from]` of a frame of `size`, its checksum completed when `csumStart` is not -1. */
  private queue(
    handle: Handle,
    args: UpcallArgs,
    p: Packet,
    buf: Uint8Array,
    from: number,
    sent: number,
    size: number,
    csumStart: number,
    csumOffset: number,
  ): void {
    const { dp } = this;
    const { userdata, actions } = args;
    const extra = (userdata === null ? 0 : userdata.length) + actions.length;
    if (!handle.upcalls.accepts(sent + extra + OVERHEAD)) {
      handle.upcalls.lost++;
      dp.drops.upcallLost++;
      return;
    }
    const w = this.w.reset();
    const message = beginMessage(
      w,
      Family.PACKET,
      0,
      0,
      handle.pid,
      args.cmd,
      FamilyVersion.PACKET,
      dp.index,
    );
    const key = w.startNested(PACKET_ATTRS.KEY.code);
    encodeKey(w, p.key, dp.core.keyEncoding);
    w.endNested(key);
    if (userdata !== null) w.putBytes(PACKET_ATTRS.USERDATA.code, userdata);
    if (actions.length > 0) w.putBytes(PACKET_ATTRS.ACTIONS.code, actions);
    if (sent < size) w.putU32(PACKET_ATTRS.LEN.code, size);
    if (p.recircs > 0) w.putU8(PACKET_ATTRS.RECIRCS.code, p.recircs);
    if (p.hasInHash) w.putU64n(PACKET_ATTRS.HASH.code, p.inHash >>> 0);
    const at = w.header(PACKET_ATTRS.PACKET.code, sent);
    w.buf.set(buf.subarray(from, from + sent), at);
    if (csumStart >= 0 && csumStart + csumOffset + 2 <= sent) {
      completeChecksum(w.buf, at + csumStart, at + sent, at + csumStart + csumOffset);
    }
    endMessage(w, message);
    handle.upcalls.push(w.bytes());
    dp.core.markHandle(handle);
  }
}
