/**
 * Ways to the system's log: syslog(3), a datagram socket, UDP; and on Windows what `setSystemLog` is given.
 *
 * Each is a function that takes one line and never throws: a message that cannot be delivered is lost. All of them
 * send before they return, since a tool may end right after.
 */
import fs from 'node:fs';
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { FatalError } from './errors.js';
import { tryKoffi } from './koffi.js';
import { parseDatagramTarget } from './stream-name.js';

/**
 * Delivers one line.
 *
 * @param severity RFC 5424, 1 to 7.
 * @param facility RFC 5424 code, or undefined for the default (daemon).
 */
export type SystemLog = (severity: number, facility: number | undefined, line: string) => void;

const DAEMON = 3;
const priority = (severity: number, facility: number | undefined): number =>
  (facility ?? DAEMON) * 8 + severity;

/** Of `udp:IP`. */
const SYSLOG_PORT = 514;

const discard: SystemLog = () => {};

/** Where the C library's syslog(3) sends to. */
const LOG_SOCKETS = ['/dev/log', '/var/run/syslog'];
/** Nobody is there: so long until we look again, ms. */
const LOOK_AGAIN_MS = 60_000;

/** syslog(3). Loaded when there is a log to write to: otherwise a tool's start would pay for nothing. */
function libc(program: string): SystemLog {
  let call: ((priority: number, format: string, type: 'str', text: string) => void) | undefined;
  let next = 0;
  return (severity, facility, line) => {
    if (call === undefined) {
      const now = performance.now();
      if (now < next) return;
      next = now + LOOK_AGAIN_MS;
      if (!LOG_SOCKETS.some((file) => fs.existsSync(file))) return;
      try {
        const library = tryKoffi()?.load(null);
        if (library === undefined) return;
        const open = library.func('void openlog(const uint8_t *, int, int)');
        // openlog keeps the pointer: the bytes stay for the life of the process.
        ident = Buffer.from(`${program}\0`);
        open(ident, LOG_NDELAY, DAEMON * 8);
        call = library.func('void syslog(int, const char *, ...)') as unknown as typeof call;
      } catch {
        return;
      }
    }
    call!(priority(severity, facility), '%s', 'str', line);
  };
}
const LOG_NDELAY = 8;
let ident: Buffer | undefined;

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** The largest path that struct sockaddr_un holds, with the zero at its end. */
const SUN_PATH = 104;
const MSG_DONTWAIT = process.platform === 'darwin' ? 0x80 : 0x40;

/** A datagram socket in the file system, which Node cannot speak to. */
function unixDatagrams(file: string): SystemLog {
  const name = Buffer.from(file);
  const library = name.length < SUN_PATH ? tryKoffi()?.load(null) : undefined;
  if (library === undefined) return discard;
  const address = Buffer.alloc(2 + SUN_PATH);
  if (process.platform === 'darwin') address.set([address.length, AF_UNIX]);
  else address.writeUInt16LE(AF_UNIX);
  name.copy(address, 2);
  const fd = library.func('int socket(int, int, int)')(AF_UNIX, SOCK_DGRAM, 0) as number;
  const sendto = library.func(
    'intptr_t sendto(int, const uint8_t *, size_t, int, const uint8_t *, uint32_t)',
  );
  return (severity, facility, line) => {
    const bytes = Buffer.from(`<${priority(severity, facility)}>${line}`);
    sendto(fd, bytes, bytes.length, MSG_DONTWAIT, address, address.length);
  };
}

/**
 * Sends whole datagrams to `IP:PORT`, with `[…]` around IPv6; null for what is no address.
 *
 * @param defaultPort for an address without one, which is refused otherwise.
 * @throws OvsError that says what is wrong with the port.
 */
export function udpSender(target: string, defaultPort?: number): ((line: string) => void) | null {
  const to = parseDatagramTarget(target, defaultPort);
  if (to === null) return null;
  const family = isIPv6(to.host) ? 6 : 4;
  const { createSocket } = process.getBuiltinModule('node:dgram');
  const socket: Socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // An address needs no look-up; without one the socket sends at once.
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  socket.on('error', () => {});
  socket.unref();
  return (line) => socket.send(line, to.port, to.host, () => {});
}

function udp(target: string): SystemLog {
  const send = udpSender(target, SYSLOG_PORT);
  if (send === null) return discard;
  return (severity, facility, line) => send(`<${priority(severity, facility)}>${line}`);
}

/**
 * The way that --syslog-method names: `libc`, `unix:FILE`, `udp:IP:PORT`, `null`. Where the system has no such thing
 * (`libc` and `unix:` on Windows) nothing is sent.
 *
 * @throws FatalError in the peer's words for any other, OvsError for an address that is bad.
 */
export function systemLog(method: string, program: string): SystemLog {
  const isWindows = process.platform === 'win32';
  if (method === 'null') return discard;
  if (method === 'libc') return isWindows ? discard : libc(program);
  if (method.startsWith('unix:')) return isWindows ? discard : unixDatagrams(method.slice(5));
  if (method.startsWith('udp:')) return udp(method.slice(4));
  throw new FatalError(`unsupported syslog method '${method}'`);
}
