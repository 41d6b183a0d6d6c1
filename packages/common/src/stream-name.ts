/** Names of streams: `unix:FILE`, `tcp:HOST:PORT`, `punix:FILE`, `ptcp:PORT[:HOST]`. Pure. */
import { OvsError } from './errors.js';
import path from 'node:path';
import { absName, dirs } from './dirs.js';

/** Where to connect to, or to listen at. */
export type StreamAddress =
  | { readonly kind: 'unix'; /** Absolute. */ readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** The port of OVSDB (IANA 6640). */
export const OVSDB_PORT = 6640;
/** The port of OpenFlow (IANA 6653). */
export const OPENFLOW_PORT = 6653;

function bad(name: string, code: string): never {
  throw new OvsError(`${name}: ${code === 'EAFNOSUPPORT' ? 'unknown stream type' : 'bad address'}`, code);
}

function port(text: string, name: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) bad(name, 'EAFNOSUPPORT');
  return Number(text);
}

/** Splits `HOST[:PORT]` with `[…]` around IPv6 addresses. */
function hostPort(text: string): [string, string | undefined] {
  const v6 = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (v6) return [v6[1]!, v6[2]];
  const colon = text.indexOf(':');
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** Absolute even when the run directory was given as a relative one: a daemon changes its directory later. */
function socketPath(name: string): string {
  const full = absName(dirs.rundir, name);
  return path.isAbsolute(full) ? full : path.resolve(full);
}

function refuseSsl(name: string): never {
  throw new OvsError(`${name}: SSL streams are not supported yet`, 'ENOPROTOOPT');
}

/**
 * Reads an active name (`unix:`, `tcp:`). A relative Unix name is relative to the run directory.
 *
 * @throws OvsError EAFNOSUPPORT when nobody knows the type, ENOPROTOOPT for ssl:.
 */
export function parseActive(name: string, defaultPort = OVSDB_PORT): StreamAddress {
  if (name.startsWith('unix:')) return { kind: 'unix', path: socketPath(name.slice(5)) };
  if (name.startsWith('ssl:')) refuseSsl(name);
  if (!name.startsWith('tcp:')) bad(name, 'EAFNOSUPPORT');
  const [host, portText] = hostPort(name.slice(4));
  if (host === '') bad(name, 'EAFNOSUPPORT');
  return {
    kind: 'tcp',
    host,
    port: portText === undefined || portText === '' ? defaultPort : port(portText, name),
  };
}

/**
 * Reads a passive name (`punix:`, `ptcp:[PORT][:HOST]`; port 0 lets the system choose; no host: all addresses).
 *
 * @throws OvsError as `parseActive`.
 */
export function parsePassive(name: string, defaultPort = OVSDB_PORT): StreamAddress {
  if (name.startsWith('punix:')) return { kind: 'unix', path: socketPath(name.slice(6)) };
  if (name.startsWith('pssl:')) refuseSsl(name);
  if (!name.startsWith('ptcp:')) bad(name, 'EAFNOSUPPORT');
  const rest = name.slice(5);
  const colon = rest.indexOf(':');
  const portText = colon < 0 ? rest : rest.slice(0, colon);
  const host = colon < 0 ? '' : rest.slice(colon + 1).replace(/^\[|\]$/g, '');
  return { kind: 'tcp', host, port: portText === '' ? defaultPort : port(portText, name) };
}

/** Is it a name one listens at (`punix:`, `ptcp:`, `pssl:`)? */
export function isPassiveName(name: string): boolean {
  return /^p(unix|tcp|ssl):/.test(name);
}

/** Is it a name one connects to (`unix:`, `tcp:`, `ssl:`)? */
export function isActiveName(name: string): boolean {
  return /^(unix|tcp|ssl):/.test(name);
}

/**
 * The named pipe that stands for a Unix socket's path on Windows: `\\.\pipe\` and the path without `/`, `\`, `:`.
 * A path that is a pipe's name already is that pipe, so that other programs' pipes can be named.
 */
export function pipeName(path: string): string {
  if (/^[/\\]{2}[.?][/\\]pipe[/\\]./i.test(path)) return path;
  return `\\\\.\\pipe\\${path.replace(/[/\\:]/g, '')}`;
}
