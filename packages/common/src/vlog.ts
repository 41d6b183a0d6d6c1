/**
 * vlog: the log of every program.
 *
 * A message has a module and a level and goes to up to three destinations: the console (standard error), the log
 * file, syslog (only over UDP: Node has no datagram Unix sockets). Each module has one level per destination, and
 * each destination a pattern. State is per thread; a worker passes its messages to the main thread.
 *
 * Behind it, for development only, stands the `debug` package: with DEBUG=ovs:* in the environment every message
 * of every level is also traced under `ovs:<module>`. It is loaded only then.
 *
 * Levels are numbers that grow with verbosity, so "is it shown" is one comparison, made before any formatting.
 */
import fs from 'node:fs';
import { strerror } from './errors.js';
import { formatLogLine, type LogRecord } from './vlog-format.js';
import { PEER_MODULES } from './vlog-modules.js';
import type { Socket as UdpSocket } from 'node:dgram';

/** Names of levels, in order of verbosity; the index is the number used inside. */
export const LEVELS = ['off', 'emer', 'err', 'warn', 'info', 'dbg'] as const;
/** Name of a level. */
export type Level = (typeof LEVELS)[number];
/** Where messages go, in the order `vlog/list` shows them. */
export const DESTINATIONS = ['console', 'syslog', 'file'] as const;
/** Name of a destination. */
export type Destination = (typeof DESTINATIONS)[number];

const OFF = 0;
const WARN = 3;
const INFO = 4;
const DBG = 5;
/** RFC 5424 severity by level number. */
const SEVERITY = [0, 0, 3, 4, 6, 7];
const FACILITIES: Readonly<Record<string, number>> = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  clock: 9,
  ftp: 11,
  ntp: 12,
  audit: 13,
  alert: 14,
  clock2: 15,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};

/** A message, or a function that makes it, called only when it is shown. */
export type LogText = string | (() => string);

interface Sink {
  pattern: string;
  readonly prefix: string;
}

const sinks: Record<Destination, Sink> = {
  console: { pattern: '%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m', prefix: 'none' },
  syslog: { pattern: 'ovs|%05N|%c%T|%p|%m', prefix: '<%B> %D{%h %e %T} %E %A:' },
  file: { pattern: '%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m', prefix: 'none' },
};

let program = 'ovs';
let subprogram = '';
let facility = 3;
let serial = 0;
let rateLimitsEnabledByDefault = true;
let logPath: string | null = null;
let logFd: number | null = null;
let udp: { socket: UdpSocket; host: string; port: number } | null = null;
let consoleWrite: (line: string) => void = (line) => {
  try {
    fs.writeSync(2, line);
  } catch {
    // Standard error is gone or full: there is nobody to tell.
  }
};
/** Where warnings and worse go besides: the event log of a Windows service. */
let eventWriter: ((record: LogRecord) => void) | null = null;
/** Called with each message shown anywhere; the test kit uses it to fail on unexpected warnings. */
let observer: ((record: LogRecord) => void) | null = null;

type Trace = (module: string, text: string) => void;
let trace: Trace | null = process.env['DEBUG'] ? bufferedTrace() : null;

/** Loads `debug` in the background; what is traced until it is there waits. */
function bufferedTrace(): Trace {
  const waiting: [string, string][] = [];
  void import('debug').then(({ default: createDebug }) => {
    const loggers = new Map<string, (format: string, text: string) => void>();
    trace = (module, text) => {
      let logger = loggers.get(module);
      if (!logger) loggers.set(module, (logger = createDebug(`ovs:${module}`)));
      logger('%s', text);
    };
    for (const [module, text] of waiting) trace(module, text);
  });
  return (module, text) => void waiting.push([module, text]);
}

/**
 * A token bucket for messages that could come often: `burst` at once, `perMinute` sustained. What it drops is
 * counted and told with the next message that passes.
 */
export class RateLimit {
  readonly perMinute: number;
  readonly burst: number;
  #tokens: number;
  #filled = 0;
  #dropped = 0;
  #firstDrop = 0;
  #lastDrop = 0;

  constructor(perMinute: number, burst: number) {
    this.perMinute = perMinute;
    this.burst = burst;
    this.#tokens = burst;
  }

