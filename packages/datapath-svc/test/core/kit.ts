/** A datapath with ports that record, and requests in short form. */
import { encodeAttrs, type AttrTable, type AttrValues } from '@ovs-node/netlink/attr-table';
import { NlWriter } from '@ovs-node/netlink/attr';
import { DeviceOp } from '@ovs-node/netlink/device';
import {
  DP_ATTRS,
  DpCmd,
  Family,
  FLOW_ATTRS,
  FlowCmd,
  VPORT_ATTRS,
  VportCmd,
  WIN_CONTROL_ATTRS,
  WinControlCmd,
} from '@ovs-node/netlink/families';
import {
  beginMessage,
  endMessage,
  MsgReader,
  NlFlag,
  NlMsgType,
  readError,
} from '@ovs-node/netlink/messages';
import { DatapathCore } from '../../src/core/core.js';
import type { Datapath } from '../../src/core/datapath.js';
import type { Handle } from '../../src/core/handle.js';
import { PacketMeta } from '../../src/core/packet-meta.js';
import { HEADROOM, type PortProvider, type PortRequest, type Vport } from '../../src/core/vport.js';

/** Keeps what it is told to send, copied at the flush (as a port that sends from the ring does). */
export class RecordingPort implements PortProvider {
  readonly mac = Uint8Array.of(0xaa, 0x55, 0, 0, 0, 1);
  readonly mtu = 1500;
  readonly flags = 1;
  readonly ifindex = 0;
  vport: Vport | null = null;
  closed = false;
  readonly sent: Uint8Array[] = [];
  readonly metas: PacketMeta[] = [];
  private queue: { buf: Uint8Array; start: number; end: number }[] = [];
  start(vport: Vport): void {
    this.vport = vport;
  }
  send(buf: Uint8Array, start: number, end: number, meta: PacketMeta): void {
    this.queue.push({ buf, start, end });
    const copy = new PacketMeta();
    copy.copyFrom(meta);
    this.metas.push(copy);
  }
  flush(): void {
    for (const { buf, start, end } of this.queue) this.sent.push(buf.slice(start, end));
    this.queue = [];
  }
  close(): void {
    this.closed = true;
  }
  /** What was sent since the last call. */
  take(): string[] {
    return this.sent.splice(0).map((frame) => Buffer.from(frame).toString('hex'));
  }
}

export class Bench {
  readonly ports = new Map<string, RecordingPort>();
  readonly core: DatapathCore;
  readonly completions: { tag: number; errno: number; reply: Uint8Array }[] = [];
  readonly handle: Handle;
  now = 1_000_000;
  private seq = 1;

  constructor() {
    this.core = new DatapathCore({
      ports: {
        create: (request: PortRequest): PortProvider | number => {
          if (request.name.startsWith('bad')) return 19;
          const port = new RecordingPort();
          this.ports.set(request.name, port);
          return port;
        },
      },
    });
    this.handle = this.core.openHandle({
      complete: (tag, errno, reply) => this.completions.push({ tag, errno, reply }),
    });
  }

  /** The completion of one operation that completes at once. */
  op(op: number, request: Uint8Array): { errno: number; reply: Uint8Array } {
    const before = this.completions.length;
    this.handle.op(op, 7, request, this.now);
    if (this.completions.length !== before + 1) throw new Error('operation did not complete');
    return this.completions.pop()!;
  }

  message<T extends AttrTable>(
    type: number,
    cmd: number,
    dp: number,
    table: T,
    values: AttrValues<T>,
    flags = 0,
  ): Uint8Array {
    return requestMessage({ type, cmd, dp, flags, seq: this.seq++, pid: this.handle.pid }, table, values);
  }

  /** TRANSACT; the reply, positioned on its first message. Throws the error when it is one. */
  transact(request: Uint8Array): MsgReader {
    const { errno, reply } = this.op(DeviceOp.TRANSACT, request);
    if (errno !== 0) throw new Error(`operation: errno ${errno}`);
    const msg = new MsgReader(reply);
    if (!msg.next()) throw new Error('no reply');
    if (msg.type === NlMsgType.ERROR) {
      const { errno: error, text } = readError(msg);
      if (error !== 0) throw new Error(`errno ${error}: ${text}`);
    }
    return msg;
  }

