/**
 * Hot path: runs a compiled action list on a packet.
 *
 * Copy-on-write. An output lends the packet's bytes to the port until the batch is flushed, so from then on the packet
 * is `shared`, and an action that changes bytes first moves the packet into the arena (`Packet.own`). The usual
 * order (change, then output once) never copies. A clone and a recirculation that is not last share the same way.
 *
 * No closures, no exceptions, no allocation; the switch is over small consecutive integers.
 */
import { OFS } from '@ovs-node/flow/extract';
import { dpHash, tupleHash } from '@ovs-node/flow/hash-fields';
import { W } from '@ovs-node/flow/layout';
import type { Datapath } from '../datapath.js';
import { RECIRC_LIMIT } from '../limits.js';
import { ETH_HEADER, type Packet } from '../packet.js';
import { Gso, PacketMeta } from '../packet-meta.js';
import { HEADROOM } from '../vport.js';
import { Segmenter } from '../../offload/segment.js';
import { Op, type Program } from './program.js';
import { addMpls, popEth, popNsh, pushEth, pushNsh, setNsh } from './encap.js';
import { popMpls, popVlan, pushMpls, pushVlan, setMpls, SHIM } from './push-pop.js';
import { setArp, setEth, setIcmp, setIpv4, setIpv6, setNd, setPorts } from './set-field.js';

const NO_CUT = 0x7fffffff;
/** Before a packet that gets a shim, or may be left without its Ethernet header (`Packet.refresh`). */
const ROOM = SHIM + ETH_HEADER;

export class Executor {
  private readonly dp: Datapath;
  /** What goes with a truncated frame: no offload survives that. */
  private readonly plainMeta = new PacketMeta();
  private readonly segmenter = new Segmenter();
  /** State of the generator behind `sample`. */
  private random = 0x2545f491;

  constructor(dp: Datapath) {
    this.dp = dp;
  }

