/**
 * vlog: the log of every program.
 *
 * A message has a module and a level and goes to up to three destinations: the console (standard error), the log
 * file, the system's log (`vlog-syslog.ts`). Each module has one level per destination, and
 * each destination a pattern. State is per thread; a worker passes its messages to the main thread.
 *
 * Behind it, for development only, stands the `debug` package: with DEBUG=ovs:* in the environment every message
 * of every level is also traced under `ovs:<module>`. It is loaded only then.
 *
 * Levels are numbers that grow with verbosity, so "is it shown" is one comparison, made before any formatting.
 */
import fs from 'node:fs';
import { errorMessage, FatalError, strerror } from './errors.js';
import { RateLimit } from './rate-limit.js';
import { formatLogLine, type LogRecord } from './vlog-format.js';
import { systemLog, udpSender, type SystemLog } from './vlog-syslog.js';

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
const SEVERITY = [1, 1, 3, 4, 5, 7];
/** What %B and --syslog-target show where no facility was chosen: local0. */
const DEFAULT_FACILITY = 16;
export { RateLimit } from './rate-limit.js';

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
let facility: number | undefined;
let serial = 0;
let rateLimitsEnabledByDefault = true;
let logPath: string | null = null;
let logFd: number | null = null;
/** Undefined: not chosen yet; made at the first message. */
let toSystem: SystemLog | undefined;
let toTarget: ((line: string) => void) | null = null;
/** Whether anything has been told yet. */
let hasLogged = false;
let consoleWrite: (line: string) => void = (line) => void fs.writeSync(2, line);
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

/** Messages not logged so far because of `unlogged`; null outside of it. */
let untold: number | null = null;

/** Runs `work`, for a trial of which the log is not to tell; gives how many messages it would have told. */
export function unlogged<T>(work: () => T): { value: T; messages: number } {
  const before = untold;
  untold = 0;
  try {
    return { value: work(), messages: untold };
  } finally {
    untold = before;
  }
}

/** The log of one module. Made by `vlog('name')`; cheap to ask, does nothing when nobody listens. */
export class VlogModule {
  readonly name: string;
  /** Level numbers in the order of DESTINATIONS. */
  readonly levels: [number, number, number] = [INFO, INFO, INFO];
  rateLimited = rateLimitsEnabledByDefault;
  #max = INFO;
  readonly #saidOnce = new Set<string>();

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

