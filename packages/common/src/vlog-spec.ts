/** What `-v`, `--verbose` and `vlog/set` say: levels, patterns, facilities (ovs-appctl(8), "Logging Commands"). */
import { PEER_MODULES } from './vlog-modules.js';
import {
  DESTINATIONS,
  LEVELS,
  hasModule,
  listOnly,
  setFacility,
  setLevels,
  setPattern,
  setRateLimited,
  type Destination,
  type Level,
} from './vlog.js';

/** RFC 5424 facilities by the peer's names. */
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

const isDestination = (word: string): word is Destination =>
  (DESTINATIONS as readonly string[]).includes(word);
const isLevel = (word: string): word is Level => (LEVELS as readonly string[]).includes(word);

/** `DESTINATION:PATTERN`; the destination `any` is all of them. */
function applyPattern(text: string): string | null {
  const [, name, pattern] = /^[ ,:\t]*([^:]*):?(.*)$/s.exec(text)!;
  if (name === '') return 'missing destination';
  const destination = name!.toLowerCase();
  if (destination !== 'any' && !isDestination(destination)) return `unknown destination "${name}"`;
  for (const each of DESTINATIONS) {
    if (destination === 'any' || destination === each) setPattern(each, pattern!);
  }
  return null;
}

function applyFacility(name: string): string | null {
  const code = FACILITIES[name.toLowerCase()];
  if (code === undefined) return 'invalid facility';
  setFacility(code);
  return null;
}

/** Modules of a program that is to have no others than the peer's; undefined: those that there are, and all of the peer's. */
let programModules: ReadonlySet<string> | undefined;

/** Makes `names` the modules that this program has, as far as anyone outside can tell. */
export function setProgramModules(names: readonly string[]): void {
  programModules = new Set(names);
  listOnly(names);
}

/** The module that a word names, null for none. */
function knownModule(word: string): string | null {
  const name = word.toLowerCase();
  if (programModules !== undefined) return programModules.has(name) ? name : null;
  return hasModule(name) || PEER_MODULES.has(name) ? name : null;
}

/**
 * Applies a specification.
 *
 * @param spec undefined: everything to dbg.
 * @returns null, or why it is wrong (nothing was changed then).
 */
export function applyVerbose(spec = ''): string | null {
  const special = /^[ ,:\t]*(PATTERN|FACILITY)(?:[ ,:\t](.*))?$/is.exec(spec);
  if (special) {
    const rest = special[2] ?? '';
    return special[1]!.toUpperCase() === 'PATTERN' ? applyPattern(rest) : applyFacility(rest);
  }
  let module: string | null = null;
  let destination: Destination | null = null;
  let level: Level | null = null;
  for (const word of spec.split(/[\s,:]+/).filter((w) => w !== '')) {
    const lower = word.toLowerCase();
    if (isDestination(lower)) {
      if (destination !== null) return 'cannot specify multiple destinations';
      destination = lower;
    } else if (isLevel(lower)) {
      if (level !== null) return 'cannot specify multiple levels';
      level = lower;
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

/** Switches rate limiting of modules (all when none, or `any`, is named). @returns null or 'unknown module'. */
export function setRateLimiting(names: readonly string[], enabled: boolean): string | null {
  for (const word of names.length === 0 ? ['any'] : names) {
    const name = word.toLowerCase() === 'any' ? null : knownModule(word);
    if (name === null && word.toLowerCase() !== 'any') return 'unknown module';
    setRateLimited(name, enabled);
  }
  return null;
}
