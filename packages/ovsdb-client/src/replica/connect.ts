/** Connections to a server by any of its names: outward ones, in turn, or one that the server makes. */
import type { Socket } from 'node:net';
import { isPassiveName } from '@ovs-node/common/stream-name';
import { OVSDB_PORT, connectStream, listenStream } from '@ovs-node/common/stream';

/** The single names in a list such as `tcp:10.0.0.1:6640,tcp:10.0.0.2:6640`. */
export function splitRemotes(remotes: string): string[] {
  return remotes.split(/,(?=p?[a-z]+:)/);
}

/**
 * Connects to `unix:FILE`, `tcp:HOST[:PORT]` or `ssl:HOST[:PORT]`; at `punix:FILE`, `ptcp:[PORT][:HOST]` or
 * `pssl:[PORT][:HOST]` waits, without limit, for a server to connect. The caller owns the socket.
 *
 * @param timeoutMs the longest that connecting outward may take.
 * @throws (rejects) OvsError with the errno name as `code`.
 */
export async function openRemote(name: string, timeoutMs?: number): Promise<Socket> {
  const options = { defaultPort: OVSDB_PORT, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  if (!isPassiveName(name)) return connectStream(name, options);
  return new Promise((resolve, reject) => {
    const listening = listenStream(
      name,
      (socket) => {
        void listening.then((listener) => listener.close());
        resolve(socket);
      },
      options,
    );
    listening.catch(reject);
  });
}
