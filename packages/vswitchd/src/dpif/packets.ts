/**
 * The packets facet: upcalls from, and packets to, the datapath.
 *
 * Upcalls come over a handle of their own. `READS` reads are kept pending, so that the next batch is on its way while
 * one is handled; a batch is all that was queued when its read was answered. The queue itself is the datapath's, is
 * bounded there, and overflows there when we are too slow ("lost" in `ovs-dpctl show`).
 */
import { coverageCounter } from '@ovs-node/common/coverage';
import { NLA_MAX_PAYLOAD, NlReader, NlWriter } from '@ovs-node/netlink/attr';
import { encodeAttrs } from '@ovs-node/netlink/attr-table';
import { type Device, DeviceError, type DeviceHandle } from '@ovs-node/netlink/device';
import {
  Family,
  FamilyVersion,
  PACKET_ATTRS,
  PacketCmd,
  WIN_CONTROL_ATTRS,
  WinControlCmd,
} from '@ovs-node/netlink/families';
import { type KeyEncoding, keyOf } from '@ovs-node/netlink/key';
import { MsgReader, NlFlag, beginMessage, endMessage } from '@ovs-node/netlink/messages';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { putKey } from './flows.js';
import type { Ports } from './ports.js';
import type { DpifPackets, Execute, Outcome, Upcall } from './provider.js';
import { type NetlinkSession, deviceError } from './session.js';

const log = vlog('dpif_netlink');
const rateLimit = new RateLimit(5, 5);
const READS = 2;
const EMPTY = new Uint8Array(0);

const executed = coverageCounter('dpif_execute');

/**
 * Decodes the packet message at which `msg` stands into an upcall, or null if it is none (a foreign or malformed
 * message, which is logged). The upcall's byte arrays are views of the message.
 */
export function upcallOf(msg: MsgReader): Upcall | null {
  if (
    msg.type !== Family.PACKET ||
    !msg.hasBody ||
    (msg.cmd !== PacketCmd.MISS && msg.cmd !== PacketCmd.ACTION)
  ) {
    return null;
  }
  const r = new NlReader(msg.buf, msg.attrs, msg.end);
  let packet: Uint8Array | null = null;
  let keyAttrs: Uint8Array = EMPTY;
  let userdata: Uint8Array = EMPTY;
  let actions: Uint8Array | undefined;
  let mru = 0;
  let length = -1;
  let recircs = 0;
  let hash: number | undefined;
  while (r.next()) {
    switch (r.type) {
      case PACKET_ATTRS.PACKET.code:
        packet = r.bytes();
        break;
      case PACKET_ATTRS.KEY.code:
        keyAttrs = r.bytes();
        break;
      case PACKET_ATTRS.USERDATA.code:
        userdata = r.bytes();
        break;
      case PACKET_ATTRS.ACTIONS.code:
        actions = r.bytes();
        break;
      case PACKET_ATTRS.MRU.code:
        if (r.length === 2) mru = r.u16();
        break;
      case PACKET_ATTRS.LEN.code:
        if (r.length === 4) length = r.u32();
        break;
      case PACKET_ATTRS.RECIRCS.code:
        if (r.length === 1) recircs = r.u8();
        break;
      case PACKET_ATTRS.HASH.code:
        if (r.length === 8) hash = r.u64n();
        break;
    }
  }
  if (r.malformed || packet === null) {
    log.warnRl(rateLimit, 'upcall without a packet from the datapath');
    return null;
  }
  try {
    return {
      type: msg.cmd === PacketCmd.MISS ? 'miss' : 'action',
      packet,
      key: keyOf(keyAttrs),
      keyAttrs,
      userdata,
      actions,
      mru,
      length: length < 0 ? packet.length : length,
      recircs,
      hash,
    };
  } catch (error) {
    log.warnRl(rateLimit, `bad flow key in upcall from the datapath (${(error as Error).message})`);
    return null;
  }
}

