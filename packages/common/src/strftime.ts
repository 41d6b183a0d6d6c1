/** strftime(3) in the C locale, with the peer's extension for fractions of a second. Pure. */

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
const DAY_MS = 86_400_000;

/** A moment, taken apart in one time zone. */
interface Parts {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  readonly day: number;
  /** Sunday is 0. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly wallMs: number;
  /** East of Greenwich, minutes. */
  readonly offset: number;
  readonly isUtc: boolean;
}

function partsOf(wallMs: number, isUtc: boolean): Parts {
  // The local time's fields as those of a moment in UTC.
  const offset = isUtc ? 0 : -new Date(wallMs).getTimezoneOffset();
  const d = new Date(wallMs + offset * 60_000);
  return {
    year: d.getUTCFullYear(),
    month: d.getUTCMonth(),
    day: d.getUTCDate(),
    weekday: d.getUTCDay(),
    hour: d.getUTCHours(),
    minute: d.getUTCMinutes(),
    second: d.getUTCSeconds(),
    wallMs,
    offset,
    isUtc,
  };
}

const pad = (n: number, width = 2, fill = '0'): string => String(n).padStart(width, fill);

/** Day of the year, from 0. */
function yearDay(p: Parts): number {
  return Math.round((Date.UTC(p.year, p.month, p.day) - Date.UTC(p.year, 0, 1)) / DAY_MS);
}

/** Week of the year where weeks begin on that weekday; the days before the first are week 0. */
function week(p: Parts, firstWeekday: number): number {
  return Math.floor((yearDay(p) + 7 - ((p.weekday - firstWeekday + 7) % 7)) / 7);
}

/** ISO 8601 year and week: the week belongs to the year that its Thursday is in. */
function isoWeek(p: Parts): { year: number; week: number } {
  const thursday = new Date(Date.UTC(p.year, p.month, p.day) + (4 - (p.weekday || 7)) * DAY_MS);
  const year = thursday.getUTCFullYear();
  return { year, week: 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) };
}

function zone({ offset }: Parts): string {
  const minutes = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${pad(minutes % 60)}`;
}

function zoneName(p: Parts): string {
  if (p.isUtc) return 'GMT';
  const format = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' });
  return format.formatToParts(p.wallMs).find(({ type }) => type === 'timeZoneName')?.value ?? zone(p);
}

const hour12 = ({ hour }: Parts): number => hour % 12 || 12;

/** Conversions of one letter. */
const CONVERSIONS: Readonly<Record<string, (p: Parts) => string>> = {
  a: (p) => DAYS[p.weekday]!.slice(0, 3),
  A: (p) => DAYS[p.weekday]!,
  b: (p) => MONTHS[p.month]!.slice(0, 3),
  h: (p) => MONTHS[p.month]!.slice(0, 3),
  B: (p) => MONTHS[p.month]!,
  C: (p) => pad(Math.floor(p.year / 100)),
  d: (p) => pad(p.day),
  e: (p) => pad(p.day, 2, ' '),
  g: (p) => pad(isoWeek(p).year % 100),
  G: (p) => String(isoWeek(p).year),
  H: (p) => pad(p.hour),
  I: (p) => pad(hour12(p)),
  j: (p) => pad(yearDay(p) + 1, 3),
  k: (p) => pad(p.hour, 2, ' '),
  l: (p) => pad(hour12(p), 2, ' '),
  m: (p) => pad(p.month + 1),
  M: (p) => pad(p.minute),
  n: () => '\n',
  p: (p) => (p.hour < 12 ? 'AM' : 'PM'),
  P: (p) => (p.hour < 12 ? 'am' : 'pm'),
  s: (p) => String(Math.floor(p.wallMs / 1000)),
  S: (p) => pad(p.second),
  t: () => '\t',
  u: (p) => String(p.weekday || 7),
  U: (p) => pad(week(p, 0)),
  V: (p) => pad(isoWeek(p).week),
  w: (p) => String(p.weekday),
  W: (p) => pad(week(p, 1)),
  y: (p) => pad(p.year % 100),
  Y: (p) => String(p.year),
  z: zone,
  Z: zoneName,
  '%': () => '%',
};

/** Conversions that stand for others. */
const COMPOUND: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
};

function expand(template: string, p: Parts): string {
  return template.replace(/%[EO]?(.)/gs, (all: string, letter: string) => {
    const compound = COMPOUND[letter];
    return compound === undefined ? (CONVERSIONS[letter]?.(p) ?? all) : expand(compound, p);
  });
}

/**
 * Formats a moment.
 *
 * @param template a run of `#` is replaced by as many digits of the fraction of the second; those after the third are 0.
 * @param wallMs milliseconds since 1970.
 */
export function strftime(template: string, wallMs: number, utc: boolean): string {
  const fraction = pad(wallMs - Math.floor(wallMs / 1000) * 1000, 3);
  return expand(template, partsOf(wallMs, utc)).replace(/#+/g, (run) =>
    fraction.slice(0, run.length).padEnd(run.length, '0'),
  );
}
