/** Requests to a datapath behind a `Device`, in short form. */
import { Act } from '@ovs-node/netlink/action-attrs';
import { type AttrTable, type AttrValues, decodeAttrs } from '@ovs-node/netlink/attr-table';
import type { Device, DeviceHandle } from '@ovs-node/netlink/device';
import {
  DP_ATTRS,
  DpCmd,
  Family,
  FLOW_ATTRS,
  FlowCmd,
  PACKET_ATTRS,
  VPORT_ATTRS,
  VportCmd,
  WIN_CONTROL_ATTRS,
  WinControlCmd,
} from '@ovs-node/netlink/families';
import { ATTRS_OFFSET, MsgReader, NlFlag, NlMsgType, readError } from '@ovs-node/netlink/messages';
import { encodePortOptions } from '../../src/ports/options.js';
import { attrs, requestMessage } from '../core/kit.js';

export class Client {
  readonly handle: DeviceHandle;
  #dp = 0;
  #seq = 1;

  private constructor(handle: DeviceHandle) {
    this.handle = handle;
  }

  /** A handle with upcalls subscribed, and the datapath `name` made. */
  static async open(device: Device, name: string): Promise<Client> {
    const client = new Client(await device.open());
    const reply = await client.#transact(Family.DATAPATH, DpCmd.NEW, DP_ATTRS, {
      NAME: name,
      UPCALL_PID: 0,
      USER_FEATURES: 3,
    });
    client.#dp = readIndex(reply);
    await client.#transact(Family.WIN_CONTROL, WinControlCmd.PACKET_SUBSCRIBE_REQ, WIN_CONTROL_ATTRS, {
      PACKET_SUBSCRIBE: 1,
      PACKET_PID: client.handle.pid,
    });
    return client;
  }

  /** Adds a port; its number. Rejects with `errno N`. */
  async port(name: string, type: number, options: Record<string, string> = {}): Promise<number> {
    const payload = encodePortOptions(Object.entries(options));
    const reply = await this.#transact(Family.VPORT, VportCmd.NEW, VPORT_ATTRS, {
      NAME: name,
      TYPE: type,
      UPCALL_PID: [this.handle.pid],
      ...(payload.length > 0 ? { OPTIONS: payload } : {}),
    });
    return decodeAttrs(VPORT_ATTRS, reply, ATTRS_OFFSET).PORT_NO!;
  }

  delPort(portNo: number): Promise<Uint8Array> {
    return this.#transact(Family.VPORT, VportCmd.DEL, VPORT_ATTRS, { PORT_NO: portNo });
  }

  /** The next upcall: its packet in hexadecimal and its key. */
  async upcall(): Promise<{ packet: string; key: Uint8Array }> {
    const message = await this.handle.readPacket();
    const { PACKET, KEY } = decodeAttrs(PACKET_ATTRS, message, ATTRS_OFFSET);
    return { packet: Buffer.from(PACKET!).toString('hex'), key: KEY! };
  }

  /** A flow that sends what matches `key` exactly to `port`. */
  forward(key: Uint8Array, port: number): Promise<Uint8Array> {
    const actions = attrs((w) => w.putU32(Act.OUTPUT, port));
    return this.#transact(
      Family.FLOW,
      FlowCmd.NEW,
      FLOW_ATTRS,
      { KEY: key, ACTIONS: actions },
      NlFlag.CREATE,
    );
  }

  async #transact<T extends AttrTable>(
    family: number,
    cmd: number,
    table: T,
    values: AttrValues<T>,
    flags = 0,
  ): Promise<Uint8Array> {
    const head = { type: family, cmd, dp: this.#dp, flags, seq: this.#seq++, pid: this.handle.pid };
    const reply = await this.handle.transact(requestMessage(head, table, values));
    const msg = new MsgReader(reply);
    if (msg.next() && msg.type === NlMsgType.ERROR) {
      const { errno } = readError(msg);
      if (errno !== 0) throw new Error(`errno ${errno}`);
    }
    return reply;
  }
}

function readIndex(reply: Uint8Array): number {
  const msg = new MsgReader(reply);
  msg.next();
  return msg.dpIfindex;
}
