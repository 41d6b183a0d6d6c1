/** A stream to a server by any of its names: an outward one, or one that the server makes. */
import type { Socket } from 'node:net';
import { connectStream, listenStream, type StreamOptions } from './stream.js';
import { isPassiveName } from './stream-name.js';

/** A stream that is on its way. */
export interface Opening {
  /** The stream, which is the caller's. Rejects with OvsError, the errno name as `code`. */
  readonly socket: Promise<Socket>;
  /** Gives up waiting for a server that connects; an outward attempt goes on. */
  cancel(): void;
}

/**
 * Connects to `unix:FILE`, `tcp:HOST[:PORT]` or `ssl:HOST[:PORT]`; at `punix:FILE`, `ptcp:[PORT][:HOST]` or
 * `pssl:[PORT][:HOST]` waits, without limit, for one server to connect.
 *
 * @param onWaiting is called when it begins to wait.
 */
export function openRemote(name: string, options: StreamOptions = {}, onWaiting?: () => void): Opening {
  if (!isPassiveName(name)) return { socket: connectStream(name, options), cancel: () => undefined };
  let stop = (): void => undefined;
  const socket = new Promise<Socket>((resolve, reject) => {
    const listening = listenStream(
      name,
      (accepted) => {
        stop();
        resolve(accepted);
      },
      options,
    );
    stop = () => void listening.then((listener) => listener.close()).catch(() => undefined);
    listening.then(onWaiting).catch(reject);
  });
  return { socket, cancel: () => stop() };
}
