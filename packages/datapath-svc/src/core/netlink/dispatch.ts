/**
 * Requests of a handle to the code that answers them, by a table: family, command, the device operations that may
 * carry it, and its handler. A command by an operation that is not in its row is refused and changes nothing.
 *
 * A TRANSACT may carry several messages; they are run in order and their replies follow each other, so a batch of
 * flow changes costs one operation. A message that has no reply of its own is acknowledged by an NLMSG_ERROR of 0.
 */
import { NetlinkError, NlWriter } from '@ovs-node/netlink/attr';
import { CtCmd } from '@ovs-node/netlink/conntrack-attrs';
import { DeviceOp } from '@ovs-node/netlink/device';
import {
  CtLimitCmd,
  DpCmd,
  Family,
  FlowCmd,
  MeterCmd,
  PacketCmd,
  VportCmd,
  WinControlCmd,
  WinNetdevCmd,
} from '@ovs-node/netlink/families';
import { ctMsgType, isCtMsgType, MsgReader, putError } from '@ovs-node/netlink/messages';
import { Errno } from '../errno.js';
import type { Dump, Handle } from '../handle.js';
import { ctDelete, ctGet, ctGetStats } from './conntrack.js';
import { dpDel, dpGet, dpNew, dpSet } from './datapath.js';
import { flowDel, flowGet, flowNew, flowSet } from './flow.js';
import { meterDel, meterFeatures, meterGet, meterSet } from './meter.js';
import { nicGet } from './nic.js';
import { packetExecute } from './packet.js';
import { type Handler, ReadyDump, Request } from './request.js';
import { vportDel, vportGet, vportNew, vportSet } from './vport.js';
import { mcSubscribe, packetSubscribe, pend, sockProp } from './win-control.js';
import { netdevGet, netdevSet } from './win-netdev.js';

/** By WRITE (then READ), by TRANSACT, or by both. */
const WRITE = 1;
const TRANSACT = 2;

interface Row {
  readonly type: number;
  readonly cmd: number;
  readonly ops: number;
  readonly run: Handler;
}

const unsupported =
  (what: string): Handler =>
  () => {
    throw new NetlinkError(Errno.EOPNOTSUPP, `${what} are not supported by this datapath yet`);
  };
const ctLimit = unsupported('conntrack zone limits');

const ROWS: readonly Row[] = [
  { type: Family.WIN_CONTROL, cmd: WinControlCmd.WIN_PEND_REQ, ops: WRITE | TRANSACT, run: pend },
  { type: Family.WIN_CONTROL, cmd: WinControlCmd.WIN_PEND_PACKET_REQ, ops: WRITE | TRANSACT, run: pend },
  { type: Family.WIN_CONTROL, cmd: WinControlCmd.MC_SUBSCRIBE_REQ, ops: WRITE | TRANSACT, run: mcSubscribe },
  {
    type: Family.WIN_CONTROL,
    cmd: WinControlCmd.PACKET_SUBSCRIBE_REQ,
    ops: WRITE | TRANSACT,
    run: packetSubscribe,
  },
  { type: Family.WIN_CONTROL, cmd: WinControlCmd.SOCK_PROP, ops: TRANSACT, run: sockProp },
  { type: Family.DATAPATH, cmd: DpCmd.NEW, ops: TRANSACT, run: dpNew },
  { type: Family.DATAPATH, cmd: DpCmd.DEL, ops: TRANSACT, run: dpDel },
  { type: Family.DATAPATH, cmd: DpCmd.GET, ops: WRITE | TRANSACT, run: dpGet },
  { type: Family.DATAPATH, cmd: DpCmd.SET, ops: TRANSACT, run: dpSet },
  { type: Family.PACKET, cmd: PacketCmd.EXECUTE, ops: TRANSACT, run: packetExecute },
  { type: Family.VPORT, cmd: VportCmd.NEW, ops: TRANSACT, run: vportNew },
  { type: Family.VPORT, cmd: VportCmd.DEL, ops: TRANSACT, run: vportDel },
  { type: Family.VPORT, cmd: VportCmd.GET, ops: WRITE | TRANSACT, run: vportGet },
  { type: Family.VPORT, cmd: VportCmd.SET, ops: TRANSACT, run: vportSet },
  { type: Family.FLOW, cmd: FlowCmd.NEW, ops: TRANSACT, run: flowNew },
  { type: Family.FLOW, cmd: FlowCmd.SET, ops: TRANSACT, run: flowSet },
  { type: Family.FLOW, cmd: FlowCmd.DEL, ops: TRANSACT, run: flowDel },
  { type: Family.FLOW, cmd: FlowCmd.GET, ops: WRITE | TRANSACT, run: flowGet },
  { type: Family.WIN_NETDEV, cmd: WinNetdevCmd.GET, ops: WRITE | TRANSACT, run: netdevGet },
  { type: Family.WIN_NETDEV, cmd: WinNetdevCmd.SET, ops: TRANSACT, run: netdevSet },
  { type: Family.WIN_NETDEV, cmd: WinNetdevCmd.NIC_GET, ops: WRITE, run: nicGet },
  { type: ctMsgType(CtCmd.GET), cmd: 0, ops: WRITE | TRANSACT, run: ctGet },
  { type: ctMsgType(CtCmd.DELETE), cmd: 0, ops: TRANSACT, run: ctDelete },
  { type: ctMsgType(CtCmd.GET_STATS), cmd: 0, ops: TRANSACT, run: ctGetStats },
  { type: Family.CT_LIMIT, cmd: CtLimitCmd.SET, ops: TRANSACT, run: ctLimit },
  { type: Family.CT_LIMIT, cmd: CtLimitCmd.DEL, ops: TRANSACT, run: ctLimit },
  { type: Family.CT_LIMIT, cmd: CtLimitCmd.GET, ops: WRITE | TRANSACT, run: ctLimit },
  { type: Family.METER, cmd: MeterCmd.FEATURES, ops: TRANSACT, run: meterFeatures },
  { type: Family.METER, cmd: MeterCmd.SET, ops: TRANSACT, run: meterSet },
  { type: Family.METER, cmd: MeterCmd.DEL, ops: TRANSACT, run: meterDel },
  { type: Family.METER, cmd: MeterCmd.GET, ops: WRITE | TRANSACT, run: meterGet },
];

