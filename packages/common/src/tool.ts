/** The frame of a command line tool: its errors, its exit status, its time limit. */
import fs from 'node:fs';
import { setLongTimer } from './clock.js';
import { beTool, endBy, tellEnd } from './end-signals.js';
import { EarlyExit, FatalError, errorMessage } from './errors.js';
import { wholeNumber } from './number-text.js';
import { programName, setLevels, setProgramName, vlog } from './vlog.js';

const log = vlog('command_line');

/** What the peer's tools keep of their output until they end: of less they never learn that nobody takes it. */
const STDIO_BUFFER = 4096;

/** What becomes of output that cannot be written, as its reader has gone (`… | head`) or there is no room. */
export type LostOutput = 'always passed over' | 'passed over' | 'told';

let lost: LostOutput = 'passed over';
let isHelping = false;

function lose(error: NodeJS.ErrnoException): void {
  if (lost === 'always passed over') return;
  // Of most tools the peers are not yet deaf to SIGPIPE when they help.
  if (isHelping) process.exit(error.code === 'EPIPE' ? 141 : 0);
  if (lost === 'passed over') return;
  // Counted for pipes and sockets only.
  const written: number | undefined = (process.stdout as { bytesWritten?: number }).bytesWritten;
  if (written !== undefined && written <= STDIO_BUFFER) return;
  // In place of the line of the log.
  setLevels('command_line', 'console', 'off');
  log.emer('write to stdout failed');
  try {
    fs.writeSync(2, `${programName()}: write to stdout failed\n`);
  } catch {
    // Nobody reads that either.
  }
  process.exit(1);
}

/** Writes and waits until the operating system has it: process.exit() would cut off what a pipe has not taken. */
function flush(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (text === '' && stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stream.write(text, (error) => {
      if (error && stream === process.stdout) lose(error);
      resolve();
    });
  });
}

/** Ends the process once standard output and error have been taken. */
export async function exitFlushed(status: number): Promise<never> {
  await Promise.all([flush(process.stdout, ''), flush(process.stderr, '')]);
  process.exit(status);
}

/** Turns what a program threw into output and an exit status; programs share it with daemons. */
export async function exitWith(name: string, thrown: unknown): Promise<never> {
  if (thrown instanceof EarlyExit) {
    isHelping = true;
    await flush(process.stdout, thrown.text);
    return exitFlushed(thrown.status);
  }
  if (thrown instanceof FatalError) {
    if (thrown.message !== '') await flush(process.stderr, `${name}: ${thrown.message}\n`);
    return exitFlushed(thrown.status);
  }
  await flush(process.stderr, `${name}: ${errorMessage(thrown)}\n`);
  if (process.env['DEBUG'] && thrown instanceof Error) await flush(process.stderr, `${thrown.stack ?? ''}\n`);
  return exitFlushed(1);
}

/**
 * Runs a tool: console logging from warnings up, `PROG: message` on standard error for what is thrown (FatalError
 * chooses the status, others are 1), EarlyExit's text on standard output.
 *
 * @param main gets the words after the program's name; returns the exit status (nothing means 0).
 * @param options the words, when they are not the process's; and what becomes of output that cannot be written: it is
 * told, with status 1, by tools whose peers do so.
 */
export async function runTool(
  name: string,
  main: (args: string[]) => Promise<number | void> | number | void,
  options: { readonly args?: string[]; readonly lostOutput?: LostOutput } = {},
): Promise<void> {
  const { args = process.argv.slice(2), lostOutput = 'passed over' } = options;
  setProgramName(name);
  setLevels(null, 'console', 'warn');
  beTool();
  lost = lostOutput;
  process.stdout.on('error', lose);
  let status: number;
  try {
    status = (await main(args)) ?? 0;
  } catch (thrown) {
    await exitWith(name, thrown);
    return;
  }
  await exitFlushed(status);
}

/** A time limit; undefined for what is none. */
function secondsIn(text: string): number | undefined {
  const seconds = wholeNumber(text) ?? 0;
  return seconds < 1 || seconds > 0xffffffff ? undefined : seconds;
}

/**
 * Reads the value of --timeout.
 *
 * @param short the option's short form: -t, in ovs-appctl -T.
 * @throws FatalError in the peer's words when it is not a whole number from 1.
 */
export function parseTimeout(value: string, short: 't' | 'T' = 't'): number {
  const seconds = secondsIn(value);
  if (seconds === undefined) throw new FatalError(`value ${value} on -${short} or --timeout is invalid`);
  return seconds;
}

/**
 * Ends the process as SIGALRM would after `seconds` (undefined: OVS_CTL_TIMEOUT from the environment, if set), with
 * the peer's log line and status 142.
 *
 * @returns whether there is such a limit: the event loop has to run for it.
 */
export function startTimeout(seconds: number | undefined): boolean {
  let limit = seconds;
  if (limit === undefined) {
    limit = secondsIn(process.env['OVS_CTL_TIMEOUT'] ?? '');
    if (limit === undefined) return false;
  }
  const end = (): void => {
    // Who heeds signals ends by that one as by any other.
    if (process.emit('SIGALRM', 'SIGALRM')) return;
    tellEnd('SIGALRM');
    endBy('SIGALRM');
  };
  setLongTimer(limit * 1000, end, true);
  return true;
}
