/**
 * Ports of tunnels (ovs-vswitchd.conf.db(5), "Tunnel Options"). They have an OpenFlow number, so that flow tables that name
 * them are taken; the datapath does not carry their packets yet, which Interface.error says.
 */
import type { InterfaceConfig } from './config.js';

const TYPES: ReadonlySet<string> = new Set(['geneve', 'gre', 'ip6gre', 'stt', 'vxlan']);

/** Whether an interface is a tunnel. Guides for Windows write `Geneve`, too. */
export function isTunnel({ type }: InterfaceConfig): boolean {
  return TYPES.has(type.toLowerCase());
}

/** What is wrong with the options of a tunnel, in the peer's words; undefined: nothing. */
export function tunnelProblem({ name, type, options }: InterfaceConfig): string | undefined {
  if ((options.get('remote_ip') ?? '') !== '') return undefined;
  return `${name}: ${type.toLowerCase()} type requires valid 'remote_ip' argument`;
}

/** What Interface.error says of a tunnel whose options are right. */
export function notCarried({ type }: InterfaceConfig): string {
  return `${type.toLowerCase()} tunnels are not carried by this datapath yet: packets sent to the port are dropped`;
}
