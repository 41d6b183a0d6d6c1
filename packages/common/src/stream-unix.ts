/**
 * The Unix part of streams: sockets in the file system.
 *
 * Paths longer than the kernel's 107 bytes (103 on macOS) are reached by a shorter alias of their directory: on Linux an
 * open directory in /proc/self/fd, elsewhere a symbolic link in the temporary directory.
 */
import fs from 'node:fs';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { errnoName, OvsError, strerror } from './errors.js';
import { RateLimit, vlog } from './vlog.js';

const log = vlog('socket_util_unix');
/** Who tries again and again says it once a minute. */
const [openLimit, lengthLimit] = [new RateLimit(1, 1), new RateLimit(1, 1)];

const MAX_UNIX_PATH = process.platform === 'linux' ? 107 : 103;

/** Another name of a socket, valid until it is released. */
export interface Alias {
  readonly path: string;
  release(): void;
}

/** A path of allowed length for the same socket. @throws the errno error of opening its directory, or ENAMETOOLONG; logs it. */
export function shorten(full: string): Alias {
  if (Buffer.byteLength(full) <= MAX_UNIX_PATH) return { path: full, release: () => {} };
  try {
    return shortAlias(full);
  } catch (error) {
    if (errnoName(error) !== 'ENAMETOOLONG')
      log.warnRl(openLimit, `${path.dirname(full)}: open failed (${strerror(errnoName(error))})`);
    log.warnRl(lengthLimit, `Unix socket name ${full} is longer than maximum ${MAX_UNIX_PATH} bytes`);
    throw error;
  }
}

function shortAlias(full: string): Alias {
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

/** How long a connection has to stay open for its other end to count as alive. */
const ALIVE_MS = 500;
/** A process that is being killed accepts connections for a moment more, and then drops them: so often we look again. */
const DYING_TRIES = 10;

/** Does somebody who is not just dying listen on this socket file? */
async function isServed(connect: () => Promise<net.Socket>): Promise<boolean> {
  for (let tries = 0; tries < DYING_TRIES; tries++) {
    let socket: net.Socket;
    try {
      socket = await connect();
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

/** The error of removing `file`, which is left alone; undefined when it could be removed. */
function unlinkError(file: string): string | undefined {
  try {
    return fs.lstatSync(file).isDirectory() ? 'EISDIR' : undefined;
  } catch (error) {
    return errnoName(error);
  }
}

/**
 * Makes way for a socket: a socket file nobody listens on is removed.
 *
 * @param connect connects to it, or rejects.
 * @throws (rejects) OvsError EADDRINUSE for one that answers, or a file that is no socket; of other errors what there is
 *   to log but `bindFailed`.
 */
export async function clearStale(file: string, connect: () => Promise<net.Socket>): Promise<void> {
  const error = unlinkError(file);
  if (error === undefined) {
    if (!fs.lstatSync(file).isSocket() || (await isServed(connect)))
      throw new OvsError(strerror('EADDRINUSE'), 'EADDRINUSE');
    fs.rmSync(file, { force: true });
  } else if (error !== 'ENOENT') {
    log.warn(`unlinking "${file}": ${strerror(error)}`);
  }
  shorten(file).release();
  if (error !== undefined && error !== 'ENOENT') throw new OvsError(strerror(error), error);
}

/**
 * That there is no socket at `file`, for `error`. The peer removes then what it has not made, and what it says of the
 * failure is what comes of that.
 *
 * @returns the error to tell of.
 */
export function bindFailed(file: string, error: string): string {
  // Somebody else's it is, and stays.
  if (error === 'EADDRINUSE') return error;
  const code = unlinkError(file) ?? error;
  vlog('fatal_signal').warn(`could not unlink "${file}" (${strerror(code)})`);
  vlog('stream_unix').err(`${file}: binding failed: ${strerror(code)}`);
  return code;
}

let nascents = 0;
/** A name for a socket until it listens, beside `file`, and short whatever that is. */
export function nascentName(file: string): string {
  return path.join(path.dirname(file), `.${process.pid}.${++nascents}`);
}

/** Binds with the mode the peer's sockets have (0750): only the owner can write, that is, connect. */
export function listenUnix(server: net.Server, file: string): void {
  // Loaded by who listens: tools, which do not, start 1 ms sooner.
  if (!process.getBuiltinModule('node:worker_threads').isMainThread) {
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
