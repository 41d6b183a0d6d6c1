/** Signals that end a program, and the line of the log that tells of it. */
import os from 'node:os';
import { signalText } from './signal-text.js';
import { vlog } from './vlog.js';

/** Signals that end a program in order; the alarm is that of --timeout. */
export const END_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGALRM'] as const;
export type EndSignal = (typeof END_SIGNALS)[number];

/** Windows has no alarm. */
const ALARM = 14;

const numberOf = (signal: EndSignal): number => os.constants.signals[signal] ?? ALARM;

/** Tells the log of the signal that the program is about to end by. */
export function tellEnd(signal: EndSignal): void {
  vlog('fatal_signal').warn(`terminating with signal ${numberOf(signal)} (${signalText(signal)})`);
}

/** Ends the process by a signal, after all that was to be done before. */
export function endBy(signal: EndSignal): void {
  if (process.platform === 'win32') process.exit(128 + numberOf(signal));
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function end(signal: EndSignal): void {
  tellEnd(signal);
  endBy(signal);
}

let isTool = false;
let heeds = false;

/** The program is a tool, which heeds signals once it waits for others. */
export function beTool(): void {
  isTool = true;
}

/**
 * From here on a tool tells the log by which signal it ends: it waits for others, in the event loop. What it did before
 * may keep it from there for long, and signals had to end it nevertheless. On Windows, where the console has a status of
 * its own for Ctrl-C, it leaves that to the system.
 */
export function heedSignals(): void {
  if (!isTool || heeds || process.platform === 'win32') return;
  heeds = true;
  for (const signal of END_SIGNALS) process.on(signal, end);
}

/** Lets signals end a tool that is about to wait outside of the event loop. @returns what is to be called afterwards */
export function leaveSignals(): () => void {
  if (!heeds) return () => undefined;
  heeds = false;
  for (const signal of END_SIGNALS) process.off(signal, end);
  return heedSignals;
}

/** What `wait` gives, which waits outside of the event loop. */
export function outsideLoop<T>(wait: () => T): T {
  const heedAgain = leaveSignals();
  try {
    return wait();
  } finally {
    heedAgain();
  }
}
