/** What a command line calls a switch, and the stream that leads to it: ovs-ofctl(8), "Specifying Switches". */
import fs from 'node:fs';
import type { Duplex } from 'node:stream';
import { byteTextPath, toByteText } from '@ovs-node/common/byte-text';
import { absName, dirs } from '@ovs-node/common/dirs';
import { errnoName, FatalError, strerror } from '@ovs-node/common/errors';
import { connectStream, OPENFLOW_PORT } from '@ovs-node/common/stream';
import { vlog } from '@ovs-node/common/vlog';
import { hasDrive } from '@ovs-node/common/windows-files';

const streamLog = vlog('stream_unix');

/** The sockets that a bridge has: the one to control it by, and the one that copies what its controllers say. */
export type SocketKind = 'mgmt' | 'snoop';

/** A stream that is connected, and its name. */
export interface OpenTarget {
  readonly socket: Duplex;
  readonly name: string;
}

/** The bridge in a datapath's `TYPE@NAME`, which may leave the name out. */
function bridgeOf(target: string): string {
  const at = target.indexOf('@');
  return at < 0 ? target : target.slice(at + 1) || 'system';
}

/** Is what a command line calls a switch, or a file of flows, a connection method? */
export function isMethod(target: string): boolean {
  return target.includes(':') && !hasDrive(target);
}

/** Longest path of a file that is looked for before it is connected to: one that is longer is refused as such. */
const LONGEST = 100;

/** Connects to `unix:NAME`; undefined when there is no such file. @throws (rejects) the errno error */
async function openSocket(name: string): Promise<Duplex | undefined> {
  // Looking is quicker than a connection that fails. On Windows there is no file to look for.
  if (process.platform !== 'win32') {
    const file = absName(toByteText(dirs.rundir), name);
    if (file.length < LONGEST && isMissing(file)) {
      streamLog.dbg(() => `${file}: connection failed (${strerror('ENOENT')})`);
      return undefined;
    }
  }
  try {
    return await connectStream(`unix:${name}`, { isByteText: true, lends: true });
  } catch (e) {
    if (errnoName(e) === 'ENOENT') return undefined;
    throw e;
  }
}

function isMissing(file: string): boolean {
  try {
    fs.accessSync(byteTextPath(file));
    return false;
  } catch (e) {
    return errnoName(e) === 'ENOENT';
  }
}

/**
 * Opens the stream to a switch: a connection method, a socket by its path (in the run directory), a bridge, or a
 * datapath's `TYPE@NAME`, whatever of these is found first.
 *
 * @throws (rejects) FatalError
 */
export async function openTarget(target: string, kind: SocketKind): Promise<OpenTarget> {
  return isMethod(target) ? openMethod(target) : openNamed(target, kind);
}

/** That a stream could not be opened; `name` is that of the stream. */
export function openFailure(target: string, name: string, code: string): FatalError {
  if (isMethod(target)) return new FatalError(`connecting to ${target} (${strerror(code)})`);
  return new FatalError(`${name.slice('unix:'.length)}: failed to open socket (${strerror(code)})`);
}

/** That a stream was being opened when it failed. */
export function connectFailure(target: string, code: string): FatalError {
  return new FatalError(`${target}: failed to connect to socket (${strerror(code)})`);
}

/** Errors that come after a while only: of hosts that nobody is at, and of TLS. Others the system knows at once. */
const LATE: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ETIMEDOUT', 'ECONNRESET', 'EPROTO']);

async function openMethod(target: string): Promise<OpenTarget> {
  try {
    return {
      socket: await connectStream(target, { defaultPort: OPENFLOW_PORT, isByteText: true, lends: true }),
      name: target,
    };
  } catch (e) {
    const code = errnoName(e);
    throw LATE.has(code) ? connectFailure(target, code) : openFailure(target, target, code);
  }
}

async function openNamed(target: string, kind: SocketKind): Promise<OpenTarget> {
  const socketOf = (bridge: string): string => `${toByteText(dirs.rundir)}/${bridge}.${kind}`;
  for (const name of [target, socketOf(target), socketOf(bridgeOf(target))]) {
    try {
      const socket = await openSocket(name);
      if (socket !== undefined) return { socket, name: `unix:${name}` };
    } catch (e) {
      throw openFailure(target, `unix:${name}`, errnoName(e));
    }
  }
  throw new FatalError(`${target} is not a bridge or a socket`);
}
