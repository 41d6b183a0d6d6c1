/**
 * Pidfiles, as the peer makes them: FILE holds the process id and a newline, is made under the name FILE.tmp and
 * renamed, and is locked while its owner lives (the peer's ovs-appctl trusts a pidfile only then). Where there are
 * no record locks, an owner is one whose process exists and runs the program.
 */
import fs from 'node:fs';
import path from 'node:path';
import { FatalError, strerror } from './errors.js';
import { lockOwner, tryLockFile } from './file-lock.js';

/** The live process that has a pidfile, 0 for none. */
function liveOwner(file: string, program: string): number {
  let fd: number;
  try {
    fd = fs.openSync(file, 'r+');
  } catch {
    return 0;
  }
  try {
    return lockOwner(fd, program);
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
    tryLockFile(fd);
    fs.writeSync(fd, `${process.pid}\n`, 0);
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
