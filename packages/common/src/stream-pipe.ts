/** The Windows part of streams: named pipes, which stand for sockets in the file system. */
import fs from 'node:fs';
import type net from 'node:net';
import { OvsError, strerror } from './errors.js';
import { tryLockFile } from './file-lock.js';
import { prepareRestriction, restrictPipe } from './pipe-security.js';
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
 * Listens at the pipe that stands for a path, and closes it to all but those who may use it. Who gets in between is turned
 * away; nobody of this process does, and others have the time of a few calls only.
 *
 * @param server has no listener for connections yet.
 * @throws (rejects) what the system has against listening there.
 */
export async function listenPipe(server: net.Server, path: string): Promise<void> {
  const name = pipeName(path);
  const turnAway = (socket: net.Socket): void => {
    socket.on('error', () => {});
    socket.destroy();
  };
  server.on('connection', turnAway);
  const own = new Promise<void>((resolve) => void server.once('connection', () => resolve()));
  const listens = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', resolve);
  });
  // What takes its time comes before the pipe is there.
  prepareRestriction();
  server.listen(name);
  const error = server.listening ? restrictPipe(name) : null;
  await listens;
  if (error !== null) log.warn(`${name}: access to the pipe could not be restricted: ${error}`);
  else {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([own, new Promise((resolve) => (timer = setTimeout(resolve, CLIENT_MS)))]);
    clearTimeout(timer);
  }
  server.removeListener('connection', turnAway);
}
