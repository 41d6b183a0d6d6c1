/** Byte streams by the peer's names: Unix sockets (named pipes on Windows), TCP, and TLS over TCP. */
import fs from 'node:fs';
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { fromByteText } from './byte-text.js';
import { setLongTimer, type Timer } from './clock.js';
import { coverageCounter } from './coverage.js';
import { heedSignals } from './end-signals.js';
import { OvsError, errnoName, strerror } from './errors.js';
import {
  joinHostPort,
  parseActive,
  parsePassive,
  pipeName,
  OPENFLOW_PORT,
  OVSDB_PORT,
  type HostAddress,
  type StreamAddress,
} from './stream-name.js';
import { copyOf, READ_PIECE } from './stream-copy.js';
import { claimPipe, listenPipe } from './stream-pipe.js';
import { type Alias, bindFailed, clearStale, listenUnix, nascentName, shorten } from './stream-unix.js';
import { RateLimit, vlog } from './vlog.js';

export { isActiveName, isPassiveName, pipeName, OVSDB_PORT, OPENFLOW_PORT } from './stream-name.js';

/** How to connect or listen. */
export interface StreamOptions {
  /** Port of a `tcp:HOST` or `ptcp:` name that says none. */
  readonly defaultPort?: number;
  /** Gives up after this time with ETIMEDOUT; connecting only. */
  readonly timeoutMs?: number;
  /** The name is byte text (`byte-text.ts`), as are the errors about it; connecting only. */
  readonly isByteText?: boolean;
  /** What is read is lent to who listens for 'data', who has it until he returns; connecting only, and not to all streams. */
  readonly lends?: boolean;
  /** Connections that stand at a time, more are turned away; listening only. */
  readonly maxConnections?: number;
}

/** A listening stream. */
export interface Listener {
  /** The name it listens at; for `ptcp:0` and `pssl:0` with the port the system chose. */
  readonly name: string;
  /** The TCP port, or 0. */
  readonly port: number;
  /** Stops listening and removes the socket's file. Connections it accepted live on. */
  close(): Promise<void>;
}

/**
 * Takes an accepted connection: it owns the socket and must handle its 'error' events.
 *
 * @param name what messages call the connection: `unix#3`, `tcp:10.0.0.1:3000`, `ssl:[::1]:3000`.
 */
export type OnConnection = (socket: net.Socket, name: string) => void;

const unixLog = vlog('stream_unix');
const listening = coverageCounter('pstream_open');
const opened = coverageCounter('stream_open');
const acceptLimit = new RateLimit(10, 25);

/** What a stranger can make us hold where nothing else is said: with some 20 kB for each connection, 80 MB. */
const MAX_CONNECTIONS = 4096;

/** How long a TCP connection may be silent before the system asks whether the other side is there, ms. */
const KEEP_ALIVE_MS = 60_000;
const TCP_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS } as const;

/** The ports that the peer's defaults had before, which it still warns of. */
const FORMER_PORTS: ReadonlyMap<number, string> = new Map([
  [OVSDB_PORT, 'The default OVSDB port number has changed from 6632 to 6640'],
  [OPENFLOW_PORT, 'The default OpenFlow port number has changed from 6633 to 6653'],
]);
/** Says once that a default port is used. */
function noteDefaultPort(port: number): void {
  const text = FORMER_PORTS.get(port);
  if (text !== undefined) vlog('stream').warnOnce(text, text);
}

/** An active name of fewer than three words, apart by colons, gets the default port at its end, whatever stands there. */
function withPort(name: string, port: number): string {
  if (!/^(tcp|ssl):/.test(name) || name.split(':').filter((word) => word !== '').length > 2) return name;
  noteDefaultPort(port);
  return `${name}:${port}`;
}

/**
 * Connects a socket that reads into one buffer of its own and hands on copies, or lends it: otherwise Node.js gets 64 kB of
 * memory for each piece that comes, however short. Nor does a piece go through the stream's queue when somebody takes it at
 * once. `npm run bench:openflow`, add-flows: 0.1 s of processor time less for 100,000 flows.
 */
