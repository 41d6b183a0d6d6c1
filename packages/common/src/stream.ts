/**
 * Byte streams: Unix sockets (named pipes on Windows) and TCP, by the peer's names.
 *
 * Unix socket paths longer than the kernel's 107 bytes (103 on macOS) are reached by a shorter alias of their
 * directory: on Linux an open directory in /proc/self/fd, elsewhere a symbolic link in the temporary directory.
 */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { OvsError, errnoName, strerror } from './errors.js';
import { vlog } from './vlog.js';
import { parseActive, parsePassive, pipeName, OVSDB_PORT, type StreamAddress } from './stream-name.js';

export { isActiveName, isPassiveName, pipeName, OVSDB_PORT, OPENFLOW_PORT } from './stream-name.js';

/** How to connect or listen. */
export interface StreamOptions {
  /** Port of a `tcp:HOST` or `ptcp:` name that says none. */
  readonly defaultPort?: number;
  /** Gives up after this time with ETIMEDOUT; connecting only. */
  readonly timeoutMs?: number;
}

/** A listening stream. */
export interface Listener {
  /** The name it listens at; for `ptcp:0` with the port the system chose. */
  readonly name: string;
  /** The TCP port, or 0. */
  readonly port: number;
  /** Stops listening and removes the socket's file. Connections it accepted live on. */
  close(): Promise<void>;
}

const log = vlog('stream_unix');

const MAX_UNIX_PATH = process.platform === 'linux' ? 107 : 103;

interface Alias {
  readonly path: string;
  release(): void;
}

/** A path of allowed length for the same socket. @throws the errno error of opening its directory. */
function shorten(full: string): Alias {
  if (Buffer.byteLength(full) <= MAX_UNIX_PATH) return { path: full, release: () => {} };
  const dir = path.dirname(full);
  const base = path.basename(full);
  if (process.platform === 'linux') {
    const fd = fs.openSync(dir, fs.constants.O_DIRECTORY | fs.constants.O_RDONLY);
    const short = `/proc/self/fd/${fd}/${base}`;
    if (Buffer.byteLength(short) > MAX_UNIX_PATH) {
      fs.closeSync(fd);
      throw new OvsError(`${full}: socket name too long`, 'ENAMETOOLONG');
    }
    return { path: short, release: () => fs.closeSync(fd) };
  }
  const holder = fs.mkdtempSync(path.join(os.tmpdir(), 'o'));
  const link = path.join(holder, 'd');
  const release = (): void => fs.rmSync(holder, { recursive: true, force: true });
  fs.symlinkSync(dir, link);
  const short = path.join(link, base);
  if (Buffer.byteLength(short) > MAX_UNIX_PATH) {
    release();
    throw new OvsError(`${full}: socket name too long`, 'ENAMETOOLONG');
  }
  return { path: short, release };
}

function connectAddress(address: StreamAddress, timeoutMs: number | undefined): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    let alias: Alias | null = null;
    let options: net.NetConnectOpts;
    if (address.kind === 'tcp') options = { host: address.host, port: address.port, noDelay: true };
    else if (process.platform === 'win32') options = { path: pipeName(address.path) };
    else {
      alias = shorten(address.path);
      options = { path: alias.path };
    }
    const socket = net.connect(options);
    let timer: NodeJS.Timeout | null = null;
    const settle = (): void => {
      if (timer) clearTimeout(timer);
      alias?.release();
      socket.removeListener('error', failed);
      socket.removeListener('connect', connected);
    };
    const failed = (error: Error): void => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      // A name that cannot be resolved is no address; the C library's resolver has errors of its own for that.
      const isNoAddress = ['ENOTFOUND', 'EAI_AGAIN'].includes((error as { code?: string }).code ?? '');
      const code = isNoAddress ? 'EAFNOSUPPORT' : errnoName(error);
      reject(new OvsError(strerror(code), code, { cause: error }));
    };
    const connected = (): void => {
      settle();
      resolve(socket);
    };
    socket.once('error', failed);
    socket.once('connect', connected);
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => failed(new OvsError(strerror('ETIMEDOUT'), 'ETIMEDOUT')), timeoutMs);
    }
  });
}

/**
 * Connects to `unix:FILE` or `tcp:HOST[:PORT]`.
 *
 * The caller owns the socket and must handle its 'error' events.
 *
 * @throws (rejects) OvsError whose `code` is the errno name and whose message is the C library's text for it:
 *   callers print `PROG: NAME: database connection failed (${message})`.
 */
export async function connectStream(name: string, options: StreamOptions = {}): Promise<net.Socket> {
  return connectAddress(parseActive(name, options.defaultPort ?? OVSDB_PORT), options.timeoutMs);
}

