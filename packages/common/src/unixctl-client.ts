/** The tools' side of control sockets: finding a daemon's socket and calling a command. */
import fs from 'node:fs';
import path from 'node:path';
import { FatalError, errnoName, strerror } from './errors.js';
import { JsonRpcError, JsonRpcSession } from './jsonrpc/session.js';
import { connectStream } from './stream.js';
import { defaultPidfile, dirs } from './dirs.js';
import { vlog } from './vlog.js';

/** Reads a pidfile. @throws OvsError-like errno error: ENOENT, ESRCH when the process is gone. */
export function readPidfile(file: string): number {
  const text = fs.readFileSync(file, 'utf8').trim();
  const pid = /^\d+$/.test(text) ? Number(text) : 0;
  if (pid <= 0) throw Object.assign(new Error('bad pidfile'), { code: 'EINVAL' });
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errnoName(error) === 'ESRCH') throw error;
  }
  return pid;
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
    pid = readPidfile(pidfile);
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
export async function unixctlCall(target: string, command: string, args: readonly string[]): Promise<UnixctlReply> {
  const socketPath = resolveTarget(target);
  let session: JsonRpcSession;
  try {
    session = new JsonRpcSession(await connectStream(`unix:${socketPath}`), { name: socketPath });
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
