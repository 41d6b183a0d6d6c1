/**
 * The bridges, ports and interfaces of a database by name, as a transaction sees them.
 *
 * A "fake" bridge is a VLAN of a real one: it is a port of its parent with `fake_bridge` set, and owns the parent's
 * ports that have its tag.
 */
import { FatalError } from '@ovs-node/common/errors';
import type { Atom } from 'ovsdb-client/data/atom';
import type { Transaction } from 'ovsdb-client/transaction';

export interface Bridge {
  readonly name: string;
  /** The row of a real bridge; of its parent for a fake one. */
  readonly uuid: string;
  readonly parent: Bridge | undefined;
  /** 0 for a real bridge. */
  readonly vlan: number;
  /** Row of the port that makes a fake bridge. */
  readonly fakePort: string | undefined;
  readonly ports: Port[];
  readonly children: Bridge[];
}

export interface Port {
  readonly name: string;
  readonly uuid: string;
  readonly bridge: Bridge;
  readonly interfaces: Interface[];
}

export interface Interface {
  readonly name: string;
  readonly uuid: string;
  readonly port: Port;
}

export class Topology {
  readonly bridges = new Map<string, Bridge>();
  readonly ports = new Map<string, Port>();
  readonly interfaces = new Map<string, Interface>();
  readonly #transaction: Transaction;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
    for (const row of transaction.rows('Bridge')) this.#addBridge(row.uuid);
  }

  #addBridge(uuid: string): void {
    const name = this.#text('Bridge', uuid, 'name');
    const bridge: Bridge = {
      name,
      uuid,
      parent: undefined,
      vlan: 0,
      fakePort: undefined,
      ports: [],
      children: [],
    };
    if (!this.bridges.has(name)) this.bridges.set(name, bridge);
    const ports = this.#atoms('Bridge', uuid, 'ports') as string[];
    for (const port of ports) if (this.#isFake(port)) this.#addFakeBridge(bridge, port);
    for (const port of ports) this.#addPort(bridge, port);
  }

  #addFakeBridge(parent: Bridge, port: string): void {
    const name = this.#text('Port', port, 'name');
    const vlan = Number(this.#atoms('Port', port, 'tag')[0]);
    const bridge: Bridge = { name, uuid: parent.uuid, parent, vlan, fakePort: port, ports: [], children: [] };
    parent.children.push(bridge);
    if (!this.bridges.has(name)) this.bridges.set(name, bridge);
  }

  #isFake(port: string): boolean {
    return (
      this.#atoms('Port', port, 'fake_bridge')[0] === true && this.#atoms('Port', port, 'tag').length === 1
    );
  }

  #addPort(real: Bridge, uuid: string): void {
    const name = this.#text('Port', uuid, 'name');
    const tag = this.#atoms('Port', uuid, 'tag')[0];
    const bridge = real.children.find((child) => child.vlan === tag) ?? real;
    const port: Port = { name, uuid, bridge, interfaces: [] };
    if (!this.#isFake(uuid)) bridge.ports.push(port);
    if (!this.ports.has(name)) this.ports.set(name, port);
    for (const id of this.#atoms('Port', uuid, 'interfaces') as string[]) {
      const interface_: Interface = { name: this.#text('Interface', id, 'name'), uuid: id, port };
      port.interfaces.push(interface_);
      if (!this.interfaces.has(interface_.name)) this.interfaces.set(interface_.name, interface_);
    }
  }

  #atoms(table: string, uuid: string, column: string): readonly Atom[] {
    return this.#transaction.datum(table, uuid, column).keys;
  }

  #text(table: string, uuid: string, column: string): string {
    return String(this.#atoms(table, uuid, column)[0] ?? '');
  }

  /** @throws FatalError `no bridge named X` */
  bridge(name: string): Bridge {
    const bridge = this.bridges.get(name);
    if (bridge === undefined) throw new FatalError(`no bridge named ${name}`);
    return bridge;
  }

  /** @throws FatalError when there is no such real bridge. */
  realBridge(name: string): Bridge {
    const bridge = this.bridge(name);
    if (bridge.parent !== undefined) throw new FatalError(`${name} is a fake bridge`);
    return bridge;
  }

  /** A port that is not a bridge's own. @throws FatalError `no port named X` */
  port(name: string): Port {
    const port = this.ports.get(name);
    if (port === undefined || this.bridges.has(name)) throw new FatalError(`no port named ${name}`);
    return port;
  }

  /** An interface that is not a bridge's own. @throws FatalError */
  interface(name: string): Interface {
    const found = this.interfaces.get(name);
    if (found === undefined || this.bridges.has(name)) throw new FatalError(`no interface named ${name}`);
    return found;
  }

  /** Refuses a name that is taken already. @throws FatalError */
  checkFree(name: string, what: string): void {
    if (this.bridges.has(name)) throw new FatalError(`${what} because a bridge named ${name} already exists`);
    const port = this.ports.get(name);
    if (port !== undefined) {
      throw new FatalError(
        `${what} because a port named ${name} already exists on bridge ${port.bridge.name}`,
      );
    }
    const interface_ = this.interfaces.get(name);
    if (interface_ !== undefined) {
      throw new FatalError(
        `${what} because an interface named ${name} already exists on bridge ${interface_.port.bridge.name}`,
      );
    }
  }
}
