/** A server that says what a test tells it to, over a real socket, and a replica of it on a fake clock. */
import type { ExecutionContext } from 'ava';
import { JsonRpcError, JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { type Listener, listenStream } from '@ovs-node/common/stream';
import { FakeClock, tmpDir } from '@ovs-node/common/testkit/index';
import { setLevels } from '@ovs-node/common/vlog';
import type { Json } from '../../src/data/json.js';
import { Replica, type ReplicaOptions, type ReplicaState } from '../../src/replica/replica.js';

setLevels(null, 'console', 'off');

export const SCHEMA = {
  name: 'db',
  version: '1.0.0',
  tables: {
    Thing: {
      isRoot: true,
      columns: {
        name: { type: 'string' },
        n: { type: 'integer' },
        tags: { type: { key: 'string', min: 0, max: 'unlimited' } },
        ids: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } },
        parts: { type: { key: { type: 'uuid', refTable: 'Part' }, min: 0, max: 'unlimited' } },
      },
    },
    Part: { columns: { label: { type: { key: 'string', min: 0, max: 1 } } } },
  },
} as const;

/** UUIDs by a digit. */
export const uuid = (n: number): string => `${String(n).repeat(8)}-0000-4000-8000-000000000000`;

export type Answer = (params: Json[], session: JsonRpcSession) => unknown;

export class FakeServer {
  readonly name: string;
  /** Method to what answers it; a method without one is unknown. */
  readonly answers = new Map<string, Answer>([['get_schema', () => SCHEMA]]);
  /** Requests other than get_schema, in order. */
  readonly requests: [method: string, params: Json[]][] = [];
  readonly sessions: JsonRpcSession[] = [];
  readonly #wakes: (() => void)[] = [];
  #listener: Listener | undefined;

  private constructor(name: string) {
    this.name = name;
  }

  static async start(t: ExecutionContext): Promise<FakeServer> {
    const server = new FakeServer(`${tmpDir(t)}/s.sock`);
    await server.listen();
    t.teardown(async () => {
      for (const session of server.sessions) session.close();
      await server.stopListening();
    });
    return server;
  }

  async listen(): Promise<void> {
    this.#listener = await listenStream(`punix:${this.name}`, (socket) => {
      const session = new JsonRpcSession(socket, { echo: false });
      this.sessions.push(session);
      session.onRequest((method, params) => {
        if (method !== 'get_schema') this.requests.push([method, params as Json[]]);
        for (const wake of this.#wakes.splice(0)) wake();
        const answer = this.answers.get(method);
        if (answer === undefined) throw new JsonRpcError({ error: 'unknown method', details: method });
        return answer(params as Json[], session);
      });
    });
  }

  async stopListening(): Promise<void> {
    await this.#listener?.close();
    this.#listener = undefined;
  }

  get session(): JsonRpcSession {
    return this.sessions.at(-1)!;
  }

  /** The params of the first request of `method` from number `from` on, when it has come. */
  async requested(method: string, from = 0): Promise<Json[]> {
    for (;;) {
      const found = this.requests.slice(from).find(([each]) => each === method);
      if (found !== undefined) return found[1];
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
  }
}

export interface Setup {
  readonly server: FakeServer;
  readonly clock: FakeClock;
  readonly replica: Replica;
}

/** A replica of a fresh fake server, not started. */
export async function setup(t: ExecutionContext, options: Partial<ReplicaOptions> = {}): Promise<Setup> {
  const server = await FakeServer.start(t);
  const clock = new FakeClock();
  const replica = new Replica({ remote: `unix:${server.name}`, database: 'db', clock, ...options });
  t.teardown(() => replica.close());
  return { server, clock, replica };
}

/** Resolves at the next time that the replica is in `state`, with the error that came with it. */
export function nextState(replica: Replica, state: ReplicaState): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const off = replica.onState((now, error) => {
      if (now !== state) return;
      off();
      resolve(error);
    });
  });
}

/** Resolves at the next change, with `TABLE KIND NAME…` of each of its rows. */
export function nextChange(replica: Replica): Promise<string[]> {
  return new Promise((resolve) => {
    const off = replica.onChange((delta) => {
      off();
      resolve(
        [...delta.values()].flatMap(({ table, rows }) =>
          [...rows.values()].map((row) => `${table.name} ${row.kind} ${row.uuid[0]}`),
        ),
      );
    });
  });
}
