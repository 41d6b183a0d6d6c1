/** What can be known about another process. */
import fs from 'node:fs';
import { errnoName } from './errors.js';
import { tryKoffi } from './koffi.js';

/** Does a process with this id exist, and, as far as the system tells, run `program`? */
export function processRuns(pid: number, program: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errnoName(error) === 'ESRCH') return false;
  }
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(program);
  } catch {
    return true;
  }
}

/** Right to ask when a process began (winnt.h). */
const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
/** A FILETIME counts units of 100 ns since 1601-01-01 UTC. */
const FILETIME_PER_MS = 10_000n;
const FILETIME_UNIX_EPOCH_MS = 11_644_473_600_000n;
/** Some Windows file systems keep times to two seconds. */
const FILE_TIME_SLACK_MS = 3000;

/**
 * Is a process certainly younger than a file that names it? Then the number, which Windows gives again soon and after
 * each boot, was somebody else's when the file was written. False where that cannot be known.
 *
 * @param writtenMs when the file was last written, in milliseconds since 1970.
 */
export function beganAfter(pid: number, writtenMs: number): boolean {
  if (process.platform !== 'win32') return false;
  let kernel;
  try {
    kernel = tryKoffi()?.load('kernel32.dll');
  } catch {
    // Then it is unknown.
  }
  if (kernel === undefined) return false;
  const handle: unknown = kernel.func('void *__stdcall OpenProcess(uint32_t, int, uint32_t)')(
    PROCESS_QUERY_LIMITED_INFORMATION,
    0,
    pid,
  );
  if (handle === null) return false;
  // Creation, exit, kernel and user time.
  const times = new BigUint64Array(4);
  const at = (i: number): BigUint64Array => times.subarray(i, i + 1);
  const known: unknown = kernel.func('int __stdcall GetProcessTimes(void *, void *, void *, void *, void *)')(
    handle,
    at(0),
    at(1),
    at(2),
    at(3),
  );
  kernel.func('int __stdcall CloseHandle(void *)')(handle);
  if (known === 0) return false;
  return Number(times[0]! / FILETIME_PER_MS - FILETIME_UNIX_EPOCH_MS) > writtenMs + FILE_TIME_SLACK_MS;
}