/** How long a connection has to stay open for its other end to count as alive. */
const ALIVE_MS = 500;
/** A process that is being killed accepts connections for a moment more, and then drops them: so often we look again. */
const DYING_TRIES = 10;

/** Does somebody who is not just dying listen on this socket file? */
async function isServed(file: string): Promise<boolean> {
  for (let tries = 0; tries < DYING_TRIES; tries++) {
    let socket: net.Socket;
    try {
      socket = await connectAddress({ kind: 'unix', path: file }, 2000);
    } catch {
      return false;
    }
    const stays = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), ALIVE_MS);
      const dropped = (): void => {
        clearTimeout(timer);
        resolve(false);
      };
      socket.once('error', dropped);
      socket.once('close', dropped);
      socket.resume();
    });
    socket.destroy();
    if (stays) return true;
  }
  return true;
}

/** Removes a socket file nobody listens on; refuses (EADDRINUSE) one that answers. */
async function clearStale(file: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = fs.lstatSync(file).isSocket();
  } catch {
    return;
  }
  if (!isSocket) throw new OvsError(strerror('EADDRINUSE'), 'EADDRINUSE');
  if (await isServed(file)) throw new OvsError(strerror('EADDRINUSE'), 'EADDRINUSE');
  fs.rmSync(file, { force: true });
}

/** Binds with the mode the peer's sockets have (0750): only the owner can write, that is, connect. */
function listenUnix(server: net.Server, file: string): void {
  if (!isMainThread) {
    server.once('listening', () => fs.chmodSync(file, 0o750));
    server.listen(file);
    return;
  }
  const before = process.umask(0o027);
  try {
    server.listen(file);
  } finally {
    process.umask(before);
  }
}

/**
 * Listens at `punix:FILE` or `ptcp:PORT[:HOST]`; `onConnection` owns each socket it is given and must handle its
 * 'error' events. A socket file left over by a dead process is replaced.
 *
 * @throws (rejects) OvsError: EADDRINUSE when somebody answers there, other errno names as the system says.
 */
export async function listenStream(
  name: string,
  onConnection: (socket: net.Socket) => void,
  options: StreamOptions = {},
): Promise<Listener> {
  const address = parsePassive(name, options.defaultPort ?? OVSDB_PORT);
  const server = net.createServer({ noDelay: address.kind === 'tcp' }, onConnection);
  let alias: Alias | null = null;
  if (address.kind === 'unix' && process.platform !== 'win32') {
    await clearStale(address.path);
    // Between bind(2) and listen(2) a socket's file is there and refuses: who waits for the file would meet that.
    // So it gets its name when it listens.
    fs.rmSync(`${address.path}.${process.pid}`, { force: true });
    alias = shorten(`${address.path}.${process.pid}`);
  }
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', resolve);
      if (address.kind === 'tcp') {
        server.listen({ port: address.port, ...(address.host === '' ? {} : { host: address.host }) });
      } else if (alias === null) server.listen(pipeName(address.path));
      else listenUnix(server, alias.path);
    });
    if (alias !== null && address.kind === 'unix')
      fs.renameSync(`${address.path}.${process.pid}`, address.path);
  } catch (error) {
    server.close();
    alias?.release();
    let code = errnoName(error);
    if (address.kind === 'unix') {
      // libuv reports a missing directory as EACCES.
      if (code === 'EACCES' && !fs.existsSync(path.dirname(address.path))) code = 'ENOENT';
      log.err(`${address.path}: binding failed: ${strerror(code)}`);
    }
    throw new OvsError(strerror(code), code, { cause: error });
  }
  server.removeAllListeners('error');
  // accept(2) failing (EMFILE) must not end the daemon; the next connection gets its chance.
  server.on('error', () => {});
  const inode = alias !== null && address.kind === 'unix' ? fs.lstatSync(address.path).ino : 0;
  /** Removes the file, unless somebody has put another in its place. */
  const unlink = (): void => {
    if (address.kind !== 'unix' || alias === null) return;
    if (fs.lstatSync(address.path, { throwIfNoEntry: false })?.ino === inode)
      fs.rmSync(address.path, { force: true });
  };
  const port = address.kind === 'tcp' ? (server.address() as net.AddressInfo).port : 0;
  return {
    name: address.kind === 'tcp' && name.startsWith('ptcp:0') ? name.replace('ptcp:0', `ptcp:${port}`) : name,
    port,
    close: () =>
      new Promise((resolve) => {
        let done = false;
        const finish = (): void => {
          if (done) return;
          done = true;
          alias?.release();
          resolve();
        };
        // Not waiting for accepted connections: they belong to whom they were given to.
        server.close();
        unlink();
        setImmediate(finish);
      }),
  };
}
