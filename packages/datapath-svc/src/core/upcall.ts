/**
 * Upcalls: the message that carries a packet to userspace (OVS_PACKET_CMD_MISS or ACTION), put into the queue of the
 * handle with the PID wanted. Made per missed packet, so it writes into one reused buffer and copies once.
 *
 * Frames whose checksum an offload was to complete are completed in the message, since no virtio header goes along.
 */
import { NlWriter } from '@ovs-node/netlink/attr';
import { Family, FamilyVersion, PACKET_ATTRS } from '@ovs-node/netlink/families';
import { encodeKey } from '@ovs-node/netlink/key';
import { beginMessage, endMessage } from '@ovs-node/netlink/messages';
import type { Datapath } from './datapath.js';
import type { Packet } from './packet.js';
import { completeChecksum } from './software-checksum.js';

/** Bytes of a frame that fit into a PACKET attribute. */
const MAX_PACKET = 65531;

export class UpcallWriter {
  private readonly dp: Datapath;
  private readonly w = new NlWriter(4096);

  constructor(dp: Datapath) {
    this.dp = dp;
  }

  /**
   * Queues an upcall for the handle `pid`; when that fails the packet is dropped and the cause counted. The packet's
   * key must be right. `cut` is the most bytes of the frame to send.
   */
  send(
    cmd: number,
    p: Packet,
    pid: number,
    userdata: Uint8Array | null,
    actions: Uint8Array,
    egressPort: number | null,
    cut: number,
  ): void {
    const dp = this.dp;
    if (pid === 0) {
      dp.drops.noHandler++;
      return;
    }
    const handle = dp.core.handle(pid);
    const size = p.end - p.start;
    const sent = cut < size ? cut : size;
    if (sent > MAX_PACKET) {
      dp.drops.upcallTooLong++;
      return;
    }
    if (handle === undefined || !handle.packetSubscribed) {
      dp.drops.upcallLost++;
      return;
    }
    if (!handle.upcalls.accepts(sent + 512)) {
      handle.upcalls.lost++;
      dp.drops.upcallLost++;
      return;
    }
    const w = this.w.reset();
    const message = beginMessage(w, Family.PACKET, 0, 0, pid, cmd, FamilyVersion.PACKET, dp.index);
    const key = w.startNested(PACKET_ATTRS.KEY.code);
    encodeKey(w, p.key, dp.core.keyEncoding);
    w.endNested(key);
    if (userdata !== null) w.putBytes(PACKET_ATTRS.USERDATA.code, userdata);
    if (actions.length > 0) w.putBytes(PACKET_ATTRS.ACTIONS.code, actions);
    // Egress tunnel information exists once there are tunnels; the attribute is left out as for any other port.
    void egressPort;
    if (sent < size) w.putU32(PACKET_ATTRS.LEN.code, size);
    const at = w.header(PACKET_ATTRS.PACKET.code, sent);
    w.buf.set(p.buf.subarray(p.start, p.start + sent), at);
    if (sent === size && p.meta.csumStart >= 0) {
      completeChecksum(w.buf, at + p.meta.csumStart, p.meta.csumOffset, at + sent);
    }
    endMessage(w, message);
    handle.upcalls.push(w.bytes());
    dp.core.markHandle(handle);
  }
}
