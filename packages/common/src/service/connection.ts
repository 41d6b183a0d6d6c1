/**
 * A process that is a Windows service: the connection to the service manager, told in the program's terms.
 *
 * The manager calls on threads of its own; koffi hands each call to the event loop and holds the thread until it
 * returns. So nothing here may wait: the service's main function only remembers that it was called.
 */
import { FatalError } from '../errors.js';
import { advapi, type Handle } from './advapi.js';
import { ServiceStatus, type StatusReport } from './status.js';

const CONTROL_STOP = 1;
const CONTROL_INTERROGATE = 4;
const CONTROL_SHUTDOWN = 5;
/** Answers of a control handler: NO_ERROR, ERROR_CALL_NOT_IMPLEMENTED. */
const DONE = 0;
const NOT_IMPLEMENTED = 120;
const CHECK_POINT_MS = 1000;

export interface ServiceConnection {
  /** The name under which the manager knows this service. */
  readonly name: string;
  /** Tell that the service serves. */
  ready(): void;
  /** Called once, when the manager wants the service to stop or the system goes down. */
  onStop(stop: () => void): void;
  /** Tell that it stops: until `stopped`, check points tell that it is at it. */
  stopping(): void;
  /** Tell that it has ended; resolves when the manager has let go of the process, which then exits. */
  stopped(exitStatus: number): Promise<void>;
}

/**
 * Connects to the manager that started this process.
 *
 * @throws FatalError when the process was started by somebody else, or Windows' functions cannot be called.
 */
export function connectService(): Promise<ServiceConnection> {
  const api = advapi();
  const status = new ServiceStatus();
  let handle: Handle = null;
  let stop: (() => void) | null = null;
  let stopAsked = false;

  const tell = (report: StatusReport): void => void api.setStatus(handle, report);
  const onControl = (control: number): number => {
    switch (control) {
      case CONTROL_STOP:
      case CONTROL_SHUTDOWN:
        tell(status.stopping());
        // The manager has its answer first.
        if (!stopAsked) setImmediate(() => stop?.());
        stopAsked = true;
        return DONE;
      case CONTROL_INTERROGATE:
        tell(status.report());
        return DONE;
      default:
        return NOT_IMPLEMENTED;
    }
  };

  return new Promise((resolve, reject) => {
    const dispatched = api.startDispatcher((argc, argv) => {
      const name = argc > 0 ? api.firstString(argv) : '';
      handle = api.registerHandler(name, onControl);
      if (handle === null) {
        reject(new FatalError(`--service: no control handler can be registered (error ${api.lastError()})`));
        return;
      }
      tell(status.report());
      const timer = setInterval(() => {
        const report = status.progress();
        if (report !== null) tell(report);
      }, CHECK_POINT_MS);
      resolve({
        name,
        ready: () => tell(status.running()),
        onStop: (action) => {
          stop = action;
          if (stopAsked) action();
        },
        stopping: () => tell(status.stopping()),
        stopped: async (exitStatus) => {
          clearInterval(timer);
          tell(status.stopped(exitStatus));
          await dispatched;
        },
      });
    });
    dispatched.then(
      (result) => {
        if (result === 0)
          reject(new FatalError('--service: not started by the Windows service manager (use "sc start")'));
      },
      (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
    );
  });
}
