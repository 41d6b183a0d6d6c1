/**
 * Pidfiles, as the peer makes them: FILE holds the process id and a newline, is made under the name FILE.tmp and
 * renamed, and on Linux is locked by fcntl(2) while its owner lives (the peer's ovs-appctl trusts a pidfile only
 * then). Elsewhere, and against owners without the lock, an owner is one whose process exists and runs the program.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { FatalError, strerror } from './errors.js';
import { processRuns } from './process.js';

/** fcntl(2) on x86-64 and arm64 Linux: struct flock {short type, whence; off_t start, len; pid_t pid}. */
const F_SETLK = 6;
const F_GETLK = 5;
const F_WRLCK = 1;
const F_UNLCK = 2;
const FLOCK_SIZE = 32;

type Fcntl = (fd: number, command: number, type: string, argument: Uint8Array) => number;
let fcntl: Fcntl | null | undefined;

function loadFcntl(): Fcntl | null {
  if (fcntl !== undefined) return fcntl;
  fcntl = null;
  if (process.platform === 'linux') {
    try {
      const koffi = createRequire(import.meta.url)('koffi') as {
        load(name: string | null): { func(prototype: string): Fcntl };
      };
      fcntl = koffi.load(null).func('int fcntl(int fd, int cmd, ...)');
    } catch {
      // Without koffi the check by process id remains.
    }
  }
  return fcntl;
}

function flock(type: number): Uint8Array {
  const bytes = new Uint8Array(FLOCK_SIZE);
  new DataView(bytes.buffer).setInt16(0, type, true);
  return bytes;
}

/** Who holds the write lock of an open file: a process id, 0 for nobody, null when that cannot be known. */
function lockOwner(fd: number): number | null {
  const call = loadFcntl();
  if (!call) return null;
  const bytes = flock(F_WRLCK);
  if (call(fd, F_GETLK, 'uint8_t *', bytes) !== 0) return null;
  const view = new DataView(bytes.buffer);
  return view.getInt16(0, true) === F_UNLCK ? 0 : view.getInt32(24, true);
}

function liveOwner(file: string, program: string): number {
  let fd: number;
  try {
    fd = fs.openSync(file, 'r+');
  } catch {
    return 0;
  }
  try {
    const owner = lockOwner(fd);
    if (owner !== null && owner > 0) return owner;
    const pid = Number(/^\d+/.exec(fs.readFileSync(fd, 'utf8'))?.[0] ?? 0);
    // A process of this project on a system without locks, or one started where koffi was missing.
    return owner === null && pid > 0 && pid !== process.pid && processRuns(pid, program) ? pid : 0;
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Takes a pidfile for this process.
 *
 * @param overwrite do not look for a live owner.
 * @returns what removes the file again; call it at exit.
 * @throws FatalError in the peer's words when somebody has it or it cannot be made.
 */
export function takePidfile(file: string, program: string, overwrite = false): () => void {
  if (!overwrite) {
    const owner = liveOwner(file, program);
    if (owner > 0) throw new FatalError(`${file}: already running as pid ${owner}, aborting`);
  }
  const tmp = `${file}.tmp`;
  let fd: number;
  try {
    fd = fs.openSync(tmp, 'w+', 0o644);
  } catch (error) {
    throw new FatalError(`${tmp}: create failed (${strerror(error)})`);
  }
  try {
    loadFcntl()?.(fd, F_SETLK, 'uint8_t *', flock(F_WRLCK));
    fs.writeSync(fd, `${process.pid}\n`);
    fs.renameSync(tmp, file);
  } catch (error) {
    fs.closeSync(fd);
    fs.rmSync(tmp, { force: true });
    throw new FatalError(`failed to rename "${tmp}" to "${file}" (${strerror(error)})`);
  }
  // Absolute, because the daemon will have changed its directory.
  const full = path.resolve(file);
  return () => {
    fs.rmSync(full, { force: true });
    try {
      fs.closeSync(fd);
    } catch {
      // Already closed.
    }
  };
}
