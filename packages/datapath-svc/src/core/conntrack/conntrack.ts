import type { CtAction } from '../actions/program.js';
import type { DropCounters } from '../drops.js';
import type { Packet } from '../packet.js';
export class Conntrack {
  track(p: Packet, action: CtAction, now: number, drops: DropCounters): void { void p; void action; void now; drops.action++; }
  sweep(now: number): number { void now; return 1000; }
}
