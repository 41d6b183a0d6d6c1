/** Services on Windows, through the service manager's own functions: their answers are numbers in every language. */
import { FatalError } from '@ovs-node/common/errors';
import { advapi, type Advapi, type Handle } from '@ovs-node/common/service/advapi';
import { SERVICES, serviceCommand, type ServiceRow, type ServiceState, type ServiceSystem } from './table.js';

/** SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE, and what asking takes. */
const MANAGER = { change: 0x1 | 0x2, ask: 0x1 } as const;
/** SERVICE_QUERY_STATUS, and all of a service's rights. */
const SERVICE = { change: 0xf01ff, ask: 0x4 } as const;
type Access = keyof typeof SERVICE;

const CONTROL_STOP = 1;
const STATES: Readonly<Record<number, ServiceState['state']>> = {
  1: 'stopped',
  2: 'starting',
  3: 'stopping',
  4: 'running',
};
const SERVICE_SPECIFIC_ERROR = 1066;
const NEVER_STARTED = 1077;

/** Errors of the service manager that are told in words (winerror.h); others by number. */
const ERRORS = {
  5: 'Access is denied (an administrator may)',
  1053: 'the service did not answer in time',
  1056: 'an instance is already running',
  1058: 'the service is disabled',
  1060: 'not installed',
  1062: 'it does not run',
  1068: 'a service it needs did not start',
  1072: 'it is marked for deletion (close what looks at it)',
  1073: 'already installed',
} as const satisfies Readonly<Record<number, string>>;
const NOT_INSTALLED = 1060;
const ALREADY_INSTALLED = 1073;
const ALREADY_RUNNING = 1056;
const NOT_ACTIVE = 1062;

/** How long a service may take to start or stop, and how often it is looked at. */
const LIMIT_MS = 60_000;
const INTERVAL_MS = 100;

/**
 * A word as the C runtime of a Windows program reads it back from a command line: quoted when it has to be,
 * backslashes doubled before a quote. Source: "Parsing C command-line arguments" of the Windows documentation.
 */
export function quoteWindows(word: string): string {
  if (word !== '' && !/[\s"]/.test(word)) return word;
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}

export class WindowsServices implements ServiceSystem {
  readonly #api: Advapi = advapi();

  checkInstall(): void {
    for (const { name, state } of this.status()) {
      if (state !== 'not installed') this.#fail(name, ALREADY_INSTALLED);
    }
  }

  install(database: string): string[] {
    return SERVICES.map((row) => {
      const command = serviceCommand(row, 'windows', database).map(quoteWindows).join(' ');
      const service = this.#withManager('change', (manager) => {
        const made = this.#api.createService(manager, {
          name: row.name,
          displayName: row.description,
          command,
          dependencies: row.needs,
        });
        return made ?? this.#fail(row.name, this.#api.lastError());
      });
      this.#api.setDescription(service, row.description);
      this.#api.closeService(service);
      return `${row.name}: installed: ${command}`;
    });
  }

  async uninstall(): Promise<string[]> {
    const done: string[] = [];
    for (const row of SERVICES.toReversed()) {
      if (this.#query(row).state === 'not installed') continue;
      await this.#stop(row);
      this.#withService(row, 'change', (service) => {
        if (this.#api.deleteService(service) === 0) this.#fail(row.name, this.#api.lastError());
      });
      done.push(`${row.name}: removed`);
    }
    return done;
  }

  async start(): Promise<void> {
    for (const row of SERVICES) {
      this.#withService(row, 'change', (service) => {
        if (this.#api.startService(service) !== 0) return;
        const error = this.#api.lastError();
        if (error !== ALREADY_RUNNING) this.#fail(row.name, error);
      });
      const { state, exitCode } = await this.#settled(row, 'starting');
      if (state !== 'running')
        throw new FatalError(`${row.name}: did not start (exit code ${exitCode}); see its log`);
    }
  }

  async stop(): Promise<void> {
    for (const row of SERVICES.toReversed()) await this.#stop(row);
  }

  status(): ServiceState[] {
    return SERVICES.map((row) => this.#query(row));
  }

  async #stop(row: ServiceRow): Promise<void> {
    this.#withService(row, 'change', (service) => {
      if (this.#api.control(service, CONTROL_STOP) !== 0) return;
      const error = this.#api.lastError();
      if (error !== NOT_ACTIVE) this.#fail(row.name, error);
    });
    const { state } = await this.#settled(row, 'stopping');
    if (state !== 'stopped') throw new FatalError(`${row.name}: did not stop`);
  }

  /** The state of a service once it is another than `passing`. */
  async #settled(row: ServiceRow, passing: ServiceState['state']): Promise<ServiceState> {
    const end = performance.now() + LIMIT_MS;
    for (;;) {
      const now = this.#query(row);
      if (now.state !== passing || performance.now() > end) return now;
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }

  #query({ name }: ServiceRow): ServiceState {
    return this.#withManager('ask', (manager) => {
      const service = this.#api.openService(manager, name, SERVICE.ask);
      if (service === null) {
        const error = this.#api.lastError();
        if (error !== NOT_INSTALLED) this.#fail(name, error);
        return { name, state: 'not installed', pid: 0, exitCode: 0 };
      }
      const status = this.#api.queryStatus(service);
      const error = status === null ? this.#api.lastError() : 0;
      this.#api.closeService(service);
      if (status === null) return this.#fail(name, error);
      const { dwWin32ExitCode: code, dwServiceSpecificExitCode: own } = status;
      return {
        name,
        state: STATES[status.dwCurrentState] ?? 'stopped',
        pid: status.dwProcessId,
        exitCode: code === NEVER_STARTED ? 0 : code === SERVICE_SPECIFIC_ERROR ? own : code,
      };
    });
  }

  #withService<T>(row: ServiceRow, access: Access, action: (service: Handle) => T): T {
    return this.#withManager('ask', (manager) => {
      const service = this.#api.openService(manager, row.name, SERVICE[access]);
      if (service === null) return this.#fail(row.name, this.#api.lastError());
      try {
        return action(service);
      } finally {
        this.#api.closeService(service);
      }
    });
  }

  #withManager<T>(access: Access, action: (manager: Handle) => T): T {
    const manager = this.#api.openManager(null, null, MANAGER[access]);
    if (manager === null) return this.#fail('service manager', this.#api.lastError());
    try {
      return action(manager);
    } finally {
      this.#api.closeService(manager);
    }
  }

  #fail(name: string, error: number): never {
    throw new FatalError(
      `${name}: ${(ERRORS as Readonly<Record<number, string>>)[error] ?? `error ${error}`}`,
    );
  }
}
