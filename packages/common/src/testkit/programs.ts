import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** How a program ended. */
export interface RunResult {
  /** Exit status; 128 + n when a signal ended it; 124 when the kit's time limit did. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run it. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** 20 s when absent. */
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Of what it prints; UTF-8 when absent. */
  readonly encoding?: BufferEncoding;
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGALRM: 14,
  SIGTERM: 15,
};

/**
 * The folder of the checkout (where bin/ is) that the module `url` was built in. That is the caller's to say where a
 * checkout may be a copy whose `node_modules` leads to the packages of another.
 */
export function checkoutRoot(url: string = import.meta.url): string {
  let dir = path.dirname(fileURLToPath(url));
  while (!fs.existsSync(path.join(dir, 'package-lock.json'))) {
    const up = path.dirname(dir);
    if (up === dir) throw new Error('not inside a checkout');
    dir = up;
  }
  return dir;
}

/** Runs any program to its end. Standard output and error are complete when it resolves; it does not reject. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 20000);
    child.stdout.on('data', (d: Buffer) => out.push(d));
    child.stderr.on('data', (d: Buffer) => err.push(d));
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    const end = (status: number, note = ''): void => {
      clearTimeout(timer);
      resolve({
        status,
        stdout: Buffer.concat(out).toString(options.encoding),
        stderr: Buffer.concat(err).toString(options.encoding) + note,
      });
    };
    child.once('error', (error) => end(127, `${error.message}\n`));
    child.once('close', (code, signal) => {
      end(
        timedOut ? 124 : (code ?? 128 + (SIGNALS[signal ?? ''] ?? 0)),
        timedOut ? 'time limit of the test kit\n' : '',
      );
    });
  });
}

/** Runs `bin/<name>` of this checkout (it must have been built). */
export function runProgram(
  name: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return run(process.execPath, [path.join(checkoutRoot(), 'bin', name), ...args], options);
}