  /** True when a message may pass at `nowMs` (monotonic); otherwise it counts as dropped. */
  take(nowMs: number): boolean {
    this.#tokens = Math.min(this.burst, this.#tokens + ((nowMs - this.#filled) * this.perMinute) / 60000);
    this.#filled = nowMs;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return true;
    }
    if (this.#dropped++ === 0) this.#firstDrop = nowMs;
    this.#lastDrop = nowMs;
    return false;
  }

  /** The sentence about what was dropped since the last time it was asked for, or null. */
  report(nowMs: number): string | null {
    if (this.#dropped === 0) return null;
    const n = this.#dropped;
    this.#dropped = 0;
    const since = Math.floor((nowMs - this.#firstDrop) / 1000);
    const last = Math.floor((nowMs - this.#lastDrop) / 1000);
    return `Dropped ${n} log messages in last ${since} seconds (most recently, ${last} seconds ago) due to excessive rate`;
  }
}

/** The log of one module. Made by `vlog('name')`; cheap to ask, does nothing when nobody listens. */
export class VlogModule {
  readonly name: string;
  /** Level numbers in the order of DESTINATIONS. */
  readonly levels: [number, number, number] = [INFO, INFO, INFO];
  rateLimited = rateLimitsEnabledByDefault;
  #max = INFO;

  constructor(name: string) {
    this.name = name;
  }

  /** Recomputes what `enabled` compares with; call after changing `levels`. */
  refresh(): void {
    this.#max = Math.max(this.levels[0], this.levels[1], this.levels[2]);
  }

  /** Would a message of this level be shown anywhere? */
  enabled(level: Level): boolean {
    return LEVELS.indexOf(level) <= this.#max || trace !== null;
  }

  /** True when debug messages are shown: guard expensive formatting with it. */
  get debugging(): boolean {
    return this.#max >= DBG || trace !== null;
  }

  emer(text: LogText): void {
    this.#log(1, text);
  }
  err(text: LogText): void {
    this.#log(2, text);
  }
  warn(text: LogText): void {
    this.#log(3, text);
  }
  info(text: LogText): void {
    this.#log(4, text);
  }
  dbg(text: LogText): void {
    this.#log(5, text);
  }

  errRl(limit: RateLimit, text: LogText): void {
    this.#limited(limit, 2, text);
  }
  warnRl(limit: RateLimit, text: LogText): void {
    this.#limited(limit, 3, text);
  }
  infoRl(limit: RateLimit, text: LogText): void {
    this.#limited(limit, 4, text);
  }
  dbgRl(limit: RateLimit, text: LogText): void {
    this.#limited(limit, 5, text);
  }

  /** Logs at a level known only at run time. */
  log(level: Level, text: LogText): void {
    this.#log(LEVELS.indexOf(level), text);
  }

  #limited(limit: RateLimit, level: number, text: LogText): void {
    if (level > this.#max && trace === null) return;
    if (this.rateLimited) {
      const now = performance.now();
      if (!limit.take(now)) return;
      const dropped = limit.report(now);
      if (dropped !== null) this.#log(level, dropped);
    }
    this.#log(level, text);
  }

  #log(level: number, text: LogText): void {
    if (level <= this.#max || trace !== null) emit(this, level, typeof text === 'string' ? text : text());
  }
}

function emit(module: VlogModule, level: number, text: string): void {
  trace?.(module.name, `${LEVELS[level]!.toUpperCase()} ${text}`);
  const [toConsole, toSyslog, toFile] = module.levels;
  const console = level <= toConsole;
  const file = level <= toFile && logFd !== null;
  const syslog = level <= toSyslog && udp !== null;
  const event = level <= WARN ? eventWriter : null;
  if (!console && !file && !syslog && !event && !observer) return;
  const record: LogRecord = {
    program,
    subprogram,
    module: module.name,
    level: LEVELS[level]!.toUpperCase(),
    severity: SEVERITY[level]!,
    facility,
    serial: ++serial,
    wall: Date.now(),
    elapsed: performance.now(),
    text: text.replace(/\n+$/, ''),
  };
  observer?.(record);
  event?.(record);
  if (console) consoleWrite(`${formatLogLine(sinks.console.pattern, record)}\n`);
  if (file) {
    try {
      fs.writeSync(logFd!, `${formatLogLine(sinks.file.pattern, record)}\n`);
    } catch {
      // A full disk must not stop a switch.
    }
  }
  if (syslog && udp) {
    const line = formatLogLine(`${sinks.syslog.prefix} ${sinks.syslog.pattern}`, record);
    udp.socket.send(line, udp.port, udp.host, () => {});
  }
}

const modules = new Map<string, VlogModule>();

/** The log of module `name` (lower case with underscores, as `vlog/list` shows it). The same object each time. */
export function vlog(name: string): VlogModule {
  let module = modules.get(name);
  if (!module) {
    module = new VlogModule(name);
    const like = defaults;
    module.levels[0] = like[0];
    module.levels[1] = like[1];
    module.levels[2] = like[2];
    module.refresh();
    modules.set(name, module);
  }
  return module;
}

/** Levels of modules that are registered later. */
const defaults: [number, number, number] = [INFO, INFO, INFO];

const log = vlog('vlog');

/** Sets the program's name for %A and default file names; once, at start. */
export function setProgramName(name: string): void {
  program = name;
}

/** The program's name as set. */
export function programName(): string {
  return program;
}

/** Sets the name %t and %T show: a thread's or 'monitor'; '' for the main one. */
export function setSubprogram(name: string): void {
  subprogram = name;
}

/**
 * Sets levels: of one module or all (null), at one destination or all (null). Setting all modules also sets what
 * modules registered later begin with.
 */
export function setLevels(module: string | null, destination: Destination | null, level: Level): void {
  const number = LEVELS.indexOf(level);
  const which = destination === null ? [0, 1, 2] : [DESTINATIONS.indexOf(destination)];
  for (const m of module === null ? modules.values() : [vlog(module)]) {
    for (const d of which) m.levels[d] = number;
    m.refresh();
  }
  if (module === null) for (const d of which) defaults[d] = number;
}

/** Levels of a module in the order of DESTINATIONS. */
export function getLevels(module: string): Level[] {
  return vlog(module).levels.map((n) => LEVELS[n]!);
}

function setPattern(spec: string): string | null {
  const colon = spec.indexOf(':');
  if (colon < 0) return 'missing destination and pattern';
  const destination = spec.slice(0, colon).toLowerCase();
  if (!(DESTINATIONS as readonly string[]).includes(destination)) {
    return `unknown destination "${spec.slice(0, colon)}"`;
  }
  sinks[destination as Destination].pattern = spec.slice(colon + 1);
  return null;
}

function knownModule(word: string): string | null {
  const name = word.toLowerCase();
  if (modules.has(name) || PEER_MODULES.has(name)) return name;
  return null;
}

/**
 * Applies a level specification: the words of `-v`, `--verbose` and `vlog/set`.
 *
 * @param spec undefined: everything to dbg.
 * @returns null, or why it is wrong (nothing was changed then).
 */
export function applyVerbose(spec?: string): string | null {
  if (spec === undefined) {
    setLevels(null, null, 'dbg');
    return null;
  }
  const upper = spec.slice(0, 9).toUpperCase();
  if (upper.startsWith('PATTERN:')) return setPattern(spec.slice(8));
  if (upper === 'FACILITY:') {
    const code = FACILITIES[spec.slice(9).toLowerCase()];
    if (code === undefined) return 'invalid facility';
    facility = code;
    return null;
  }
  let module: string | null = null;
  let destination: Destination | null = null;
  let level: Level | null = null;
  for (const word of spec.split(/[\s,:]+/).filter((w) => w !== '')) {
    const lower = word.toLowerCase();
    if ((DESTINATIONS as readonly string[]).includes(lower)) {
      if (destination !== null) return 'cannot specify multiple destinations';
      destination = lower as Destination;
    } else if ((LEVELS as readonly string[]).includes(lower)) {
      if (level !== null) return 'cannot specify multiple levels';
      level = lower as Level;
    } else if (lower !== 'any') {
      const known = knownModule(word);
      if (known === null) return `no destination, level, or module "${word}"`;
      if (module !== null) return 'cannot specify multiple modules';
      module = known;
    }
  }
  setLevels(module, destination, level ?? 'dbg');
  return null;
}

/**
 * Opens (appending, creating it with mode 0640) the log file; `path` becomes the file that `vlog/reopen` reopens.
 *
 * @returns false when it cannot be opened; the reason has been logged.
 */
export function openLogFile(path: string): boolean {
  let fd: number;
  try {
    fd = fs.openSync(path, 'a', 0o640);
  } catch (error) {
    log.warn(`failed to open ${path} for logging: ${strerror(error)}`);
    return false;
  }
  closeLogFile();
  logPath = path;
  logFd = fd;
  log.info(`opened log file ${path}`);
  return true;
}

/** Closes the log file, remembering its name for `reopenLogFile`. */
export function closeLogFile(): void {
  if (logFd !== null) fs.closeSync(logFd);
  logFd = null;
}

/** Opens the log file anew, for log rotation. @returns null, or why not. */
export function reopenLogFile(): string | null {
  if (logPath === null) return 'Logging to file not configured';
  const previous = logFd;
  if (previous !== null) log.info('closing log file');
  let fd: number;
  try {
    fd = fs.openSync(logPath, 'a', 0o640);
  } catch (error) {
    const reason = strerror(error);
    log.warn(`failed to open ${logPath} for logging: ${reason}`);
    return reason;
  }
  closeLogFile();
  logFd = fd;
  log.info(`opened log file ${logPath}`);
  return null;
}

/** The log file's path, or null when there is none. */
export function logFilePath(): string | null {
  return logPath;
}

/**
 * Chooses how syslog is reached: 'udp:IP:PORT'; 'null', 'libc' and 'unix:FILE' mean that nothing is sent, since
 * Node has neither syslog(3) nor datagram Unix sockets.
 */
export function setSyslogMethod(method: string): void {
  if (method.startsWith('udp:')) setSyslogTarget(method.slice(4));
}

/** Sends the syslog destination's messages to HOST:PORT over UDP (RFC 5424 PRI in front). */
export function setSyslogTarget(target: string): void {
  const colon = target.lastIndexOf(':');
  const host = colon < 0 ? target : target.slice(0, colon);
  const port = colon < 0 ? 514 : Number(target.slice(colon + 1));
  void import('node:dgram').then((dgram) => {
    const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', () => {});
    socket.unref();
    udp = { socket, host: host.replace(/^\[|\]$/g, ''), port };
  });
}

/** Switches rate limiting of modules (all when none is named). @returns null or 'unknown module'. */
export function setRateLimiting(names: readonly string[], enabled: boolean): string | null {
  const chosen: VlogModule[] = [];
  for (const name of names) {
    const known = knownModule(name);
    if (known === null) return 'unknown module';
    chosen.push(vlog(known));
  }
  if (names.length === 0) rateLimitsEnabledByDefault = enabled;
  for (const m of names.length === 0 ? modules.values() : chosen) m.rateLimited = enabled;
  return null;
}

/** The reply of `vlog/list`. */
export function listLevels(): string {
  let text = '                 console    syslog    file\n                 -------    ------    ------\n';
  for (const name of [...modules.keys()].sort()) {
    const [c, s, f] = modules.get(name)!.levels.map((n) => LEVELS[n]!.toUpperCase().padStart(4));
    text += `${name.padEnd(16)}  ${c}       ${s}       ${f}\n`;
  }
  return text;
}

/** The reply of `vlog/list-pattern`. */
export function listPatterns(): string {
  let text =
    '         prefix                            format\n         ------                            ------\n';
  for (const name of ['syslog', 'console', 'file'] as const) {
    const { prefix, pattern } = sinks[name];
    text += `${name.toUpperCase().padEnd(7)}  ${prefix.padEnd(32)}  ${pattern}\n`;
  }
  return text;
}

/** Replaces what writes console lines (tests); returns the one before. */
export function setConsoleWriter(write: (line: string) => void): (line: string) => void {
  const before = consoleWrite;
  consoleWrite = write;
  return before;
}

/** Also gives messages of level warn and worse, where their module shows them at all, to `write`; null to stop. */
export function setEventWriter(write: ((record: LogRecord) => void) | null): void {
  eventWriter = write;
}

/** Watches every message that is shown, or that would be with a log file (tests); null to stop. */
export function observeLog(watch: ((record: LogRecord) => void) | null): void {
  observer = watch;
}

/** True when nothing is logged to the console. */
export function consoleIsOff(): boolean {
  return defaults[0] === OFF;
}