  /** Warns for the first time in the life of the program that there is something to say of `what`, and never again. */
  warnOnce(what: string, text: LogText): void {
    if (this.#saidOnce.has(what)) return;
    if (untold === null) this.#saidOnce.add(what);
    this.warn(text);
  }

  /** Lets `warnOnce` speak again (tests, which run several programs in one process). */
  forget(): void {
    this.#saidOnce.clear();
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

  /** Whether a message of several lines, to be logged at `level` one by one, may pass. */
  passes(limit: RateLimit, level: Level): boolean {
    return this.#passes(limit, LEVELS.indexOf(level));
  }

  #passes(limit: RateLimit, level: number): boolean {
    if (level > this.#max && trace === null) return false;
    if (untold !== null) untold++;
    if (!this.rateLimited || untold !== null) return untold === null;
    const now = performance.now();
    if (!limit.take(now)) return false;
    const dropped = limit.report(now);
    if (dropped !== null) this.#log(level, dropped);
    return true;
  }

  #limited(limit: RateLimit, level: number, text: LogText): void {
    if (this.#passes(limit, level)) this.#log(level, text);
  }

  #log(level: number, text: LogText): void {
    if (level > this.#max && trace === null) return;
    if (untold !== null) untold++;
    else emit(this, level, typeof text === 'string' ? text : text());
  }
}

function emit(module: VlogModule, level: number, text: string): void {
  trace?.(module.name, `${LEVELS[level]!.toUpperCase()} ${text}`);
  const [toConsole, toSyslog, toFile] = module.levels;
  const console = level <= toConsole;
  const file = level <= toFile && logFd !== null;
  const syslog = level <= toSyslog;
  const event = level <= WARN ? eventWriter : null;
  if (!console && !file && !syslog && !event && !observer) return;
  if (!hasLogged) {
    hasLogged = true;
    if (toTarget) log.warn('--syslog-target flag is deprecated, use --syslog-method instead');
  }
  const record: LogRecord = {
    program,
    subprogram,
    module: module.name,
    level: LEVELS[level]!.toUpperCase(),
    severity: SEVERITY[level]!,
    facility: facility ?? DEFAULT_FACILITY,
    serial: ++serial,
    wall: Date.now(),
    elapsed: performance.now(),
    text: text.replace(/\n+$/, ''),
  };
  observer?.(record);
  event?.(record);
  if (console) {
    try {
      consoleWrite(`${formatLogLine(sinks.console.pattern, record)}\n`);
    } catch {
      // Standard error is gone or full: there is nobody to tell.
    }
  }
  if (file) {
    try {
      fs.writeSync(logFd!, `${formatLogLine(sinks.file.pattern, record)}\n`);
    } catch {
      // A full disk must not stop a switch.
    }
  }
  if (syslog) emitToSystem(record);
}

/** RFC 5424, what --syslog-target sends; the text begins with the mark that says it is UTF-8. */
const TARGET_PATTERN = '<%B>1 %D{%Y-%m-%dT%H:%M:%S.###Z} %E %A %P %c - \ufeff%m';

function emitToSystem(record: LogRecord): void {
  try {
    toSystem ??= systemLog(process.env['OVS_SYSLOG_METHOD'] ?? 'libc', program);
  } catch {
    toSystem = () => {};
  }
  // A message of several lines is as many to the system.
  for (const line of formatLogLine(sinks.syslog.pattern, record).split('\n')) {
    toSystem(record.severity, facility, line);
  }
  toTarget?.(formatLogLine(TARGET_PATTERN, record));
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

/** Sets how a destination's lines look: `vlog-format.ts`. */
export function setPattern(destination: Destination, pattern: string): void {
  sinks[destination].pattern = pattern;
}

/** Chooses the RFC 5424 facility of messages. */
export function setFacility(code: number): void {
  facility = code;
}

/** Has a module of that name a log in this process? */
export function hasModule(name: string): boolean {
  return modules.has(name);
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

/** Makes the open log file somebody's, who may write and rotate it. */
export function chownLogFile(uid: number, gid: number): void {
  if (logFd !== null) fs.fchownSync(logFd, uid, gid);
}

/** Opens the log file anew, for log rotation; nothing happens while it is still the same. @returns null, or why not. */
export function reopenLogFile(): string | null {
  if (logPath === null) return 'Logging to file not configured';
  let fd: number;
  try {
    fd = fs.openSync(logPath, 'a', 0o640);
  } catch (error) {
    const reason = strerror(error);
    log.warn(`failed to open ${logPath} for logging: ${reason}`);
    return reason;
  }
  if (logFd !== null && isSameFile(fd, logFd)) {
    fs.closeSync(fd);
    return null;
  }
  if (logFd !== null) log.info('closing log file');
  closeLogFile();
  logFd = fd;
  log.info(`opened log file ${logPath}`);
  return null;
}

function isSameFile(a: number, b: number): boolean {
  const [x, y] = [fs.fstatSync(a, { bigint: true }), fs.fstatSync(b, { bigint: true })];
  return x.ino === y.ino && x.dev === y.dev;
}

/** The log file's path, or null when there is none. */
export function logFilePath(): string | null {
  return logPath;
}

/**
 * Chooses how the system's log is reached: --syslog-method.
 *
 * @throws FatalError in the peer's words for a method that is none; what is wrong with an address is logged.
 */
export function setSyslogMethod(method: string): void {
  try {
    toSystem = systemLog(method, program);
  } catch (error) {
    if (error instanceof FatalError) throw error;
    toSystem = () => {};
    vlog('socket_util').err(errorMessage(error));
  }
}

/** Sends what goes to syslog there instead (tests). */
export function setSystemLog(log: SystemLog): void {
  toSystem = log;
}

/**
 * Also sends what goes to syslog to `IP:PORT` over UDP, as RFC 5424 has it: --syslog-target. What is wrong is logged. As
 * with the peer, a warning that there is something better comes in front of the first message, if there is any.
 */
export function setSyslogTarget(target: string): void {
  try {
    toTarget = udpSender(target);
  } catch (error) {
    // The one before it is there still when this is told.
    vlog('socket_util').err(errorMessage(error));
    toTarget = null;
  }
}

/** Switches rate limiting of a module, or of all, those that are registered later too. */
export function setRateLimited(name: string | null, enabled: boolean): void {
  if (name !== null) {
    vlog(name).rateLimited = enabled;
    return;
  }
  rateLimitsEnabledByDefault = enabled;
  for (const module of modules.values()) module.rateLimited = enabled;
}

let listed: readonly string[] | undefined;

/** Has `vlog/list` list these modules and no others. */
export function listOnly(names: readonly string[]): void {
  listed = names;
}

/** The reply of `vlog/list`. */
export function listLevels(): string {
  let text = '                 console    syslog    file\n                 -------    ------    ------\n';
  for (const name of [...(listed ?? modules.keys())].sort()) {
    const [c, s, f] = vlog(name).levels.map((n) => LEVELS[n]!.toUpperCase().padStart(4));
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

/** Replaces what writes console lines, which may throw; returns the one before. */
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
