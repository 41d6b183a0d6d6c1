/** The tools' side of control sockets: finding a daemon's socket and calling a command. */
import fs from 'node:fs';
import path from 'node:path';
import { FatalError, OvsError, errnoName, strerror } from './errors.js';
import { libraryEngine } from './jsonrpc/adapter.js';
import { JsonRpcError, JsonRpcSession } from './jsonrpc/session.js';
import { connectStream } from './stream.js';
import { defaultPidfile, dirs } from './dirs.js';
import { vlog } from './vlog.js';
import { processRuns } from './process.js';

/** Does some process hold a lock on this file (Linux: /proc/locks names the inode)? null: cannot be known. */
function isLocked(file: string): boolean | null {
  try {
    const { ino } = fs.statSync(file);
    return new RegExp(`:${ino} `).test(fs.readFileSync('/proc/locks', 'latin1'));
  } catch {
    return null;
  }
}

/**
 * Reads the pidfile of a daemon that lives: one that locks its pidfile, or, where locks cannot be seen, one whose
 * process exists and runs `program`.
 *
 * @throws an error with an errno name as `code`: ENOENT; ESRCH for a file that nobody owns.
 */
export function readPidfile(file: string, program: string): number {
  const pid = Number(/^\s*(\d+)\s*$/.exec(fs.readFileSync(file, 'utf8'))?.[1] ?? 0);
  if (pid > 0 && (isLocked(file) === true || processRuns(pid, program))) return pid;
  throw new OvsError(strerror('ESRCH'), 'ESRCH');
}

/**
 * The socket of a target as ovs-appctl(8) takes it: an absolute path is the socket itself; else a program name,
 * whose pidfile in the run directory gives RUNDIR/NAME.PID.ctl.
 *
 * @throws FatalError in the peer's words: `cannot read pidfile "…" (No such file or directory)`.
 */
export function resolveTarget(target: string): string {
  if (path.isAbsolute(target) || target.startsWith('\\\\')) return target;
  const pidfile = defaultPidfile(target);
  let pid: number;
  try {
    pid = readPidfile(pidfile, target);
  } catch (error) {
    const reason = strerror(error);
    if (errnoName(error) === 'ENOENT') vlog('daemon_unix').warn(`${pidfile}: open: ${reason}`);
    throw new FatalError(`cannot read pidfile "${pidfile}" (${reason})`);
  }
  return `${dirs.rundir}/${target}.${pid}.ctl`;
}

/** A daemon's answer: its text, with its newline; `ok` false for an error reply. */
export interface UnixctlReply {
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Runs a command at a target.
 *
 * @throws (rejects) FatalError in ovs-appctl's words when the daemon cannot be reached or breaks off.
 */
export async function unixctlCall(
  target: string,
  command: string,
  args: readonly string[],
): Promise<UnixctlReply> {
  const socketPath = resolveTarget(target);
  let session: JsonRpcSession;
  try {
    session = new JsonRpcSession(await connectStream(`unix:${socketPath}`), {
      name: `unix:${socketPath}`,
      engine: libraryEngine,
    });
  } catch (error) {
    vlog('unixctl').warn(`failed to connect to ${socketPath}`);
    throw new FatalError(`cannot connect to "${socketPath}" (${strerror(error)})`);
  }
  try {
    const result = await session.request(command, [...args]);
    return { ok: true, text: String(result ?? '') };
  } catch (error) {
    if (error instanceof JsonRpcError) return { ok: false, text: String(error.error) };
    throw new FatalError(`${target}: transaction error (${strerror(error)})`);
  } finally {
    session.close();
  }
}
