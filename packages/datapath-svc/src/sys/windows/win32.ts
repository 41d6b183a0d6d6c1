/**
 * The Windows API by koffi: one row per function, declared on first use, as `libc.ts` is for Linux. Handles are numbers
 * (-1 is INVALID_HANDLE_VALUE), addresses are numbers of `Memory`, `string` parameters are UTF-16. BOOL results are 0
 * for failure, whose reason `lastError()` tells when asked at once. On Windows only; elsewhere `tryWin32()` is
 * undefined.
 */

import { tryKoffi } from '@ovs-node/common/koffi';
import type { Mapper } from '../memory.js';

type Address = number;
type Handle = number;
/** Memory of the JavaScript heap, valid during the call only. */
type Bytes = Uint8Array | Uint32Array | BigInt64Array;

export interface Win32 extends Mapper {
  createFile(
    path: string,
    access: number,
    share: number,
    security: Address,
    disposition: number,
    flags: number,
    template: Handle,
  ): Handle;
  closeHandle(handle: Handle): number;
  createEvent(security: Address, manualReset: number, initial: number, name: string | null): Handle;
  deviceIoControl(
    device: Handle,
    code: number,
    input: Address,
    inputLength: number,
    output: Address,
    outputLength: number,
    returned: Address,
    overlapped: Address,
  ): number;
  getOverlappedResult(file: Handle, overlapped: Address, transferred: Address, wait: number): number;
  readFile(file: Handle, buffer: Address, length: number, read: Address, overlapped: Address): number;
  writeFile(file: Handle, buffer: Address, length: number, written: Address, overlapped: Address): number;
  cancelIo(file: Handle, overlapped: Address): number;
  createCompletionPort(file: Handle, port: Handle, key: number, threads: number): Handle;
  takeCompletions(
    port: Handle,
    entries: Address,
    count: number,
    removed: Address,
    timeoutMs: number,
    alertable: number,
  ): number;
  /** The same on a thread of koffi's pool; the callback comes on the event loop. */
  takeCompletionsAsync(
    port: Handle,
    entries: Address,
    count: number,
    removed: Address,
    timeoutMs: number,
    alertable: number,
    done: (error: Error | null, result: number) => void,
  ): void;
  openKey(root: number, path: string, options: number, access: number, key: BigInt64Array): number;
  enumKey(
    key: Handle,
    index: number,
    name: Bytes,
    length: Uint32Array,
    reserved: Address,
    cls: Address,
    clsLength: Address,
    time: Address,
  ): number;
  getValue(
    key: Handle,
    path: string | null,
    value: string,
    flags: number,
    type: Address,
    data: Bytes,
    length: Uint32Array,
  ): number;
  closeKey(key: Handle): number;
  /** GetLastError: the reason of the last failure in this thread. */
  lastError(): number;
}

const KERNEL = 'kernel32.dll';
const ADVAPI = 'advapi32.dll';
const PROTOTYPES = {
  createFile: [
    KERNEL,
    'CreateFileW',
    'int64_t',
    ['str16', 'uint32_t', 'uint32_t', 'size_t', 'uint32_t', 'uint32_t', 'int64_t'],
  ],
  closeHandle: [KERNEL, 'CloseHandle', 'int', ['int64_t']],
  createEvent: [KERNEL, 'CreateEventW', 'int64_t', ['size_t', 'int', 'int', 'str16']],
  deviceIoControl: [
    KERNEL,
    'DeviceIoControl',
    'int',
    ['int64_t', 'uint32_t', 'size_t', 'uint32_t', 'size_t', 'uint32_t', 'size_t', 'size_t'],
  ],
  getOverlappedResult: [KERNEL, 'GetOverlappedResult', 'int', ['int64_t', 'size_t', 'size_t', 'int']],
  readFile: [KERNEL, 'ReadFile', 'int', ['int64_t', 'size_t', 'uint32_t', 'size_t', 'size_t']],
  writeFile: [KERNEL, 'WriteFile', 'int', ['int64_t', 'size_t', 'uint32_t', 'size_t', 'size_t']],
  cancelIo: [KERNEL, 'CancelIoEx', 'int', ['int64_t', 'size_t']],
  createCompletionPort: [
    KERNEL,
    'CreateIoCompletionPort',
    'int64_t',
    ['int64_t', 'int64_t', 'size_t', 'uint32_t'],
  ],
  takeCompletions: [
    KERNEL,
    'GetQueuedCompletionStatusEx',
    'int',
    ['int64_t', 'size_t', 'uint32_t', 'size_t', 'uint32_t', 'int'],
  ],
  openKey: [ADVAPI, 'RegOpenKeyExW', 'int', ['size_t', 'str16', 'uint32_t', 'uint32_t', '_Out_ int64_t *']],
  enumKey: [
    ADVAPI,
    'RegEnumKeyExW',
    'int',
    ['int64_t', 'uint32_t', '_Out_ void *', '_Inout_ uint32_t *', 'size_t', 'size_t', 'size_t', 'size_t'],
  ],
  getValue: [
    ADVAPI,
    'RegGetValueW',
    'int',
    ['int64_t', 'str16', 'str16', 'uint32_t', 'size_t', '_Out_ void *', '_Inout_ uint32_t *'],
  ],
  closeKey: [ADVAPI, 'RegCloseKey', 'int', ['int64_t']],
  lastError: [KERNEL, 'GetLastError', 'uint32_t', []],
} as const satisfies Partial<Record<keyof Win32, readonly [string, string, string, readonly string[]]>>;

const MEM_COMMIT_RESERVE = 0x3000;
const PAGE_READWRITE = 4;

let win32: Win32 | undefined;

/** The Windows API, or undefined when this is not Windows or koffi cannot be loaded. */
export function tryWin32(): Win32 | undefined {
  if (win32 !== undefined) return win32;
  if (process.platform !== 'win32') return undefined;
  const koffi = tryKoffi();
  if (koffi === undefined) return undefined;
  const libraries = { [KERNEL]: koffi.load(KERNEL), [ADVAPI]: koffi.load(ADVAPI) };
  const virtualAlloc = libraries[KERNEL].func('VirtualAlloc', 'size_t', [
    'size_t',
    'size_t',
    'uint32_t',
    'uint32_t',
  ]);
  const table: Record<string, unknown> = {
    mmap: (address: number, length: number) =>
      Number(virtualAlloc(address, length, MEM_COMMIT_RESERVE, PAGE_READWRITE)) || -1,
    view: (address: number, length: number) => koffi.view(BigInt(address), length),
  };
  for (const [name, [library, symbol, result, parameters]] of Object.entries(PROTOTYPES)) {
    table[name] = libraries[library].func(symbol, result, [...parameters]);
  }
  table['takeCompletionsAsync'] = (table['takeCompletions'] as { async: unknown }).async;
  win32 = table as unknown as Win32;
  return win32;
}

// Numbers of winbase.h, winnt.h, winerror.h.
export const GENERIC_READ_WRITE = 0xc0000000;
export const OPEN_EXISTING = 3;
export const FILE_ATTRIBUTE_SYSTEM = 4;
export const FILE_FLAG_OVERLAPPED = 0x40000000;
export const ERROR_FILE_NOT_FOUND = 2;
export const ERROR_PATH_NOT_FOUND = 3;
export const ERROR_ACCESS_DENIED = 5;
export const ERROR_IO_PENDING = 997;
export const INVALID_HANDLE = -1;
