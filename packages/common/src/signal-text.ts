/** What the C library calls signals. */

/** Signals that mean a crash, and their names by the C library. The trap is how V8 ends when it finds itself wrong. */
export const CRASH_SIGNALS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGABRT: 'Aborted',
  SIGALRM: 'Alarm clock',
  SIGBUS: 'Bus error',
  SIGFPE: 'Floating point exception',
  SIGILL: 'Illegal instruction',
  SIGPIPE: 'Broken pipe',
  SIGSEGV: 'Segmentation fault',
  SIGTRAP: 'Trace/breakpoint trap',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'File size limit exceeded',
};
/** Those and others. */
const SIGNAL_NAMES: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  ...CRASH_SIGNALS,
  SIGHUP: 'Hangup',
  SIGINT: 'Interrupt',
  SIGKILL: 'Killed',
  SIGQUIT: 'Quit',
  SIGTERM: 'Terminated',
  SIGUSR1: 'User defined signal 1',
  SIGUSR2: 'User defined signal 2',
};

/** What the C library calls a signal: `Terminated`; its own name for one that no process here ends by. */
export function signalText(signal: NodeJS.Signals): string {
  return SIGNAL_NAMES[signal] ?? signal;
}
