/** ovs_packet: EXECUTE, a packet that userspace sends through actions. */
import { DP_WORDS, W } from '@ovs-node/flow/layout';
import { NetlinkError, NlReader } from '@ovs-node/netlink/attr';
import { PACKET_ATTRS } from '@ovs-node/netlink/families';
import { keyOf } from '@ovs-node/netlink/key';
import { compileActions } from '../actions/compile.js';
import { Errno } from '../errno.js';
import { PacketMeta } from '../packet-meta.js';
import { HEADROOM } from '../vport.js';
import type { Request } from './request.js';

const ETH_HLEN = 14;

/**
 * Runs ACTIONS on PACKET with the metadata of KEY (in_port, recirc_id, marks, ct fields, tunnel); what the headers
 * say is read from the packet. All three are required. RECIRCS says how often the packet has come back to the flow table,
 * MORE_ACTIONS are actions that follow, and HASH is what `hash` goes by.
 */
export function packetExecute(request: Request): void {
  const attrs = request.attrs(PACKET_ATTRS);
  const bytes = attrs.PACKET;
  if (bytes === undefined || attrs.KEY === undefined || attrs.ACTIONS === undefined) {
    throw new NetlinkError(Errno.EINVAL, 'execute needs PACKET, KEY and ACTIONS');
  }
  const dp = request.datapath();
  const key = keyOf(attrs.KEY);
  if (bytes.length < (key[W.PACKET_TYPE] === 0 ? ETH_HLEN : 1))
    throw new NetlinkError(Errno.EINVAL, `execute: a packet of ${bytes.length} bytes`);
  const { core } = request;
  const at = core.arena.alloc(HEADROOM + bytes.length) + HEADROOM;
  core.arena.buffer.set(bytes, at);
  const p = dp.context(0);
  p.reset(core.arena.buffer, at, at + bytes.length, new PacketMeta(), 0);
  p.headroom = HEADROOM;
  p.recircs = attrs.RECIRCS ?? 0;
  p.hasInHash = attrs.HASH !== undefined;
  p.inHash = Number(BigInt.asIntN(32, attrs.HASH ?? 0n));
  p.setMetadata(key.subarray(0, DP_WORDS));
  const actions = attrs.MORE_ACTIONS === undefined ? attrs.ACTIONS : wholeActions(request);
  dp.execute(compileActions(actions, p.key), p, actions);
}

/** ACTIONS and all that follows them. */
function wholeActions({ msg }: Request): Uint8Array {
  const { ACTIONS, MORE_ACTIONS } = PACKET_ATTRS;
  const parts: Uint8Array[] = [];
  const reader = new NlReader(msg.buf, msg.attrs, msg.end);
  while (reader.next())
    if (reader.type === ACTIONS.code || reader.type === MORE_ACTIONS.code) parts.push(reader.bytes());
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
