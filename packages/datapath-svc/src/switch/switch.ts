/**
 * The extensible switch: which ports there are, and whose.
 *
 * Ports come from two sides, and are kept in two tables with counters of their own:
 *
 * - *host-added*: what the host offers to be switched. Network devices of Linux are there by themselves, known by
 *   their names. Others are declared by the host's administrator (or what starts virtual machines) with the
 *   `switch/port-create`, `switch/nic-*` commands, and live the life of life-cycle.ts;
 * - *user-added*: what userspace asked the datapath for: internal ports, TAP devices, dummies, streams.
 *
 * When userspace adds a port of type "system" (OVS_VPORT_TYPE_NETDEV), its name is matched with the *OVS-port-name*
 * of the host's ports. A host port has two names: its own (as the hypervisor calls it) and its OVS-port-name, which
 * is the `name` in OVSDB's Interface table and can be set anew at any time while no datapath port uses it. No match,
 * or one without a connected NIC, is ENODEV; vswitchd asks again later.
 */

import { linuxErrnoName, strerror } from '@ovs-node/common/errors';
import type { PortFactory, PortProvider, PortRequest } from '../core/vport.js';
import { VportType } from '@ovs-node/netlink/families';
import type { MakeKind, PortMaker } from '../ports/factory.js';
import { NullPort } from '../ports/null.js';
import { decodePortOptions, type PortOptions } from '../ports/options.js';
import type { Port } from '../ports/provider.js';
import { EINVAL, ENODEV } from '../sys/linux.js';
import { type HostPortEvent, type HostPortState, nextState } from './life-cycle.js';
import { PluggedPort } from './plugged-port.js';

const EAFNOSUPPORT = 97;
/** Host ports that may be declared. */
const MAX_HOST_PORTS = 4096;

/** What a NIC is made of. */
export interface Nic {
  readonly kind: 'stream' | 'device' | 'dummy';
  readonly options: PortOptions;
}

interface HostPort {
  readonly name: string;
  ovsPortName: string;
  state: HostPortState;
  nic: Nic | undefined;
  /** The datapath's port that matched. */
  plugged: PluggedPort | undefined;
}

/** A port in one of the tables, for display. */
export interface SwitchPort {
  readonly datapath: string;
  readonly name: string;
  readonly port: Port;
}

/** What kind of port a vport type stands for; NETDEV is matched by name instead. */
const KIND_BY_TYPE: Readonly<Record<number, MakeKind>> = {
  [VportType.INTERNAL]: 'internal',
  [VportType.TAP]: 'tap',
  [VportType.DUMMY]: 'dummy',
  [VportType.STREAM]: 'stream',
};

export interface SwitchOptions {
  /** Internal ports have no device of the host: datapaths of `datapath_type=dummy`. */
  readonly dummy: boolean;
  /** A NIC of the host with that OVS-port-name connected, or left. */
  readonly onNic?: (ovsPortName: string, isConnected: boolean) => void;
}

export class ExtensibleSwitch implements PortFactory {
  readonly #maker: PortMaker;
  readonly #dummy: boolean;
  readonly #onNic: (ovsPortName: string, isConnected: boolean) => void;
  /** Declared host ports, by their own name. */
  readonly #hostPorts = new Map<string, HostPort>();
  /** Ports in datapaths, by the side they came from. */
  readonly hostAdded = new Set<SwitchPort>();
  readonly userAdded = new Set<SwitchPort>();

  constructor(maker: PortMaker, options: SwitchOptions) {
    this.#maker = maker;
    this.#dummy = options.dummy;
    this.#onNic = options.onNic ?? (() => {});
  }

