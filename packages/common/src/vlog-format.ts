/** The pattern language of log lines: ovs-appctl(8), vlog/set PATTERN. Pure. */
import os from 'node:os';
import { strftime } from './strftime.js';

/** What a pattern can show of one message. */
export interface LogRecord {
  readonly program: string;
  readonly subprogram: string;
  readonly module: string;
  /** Upper case, as printed: 'INFO'. */
  readonly level: string;
  /** RFC 5424 severity, 1 (alert) to 7 (debug). */
  readonly severity: number;
  /** RFC 5424 facility code, for %B. */
  readonly facility: number;
  /** Serial number of the message in this process, from 1. */
  readonly serial: number;
  /** Milliseconds since 1970. */
  readonly wall: number;
  /** Milliseconds since the program started. */
  readonly elapsed: number;
  readonly text: string;
}

const DEFAULT_DATE = '%Y-%m-%d %H:%M:%S.###';

/** What each conversion shows. */
const CONVERSIONS: Readonly<Record<string, (r: LogRecord) => string>> = {
  A: (r) => r.program,
  B: (r) => String(r.facility * 8 + r.severity),
  c: (r) => r.module,
  E: () => os.hostname(),
  m: (r) => r.text,
  n: () => '\n',
  N: (r) => String(r.serial),
  p: (r) => r.level,
  P: () => String(process.pid),
  r: (r) => String(Math.round(r.elapsed)),
  t: (r) => (r.subprogram === '' ? 'main' : r.subprogram),
  T: (r) => (r.subprogram === '' ? '' : `(${r.subprogram})`),
};

/** A conversion with its field, and for dates the format; one that the pattern's end cuts off is nothing. */
const CONVERSION = /%(-?)(0?)(\d*)(?:([dD])(?:\{([^}]*)\}?)?|(.)|$)/gs;

/** Formats one message by a pattern; a conversion nobody knows is its letter. The result has no newline at its end. */
export function formatLogLine(pattern: string, r: LogRecord): string {
  return pattern.replace(
    CONVERSION,
    (
      _all: string,
      left: string,
      zero: string,
      width: string,
      date: string | undefined,
      format: string | undefined,
      letter: string | undefined,
    ) => {
      let text = '';
      if (date !== undefined) text = strftime(format ?? DEFAULT_DATE, r.wall, date === 'D');
      else if (letter !== undefined) text = CONVERSIONS[letter]?.(r) ?? letter;
      const fill = zero === '0' ? '0' : ' ';
      return left === '-' ? text.padEnd(Number(width), fill) : text.padStart(Number(width), fill);
    },
  );
}
