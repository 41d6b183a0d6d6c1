import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pipeName } from '../stream-name.js';

/** What ava's `t` offers and the kit uses; the kit does not depend on ava. */
export interface TestContext {
  log(...values: unknown[]): void;
  pass(message?: string): unknown;
  fail(message?: string): unknown;
  teardown(fn: () => void | Promise<void>): void;
}

const made: string[] = [];
process.on('exit', () => {
  for (const dir of made) fs.rmSync(dir, { recursive: true, force: true });
});

/** A new empty folder with a short name (socket paths are short), removed at teardown of `t`, or at exit. */
export function tmpDir(t?: Pick<TestContext, 'teardown'>): string {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ovs-')));
  // Windows keeps a file in its folder until the last handle to it is closed, which may be under way.
  if (t) t.teardown(() => fs.promises.rm(dir, { recursive: true, force: true, maxRetries: 10 }));
  else made.push(dir);
  return dir;
}

/** The environment that keeps a program's sockets, logs and databases inside `dir`. */
export function bindTmp(dir: string): Record<string, string> {
  return { OVS_RUNDIR: dir, OVS_LOGDIR: dir, OVS_DBDIR: dir, OVS_SYSCONFDIR: dir };
}

/** What `net.connect` takes to reach `unix:FILE`: the file, or on Windows the pipe that stands for it. */
export function socketPath(file: string): string {
  return process.platform === 'win32' ? pipeName(file) : file;
}
