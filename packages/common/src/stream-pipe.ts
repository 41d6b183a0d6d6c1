/** The Windows part of streams: named pipes, which stand for sockets in the file system. */
import fs from 'node:fs';
import type net from 'node:net';
import { OvsError, strerror } from './errors.js';
import { tryLockFile } from './file-lock.js';
import { restrictPipe } from './pipe-security.js';
import { pipeName } from './stream-name.js';
import { vlog } from './vlog.js';

const log = vlog('stream_unix');

/** Paths that this process serves: the text in a file excludes other processes only. */
const held = new Set<string>();

/**
 * Takes the name of a pipe for this process by a file at the path that it stands for: it shows that somebody serves the
 * pipe, and excludes a second server where the system would not. A path that no file can be made at (a pipe's own name,
 * a folder that does not exist) has no such file.
 *
 * @returns what removes the file.
 * @throws OvsError EADDRINUSE when a process that lives has it.
 */
export function claimPipe(path: string): () => void {
  if (pipeName(path) === path) return () => {};
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  } catch {
    return () => {};
  }
  if (held.has(path) || tryLockFile(fd) !== 0) {
    fs.closeSync(fd);
    throw new OvsError(strerror('EADDRINUSE'), 'EADDRINUSE');
  }
  held.add(path);
  return () => {
    held.delete(path);
    fs.closeSync(fd);
    fs.rmSync(path, { force: true });
  };
}

/** The client that `restrictPipe` is should be seen within this time, ms. */
const CLIENT_MS = 1000;

/**
 * Closes a pipe that listens to all but those who may use it. Who connects before that is turned away.
 *
 * @param server has no listener for connections yet.
 */
export async function securePipe(server: net.Server, path: string): Promise<void> {
  const turnAway = (socket: net.Socket): void => {
    socket.on('error', () => {});
    socket.destroy();
  };
  server.on('connection', turnAway);
  const own = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, CLIENT_MS);
    server.once('connection', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  const name = pipeName(path);
  const error = restrictPipe(name);
  if (error === null) await own;
  else log.warn(`${name}: access to the pipe could not be restricted: ${error}`);
  server.removeListener('connection', turnAway);
}
