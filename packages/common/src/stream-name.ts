/**
 * Names of streams: `unix:FILE`, `tcp:HOST:PORT`, `ssl:HOST:PORT`, `punix:FILE`, `ptcp:PORT[:HOST]`, `pssl:PORT[:HOST]`
 * (ovsdb(7), "Connection Methods"). Pure.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import path from 'node:path';
import { absName, dirs } from './dirs.js';
import { wholeNumber } from './number-text.js';
import { OvsError } from './errors.js';

/** Where to connect to, or to listen at. */
export type StreamAddress = { readonly kind: 'unix'; /** Absolute. */ readonly path: string } | HostAddress;

export interface HostAddress {
  readonly kind: 'tcp' | 'ssl';
  /** A name or an address, without brackets; an IPv6 address may end in `%SCOPE`. */
  readonly host: string;
  readonly port: number;
  /** Whether the name gave a port. */
  readonly hasPort: boolean;
}

/** The port of OVSDB (IANA 6640). */
export const OVSDB_PORT = 6640;
/** The port of OpenFlow (IANA 6653). */
export const OPENFLOW_PORT = 6653;

/** Where a passive TCP name without a host listens. */
const ANY_HOST = '0.0.0.0';

function bad(message: string): never {
  throw new OvsError(message, 'EAFNOSUPPORT');
}

function port(text: string, target: string): number {
  const number = wholeNumber(text) ?? -1;
  if (number < 0 || number > 65535) bad(`${target}: bad port number "${text}"`);
  return number;
}

/** Splits `HOST:PORT`, which has one colon outside of brackets; what has none, or several, is a host. */
function hostPort(text: string): [string, string | undefined] {
  const m = /^((?:[^:[]|\[[^\]]*\])*):([^:]*)$/.exec(text);
  return m === null ? [text, undefined] : [m[1]!, m[2]!];
}

/** A host without the brackets of an IPv6 address, and of its scopes none but the first. */
function plainHost(text: string): string {
  const host = text.startsWith('[') ? text.slice(1).replace(/\]$/, '') : text;
  return host.includes(':')
    ? host.replace(/%([^%]*).*$/, (_, scope) => (scope === '' ? '' : `%${scope}`))
    : host;
}

/** Absolute even when the run directory was given as a relative one: a daemon changes its directory later. */
function socketPath(name: string): string {
  const full = absName(dirs.rundir, name);
  return path.isAbsolute(full) ? full : path.resolve(full);
}

/** Splits off the type: [kind, the rest]. */
function split(name: string, prefix: '' | 'p'): ['unix' | 'tcp' | 'ssl', string] {
  const colon = name.indexOf(':');
  for (const kind of ['unix', 'tcp', 'ssl'] as const) {
    if (name.slice(0, colon) === prefix + kind) return [kind, name.slice(colon + 1)];
  }
  return bad(`${name}: unknown stream type`);
}

/**
 * Whether `host` cannot be one: it has colons, and is no IPv6 address, or is in one of the old forms of addresses
 * (`127.1`, `0x7f.0.0.1`) that a resolver would take for one, and the peer's for a name.
 */
function isNoHost(host: string): boolean {
  if (host.includes(':')) return !isIPv6(host.replace(/%.*/, ''));
  return /^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}$/i.test(host) && !isIPv4(host);
}

/**
 * Reads an active name (`unix:`, `tcp:`, `ssl:`). A relative Unix name is relative to the run directory.
 *
 * @throws OvsError EAFNOSUPPORT when nobody knows the type or the address is none.
 */
export function parseActive(name: string, defaultPort = OVSDB_PORT): StreamAddress {
  const [kind, rest] = split(name, '');
  if (kind === 'unix') return { kind, path: socketPath(rest) };
  const [hostText, portText] = hostPort(rest);
  if (portText === undefined && kind === 'tcp') bad(`${rest}: port must be specified`);
  const host = plainHost(hostText);
  // The resolver, which finds nothing, has no words for it.
  if (host === '' || isNoHost(host)) bad('');
  const hasPort = portText !== undefined && portText !== '';
  return { kind, host, port: hasPort ? port(portText, rest) : defaultPort, hasPort };
}

/**
 * Reads `IP:PORT`, where datagrams go; null for a host that is no address.
 *
 * @param defaultPort for a host alone, which is refused otherwise.
 * @throws OvsError EAFNOSUPPORT that says what is wrong with the port.
 */
export function parseDatagramTarget(
  text: string,
  defaultPort?: number,
): { readonly host: string; readonly port: number } | null {
  const [hostText, portText] = hostPort(text);
  const unsaid = portText === undefined ? defaultPort : 0;
  if (unsaid === undefined) bad(`${text}: port must be specified`);
  const host = plainHost(hostText);
  return isIP(host) === 0 ? null : { host, port: portText ? port(portText, text) : unsaid };
}

/**
 * Reads a passive name (`punix:`, `ptcp:[PORT][:HOST]`, `pssl:[PORT][:HOST]`; port 0 lets the system choose; no host:
 * all IPv4 addresses).
 *
 * @throws OvsError as `parseActive`.
 */
export function parsePassive(name: string, defaultPort = OVSDB_PORT): StreamAddress {
  const [kind, rest] = split(name, 'p');
  if (kind === 'unix') return { kind, path: socketPath(rest) };
  const colon = rest.indexOf(':');
  const portText = colon < 0 ? rest : rest.slice(0, colon);
  const hostText = colon < 0 ? '' : rest.slice(colon + 1);
  const v6 = /^\[(.*)\]$/.exec(hostText);
  if (v6 === null && hostText.includes(':')) bad(`${rest}: port must be specified`);
  const hasPort = portText !== '';
  return {
    kind,
    host: (v6?.[1] ?? hostText) || ANY_HOST,
    port: hasPort ? port(portText, rest) : defaultPort,
    hasPort,
  };
}

/** Is it a name one listens at (`punix:`, `ptcp:`, `pssl:`)? */
export function isPassiveName(name: string): boolean {
  return /^p(unix|tcp|ssl):/.test(name);
}

/** Is it a name one connects to (`unix:`, `tcp:`, `ssl:`)? */
export function isActiveName(name: string): boolean {
  return /^(unix|tcp|ssl):/.test(name);
}

/** `HOST:PORT`, with brackets around an IPv6 address. */
export function joinHostPort(host: string, portNumber: number): string {
  return host.includes(':') ? `[${host}]:${portNumber}` : `${host}:${portNumber}`;
}

/**
 * The named pipe that stands for a Unix socket's path on Windows: `\\.\pipe\` and the whole path, with its drive and
 * without `.` and `..`, less its `/`, `\`, `:`.
 * A path that is a pipe's name already is that pipe, so that other programs' pipes can be named.
 */
export function pipeName(file: string): string {
  if (/^[/\\]{2}[.?][/\\]pipe[/\\]./i.test(file)) return file;
  return `\\\\.\\pipe\\${path.win32.resolve(file).replace(/[\\:]/g, '')}`;
}
