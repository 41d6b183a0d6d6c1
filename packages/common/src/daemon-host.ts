/**
 * Who started a daemon and has to know what becomes of it: a user's terminal or the parent of `--detach`, the service
 * manager of Windows, or the monitor of a service. A daemon's frame (daemon.ts) speaks to each in the same words.
 */
import { exitFlushed } from './tool.js';

export interface DaemonHost {
  /** The daemon serves. */
  ready(): void;
  /** Called once, when the host wants the daemon to stop. */
  onStop(stop: () => void): void;
  /** The daemon begins to stop. */
  stopping(): void;
  /** The daemon could not start, for this reason; `end` follows. */
  failed(reason: string): void;
  /** The daemon has stopped: ends the process. */
  end(status: number): Promise<void>;
}

/** Tells the process above that the daemon serves, and lets go of it. */
export const processHost: DaemonHost = {
  ready() {
    if (!process.send) return;
    process.send('ready', undefined, undefined, () => {
      if (process.connected) process.disconnect();
    });
  },
  onStop() {},
  stopping() {},
  failed() {},
  end: exitFlushed,
};