  /** WRITE and READs up to NLMSG_DONE: all messages. */
  dump(request: Uint8Array): Uint8Array[] {
    this.op(DeviceOp.WRITE, request);
    const all: Uint8Array[] = [];
    for (;;) {
      const { errno, reply } = this.op(DeviceOp.READ, new Uint8Array(0));
      if (errno !== 0) throw new Error(`read: errno ${errno}`);
      const msg = new MsgReader(reply);
      while (msg.next()) {
        if (msg.type === NlMsgType.DONE) return all;
        if (msg.type === NlMsgType.ERROR)
          throw new Error(`errno ${readError(msg).errno}: ${readError(msg).text}`);
        all.push(msg.bytes().slice());
      }
    }
  }

  datapath(name: string): Datapath {
    const reply = this.transact(
      this.message(Family.DATAPATH, DpCmd.NEW, 0, DP_ATTRS, { NAME: name, UPCALL_PID: 0, USER_FEATURES: 3 }),
    );
    return this.core.byIndex.get(reply.dpIfindex)!;
  }

  vport(dp: Datapath, name: string, pid = this.handle.pid): RecordingPort {
    this.transact(
      this.message(Family.VPORT, VportCmd.NEW, dp.index, VPORT_ATTRS, {
        NAME: name,
        TYPE: 1,
        UPCALL_PID: [pid],
      }),
    );
    return this.ports.get(name)!;
  }

  subscribe(): void {
    this.transact(
      this.message(Family.WIN_CONTROL, WinControlCmd.PACKET_SUBSCRIBE_REQ, 0, WIN_CONTROL_ATTRS, {
        PACKET_SUBSCRIBE: 1,
        PACKET_PID: this.handle.pid,
      }),
    );
  }

  join(group: number): void {
    this.transact(
      this.message(Family.WIN_CONTROL, WinControlCmd.MC_SUBSCRIBE_REQ, 0, WIN_CONTROL_ATTRS, {
        MCAST_GRP: group,
        MCAST_JOIN: 1,
      }),
    );
  }

  flow(dp: Datapath, key: Uint8Array, mask: Uint8Array | null, actions: Uint8Array, ufid?: Uint8Array): void {
    this.transact(
      this.message(
        Family.FLOW,
        FlowCmd.NEW,
        dp.index,
        FLOW_ATTRS,
        {
          KEY: key,
          ACTIONS: actions,
          ...(mask === null ? {} : { MASK: mask }),
          ...(ufid === undefined ? {} : { UFID: ufid }),
        },
        NlFlag.CREATE,
      ),
    );
  }

  /** Receives a frame, given in hex, in a batch of its own. */
  receive(port: RecordingPort, hex: string, meta = new PacketMeta()): void {
    const frame = Buffer.from(hex, 'hex');
    const buf = new Uint8Array(HEADROOM + frame.length);
    buf.set(frame, HEADROOM);
    this.core.beginBatch(this.now);
    port.vport!.datapath.receive(port.vport!, buf, HEADROOM, buf.length, meta);
    this.core.endBatch();
  }

  /** The upcalls queued so far. */
  upcalls(): Uint8Array[] {
    const all: Uint8Array[] = [];
    while (this.handle.upcalls.length > 0) {
      const msg = new MsgReader(this.op(DeviceOp.READ_PACKET, new Uint8Array(0)).reply);
      while (msg.next()) all.push(msg.bytes().slice());
    }
    return all;
  }
}

/** A request, which is one message. */
export function requestMessage<T extends AttrTable>(
  head: { type: number; cmd: number; dp: number; flags: number; seq: number; pid: number },
  table: T,
  values: AttrValues<T>,
): Uint8Array {
  return attrs((w) => {
    const flags = NlFlag.REQUEST | head.flags;
    const mark = beginMessage(w, head.type, flags, head.seq, head.pid, head.cmd, 1, head.dp);
    encodeAttrs(w, table, values);
    endMessage(w, mark);
  });
}

/** An attribute list in one go. */
export function attrs(fill: (w: NlWriter) => void): Uint8Array {
  const w = new NlWriter();
  fill(w);
  return w.bytes();
}