  create(request: PortRequest): PortProvider | number {
    const options = decodePortOptions(request.options);
    if (options === undefined) return EINVAL;
    if (request.type === VportType.NETDEV) return this.#match(request, options);
    let kind = KIND_BY_TYPE[request.type];
    if (kind === undefined) return EAFNOSUPPORT;
    if (this.#dummy && kind === 'internal') kind = 'dummy';
    const port = this.#maker.make(kind, request.name, options, this.hostAdded.size);
    if (typeof port !== 'number') return this.#enter(this.userAdded, request, port);
    // A datapath must have its local port; it can be without a device, bridges have internal ports of their own.
    if (kind !== 'internal' || request.name !== request.datapath) return port;
    return this.#enter(this.userAdded, request, new NullPort(this.#maker.host, errnoText(port)));
  }

  /** Declare a host port. `ovsPortName` is its own name by default. @throws Error one line, nothing changed. */
  portCreate(name: string, ovsPortName: string = name): void {
    if (this.#hostPorts.has(name)) throw new Error(`${name}: port exists already`);
    if (this.#hostPorts.size >= MAX_HOST_PORTS)
      throw new Error(`${name}: too many ports (${MAX_HOST_PORTS})`);
    this.#checkName(ovsPortName);
    this.#hostPorts.set(name, { name, ovsPortName, state: 'created', nic: undefined, plugged: undefined });
  }

  /** Set the OVS-port-name of a host port. @throws Error one line, nothing changed. */
  portRename(name: string, ovsPortName: string): void {
    const port = this.#find(name);
    if (port.ovsPortName === ovsPortName) return;
    if (port.plugged !== undefined) throw new Error(`${name}: port is in use as "${port.ovsPortName}"`);
    this.#checkName(ovsPortName);
    const isConnected = port.state === 'connected';
    if (isConnected) this.#onNic(port.ovsPortName, false);
    port.ovsPortName = ovsPortName;
    if (isConnected) this.#onNic(ovsPortName, true);
  }

  /** A NIC is put into a host port, not connected yet. @throws Error one line, nothing changed. */
  nicCreate(name: string, nic: Nic): void {
    const port = this.#find(name);
    this.#step(port, 'nic-create');
    port.nic = nic;
  }

  /** The other steps of a host port's life. @throws Error one line, nothing changed. */
  step(name: string, event: Exclude<HostPortEvent, 'nic-create'>): void {
    const port = this.#find(name);
    if (event === 'port-delete' && port.plugged !== undefined) {
      throw new Error(`${name}: port is in use as "${port.ovsPortName}"`);
    }
    if (event === 'nic-connect' && port.plugged !== undefined && port.nic !== undefined) {
      // Made first: when it cannot be, nothing has changed.
      if (nextState(port.state, event) === undefined) this.#step(port, event);
      const made = this.#make(port);
      if (typeof made === 'number')
        throw new Error(`${name}: could not connect the NIC (${errnoText(made)})`);
      port.plugged.plug(made);
    }
    this.#step(port, event);
    if (event === 'nic-disconnect') port.plugged?.unplug();
    if (event === 'nic-connect' || event === 'nic-disconnect')
      this.#onNic(port.ovsPortName, event === 'nic-connect');
    if (event === 'nic-delete') port.nic = undefined;
    if (event === 'port-delete') this.#hostPorts.delete(name);
  }

  /** Declared host ports, for display. */
  *hostPorts(): Iterable<{ name: string; ovsPortName: string; state: HostPortState; inUse: boolean }> {
    for (const { name, ovsPortName, state, plugged } of this.#hostPorts.values()) {
      yield { name, ovsPortName, state, inUse: plugged !== undefined };
    }
  }

  *nics(): Iterable<string> {
    for (const { ovsPortName, state } of this.#hostPorts.values())
      if (state === 'connected') yield ovsPortName;
  }

  /** The provider of a port of type "system": a host port with that OVS-port-name, or a device of that name. */
  #match(request: PortRequest, options: PortOptions): PortProvider | number {
    for (const hostPort of this.#hostPorts.values()) {
      if (hostPort.ovsPortName !== request.name) continue;
      if (hostPort.state !== 'connected' || hostPort.plugged !== undefined) return ENODEV;
      const made = this.#make(hostPort);
      if (typeof made === 'number') return made;
      const plugged = new PluggedPort(this.#maker.host, () => (hostPort.plugged = undefined));
      plugged.plug(made);
      hostPort.plugged = plugged;
      return this.#enter(this.hostAdded, request, plugged);
    }
    const port = this.#maker.make('device', request.name, options, this.hostAdded.size);
    return typeof port === 'number' ? port : this.#enter(this.hostAdded, request, port);
  }

  #make(hostPort: HostPort): Port | number {
    const { kind, options } = hostPort.nic!;
    const name = kind === 'device' ? (options.get('device') ?? hostPort.name) : hostPort.name;
    return this.#maker.make(kind, name, options, this.hostAdded.size);
  }

  /** Keep `port` in `table` until it closes. */
  #enter(table: Set<SwitchPort>, request: PortRequest, port: Port): Port {
    const entry: SwitchPort = { datapath: request.datapath, name: request.name, port };
    table.add(entry);
    const close = port.close.bind(port);
    port.close = () => {
      table.delete(entry);
      close();
    };
    return port;
  }

  #find(name: string): HostPort {
    const port = this.#hostPorts.get(name);
    if (port === undefined) throw new Error(`${name}: no such port`);
    return port;
  }

  #checkName(ovsPortName: string): void {
    if (ovsPortName === '' || Buffer.byteLength(ovsPortName) > 255)
      throw new Error(`"${ovsPortName}": bad OVS-port-name`);
    for (const port of this.#hostPorts.values()) {
      if (port.ovsPortName === ovsPortName)
        throw new Error(`${ovsPortName}: OVS-port-name of port ${port.name} already`);
    }
  }

  #step(port: HostPort, event: HostPortEvent): void {
    const next = nextState(port.state, event);
    if (next === undefined) throw new Error(`${port.name}: ${event} is not possible in state ${port.state}`);
    if (next !== 'gone') port.state = next;
  }
}

function errnoText(errno: number): string {
  return strerror(linuxErrnoName(errno));
}
