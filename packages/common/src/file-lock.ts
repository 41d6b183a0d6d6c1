/**
 * Write locks on open files, which the peer respects: POSIX record locks (fcntl(2), F_SETLK) over the whole file,
 * on Linux and macOS. Such a lock dies with its process. It belongs to the process, not to the descriptor: the
 * same process takes it twice without noticing, and loses it when it closes any descriptor of that file.
 *
 * Where fcntl cannot be called (Windows, no koffi) the file's text stands in for the lock: the owner's process id
 * and a newline, which counts as long as that process lives (on Windows: one that is not younger than the text).
 * Rejected: a file whose existence is the lock (it survives a crash).
 */
import fs from 'node:fs';
import { tryKoffi } from './koffi.js';
import { beganAfter, processRuns } from './process.js';

/** Commands of fcntl, values of `l_type`, and where struct flock keeps what we read and write. */
interface FlockLayout {
  readonly setlk: number;
  readonly getlk: number;
  readonly writeLock: number;
  readonly unlock: number;
  readonly typeOffset: number;
  readonly pidOffset: number;
}

/** 64-bit systems. The start and the length of a lock stay 0: the whole file. */
const LAYOUTS: Partial<Record<NodeJS.Platform, FlockLayout>> = {
  linux: { setlk: 6, getlk: 5, writeLock: 1, unlock: 2, typeOffset: 0, pidOffset: 24 },
  darwin: { setlk: 8, getlk: 7, writeLock: 3, unlock: 2, typeOffset: 20, pidOffset: 16 },
};
const FLOCK_SIZE = 32;

/** This system's record locks. */
interface RecordLocks extends FlockLayout {
  fcntl(fd: number, command: number, type: 'uint8_t *', flock: Uint8Array): number;
}

let loaded: RecordLocks | null | undefined;

/** Null where fcntl cannot be called. */
function recordLocks(): RecordLocks | null {
  if (loaded === undefined) {
    const layout = LAYOUTS[process.platform];
    const fcntl = layout && tryKoffi()?.load(null).func('int fcntl(int fd, int cmd, ...)');
    loaded = layout && fcntl ? { ...layout, fcntl: fcntl as unknown as RecordLocks['fcntl'] } : null;
  }
  return loaded;
}

/** Calls fcntl with that `l_type` for the whole file; gives the struct flock it leaves, null for an error. */
function control(locks: RecordLocks, fd: number, command: number, type: number): DataView | null {
  const bytes = new Uint8Array(FLOCK_SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt16(locks.typeOffset, type, true);
  return locks.fcntl(fd, command, 'uint8_t *', bytes) === 0 ? view : null;
}

/**
 * Who holds the lock of an open file, other than this process.
 *
 * @param fd open for reading and writing, at its start.
 * @param program where a text stands in for the lock: what its process must run, as far as the system tells;
 *   empty for anything.
 * @returns a process id; 0 for nobody; -1 or 0 for one this process cannot see (of another PID namespace).
 */
export function lockOwner(fd: number, program = ''): number {
  const locks = recordLocks();
  const flock = locks && control(locks, fd, locks.getlk, locks.writeLock);
  if (flock) {
    const free = flock.getInt16(locks.typeOffset, true) === locks.unlock;
    return free ? 0 : flock.getInt32(locks.pidOffset, true);
  }
  const pid = Number(/^\d+/.exec(fs.readFileSync(fd, 'utf8'))?.[0] ?? 0);
  if (pid <= 0 || pid === process.pid || !processRuns(pid, program)) return 0;
  return beganAfter(pid, fs.fstatSync(fd).mtimeMs) ? 0 : pid;
}

/**
 * Takes the lock of an open file for this process; never waits.
 *
 * @param fd open for reading and writing, at its start. Where a text stands in for the lock, it replaces what the
 *   file holds.
 * @returns 0 when the lock is ours now; else the process id of its owner, -1 when that cannot be known.
 */
export function tryLockFile(fd: number): number {
  const locks = recordLocks();
  if (locks) return control(locks, fd, locks.setlk, locks.writeLock) ? 0 : lockOwner(fd) || -1;
  const owner = lockOwner(fd);
  if (owner !== 0) return owner;
  fs.ftruncateSync(fd);
  fs.writeSync(fd, `${process.pid}\n`, 0);
  return 0;
}

/** Gives the lock of an open file back. The descriptor stays open; closing it would drop a record lock as well. */
export function unlockFile(fd: number): void {
  const locks = recordLocks();
  if (locks) control(locks, fd, locks.setlk, locks.unlock);
  else fs.ftruncateSync(fd);
}
