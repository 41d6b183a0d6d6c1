/** What ovs-vsctl's commands work on: the database context and the topology in it. */
import { FatalError } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { EMPTY_DATUM, type Datum, scalarDatum, setDatum } from 'ovsdb-client/data/datum';
import { OvsdbError } from 'ovsdb-client/data/error';
import { canonicalJson } from 'ovsdb-client/data/json';
import type { Replica } from 'ovsdb-client/replica/replica';
import type { Transaction } from 'ovsdb-client/transaction';
import { DbContext } from '../lib/db-context.js';
import { RECORD_NAMES } from './records.js';
import { type Port, Topology } from './topology.js';

export class VsctlContext extends DbContext {
  /** The only row of table Open_vSwitch. */
  readonly root: string;
  /** Names of interfaces that the commands added: afterwards it is looked whether they work. */
  readonly addedInterfaces: string[] = [];
  #topology: Topology | undefined;

  constructor(replica: Replica, transaction: Transaction) {
    super(replica, transaction, RECORD_NAMES);
    const [row] = transaction.rows('Open_vSwitch');
    this.root = row?.uuid ?? transaction.insert('Open_vSwitch');
  }

  get topology(): Topology {
    this.#topology ??= new Topology(this.transaction);
    return this.#topology;
  }

  /** To be called after a change of bridges, ports or interfaces. */
  changed(): void {
    this.#topology = undefined;
  }

  values(table: string, uuid: string, column: string): Datum {
    return this.transaction.datum(table, uuid, column);
  }

  /** Inserts an interface, whose success is looked at afterwards, and gives its row. */
  insertInterface(name: string, type = ''): string {
    const uuid = this.transaction.insert('Interface');
    this.transaction.set('Interface', uuid, 'name', scalarDatum(name));
    if (type !== '') this.transaction.set('Interface', uuid, 'type', scalarDatum(type));
    this.addedInterfaces.push(name);
    return uuid;
  }

  /** Inserts a port of these interfaces and gives its row. */
  insertPort(name: string, interfaces: readonly string[], type = ''): string {
    const rows = interfaces.map((each) => this.insertInterface(each, type));
    const port = this.transaction.insert('Port');
    this.transaction.set('Port', port, 'name', scalarDatum(name));
    this.transaction.set('Port', port, 'interfaces', setDatum(rows));
    return port;
  }

  /** Removes a port from its bridge, and its rows. */
  deletePort(port: Port): void {
    this.transaction.removeFrom('Bridge', port.bridge.uuid, 'ports', scalarDatum(port.uuid));
    for (const each of port.interfaces) this.transaction.delete('Interface', each.uuid);
    this.transaction.delete('Port', port.uuid);
    this.changed();
  }

  clear(table: string, uuid: string, column: string): void {
    this.transaction.set(table, uuid, column, EMPTY_DATUM);
  }
}

/** Makes changes whose values only the commit checks: what is wrong with them is told as the server would tell it. */
export function committing(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (!(error instanceof OvsdbError)) throw error;
    const text = `transaction error: ${canonicalJson(error.toJson())}`;
    vlog('ovsdb_idl').warn(text);
    throw new FatalError(text);
  }
}
