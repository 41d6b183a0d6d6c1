/** The pattern language of log lines: ovs-appctl(8), vlog/set PATTERN. Pure. */
import os from 'node:os';

/** What a pattern can show of one message. */
export interface LogRecord {
  readonly program: string;
  readonly subprogram: string;
  readonly module: string;
  /** Upper case, as printed: 'INFO'. */
  readonly level: string;
  /** RFC 5424 severity, 0 (emergency) to 7 (debug). */
  readonly severity: number;
  /** RFC 5424 facility code. */
  readonly facility: number;
  /** Serial number of the message in this process, from 1. */
  readonly serial: number;
  /** Milliseconds since 1970. */
  readonly wall: number;
  /** Milliseconds since the program started. */
  readonly elapsed: number;
  readonly text: string;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const pad = (n: number, width: number, fill = '0'): string => String(n).padStart(width, fill);

/**
 * strftime(3) in the C locale, with the peer's extension: `#` stands for a digit of the fraction of a second
 * (digits after the third are 0).
 */
export function strftime(template: string, wallMs: number, utc: boolean): string {
  const d = new Date(wallMs);
  const year = utc ? d.getUTCFullYear() : d.getFullYear();
  const month = utc ? d.getUTCMonth() : d.getMonth();
  const day = utc ? d.getUTCDate() : d.getDate();
  const weekday = utc ? d.getUTCDay() : d.getDay();
  const hour = utc ? d.getUTCHours() : d.getHours();
  const minute = utc ? d.getUTCMinutes() : d.getMinutes();
  const second = utc ? d.getUTCSeconds() : d.getSeconds();
  const milli = utc ? d.getUTCMilliseconds() : d.getMilliseconds();
  const offset = utc ? 0 : -d.getTimezoneOffset();
  const yday = Math.round((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86400000) + 1;
  const zone = `${offset < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(offset) / 60), 2)}${pad(Math.abs(offset) % 60, 2)}`;
  const parts: Record<string, () => string> = {
    a: () => DAYS[weekday]!.slice(0, 3),
    A: () => DAYS[weekday]!,
    b: () => MONTHS[month]!.slice(0, 3),
    h: () => MONTHS[month]!.slice(0, 3),
    B: () => MONTHS[month]!,
    C: () => pad(Math.floor(year / 100), 2),
    d: () => pad(day, 2),
    e: () => pad(day, 2, ' '),
    D: () => `${pad(month + 1, 2)}/${pad(day, 2)}/${pad(year % 100, 2)}`,
    F: () => `${year}-${pad(month + 1, 2)}-${pad(day, 2)}`,
    H: () => pad(hour, 2),
    I: () => pad(hour % 12 || 12, 2),
    j: () => pad(yday, 3),
    m: () => pad(month + 1, 2),
    M: () => pad(minute, 2),
    n: () => '\n',
    p: () => (hour < 12 ? 'AM' : 'PM'),
    R: () => `${pad(hour, 2)}:${pad(minute, 2)}`,
    s: () => String(Math.floor(wallMs / 1000)),
    S: () => pad(second, 2),
    t: () => '\t',
    T: () => `${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}`,
    u: () => String(weekday || 7),
    w: () => String(weekday),
    y: () => pad(year % 100, 2),
    Y: () => String(year),
    z: () => zone,
    Z: () => (utc ? 'UTC' : zone),
    '%': () => '%',
  };
  let fraction = 0;
  const digits = pad(milli, 3);
  return template.replace(/%(.)|#/gs, (all: string, letter: string | undefined) => {
    if (all === '#') return digits[fraction++] ?? '0';
    return parts[letter!]?.() ?? all;
  });
}

/** Formats one message by a pattern; an escape nobody knows is copied. The result has no newline at its end. */
export function formatLogLine(pattern: string, r: LogRecord): string {
  return pattern.replace(
    /%(-?)(0?)(\d*)([a-zA-Z%])(?:(?<=[dD])\{([^}]*)\})?/g,
    (all: string, left: string, zero: string, width: string, letter: string, format: string | undefined) => {
      let text: string;
      switch (letter) {
        case 'A':
          text = r.program;
          break;
        case 'B':
          text = String(r.facility * 8 + r.severity);
          break;
        case 'c':
          text = r.module;
          break;
        case 'd':
        case 'D':
          text = strftime(format ?? '%Y-%m-%d %H:%M:%S.###', r.wall, letter === 'D');
          break;
        case 'E':
          text = os.hostname();
          break;
        case 'm':
          text = r.text;
          break;
        case 'N':
          text = String(r.serial);
          break;
        case 'n':
          text = '\n';
          break;
        case 'p':
          text = r.level;
          break;
        case 'P':
          text = String(process.pid);
          break;
        case 'r':
          text = String(Math.round(r.elapsed));
          break;
        case 't':
          text = r.subprogram === '' ? 'main' : r.subprogram;
          break;
        case 'T':
          text = r.subprogram === '' ? '' : `(${r.subprogram})`;
          break;
        case '%':
          return '%';
        default:
          return all;
      }
      const size = width === '' ? 0 : Number(width);
      if (left === '-') return text.padEnd(size);
      return text.padStart(size, zero === '0' ? '0' : ' ');
    },
  );
}
