/** One connection of ovsdb-client to a server, with errors as the tool says them. */
import { FatalError, errnoName, errorMessage } from '@ovs-node/common/errors';
import { JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { isPassiveName } from '@ovs-node/common/stream';
import { vlog } from '@ovs-node/common/vlog';
import { OvsdbError } from 'ovsdb-client/data/error';
import { type Json, canonicalJson, isJsonArray } from 'ovsdb-client/data/json';
import { openServer, SESSION_JSON, splitRemotes } from 'ovsdb-client/replica/connect';
import { asOvsdbError } from 'ovsdb-client/replica/reply';
import { type DatabaseSchema, schemaFromJson } from 'ovsdb-client/schema';

const log = vlog('ovsdb_client');

export class Connection {
  readonly server: string;
  readonly session: JsonRpcSession;

  private constructor(server: string, session: JsonRpcSession) {
    this.server = server;
    this.session = session;
  }

  /** Connects to one of the servers that `server` names, in their order. @throws FatalError (rejects) */
  static async open(server: string): Promise<Connection> {
    let problem: unknown;
    for (const name of splitRemotes(server)) {
      try {
        const socket = await openServer(name, () => log.info(`${name}: waiting for connection...`));
        const session = new JsonRpcSession(socket, { name, ...SESSION_JSON });
        return new Connection(server, session);
      } catch (error) {
        problem = error;
      }
    }
    // A name that is none may have been meant for either.
    const isActive = !isPassiveName(server) && errnoName(problem) !== 'EAFNOSUPPORT';
    const what = isActive ? 'connect to' : 'connect or listen to';
    throw new FatalError(`failed to ${what} "${server}" (${errorMessage(problem)})`);
  }

  /** @throws FatalError (rejects) for an error reply or a lost connection. */
  async request(method: string, params: Json[]): Promise<Json> {
    try {
      return (await this.session.request(method, params)) as Json;
    } catch (error) {
      const known = asOvsdbError(error);
      if (known instanceof OvsdbError) {
        throw new FatalError(`${method} request failed: ${canonicalJson(known.toJson())}`);
      }
      throw new FatalError(`${this.server}: ${method} failed (${errorMessage(known)})`);
    }
  }

  async databases(): Promise<string[]> {
    const reply = await this.request('list_dbs', []);
    return isJsonArray(reply) ? reply.map(String).sort() : [];
  }

  /** The schema as the server sent it, and checked. */
  async schema(database: string): Promise<{ json: Json; schema: DatabaseSchema }> {
    const json = await this.request('get_schema', [database]);
    return { json, schema: schemaFromJson(json) };
  }

  /** Resolves when the connection is over, with what the user is told. */
  lost(): Promise<FatalError> {
    return new Promise((done) => {
      this.session.onClose((reason) =>
        done(new FatalError(`${this.server}: receive failed (${reason.message})`)),
      );
    });
  }

  close(): void {
    this.session.close();
  }
}
