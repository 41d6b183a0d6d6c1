/**
 * The calls of advapi32.dll that services, their management and the event log take, through koffi. Loaded on first
 * use. Handles are opaque pointers (null for failure), strings UTF-16; a call that fails leaves its reason in
 * `lastError()`. Source: winsvc.h and winbase.h as the Windows API's documentation describes them.
 */
import { FatalError } from '../errors.js';
import { koffiFailure, tryKoffi, type Koffi } from '../koffi.js';
import { OWN_PROCESS, type StatusReport } from './status.js';

/** A HANDLE: an opaque pointer, null for none. */
export type Handle = bigint | object | null;

export interface StatusProcess {
  readonly dwCurrentState: number;
  readonly dwWin32ExitCode: number;
  readonly dwServiceSpecificExitCode: number;
  readonly dwProcessId: number;
}

export interface Advapi {
  /** Runs until the service has stopped, on a thread of its own; resolves to 0 when the manager did not start us. */
  startDispatcher(main: (argc: number, argv: unknown) => void): Promise<number>;
  /** The first of the strings that `argv` of a service's main function points to. */
  firstString(argv: unknown): string;
  registerHandler(name: string, handler: (control: number) => number): Handle;
  setStatus(handle: Handle, status: StatusReport): number;
  openManager(machine: null, database: null, access: number): Handle;
  openService(manager: Handle, name: string, access: number): Handle;
  createService(manager: Handle, service: NewService): Handle;
  deleteService(service: Handle): number;
  startService(service: Handle): number;
  control(service: Handle, control: number): number;
  queryStatus(service: Handle): StatusProcess | null;
  setDescription(service: Handle, text: string): number;
  /** Restarts the service `delaysMs` after each failure, the last of them for all that follow. */
  setRestarts(service: Handle, delaysMs: readonly number[], resetSeconds: number): number;
  closeService(handle: Handle): void;
  openEventSource(name: string): Handle;
  /** @param type 1 error, 2 warning, 4 information. */
  reportEvent(source: Handle, type: number, text: string): number;
  /** GetLastError() of this thread. */
  lastError(): number;
}

/** What CreateServiceW takes. */
export interface NewService {
  readonly name: string;
  readonly displayName: string;
  /** The command line; the program quoted when its path has spaces. */
  readonly command: string;
  /** Names of services that have to run before this one. */
  readonly dependencies: readonly string[];
}

const SERVICE_ALL_ACCESS = 0xf01ff;
const AUTO_START = 2;
const ERROR_NORMAL = 1;
const CONFIG_DESCRIPTION = 1;
const CONFIG_FAILURE_ACTIONS = 2;
const ACTION_RESTART = 1;

let loaded: Advapi | undefined;

/** @throws FatalError where there is no such library or no koffi. */
export function advapi(): Advapi {
  if (loaded === undefined) {
    const koffi = tryKoffi();
    if (koffi === undefined) throw new FatalError(`Windows services cannot be used: ${koffiFailure()}`);
    loaded = bind(koffi);
  }
  return loaded;
}

/** A list of strings as Windows has it in one: each ended by a zero, and one more at the end. Null when empty. */
function multiString(words: readonly string[]): Buffer | null {
  return words.length === 0 ? null : Buffer.from(words.map((word) => `${word}\0`).join('') + '\0', 'utf16le');
}