function connectReading(options: net.NetConnectOpts, lends: boolean): net.Socket {
  const callback = (length: number, buffer: Uint8Array): boolean => {
    if (socket.readableFlowing !== true || socket.readableLength > 0)
      return socket.push(copyOf(buffer, length));
    socket.emit('data', lends ? buffer.subarray(0, length) : copyOf(buffer, length));
    return true;
  };
  const socket = net.connect({
    ...options,
    onread: { buffer: Buffer.allocUnsafeSlow(READ_PIECE), callback },
  });
  return socket;
}

/** @param name what errors call it. */
function connectSocket(
  address: StreamAddress,
  name: string,
  { timeoutMs, isByteText, lends = false }: StreamOptions,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    let alias: Alias | null = null;
    let options: net.NetConnectOpts;
    if (address.kind !== 'unix') options = { host: address.host, port: address.port, ...TCP_OPTIONS };
    else if (process.platform === 'win32') options = { path: pipeName(address.path) };
    else {
      try {
        alias = shorten(address.path);
      } catch (error) {
        reject(connectFailure(error as Error, address, name));
        return;
      }
      options = { path: isByteText === true ? fromByteText(alias.path) : alias.path };
    }
    // TLS reads for itself.
    const socket = address.kind === 'ssl' ? net.connect(options) : connectReading(options, lends);
    let timer: Timer | undefined;
    const settle = (): void => {
      timer?.cancel();
      alias?.release();
      socket.removeListener('error', failed);
      socket.removeListener('connect', connected);
    };
    const failed = (error: Error): void => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      reject(connectFailure(error, address, name));
    };
    const connected = (): void => {
      settle();
      resolve(socket);
    };
    socket.once('error', failed);
    socket.once('connect', connected);
    if (timeoutMs !== undefined) {
      timer = setLongTimer(timeoutMs, () => failed(new OvsError(strerror('ETIMEDOUT'), 'ETIMEDOUT')));
    }
  });
}

/** What connecting ended with, which is logged. */
function connectFailure(error: Error, address: StreamAddress, name: string): OvsError {
  // A name that cannot be resolved is no address; the C library's resolver has errors of its own for that.
  const isNoAddress = (error as { syscall?: string }).syscall === 'getaddrinfo';
  const code = isNoAddress ? 'EAFNOSUPPORT' : errnoName(error);
  if (address.kind === 'unix') unixLog.dbg(() => `${address.path}: connection failed (${strerror(code)})`);
  else if (isNoAddress || UNROUTABLE.has(code)) logFailure(name, code);
  return new OvsError(strerror(code), code, { cause: error });
}

/** Errors of connecting that say that the system has no way there. */
const UNROUTABLE: ReadonlySet<string> = new Set([
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EINVAL',
  'EACCES',
  'EPERM',
]);

/** @param name `tcp:…` or `ssl:…`. */
function logFailure(name: string, code: string): void {
  vlog(`stream_${name.slice(0, 3)}`).err(`${name}: connect: ${strerror(code)}`);
}

/** The scope of an IPv6 address has to be a device: libuv takes any word, and goes on without it. */
function checkScope(address: StreamAddress): void {
  if (address.kind === 'unix' || process.platform !== 'linux') return;
  const scope = /%(.*)$/.exec(address.host)?.[1];
  if (scope === undefined || /^\d+$/.test(scope) || fs.existsSync(`/sys/class/net/${scope}`)) return;
  const target = joinHostPort(address.host, address.port);
  throw new OvsError(`${target}: bad IPv6 scope "${scope}" (${strerror('ENODEV')})`, 'EAFNOSUPPORT');
}

