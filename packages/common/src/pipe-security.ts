/**
 * Who may open a named pipe of ours (Windows): SYSTEM, the administrators and the account that runs us, from this machine
 * only. Node makes pipes with the system's default, which lets everybody read, over the network too, and has no way to
 * say otherwise; so the list is replaced as soon as the pipe is there, through a handle that is opened by its name.
 *
 * Clients of other machines come with the NETWORK group in their token, and are refused by it. So are sessions of this
 * machine that were logged on over the network, as PowerShell remoting and OpenSSH do.
 */
import { tryKoffi, koffiFailure, type Koffi } from './koffi.js';

const READ_CONTROL = 0x20000;
const WRITE_DAC = 0x40000;
const OPEN_EXISTING = 3;
const DACL = 0x4;
const PROTECTED_DACL = 0x80000000;
const SDDL_REVISION_1 = 1;
const TOKEN_QUERY = 0x8;
const TOKEN_USER = 1;
/** The pseudo handle of this process. */
const CURRENT_PROCESS = -1;
const INVALID_HANDLE = -1;

/** Words of a security descriptor (winnt.h, "Security Descriptor String Format"): NU is NETWORK, SY SYSTEM, BA the administrators. */
const descriptorFor = (user: string): string => `D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;${user})`;

interface Calls {
  openForSecurity(name: string): number;
  close(handle: number): void;
  /** The SID of who runs this process; null when the system does not tell. */
  user(): string | null;
  setDescriptor(handle: number, text: string): number;
  getDescriptor(handle: number): string;
  lastError(): number;
}

let loaded: Calls | undefined;

function bind(koffi: Koffi): Calls {
  const kernel = koffi.load('kernel32.dll');
  const advapi = koffi.load('advapi32.dll');
  const createFile = kernel.func(
    'intptr_t CreateFileW(str16 name, uint32_t access, uint32_t share, void *security, uint32_t how, uint32_t flags, void *template)',
  );
  const closeHandle = kernel.func('int CloseHandle(intptr_t handle)');
  const localFree = kernel.func('void *LocalFree(void *memory)');
  const openToken = advapi.func(
    'int OpenProcessToken(intptr_t process, uint32_t access, _Out_ intptr_t *token)',
  );
  const tokenInformation = advapi.func(
    'int GetTokenInformation(intptr_t token, int kind, _Out_ uint8_t *buffer, uint32_t size, _Out_ uint32_t *needed)',
  );
  const fromText = advapi.func(
    'int ConvertStringSecurityDescriptorToSecurityDescriptorW(str16 text, uint32_t revision, _Out_ void **descriptor, void *size)',
  );
  const toText = advapi.func(
    'int ConvertSecurityDescriptorToStringSecurityDescriptorW(const uint8_t *descriptor, uint32_t revision, uint32_t what, _Out_ void **text, void *length)',
  );
  const setSecurity = advapi.func(
    'int SetKernelObjectSecurity(intptr_t handle, uint32_t what, void *descriptor)',
  );
  const getSecurity = advapi.func(
    'int GetKernelObjectSecurity(intptr_t handle, uint32_t what, _Out_ uint8_t *descriptor, uint32_t size, _Out_ uint32_t *needed)',
  );
  const lastError = kernel.func('uint32_t GetLastError()');
  const close = (handle: number): void => void closeHandle(handle);
  return {
    openForSecurity: (name) =>
      Number(createFile(name, READ_CONTROL | WRITE_DAC, 0, null, OPEN_EXISTING, 0, null)),
    close,
    user: () => {
      const token: [number] = [0];
      if (openToken(CURRENT_PROCESS, TOKEN_QUERY, token) === 0) return null;
      const bytes = Buffer.alloc(256);
      const known = tokenInformation(token[0], TOKEN_USER, bytes, bytes.length, [0]) !== 0;
      close(token[0]);
      return known ? sidText(bytes.subarray(TOKEN_USER_SIZE)) : null;
    },
    setDescriptor: (handle, text) => {
      const descriptor: [unknown] = [null];
      if (fromText(text, SDDL_REVISION_1, descriptor, null) === 0) return 0;
      const result = setSecurity(handle, DACL + PROTECTED_DACL, descriptor[0]) as number;
      localFree(descriptor[0]);
      return result;
    },
    getDescriptor: (handle) => {
      const bytes = Buffer.alloc(1024);
      if (getSecurity(handle, DACL, bytes, bytes.length, [0]) === 0) return '';
      const text: [unknown] = [null];
      if (toText(bytes, SDDL_REVISION_1, DACL, text, null) === 0) return '';
      const words = koffi.decode(text[0], 'char16_t', -1) as string;
      localFree(text[0]);
      return words;
    },
    lastError: () => lastError() as number,
  };
}

/** TOKEN_USER: a pointer and flags; the identifier that it points to follows. */
const TOKEN_USER_SIZE = 16;

/** A security identifier in words (winnt.h, SID): revision, number of parts, 48 bits of authority, the parts. */
export function sidText(bytes: Buffer): string {
  const parts = Array.from({ length: bytes[1]! }, (_none, i) => bytes.readUInt32LE(8 + 4 * i));
  return ['S', bytes[0]!, bytes.readUIntBE(2, 6), ...parts].join('-');
}

function calls(): Calls | undefined {
  if (process.platform !== 'win32') return undefined;
  const koffi = tryKoffi();
  return (loaded ??= koffi && bind(koffi));
}

/** Loads what `restrictPipe` calls, which takes longer than the calls. */
export function prepareRestriction(): void {
  calls();
}

/**
 * Replaces the list of who may open a pipe that this process serves. The pipe sees a client come and go.
 *
 * @param name `\\.\pipe\NAME`.
 * @returns null, or what the system has against it, in one line.
 */
export function restrictPipe(name: string): string | null {
  const api = calls();
  if (api === undefined) return koffiFailure();
  const handle = api.openForSecurity(name);
  if (handle === INVALID_HANDLE) return `cannot open it (Windows error ${api.lastError()})`;
  try {
    const user = api.user();
    if (user === null) return `cannot tell who runs this process (Windows error ${api.lastError()})`;
    if (api.setDescriptor(handle, descriptorFor(user)) === 0) {
      return `cannot set its security (Windows error ${api.lastError()})`;
    }
    return null;
  } finally {
    api.close(handle);
  }
}

/** The access list of a pipe, in words; '' where the system does not tell. A client comes and goes, as above. */
export function pipeAccess(name: string): string {
  const api = calls();
  const handle = api?.openForSecurity(name) ?? INVALID_HANDLE;
  if (handle === INVALID_HANDLE) return '';
  try {
    return api!.getDescriptor(handle);
  } finally {
    api!.close(handle);
  }
}