function bind(koffi: Koffi): Advapi {
  const lib = koffi.load('advapi32.dll');
  const getLastError = koffi.load('kernel32.dll').func('uint32_t GetLastError()') as () => number;

  const ServiceMain = koffi.proto('void OvsServiceMain(uint32_t argc, void *argv)');
  const HandlerEx = koffi.proto(
    'uint32_t OvsServiceHandler(uint32_t control, uint32_t type, void *data, void *context)',
  );
  koffi.struct('OVS_SERVICE_TABLE_ENTRY', { name: 'str16', proc: koffi.pointer(ServiceMain) });
  koffi.struct('OVS_SERVICE_STATUS', {
    dwServiceType: 'uint32_t',
    dwCurrentState: 'uint32_t',
    dwControlsAccepted: 'uint32_t',
    dwWin32ExitCode: 'uint32_t',
    dwServiceSpecificExitCode: 'uint32_t',
    dwCheckPoint: 'uint32_t',
    dwWaitHint: 'uint32_t',
  });
  koffi.struct('OVS_SERVICE_DESCRIPTION', { text: 'str16' });
  koffi.struct('OVS_SC_ACTION', { type: 'int', delay: 'uint32_t' });
  koffi.struct('OVS_FAILURE_ACTIONS', {
    resetPeriod: 'uint32_t',
    rebootMessage: 'str16',
    command: 'str16',
    count: 'uint32_t',
    actions: 'OVS_SC_ACTION *',
  });

  const dispatcher = lib.func('int StartServiceCtrlDispatcherW(const OVS_SERVICE_TABLE_ENTRY *table)');
  const registerHandler = lib.func(
    'void *RegisterServiceCtrlHandlerExW(str16 name, OvsServiceHandler *handler, void *context)',
  );
  const setStatus = lib.func('int SetServiceStatus(void *handle, const OVS_SERVICE_STATUS *status)');
  const openManager = lib.func('void *OpenSCManagerW(str16 machine, str16 database, uint32_t access)');
  const openService = lib.func('void *OpenServiceW(void *manager, str16 name, uint32_t access)');
  const createService = lib.func(
    'void *CreateServiceW(void *manager, str16 name, str16 displayName, uint32_t access, uint32_t type, ' +
      'uint32_t start, uint32_t errorControl, str16 command, str16 group, void *tag, const void *dependencies, ' +
      'str16 account, str16 password)',
  );
  const deleteService = lib.func('int DeleteService(void *service)');
  const startService = lib.func('int StartServiceW(void *service, uint32_t argc, void *argv)');
  const control = lib.func(
    'int ControlService(void *service, uint32_t control, _Out_ OVS_SERVICE_STATUS *status)',
  );
  const queryStatus = lib.func(
    'int QueryServiceStatusEx(void *service, int level, _Out_ uint8_t *buffer, uint32_t size, _Out_ uint32_t *needed)',
  );
  const closeService = lib.func('int CloseServiceHandle(void *handle)');
  const changeDescription = lib.func(
    'int ChangeServiceConfig2W(void *service, uint32_t level, const OVS_SERVICE_DESCRIPTION *info)',
  );
  const changeFailureActions = lib.func(
    'int ChangeServiceConfig2W(void *service, uint32_t level, const OVS_FAILURE_ACTIONS *info)',
  );
  const openEventSource = lib.func('void *RegisterEventSourceW(str16 server, str16 source)');
  const reportEvent = lib.func(
    'int ReportEventW(void *source, uint16_t type, uint16_t category, uint32_t id, void *user, uint16_t strings, ' +
      'uint32_t size, const str16 *text, void *data)',
  );

  return {
    startDispatcher: (main) => {
      const proc = koffi.register(main, koffi.pointer(ServiceMain));
      // The name is not looked at for a service that has its process to itself.
      const table = [
        { name: '', proc },
        { name: null, proc: null },
      ];
      return new Promise((resolve, reject) => {
        dispatcher.async(table, (error: Error | null, result: number) => {
          if (error) reject(error);
          else resolve(result);
        });
      });
    },
    firstString: (argv) => (koffi.decode(argv, 'str16') as string | null) ?? '',
    registerHandler: (name, handler) => {
      const callback = koffi.register(handler, koffi.pointer(HandlerEx));
      return registerHandler(name, callback, null) as Handle;
    },
    setStatus: (handle, status) => setStatus(handle, status) as number,
    openManager: (machine, database, access) => openManager(machine, database, access) as Handle,
    openService: (manager, name, access) => openService(manager, name, access) as Handle,
    createService: (manager, { name, displayName, command, dependencies }) =>
      createService(
        manager,
        name,
        displayName,
        SERVICE_ALL_ACCESS,
        OWN_PROCESS,
        AUTO_START,
        ERROR_NORMAL,
        command,
        null,
        null,
        multiString(dependencies),
        null,
        null,
      ) as Handle,
    deleteService: (service) => deleteService(service) as number,
    startService: (service) => startService(service, 0, null) as number,
    control: (service, code) => control(service, code, {}) as number,
    queryStatus: (service) => {
      // SERVICE_STATUS_PROCESS: nine 32-bit members.
      const bytes = Buffer.alloc(36);
      if (queryStatus(service, 0, bytes, bytes.length, [0]) === 0) return null;
      return {
        dwCurrentState: bytes.readUInt32LE(4),
        dwWin32ExitCode: bytes.readUInt32LE(12),
        dwServiceSpecificExitCode: bytes.readUInt32LE(16),
        dwProcessId: bytes.readUInt32LE(28),
      };
    },
    setDescription: (service, text) => changeDescription(service, CONFIG_DESCRIPTION, { text }) as number,
    setRestarts: (service, delaysMs, resetPeriod) =>
      changeFailureActions(service, CONFIG_FAILURE_ACTIONS, {
        resetPeriod,
        rebootMessage: null,
        command: null,
        count: delaysMs.length,
        actions: delaysMs.map((delay) => ({ type: ACTION_RESTART, delay })),
      }) as number,
    closeService: (handle) => void closeService(handle),
    openEventSource: (name) => openEventSource(null, name) as Handle,
    reportEvent: (source, type, text) => reportEvent(source, type, 0, 0, null, 1, 0, [text], null) as number,
    lastError: getLastError,
  };
}