/** Reads a name; what is wrong with it is logged, and the error has the C library's text. */
function parse(reader: typeof parseActive, name: string, defaultPort: number): StreamAddress {
  const active = reader === parseActive;
  try {
    const address = reader(name, defaultPort);
    checkScope(address);
    if (!active && address.kind !== 'unix' && !address.hasPort) noteDefaultPort(address.port);
    return address;
  } catch (error) {
    const code = errnoName(error);
    const { message } = error as Error;
    // Of a type that is not known there is nothing to say.
    const isKnown = active ? /^(tcp|ssl):/.test(name) : /^p(tcp|ssl):/.test(name);
    if (isKnown && message !== '') vlog('socket_util').err(message);
    if (isKnown && active) logFailure(name, code);
    throw new OvsError(strerror(code), code, { cause: error });
  }
}

/** Rejects with ETIMEDOUT where `work` takes longer, and then destroys `socket`. */
async function within<T>(ms: number | undefined, socket: net.Socket, work: Promise<T>): Promise<T> {
  if (ms === undefined) return work;
  let timer: Timer | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setLongTimer(ms, () => reject(new OvsError(strerror('ETIMEDOUT'), 'ETIMEDOUT')));
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    work.catch(() => {});
    socket.destroy();
    throw error;
  } finally {
    timer?.cancel();
  }
}

/** Looks a host's name up: that there is none is told before anything else is looked at. @throws (rejects) OvsError */
async function resolveHost(address: HostAddress, name: string): Promise<void> {
  if (address.host.includes(':') || net.isIPv4(address.host)) return;
  const { lookup } = await import('node:dns/promises');
  await lookup(address.host).catch((error: Error) => {
    throw connectFailure(error, address, name);
  });
}

/**
 * Connects to `unix:FILE`, `tcp:HOST[:PORT]` or `ssl:HOST[:PORT]` (with the files of `tls-config.ts`).
 *
 * The caller owns the socket and must handle its 'error' events.
 *
 * @throws (rejects) OvsError whose `code` is the errno name and whose message is the C library's text for it:
 *   callers print `PROG: NAME: database connection failed (${message})`.
 */
export async function connectStream(given: string, options: StreamOptions = {}): Promise<net.Socket> {
  const { defaultPort = OVSDB_PORT } = options;
  const name = withPort(given, defaultPort);
  const address = parse(parseActive, name, defaultPort);
  opened.total++;
  heedSignals();
  if (address.kind !== 'ssl') return connectSocket(address, name, options);
  await resolveHost(address, name);
  // Before anything is connected: without a key and certificates there is nothing to begin.
  const [{ startTlsClient }, { tlsSettings }] = await Promise.all([
    import('./tls.js'),
    import('./tls-config.js'),
  ]);
  tlsSettings();
  const began = performance.now();
  const socket = await connectSocket(address, name, options);
  const left =
    options.timeoutMs === undefined
      ? undefined
      : Math.max(1, options.timeoutMs - (performance.now() - began));
  return within(left, socket, startTlsClient(socket, address.host));
}

let unixSerial = 0;

/** What messages call an accepted connection. */
function connectionName(socket: net.Socket, kind: StreamAddress['kind']): string {
  if (kind === 'unix') return `unix#${unixSerial++}`;
  // An IPv4 address on a socket that takes both.
  const host = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
  return `${kind}:${joinHostPort(host, socket.remotePort ?? 0)}`;
}

/** Who takes what a server accepts: for TLS, after the handshake. */
async function acceptor(
  name: string,
  kind: StreamAddress['kind'],
  onConnection: OnConnection,
): Promise<(socket: net.Socket) => void> {
  const give = (socket: net.Socket): void => onConnection(socket, connectionName(socket, kind));
  if (kind !== 'ssl') return give;
  const { TlsAcceptor } = await import('./tls.js');
  const tls = new TlsAcceptor(give);
  return (socket) => {
    try {
      tls.accept(socket);
    } catch (error) {
      vlog('stream_ssl').warnRl(acceptLimit, `${name}: accept failed: ${(error as Error).message}`);
      socket.on('error', () => {});
      socket.destroy();
    }
  };
}

/** Starts to listen, and waits until it does or fails. */
function listen(server: net.Server, address: StreamAddress, alias: Alias | null): Promise<void> {
  if (address.kind === 'unix' && alias === null) return listenPipe(server, address.path);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', resolve);
    if (address.kind !== 'unix') server.listen({ port: address.port, host: address.host });
    else listenUnix(server, alias!.path);
  });
}

