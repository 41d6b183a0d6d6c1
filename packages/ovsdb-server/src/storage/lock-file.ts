/**
 * The lock that keeps two servers from opening one database: `.conf.db.~lock~` beside it, as the peer's.
 *
 * On Linux and macOS it is a POSIX record lock (fcntl F_SETLK) on that file, which the peer respects and which
 * dies with its process; fcntl is called through koffi. POSIX locks do not exclude within one process, so the
 * locks held are also kept in a table of this process. Where fcntl is not available (Windows, no koffi) the file
 * holds the owner's process id, which counts as long as that process lives.
 * Rejected: a file whose existence is the lock (it survives a crash).
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { errnoName, strerror } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { ioError } from './log-reader.js';

const log = vlog('lockfile');

type Fcntl = (fd: number, command: number, type: string, argument: Uint8Array) => number;

interface FlockLayout {
  readonly setlk: number;
  readonly getlk: number;
  readonly writeLock: number;
  readonly typeOffset: number;
  readonly pidOffset: number;
}

/** struct flock of 64-bit systems. */
const LAYOUTS: Partial<Record<NodeJS.Platform, FlockLayout>> = {
  linux: { setlk: 6, getlk: 5, writeLock: 1, typeOffset: 0, pidOffset: 24 },
  darwin: { setlk: 8, getlk: 7, writeLock: 3, typeOffset: 20, pidOffset: 16 },
};

let fcntl: Fcntl | null | undefined;

function loadFcntl(): Fcntl | null {
  if (fcntl !== undefined) return fcntl;
  fcntl = null;
  if (LAYOUTS[process.platform] === undefined) return fcntl;
  try {
    const require = createRequire(import.meta.url);
    const koffi = require('koffi') as { load(name: string | null): { func(prototype: string): Fcntl } };
    fcntl = koffi.load(null).func('int fcntl(int fd, int cmd, ...)');
  } catch (error) {
    log.dbg(`no fcntl locks: ${String(error)}`);
  }
  return fcntl;
}

/** Absolute paths of lock files this process holds. */
const held = new Set<string>();

export interface FileLock {
  release(): void;
}

/** The lock file of a database file. */
export function lockFileName(file: string): string {
  const target = resolveLinks(file);
  return path.join(path.dirname(target), `.${path.basename(target)}.~lock~`);
}

/** The file behind symbolic links, which need not exist. */
function resolveLinks(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

/**
 * Locks a database file for this process; never waits. Throws `OvsdbError` (`I/O error`) when somebody has it or
 * the lock file cannot be made. `name` stands for the database in errors.
 */
export function lockDatabaseFile(file: string, name: string = file): FileLock {
  const lockName = lockFileName(file);
  const fail = (error: unknown): never => {
    throw ioError(`${name}: failed to lock lockfile`, error);
  };
  const key = path.resolve(lockName);
  if (held.has(key)) {
    log.warn(`${lockName}: cannot lock file because this process has already locked it`);
    return fail({ code: 'EDEADLK' });
  }
  let fd: number;
  try {
    fd = fs.openSync(lockName, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  } catch (error) {
    log.warn(`${lockName}: failed to open lock file: ${strerror(error)}`);
    log.warn(`${lockName}: failed to lock file: ${strerror(error)}`);
    return fail(error);
  }
  const owner = tryLock(fd);
  if (owner !== 0) {
    fs.closeSync(fd);
    log.warn(`${lockName}: cannot lock file because it is already locked by pid ${owner}`);
    return fail({ code: 'EAGAIN' });
  }
  held.add(key);
  return {
    release: () => {
      held.delete(key);
      // Never removed: another process may be opening it at this moment.
      if (loadFcntl() === null) fs.ftruncateSync(fd);
      fs.closeSync(fd);
    },
  };
}

/** Takes the lock; tells the process that has it, or 0 when it is ours now. */
function tryLock(fd: number): number {
  const layout = LAYOUTS[process.platform];
  const call = loadFcntl();
  if (call === null || layout === undefined) return tryPidLock(fd);
  const request = new Uint8Array(32);
  const view = new DataView(request.buffer);
  view.setInt16(layout.typeOffset, layout.writeLock, true);
  if (call(fd, layout.setlk, 'uint8_t *', request) === 0) return 0;
  call(fd, layout.getlk, 'uint8_t *', request);
  return view.getInt32(layout.pidOffset, true) || -1;
}

function tryPidLock(fd: number): number {
  const text = fs.readFileSync(fd, 'utf8');
  const pid = /^[0-9]+\n$/.test(text) ? Number(text) : 0;
  if (pid > 0 && pid !== process.pid && isAlive(pid)) return pid;
  fs.ftruncateSync(fd);
  fs.writeSync(fd, `${process.pid}\n`, 0);
  return 0;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoName(error) !== 'ESRCH';
  }
}
