/**
 * The C library by koffi: one row per function, declared on first use.
 *
 * Pointers come in two kinds. `size_t` parameters take an address as a number, for memory of `Memory` (mmap'd, so
 * its address never changes); that is the hot path, where a call costs about a quarter of a microsecond and nothing
 * is allocated. `void *` parameters take a typed array of the JavaScript heap, valid during the call only: control
 * path. koffi has no `ssize_t`; it is `int64_t`. Addresses are below 2^47, so they are exact as numbers.
 * On Linux only; elsewhere `tryLibc()` is undefined.
 */

import { koffiFailure, tryKoffi } from '@ovs-node/common/koffi';

type Address = number;
type Bytes = Uint8Array | Int32Array | Uint32Array;

/** The functions, with the C library's meaning; a failing one returns -1 and leaves its reason in `errno()`. */
export interface Libc {
  open(path: string, flags: number, mode: number): number;
  close(fd: number): number;
  read(fd: number, buffer: Address, length: number): number;
  write(fd: number, buffer: Address, length: number): number;
  writev(fd: number, iov: Address, count: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Bytes, length: number): number;
  setsockopt(fd: number, level: number, option: number, value: Bytes, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: Bytes, length: Uint32Array): number;
  recv(fd: number, buffer: Address, length: number, flags: number): number;
  sendmmsg(fd: number, messages: Address, count: number, flags: number): number;
  ioctl(fd: number, request: number, argument: Bytes): number;
  ioctlNumber(fd: number, request: number, argument: number): number;
  poll(fds: Address, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  mmap(
    address: Address,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): number;
  munmap(address: Address, length: number): number;
  /** The reason of the last failure in this thread. */
  errno(): number;
  /** `poll` on a thread of koffi's pool; the callback comes on the event loop. */
  pollAsync(
    fds: Address,
    count: number,
    timeoutMs: number,
    done: (error: Error | null, ready: number) => void,
  ): void;
  /** The memory at `address` as an ArrayBuffer, not copied. It must not be unmapped while the view is reachable. */
  view(address: Address, length: number): ArrayBuffer;
}

const PROTOTYPES = {
  open: ['open', 'int', ['str', 'int', 'uint']],
  close: ['close', 'int', ['int']],
  read: ['read', 'int64_t', ['int', 'size_t', 'size_t']],
  write: ['write', 'int64_t', ['int', 'size_t', 'size_t']],
  writev: ['writev', 'int64_t', ['int', 'size_t', 'int']],
  socket: ['socket', 'int', ['int', 'int', 'int']],
  bind: ['bind', 'int', ['int', 'void *', 'uint']],
  setsockopt: ['setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint']],
  getsockopt: ['getsockopt', 'int', ['int', 'int', 'int', '_Inout_ void *', '_Inout_ void *']],
  recv: ['recv', 'int64_t', ['int', 'size_t', 'size_t', 'int']],
  sendmmsg: ['sendmmsg', 'int', ['int', 'size_t', 'uint', 'int']],
  ioctl: ['ioctl', 'int', ['int', 'ulong', '_Inout_ void *']],
  ioctlNumber: ['ioctl', 'int', ['int', 'ulong', 'size_t']],
  poll: ['poll', 'int', ['size_t', 'ulong', 'int']],
  eventfd: ['eventfd', 'int', ['uint', 'int']],
  mmap: ['mmap', 'int64_t', ['size_t', 'size_t', 'int', 'int', 'int', 'int64_t']],
  munmap: ['munmap', 'int', ['size_t', 'size_t']],
} as const satisfies Partial<Record<keyof Libc, readonly [string, string, readonly string[]]>>;

let libc: Libc | undefined;

/** The C library, or undefined when this is not Linux or koffi cannot be loaded. */
export function tryLibc(): Libc | undefined {
  if (libc !== undefined) return libc;
  if (process.platform !== 'linux') return undefined;
  const koffi = tryKoffi();
  if (koffi === undefined) return undefined;
  const library = koffi.load(null);
  const table: Record<string, unknown> = {
    errno: () => koffi.errno(),
    view: (address: number, length: number) => koffi.view(BigInt(address), length),
  };
  for (const [name, [symbol, result, parameters]] of Object.entries(PROTOTYPES)) {
    table[name] = library.func(symbol, result, [...parameters]);
  }
  table['pollAsync'] = (table['poll'] as { async: unknown }).async;
  libc = table as unknown as Libc;
  return libc;
}

/** Why there are no Linux system calls here: one line for an error message. */
export function libcFailure(): string {
  if (process.platform !== 'linux') return `not supported on ${process.platform}`;
  return `system calls are not available: ${koffiFailure()}`;
}
