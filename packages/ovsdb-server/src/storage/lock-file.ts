/**
 * The lock that keeps two servers from opening one database: `.conf.db.~lock~` beside it, as the peer's, locked as
 * `file-lock.ts` says. Record locks do not exclude within one process, so the locks held are also kept in a table
 * of this process.
 */
import { coverageCounter } from '@ovs-node/common/coverage';
import fs from 'node:fs';
import path from 'node:path';
import { strerror } from '@ovs-node/common/errors';
import { tryLockFile, unlockFile } from '@ovs-node/common/file-lock';
import { vlog } from '@ovs-node/common/vlog';
import { ioError } from './log-reader.js';

const log = vlog('lockfile');

/** Absolute paths of lock files this process holds. */
const held = new Set<string>();

const locked = coverageCounter('lockfile_lock');
const unlocked = coverageCounter('lockfile_unlock');
const failed = coverageCounter('lockfile_error');

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
    failed.total++;
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
  const owner = tryLockFile(fd);
  if (owner !== 0) {
    fs.closeSync(fd);
    log.warn(`${lockName}: cannot lock file because it is already locked by pid ${owner}`);
    return fail({ code: 'EAGAIN' });
  }
  locked.total++;
  held.add(key);
  return {
    release: () => {
      unlocked.total++;
      held.delete(key);
      // Never removed: another process may be opening it at this moment.
      unlockFile(fd);
      fs.closeSync(fd);
    },
  };
}