/** Conntrack's commands are in the message type; their `cmd` byte is an address family. */
const rowKey = (type: number, cmd: number): number => (isCtMsgType(type) ? type << 8 : (type << 8) | cmd);
const TABLE = new Map<number, Row>(ROWS.map((row) => [rowKey(row.type, row.cmd), row]));

const EMPTY = new Uint8Array(0);
/** Messages in one operation: their replies come in one piece, which this bounds. */
export const MAX_MESSAGES = 1024;

/** How many messages there are, or -1 when the bytes are not a run of messages. */
function countMessages(bytes: Uint8Array): number {
  const msg = new MsgReader(bytes);
  let count = 0;
  while (msg.next()) count++;
  return msg.malformed ? -1 : count;
}

/**
 * Runs the netlink request of a WRITE or TRANSACT. Returns the reply's bytes (empty for a WRITE that began no dump), a
 * `Dump` that READ will read, or a positive errno of the operation itself: EINVAL no messages, E2BIG more than
 * `MAX_MESSAGES`, and whatever a WRITE without a dump failed with. Never throws.
 */
export function dispatch(handle: Handle, op: number, bytes: Uint8Array): Uint8Array | Dump | number {
  const count = countMessages(bytes);
  if (count <= 0) return Errno.EINVAL;
  if (count > MAX_MESSAGES) return Errno.E2BIG;
  const msg = new MsgReader(bytes);
  const w = new NlWriter(512);
  const request = new Request(handle, msg, w);
  let dump: Dump | null = null;
  while (msg.next()) {
    const before = w.length;
    try {
      const made = runOne(request, op);
      if (made !== null) dump = made;
      else if (op === DeviceOp.TRANSACT && w.length === before) putError(w, msg.bytes(), 0);
    } catch (error) {
      w.truncate(before);
      const errno = error instanceof NetlinkError ? error.errno : Errno.EINVAL;
      // Nobody will read the reply of a WRITE that begins no dump: the operation itself fails.
      if (op !== DeviceOp.TRANSACT && !request.isDump) return errno;
      putError(w, msg.bytes(), errno, error instanceof Error ? error.message : String(error));
    }
  }
  if (op === DeviceOp.TRANSACT) return w.bytes();
  if (w.length > 0) return new ReadyDump(w.bytes());
  return dump ?? EMPTY;
}

function runOne(request: Request, op: number): Dump | null {
  const { msg } = request;
  if (!msg.hasBody) throw new NetlinkError(Errno.EINVAL, 'netlink request is shorter than its headers');
  const row = TABLE.get(rowKey(msg.type, msg.cmd));
  if (row === undefined)
    throw new NetlinkError(Errno.EOPNOTSUPP, `unknown request: type ${msg.type}, command ${msg.cmd}`);
  if ((row.ops & (op === DeviceOp.WRITE ? WRITE : TRANSACT)) === 0) {
    throw new NetlinkError(Errno.EOPNOTSUPP, 'request is not valid for this device operation');
  }
  const dump = row.run(request) ?? null;
  if (dump !== null && op === DeviceOp.TRANSACT) {
    throw new NetlinkError(Errno.EOPNOTSUPP, 'a dump must be begun by WRITE');
  }
  return dump;
}
