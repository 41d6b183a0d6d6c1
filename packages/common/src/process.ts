/** What can be known about another process. */
import fs from 'node:fs';
import { errnoName } from './errors.js';

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
