/**
 * Errors, as values with a code and one line of text.
 *
 * Every error a user sees is one line: what, where, the value, in the peer's words where it has them. System
 * errors keep their errno name in `code` ('ENOENT'), so `strerror` can print what the C library would.
 */
import os from 'node:os';

/** An error with a stable code (an errno name, an RFC error name, or a name of this project) and a one-line text. */
export class OvsError extends Error {
  /** Machine-readable code, for example 'EINVAL' or 'syntax'. */
  readonly code: string;

  constructor(message: string, code = 'EINVAL', options?: ErrorOptions) {
    super(message, options);
    this.name = 'OvsError';
    this.code = code;
  }
}

/**
 * Ends a program: `runTool` prints `PROG: message` (nothing when the message is empty) on standard error and
 * exits with `status`.
 */
export class FatalError extends OvsError {
  readonly status: number;

  constructor(message: string, status = 1, code = 'fatal') {
    super(message, code);
    this.name = 'FatalError';
    this.status = status;
  }
}

/** Ends a program early and well (--help, --version): `text` goes to standard output as it is. */
export class EarlyExit extends Error {
  readonly text: string;
  readonly status: number;

  constructor(text: string, status = 0) {
    super('early exit');
    this.name = 'EarlyExit';
    this.text = text;
    this.status = status;
  }
}

/**
 * What glibc's strerror(3) says, by errno name. Node's own texts are libuv's ("no such file or directory"), and
 * the peer prints glibc's.
 */
const STRERROR: Readonly<Record<string, string>> = {
  E2BIG: 'Argument list too long',
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EAGAIN: 'Resource temporarily unavailable',
  EALREADY: 'Operation already in progress',
  EBADF: 'Bad file descriptor',
  EBADMSG: 'Bad message',
  EBUSY: 'Device or resource busy',
  ECANCELED: 'Operation canceled',
  ECHILD: 'No child processes',
  ECONNABORTED: 'Software caused connection abort',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EDESTADDRREQ: 'Destination address required',
  EDOM: 'Numerical argument out of domain',
  EDQUOT: 'Disk quota exceeded',
  EEXIST: 'File exists',
  EFAULT: 'Bad address',
  EFBIG: 'File too large',
  EHOSTUNREACH: 'No route to host',
  EIDRM: 'Identifier removed',
  EILSEQ: 'Invalid or incomplete multibyte or wide character',
  EINPROGRESS: 'Operation now in progress',
  EINTR: 'Interrupted system call',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISCONN: 'Transport endpoint is already connected',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  EMLINK: 'Too many links',
  EMSGSIZE: 'Message too long',
  ENAMETOOLONG: 'File name too long',
  ENETDOWN: 'Network is down',
  ENETRESET: 'Network dropped connection on reset',
  ENETUNREACH: 'Network is unreachable',
  ENFILE: 'Too many open files in system',
  ENOBUFS: 'No buffer space available',
  ENODATA: 'No data available',
  ENODEV: 'No such device',
  ENOENT: 'No such file or directory',
  ENOEXEC: 'Exec format error',
  ENOLCK: 'No locks available',
  ENOMEM: 'Cannot allocate memory',
  ENOPROTOOPT: 'Protocol not available',
  ENOSPC: 'No space left on device',
  ENOSYS: 'Function not implemented',
  ENOTCONN: 'Transport endpoint is not connected',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
  ENOTSOCK: 'Socket operation on non-socket',
  ENOTSUP: 'Operation not supported',
  EOPNOTSUPP: 'Operation not supported',
  ENOTTY: 'Inappropriate ioctl for device',
  ENXIO: 'No such device or address',
  EOF: 'End of file',
  EOVERFLOW: 'Value too large for defined data type',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  EPROTO: 'Protocol error',
  EPROTONOSUPPORT: 'Protocol not supported',
  EPROTOTYPE: 'Protocol wrong type for socket',
  ERANGE: 'Numerical result out of range',
  EROFS: 'Read-only file system',
  ESPIPE: 'Illegal seek',
  ESRCH: 'No such process',
  ESTALE: 'Stale file handle',
  ETIME: 'Timer expired',
  ETIMEDOUT: 'Connection timed out',
  ETXTBSY: 'Text file busy',
  EXDEV: 'Invalid cross-device link',
};

/** Linux errno numbers: the numbers on the wire of netlink and the pseudo device, whatever the host is. */
export const LINUX_ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  ERANGE: 34,
  ENOSYS: 38,
  ENODATA: 61,
  EPROTO: 71,
  EBADMSG: 74,
  EOVERFLOW: 75,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
} as const satisfies Readonly<Record<string, number>>;

const LINUX_NAME: ReadonlyMap<number, string> = new Map(
  Object.entries(LINUX_ERRNO).map(([name, number]) => [number as number, name]),
);

/** The name of a Linux errno number (positive), or `E<number>` when it has none in the table. */
export function linuxErrnoName(number: number): string {
  return LINUX_NAME.get(number) ?? `E${number}`;
}

/**
 * The errno name of an error thrown by Node or by this project: its `code` when that looks like one, the name of
 * its `errno` number otherwise; 'EIO' when it has neither.
 */
export function errnoName(error: unknown): string {
  const e = error as { code?: unknown; errno?: unknown } | null | undefined;
  if (typeof e?.code === 'string' && /^E[A-Z0-9]+$/.test(e.code)) return e.code;
  if (typeof e?.code === 'string' && e.code === 'ENOTFOUND') return 'ENOENT';
  if (typeof e?.errno === 'number') {
    for (const [name, number] of Object.entries(os.constants.errno))
      if (number === Math.abs(e.errno)) return name;
  }
  return 'EIO';
}

/** Whether what could not be read is a directory: it can be opened, and has nothing in it for the peer. */
export function isOfDirectory(error: unknown): boolean {
  return errnoName(error) === 'EISDIR';
}

/** The C library's text for an errno name or for an error that carries one: 'No such file or directory'. */
export function strerror(error: unknown): string {
  const name = typeof error === 'string' ? error : errnoName(error);
  return STRERROR[name] ?? `Unknown error ${name}`;
}

/** An error of a stream or a file with the C library's text, as logs and tools print it. */
export function systemError(error: Error): OvsError {
  if (error instanceof OvsError) return error;
  const code = errnoName(error);
  return new OvsError(strerror(code), code, { cause: error });
}

/** The message of anything thrown, as one line. */
export function errorMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
