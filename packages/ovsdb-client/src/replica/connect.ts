/** Connections to a server by any of its names: outward ones, in turn, or one that the server makes; their JSON. */
import type { Socket } from 'node:net';
import type { SessionOptions } from '@ovs-node/common/jsonrpc/session';
import { OVSDB_PORT } from '@ovs-node/common/stream';
import { openRemote } from '@ovs-node/common/stream-remote';
import { type Json, parseJson, stringifyJson } from '../data/json.js';

/** How the sessions of a client read and write JSON: 64-bit integers stay exact. */
export const SESSION_JSON = {
  parse: parseJson,
  stringify: (value) => stringifyJson(value as Json),
} as const satisfies Pick<SessionOptions, 'parse' | 'stringify'>;

/** The single names in a list such as `tcp:10.0.0.1:6640,tcp:10.0.0.2:6640`. */
export function splitRemotes(remotes: string): string[] {
  return remotes.split(/,(?=[a-z]+:)/);
}

/**
 * Connects to a server, or waits for one to connect (`openRemote` of common).
 *
 * @param onWaiting is called when it begins to wait for the server.
 * @throws (rejects) OvsError with the errno name as `code`.
 */
export function openServer(name: string, onWaiting?: () => void): Promise<Socket> {
  return openRemote(name, { defaultPort: OVSDB_PORT }, onWaiting).socket;
}
