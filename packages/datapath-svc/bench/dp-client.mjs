// Requests to a datapath through a handle of the pseudo device, in short form: for measurements and trials without
// vswitchd. Flows match on the input port and the Ethernet type.
import { NlWriter } from '@ovs-node/netlink/attr';
import { decodeAttrs, encodeAttrs } from '@ovs-node/netlink/attr-table';
import { Act } from '@ovs-node/netlink/action-attrs';
import {
  DP_ATTRS,
  DpCmd,
  Family,
  FLOW_ATTRS,
  FlowCmd,
  VPORT_ATTRS,
  VportCmd,
} from '@ovs-node/netlink/families';
import {
  ATTRS_OFFSET,
  beginMessage,
  endMessage,
  MsgReader,
  NlFlag,
  NlMsgType,
  readError,
} from '@ovs-node/netlink/messages';
import { encodePortOptions } from '../dist/src/ports/options.js';

export class DpClient {
  #seq = 1;
  constructor(handle) {
    this.handle = handle;
  }

  async transact(type, cmd, dp, table, values, flags = 0) {
    const w = new NlWriter();
    const mark = beginMessage(w, type, NlFlag.REQUEST | flags, this.#seq++, this.handle.pid, cmd, 1, dp);
    encodeAttrs(w, table, values);
    endMessage(w, mark);
    const reply = await this.handle.transact(w.bytes());
    const msg = new MsgReader(reply);
    if (!msg.next()) throw new Error('empty reply');
    if (msg.type === NlMsgType.ERROR) {
      const { errno, text } = readError(msg);
      if (errno !== 0) throw new Error(`errno ${errno} ${text}`);
      return undefined;
    }
    return { dpIfindex: msg.dpIfindex, attrs: decodeAttrs(table, reply, ATTRS_OFFSET, reply.length) };
  }

  async datapath(name) {
    const reply = await this.transact(Family.DATAPATH, DpCmd.NEW, 0, DP_ATTRS, {
      NAME: name,
      UPCALL_PID: 0,
      USER_FEATURES: 3,
    });
    return reply.dpIfindex;
  }

  async port(dp, name, type, options = {}) {
    const payload = encodePortOptions(Object.entries(options));
    const reply = await this.transact(Family.VPORT, VportCmd.NEW, dp, VPORT_ATTRS, {
      NAME: name,
      TYPE: type,
      UPCALL_PID: [this.handle.pid],
      ...(payload.length > 0 ? { OPTIONS: payload } : {}),
    });
    return reply.attrs.PORT_NO;
  }

  delPort(dp, portNo) {
    return this.transact(Family.VPORT, VportCmd.DEL, dp, VPORT_ATTRS, { PORT_NO: portNo });
  }

  getPort(dp, portNo) {
    return this.transact(Family.VPORT, VportCmd.GET, dp, VPORT_ATTRS, { PORT_NO: portNo });
  }

  /** One megaflow: in_port and eth_type to `actions`, a function that writes them. */
  flow(dp, inPort, ethType, actions, extra = () => {}, extraMask = () => {}) {
    const list = (fill) => {
      const w = new NlWriter();
      fill(w);
      return w.bytes();
    };
    const key = list((w) => {
      w.putU32(3, inPort);
      w.putBytes(4, new Uint8Array(12));
      w.putBe16(6, ethType);
      if (ethType === 0x0800) w.putBytes(7, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 250, 0, 0, 0));
      if (ethType === 0x86dd) w.putBytes(8, new Uint8Array(40).fill(250, 36, 37));
      if (ethType === 0x0806) w.putBytes(13, new Uint8Array(24));
      extra(w);
    });
    const mask = list((w) => {
      w.putU32(3, 0xffffffff);
      w.putBytes(4, new Uint8Array(12));
      w.putBe16(6, 0xffff);
      if (ethType === 0x0800) w.putBytes(7, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff));
      if (ethType === 0x86dd) w.putBytes(8, new Uint8Array(40).fill(0xff, 39));
      extraMask(w);
    });
    return this.transact(
      Family.FLOW,
      FlowCmd.NEW,
      dp,
      FLOW_ATTRS,
      { KEY: key, MASK: mask, ACTIONS: list(actions) },
      NlFlag.CREATE,
    );
  }

  /** All IPv4 and ARP (and, with `v6`, IPv6) between two ports, both ways. */
  async cross(dp, a, b, v6 = false) {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      for (const type of v6 ? [0x0800, 0x0806, 0x86dd] : [0x0800, 0x0806])
        await this.flow(dp, from, type, (w) => w.putU32(Act.OUTPUT, to));
    }
  }
}