/**
 * Listens at `punix:FILE`, `ptcp:[PORT][:HOST]` or `pssl:[PORT][:HOST]`. A socket file left over by a dead process is
 * replaced. A TLS connection is handed on after its handshake; one whose other side is not trusted never is.
 *
 * @throws (rejects) OvsError: EADDRINUSE when somebody answers there, other errno names as the system says.
 */
export async function listenStream(
  name: string,
  onConnection: OnConnection,
  options: StreamOptions = {},
): Promise<Listener> {
  const address = parse(parsePassive, name, options.defaultPort ?? OVSDB_PORT);
  listening.total++;
  const accept = await acceptor(name, address.kind, onConnection);
  const server = net.createServer(address.kind === 'unix' ? {} : TCP_OPTIONS);
  const isFile = address.kind === 'unix' && process.platform !== 'win32';
  // Between bind(2) and listen(2) a socket's file is there and refuses: who waits for the file would meet that.
  // So it gets its name when it listens.
  const nascent = isFile ? nascentName(address.path) : '';
  let alias: Alias | null = null;
  let inode = 0;
  let giveUpPipe: (() => void) | null = null;
  try {
    if (address.kind === 'unix' && !isFile) giveUpPipe = claimPipe(address.path);
    if (isFile) {
      await clearStale(address.path, () => connectSocket(address, name, { timeoutMs: 2000 }));
      fs.rmSync(nascent, { force: true });
      alias = shorten(nascent);
    }
    await listen(server, address, alias);
    if (isFile) {
      fs.renameSync(nascent, address.path);
      inode = fs.lstatSync(address.path).ino;
    }
  } catch (error) {
    server.close();
    alias?.release();
    giveUpPipe?.();
    let code = errnoName(error);
    if (isFile) {
      code = bindFailed(address.path, code);
    } else if (address.kind === 'unix') {
      unixLog.err(`${address.path}: binding failed: ${strerror(code)}`);
    } else {
      const target = name.slice(name.indexOf(':') + 1);
      vlog('socket_util').err(`${target}: bind: ${strerror(code)}`);
    }
    throw new OvsError(strerror(code), code, { cause: error });
  }
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  server.on('drop', () => vlog('stream').warnRl(acceptLimit, `${name}: too many connections`));
  server.on('connection', accept);
  server.removeAllListeners('error');
  // accept(2) failing (EMFILE) must not end the daemon; the next connection gets its chance.
  server.on('error', () => {});
  const port = address.kind === 'unix' ? 0 : (server.address() as net.AddressInfo).port;
  const isChosen = address.kind !== 'unix' && address.port === 0;
  if (isChosen) {
    vlog('socket_util').info(`${name.slice(name.indexOf(':') + 1)}: listening on port ${port}`);
  }
  return {
    name: isChosen ? name.replace(/:0+/, `:${port}`) : name,
    port,
    close: () =>
      new Promise((resolve) => {
        // Not waiting for accepted connections: they belong to whom they were given to.
        server.close();
        giveUpPipe?.();
        giveUpPipe = null;
        // Unless somebody has put another in its place.
        if (isFile && inode !== 0) {
          if (fs.lstatSync(address.path, { throwIfNoEntry: false })?.ino === inode)
            fs.rmSync(address.path, { force: true });
          inode = 0;
          alias?.release();
        }
        setImmediate(resolve);
      }),
  };
}

/**
 * The common name of the certificate that the other side of a stream has shown: its identity for role-based access
 * control. Undefined on streams without TLS, and where the certificate was not checked.
 */
export function peerCommonName(socket: unknown): string | undefined {
  const secured = socket as Partial<TLSSocket>;
  if (secured.authorized !== true || secured.getPeerX509Certificate === undefined) return undefined;
  const subject = secured.getPeerX509Certificate()?.subject ?? '';
  return /^CN=(.*)$/m.exec(subject)?.[1];
}