  /**
   * Runs `program` on `p`, which is changed by it. `depth` is the packet's level in the datapath's stack.
   * `actions` are the bytes that the program was made from, for upcalls that want them. Starts at the operation `from`,
   * with `trimmed` bytes at the end to be left out by the next output.
   */
  run(program: Program, p: Packet, depth: number, actions: Uint8Array, from = 0, trimmed = 0): void {
    const dp = this.dp;
    const arena = dp.core.arena;
    const code = program.code;
    let cut = trimmed;
    for (let pc = from; ;) {
      switch (code[pc]) {
        case Op.END:
          return;
        case Op.OUTPUT:
          this.output(p, code[pc + 1], cut);
          cut = 0;
          pc += 2;
          break;
        case Op.USERSPACE: {
          const args = program.userspace[code[pc + 1]];
          p.refresh();
          dp.upcallAction(p, args, actions, cut === 0 ? NO_CUT : Math.max(0, p.end - p.start - cut));
          cut = 0;
          pc += 2;
          break;
        }
        case Op.PUSH_VLAN:
          p.own(arena, SHIM);
          pushVlan(p, code[pc + 1]);
          p.stale = true;
          pc += 2;
          break;
        case Op.POP_VLAN:
          p.own(arena, 0);
          popVlan(p);
          p.stale = true;
          pc += 1;
          break;
        case Op.SET_ETH:
          p.own(arena, 0);
          setEth(p, program.data, code[pc + 1]);
          p.stale = true;
          pc += 2;
          break;
        case Op.SET_IPV4:
          this.change(p);
          setIpv4(p, code[pc + 1], code[pc + 2], code[pc + 3], code[pc + 4], code[pc + 5], code[pc + 6]);
          pc += 7;
          break;
        case Op.SET_IPV6:
          this.change(p);
          setIpv6(p, program.data, code[pc + 1]);
          pc += 2;
          break;
        case Op.SET_PORTS:
          this.change(p);
          setPorts(p, code[pc + 1], code[pc + 2], code[pc + 3]);
          pc += 4;
          break;
        case Op.SET_ICMP:
          this.change(p);
          setIcmp(p, code[pc + 1], code[pc + 2]);
          pc += 3;
          break;
        case Op.SET_ARP:
          this.change(p);
          setArp(p, program.data, code[pc + 1]);
          pc += 2;
          break;
        case Op.SET_ND:
          this.change(p);
          setNd(p, program.data, code[pc + 1]);
          pc += 2;
          break;
        case Op.PUSH_MPLS:
          if (this.ranBySegments(program, pc, p, depth, actions, cut)) return;
          p.refresh();
          p.own(arena, ROOM);
          pushMpls(p, code[pc + 1], code[pc + 2]);
          p.stale = true;
          p.ctEntry = -1;
          pc += 3;
          break;
        case Op.POP_MPLS:
          this.change(p);
          popMpls(p, code[pc + 1]);
          pc += 2;
          break;
        case Op.SET_MPLS:
          this.change(p);
          setMpls(p, code[pc + 1], code[pc + 2]);
          pc += 3;
          break;
        case Op.ADD_MPLS:
          if (this.ranBySegments(program, pc, p, depth, actions, cut)) return;
          p.own(arena, ROOM);
          addMpls(p, code[pc + 1], code[pc + 2]);
          p.ctEntry = -1;
          pc += 3;
          break;
        case Op.PUSH_ETH:
          p.own(arena, ROOM);
          if (!pushEth(p, program.data, code[pc + 1])) {
            dp.drops.malformed++;
            return;
          }
          pc += 2;
          break;
        case Op.POP_ETH:
          if (this.ranBySegments(program, pc, p, depth, actions, cut)) return;
          p.refresh();
          p.own(arena, ROOM);
          if (!popEth(p)) {
            dp.drops.malformed++;
            return;
          }
          pc += 1;
          break;
        case Op.PUSH_NSH:
          if (this.ranBySegments(program, pc, p, depth, actions, cut)) return;
          p.own(arena, code[pc + 2] + ETH_HEADER);
          if (!pushNsh(p, program.data, code[pc + 1], code[pc + 2])) {
            dp.drops.malformed++;
            return;
          }
          pc += 3;
          break;
        case Op.POP_NSH:
          p.own(arena, ROOM);
          if (!popNsh(p)) {
            dp.drops.malformed++;
            return;
          }
          pc += 1;
          break;
        case Op.SET_NSH:
          this.change(p);
          setNsh(p, program.data, code[pc + 1]);
          pc += 2;
          break;
        case Op.SET_PRIORITY:
          p.meta.priority = ((p.meta.priority & ~code[pc + 2]) | code[pc + 1]) >>> 0;
          p.key[W.SKB_PRIORITY] = p.meta.priority;
          p.markCold();
          pc += 3;
          break;
        case Op.SET_MARK:
          p.meta.mark = ((p.meta.mark & ~code[pc + 2]) | code[pc + 1]) >>> 0;
          p.key[W.PKT_MARK] = p.meta.mark;
          p.markCold();
          pc += 3;
          break;
        case Op.RECIRC:
          if (p.recircs >= RECIRC_LIMIT) {
            dp.drops.recircLimit++;
            dp.core.onRecircLimit();
          } else if (code[pc + 2] === Op.END) {
            p.refresh();
            p.recircs++;
            p.key[W.RECIRC_ID] = code[pc + 1];
            dp.recirculate(p, depth);
            return;
          } else {
            const copy = dp.context(depth + 1);
            copy.cloneFrom(p);
            copy.refresh();
            copy.recircs++;
            copy.key[W.RECIRC_ID] = code[pc + 1];
            dp.recirculate(copy, depth + 1);
          }
          pc += 2;
          break;
        case Op.TUPLE:
          p.refresh();
          if (!p.hasInHash) p.inHash = tupleHash(p.key);
          p.hasInHash = true;
          pc++;
          break;
        case Op.HASH:
          p.refresh();
          p.key[W.DP_HASH] = dpHash(p.key, code[pc + 1] === 1, code[pc + 2], p.inHash);
          p.markCold();
          pc += 3;
          break;
        case Op.CT:
          p.refresh();
          dp.track(p, program.ct[code[pc + 1]]);
          pc += 2;
          break;
        case Op.CT_CLEAR:
          this.clearTracking(p);
          pc += 1;
          break;
        case Op.DROP:
          dp.drops.flow++;
          return;
        case Op.TRUNC:
          // Counted from the end: what is pushed or popped from here on changes the length that is sent.
          cut = Math.max(0, p.end - p.start - code[pc + 1]);
          pc += 2;
          break;
        case Op.SAMPLE:
          if (this.draw() <= code[pc + 1] >>> 0) this.clone(program.nested[code[pc + 2]], p, depth, actions);
          pc += 3;
          break;
        case Op.CLONE:
          this.clone(program.nested[code[pc + 1]], p, depth, actions);
          pc += 2;
          break;
        case Op.METER: {
          // One that has been deleted lets all pass, as in the peer.
          const meter = dp.meters.get(code[pc + 1] >>> 0);
          if (meter !== undefined && !meter.pass(p.end - p.start, dp.core.now)) {
            dp.drops.meter++;
            return;
          }
          pc += 2;
          break;
        }
        case Op.CHECK_PKT_LEN: {
          // A giant frame counts as the largest segment it will become.
          const size = p.meta.gsoSize > 0 ? segmentSize(p) : p.end - p.start;
          const next = size > code[pc + 1] ? code[pc + 2] : code[pc + 3];
          this.clone(program.nested[next], p, depth, actions);
          pc += 4;
          break;
        }
        default:
          // Unreachable: programs come from the compiler.
          dp.drops.action++;
          return;
      }
    }
  }

