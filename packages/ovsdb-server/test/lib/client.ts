/** A JSON-RPC client and servers for tests. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { JsonRpcError, JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { connectStream } from '@ovs-node/common/stream';
import { bindTmp, peerPath } from '@ovs-node/common/testkit/index';
import { parseJson, stringifyJson, type Json } from 'ovsdb-client/data/json';

/**
 * Connects, trying again for a few seconds while the server starts. A connection is one when something is answered: on
 * Windows, who connects before the access list of the pipe is set is turned away.
 */
export async function connect(socket: string): Promise<JsonRpcSession> {
  for (let i = 0; ; i++) {
    try {
      const stream = await connectStream(`unix:${socket}`);
      const session = new JsonRpcSession(stream, {
        parse: parseJson,
        stringify: (value) => stringifyJson(value as Json),
      });
      await call(session, 'echo', []);
      return session;
    } catch (error) {
      if (i > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

/** The result of a request, or its error as `{rpcError}`. */
export async function call(session: JsonRpcSession, method: string, params: Json[]): Promise<Json> {
  try {
    return (await session.request(method, params)) as Json;
  } catch (error) {
    if (error instanceof JsonRpcError) return { rpcError: error.error as Json };
    throw error;
  }
}

/** Starts the peer's server on a database file; gives its socket and what ends it. */
export function startPeerServer(dir: string, file: string): { socket: string; stop: () => Promise<void> } {
  const socket = path.join(dir, 'peer.sock');
  const child = spawn(
    peerPath('ovsdb-server')!,
    [`--remote=punix:${socket}`, '-vconsole:off', `--unixctl=${dir}/peer.ctl`, file],
    { env: { ...process.env, ...bindTmp(dir) }, stdio: 'ignore' },
  );
  return {
    socket,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) {
          resolve();
          return;
        }
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}
