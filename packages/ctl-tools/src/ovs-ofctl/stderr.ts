/** Standard error, written by calls that wait. */
import fs from 'node:fs';
import { errnoName } from '@ovs-node/common/errors';

const STDERR = 2;
/** How long to wait for who reads too slowly, ms, before trying again. */
const PATIENCE_MS = 1;
const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes byte text to standard error; returns when the system has all of it. `process.stderr` is left alone: it makes a
 * pipe one that does not wait, and what it holds back would come after what is logged later.
 *
 * @throws the errno error when there is nobody to read it.
 */
export function writeStderr(text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(STDERR, bytes, at);
    } catch (e) {
      // Somebody else may have made it one that does not wait.
      if (errnoName(e) !== 'EAGAIN') throw e;
      Atomics.wait(never, 0, 0, PATIENCE_MS);
    }
  }
}