  /** Queues the packet, without its last `cut` bytes, at a port. */
  output(p: Packet, portNo: number, cut: number): void {
    const dp = this.dp;
    if (p.wide && p.key[W.PACKET_TYPE] !== 0) {
      dp.drops.notEthernet++;
      return;
    }
    const vport = portNo < dp.ports.length ? dp.ports[portNo] : null;
    if (vport === null) {
      dp.drops.noPort++;
      return;
    }
    let end = p.end;
    let meta = p.meta;
    if (cut > 0) {
      end = Math.max(p.start, end - cut);
      this.plainMeta.priority = meta.priority;
      this.plainMeta.mark = meta.mark;
      meta = this.plainMeta;
    }
    vport.stats.txPackets++;
    vport.stats.txBytes += end - p.start;
    if (!vport.dirty) dp.core.markPort(vport);
    p.shared = true;
    vport.provider.send(p.buf, p.start, end, meta);
  }

  /** Makes the packet's bytes changeable and its offsets right; the key is out of date from here on. */
  private change(p: Packet): void {
    p.refresh();
    p.own(this.dp.core.arena, 0);
    p.stale = true;
  }

  private clone(program: Program, p: Packet, depth: number, actions: Uint8Array): void {
    if (program.code[0] === Op.END) return;
    const copy = this.dp.context(depth + 1);
    copy.cloneFrom(p);
    this.run(program, copy, depth + 1, actions);
  }

  /**
   * Runs a program from `pc` on for each segment of a giant frame: no device segments what is below a label or a service
   * header, or has no Ethernet header. False, and nothing done, when `p` is an ordinary frame.
   */
  private ranBySegments(
    program: Program,
    pc: number,
    p: Packet,
    depth: number,
    actions: Uint8Array,
    cut: number,
  ): boolean {
    if (p.meta.gsoType === Gso.NONE) return false;
    const { dp, segmenter } = this;
    if (!segmenter.begin(p.buf, p.start, p.end, p.meta)) {
      dp.drops.malformed++;
      return true;
    }
    const room = HEADROOM + segmenter.maxLength;
    const kept = p.end - p.start - cut;
    const { arena } = dp.core;
    const segment = dp.context(depth + 1);
    for (;;) {
      const at = arena.alloc(room) + HEADROOM;
      const length = segmenter.next(arena.buffer, at);
      if (length === 0) return true;
      segment.cloneFrom(p);
      segment.replaceBytes(arena.buffer, at, at + length);
      this.run(program, segment, depth + 1, actions, pc, Math.max(0, length - kept));
    }
  }

  private clearTracking(p: Packet): void {
    const key = p.key;
    p.ctEntry = -1;
    for (let i = W.CT_STATE; i < W.CT_LABEL + 4; i++) key[i] = 0;
    p.clearTuple();
  }

  /** A pseudo-random 32-bit number (xorshift32). */
  private draw(): number {
    let x = this.random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.random = x;
    return x >>> 0;
  }
}

function segmentSize(p: Packet): number {
  const payload = p.offsets[OFS.PAYLOAD];
  return payload < 0 ? p.end - p.start : payload - p.start + p.meta.gsoSize;
}
