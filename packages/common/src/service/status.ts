/**
 * What a service tells the Windows service manager of itself, as a state machine: no clock, no system call.
 *
 *     start-pending ──running()──► running ──stopping()──► stop-pending ──stopped()──► stopped
 *           └────────────────────────────────stopped()─────────────────────────────────►
 *
 * While something is pending, `progress()` gives the next check point: the manager takes a service for hung when
 * none comes within the wait hint. Source: SERVICE_STATUS and SetServiceStatus in the Windows API's documentation.
 */

/** dwCurrentState. */
const STATE = { 'start-pending': 2, running: 4, 'stop-pending': 3, stopped: 1 } as const;
export type ServiceState = keyof typeof STATE;

/** dwServiceType: SERVICE_WIN32_OWN_PROCESS. */
export const OWN_PROCESS = 0x10;
/** dwControlsAccepted of a running service: stop and system shutdown. Nothing is accepted while it starts or stops. */
const ACCEPT_STOP_AND_SHUTDOWN = 0x1 | 0x4;
/** dwWin32ExitCode that means: look at dwServiceSpecificExitCode. */
const SERVICE_SPECIFIC_ERROR = 1066;
/** How long the manager waits for the next check point. */
export const WAIT_HINT_MS = 30_000;

/** The members of SERVICE_STATUS, in their order. */
export interface StatusReport {
  readonly dwServiceType: number;
  readonly dwCurrentState: number;
  readonly dwControlsAccepted: number;
  readonly dwWin32ExitCode: number;
  readonly dwServiceSpecificExitCode: number;
  readonly dwCheckPoint: number;
  readonly dwWaitHint: number;
}

export class ServiceStatus {
  #state: ServiceState = 'start-pending';
  #checkPoint = 1;
  #exitStatus = 0;

  get state(): ServiceState {
    return this.#state;
  }

  /** The service serves. */
  running(): StatusReport {
    if (this.#state === 'start-pending') this.#enter('running', 0);
    return this.report();
  }

  /** The service was told to stop, or ends by itself. */
  stopping(): StatusReport {
    if (this.#state === 'start-pending' || this.#state === 'running') this.#enter('stop-pending', 1);
    return this.report();
  }

  /** The service has ended. @param exitStatus what its process would exit with. */
  stopped(exitStatus: number): StatusReport {
    if (this.#state !== 'stopped') this.#exitStatus = exitStatus;
    this.#enter('stopped', 0);
    return this.report();
  }

  /** The next check point, or null when nothing is pending. */
  progress(): StatusReport | null {
    if (this.#checkPoint === 0) return null;
    this.#checkPoint++;
    return this.report();
  }

  report(): StatusReport {
    const pending = this.#checkPoint > 0;
    return {
      dwServiceType: OWN_PROCESS,
      dwCurrentState: STATE[this.#state],
      dwControlsAccepted: this.#state === 'running' ? ACCEPT_STOP_AND_SHUTDOWN : 0,
      dwWin32ExitCode: this.#exitStatus === 0 ? 0 : SERVICE_SPECIFIC_ERROR,
      dwServiceSpecificExitCode: this.#exitStatus,
      dwCheckPoint: this.#checkPoint,
      dwWaitHint: pending ? WAIT_HINT_MS : 0,
    };
  }

  #enter(state: ServiceState, checkPoint: number): void {
    this.#state = state;
    this.#checkPoint = checkPoint;
  }
}