/** As one attribute, or several where none is long enough. */
function putActions(w: NlWriter, actions: Uint8Array): void {
  w.putBytes(PACKET_ATTRS.ACTIONS.code, actions.subarray(0, NLA_MAX_PAYLOAD));
  for (let at = NLA_MAX_PAYLOAD; at < actions.length; at += NLA_MAX_PAYLOAD)
    w.putBytes(PACKET_ATTRS.MORE_ACTIONS.code, actions.subarray(at, at + NLA_MAX_PAYLOAD));
}

export class Packets implements DpifPackets {
  readonly #session: NetlinkSession;
  readonly #device: Device;
  readonly #index: number;
  readonly #ports: Ports;
  readonly #encoding: KeyEncoding;
  #handle: DeviceHandle | null = null;
  #closed = false;

  constructor(session: NetlinkSession, device: Device, index: number, ports: Ports, encoding: KeyEncoding) {
    this.#session = session;
    this.#device = device;
    this.#index = index;
    this.#ports = ports;
    this.#encoding = encoding;
  }

  async start(listener: (upcalls: Upcall[]) => void): Promise<void> {
    if (this.#handle !== null) throw new Error('upcalls are being received already');
    try {
      const handle = await this.#device.open();
      this.#handle = handle;
      handle.onClose(() => {
        if (!this.#closed) this.#session.close();
      });
      if (this.#closed) {
        handle.close();
        return;
      }
      const w = new NlWriter();
      const mark = beginMessage(
        w,
        Family.WIN_CONTROL,
        NlFlag.REQUEST,
        1,
        handle.pid,
        WinControlCmd.PACKET_SUBSCRIBE_REQ,
        FamilyVersion.WIN_CONTROL,
        this.#index,
      );
      encodeAttrs(w, WIN_CONTROL_ATTRS, { PACKET_SUBSCRIBE: 1, PACKET_PID: handle.pid });
      endMessage(w, mark);
      await handle.write(w.bytes());
      for (let i = 0; i < READS; i++) void this.#receive(handle, listener);
      await this.#ports.setUpcallPids([handle.pid]);
    } catch (error) {
      throw deviceError(error);
    }
  }

  pid(_portNo: number): number {
    return this.#handle?.pid ?? 0;
  }

  async #receive(handle: DeviceHandle, listener: (upcalls: Upcall[]) => void): Promise<void> {
    const msg = new MsgReader();
    for (;;) {
      try {
        msg.reset(await handle.readPacket());
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        // Closing tells the rest of the dpif that it is over.
        handle.close();
        return;
      }
      const upcalls: Upcall[] = [];
      while (msg.next()) {
        const upcall = msg.dpIfindex === this.#index ? upcallOf(msg) : null;
        if (upcall !== null) upcalls.push(upcall);
      }
      if (upcalls.length === 0 || this.#closed) continue;
      try {
        listener(upcalls);
      } catch (error) {
        // A fault in the handling of one batch must not end the handling of all others.
        log.err(`upcall handler failed: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
  }

  async execute(execution: Execute): Promise<void> {
    executed.total++;
    const head = {
      type: Family.PACKET,
      cmd: PacketCmd.EXECUTE,
      version: FamilyVersion.PACKET,
      dpIfindex: this.#index,
    };
    await this.#session.transact(head, (w) => {
      w.putBytes(PACKET_ATTRS.PACKET.code, execution.packet);
      putKey(w, PACKET_ATTRS.KEY.code, execution.key, this.#encoding);
      putActions(w, execution.actions);
      if (execution.mru !== undefined && execution.mru !== 0) w.putU16(PACKET_ATTRS.MRU.code, execution.mru);
      if (execution.recircs) w.putU8(PACKET_ATTRS.RECIRCS.code, execution.recircs);
      if (execution.hash !== undefined) w.putU64n(PACKET_ATTRS.HASH.code, execution.hash);
    });
  }

  executeAll(executions: readonly Execute[]): Promise<Outcome<void>[]> {
    return Promise.all(
      executions.map((execution) =>
        this.execute(execution).then(
          () => ({ ok: true, value: undefined }) as const,
          (error: unknown) => ({ ok: false, error: error as Error }) as const,
        ),
      ),
    );
  }

  close(): void {
    this.#closed = true;
    const handle = this.#handle;
    this.#handle = null;
    handle?.close();
  }
}
