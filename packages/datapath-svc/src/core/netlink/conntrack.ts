import { NetlinkError } from '@ovs-node/netlink/attr';
import type { Request } from './request.js';
export function ctGet(request: Request): void { void request; throw new NetlinkError(95, 'x'); }
export function ctDelete(request: Request): void { void request; throw new NetlinkError(95, 'x'); }
export function ctGetStats(request: Request): void { void request; throw new NetlinkError(95, 'x'); }
