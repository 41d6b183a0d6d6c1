/** What is logged of a connection that is kept up, in the peer's words: module `reconnect`. */
import { errorMessage } from './errors.js';
import type { Reconnect } from './reconnect.js';
import { vlog } from './vlog.js';

const log = vlog('reconnect');

/** The log of one connection; its machine says how talkative to be. */
export class ReconnectLog {
  readonly #fsm: Reconnect;
  /** Of many failures alike the first few are told. */
  #isQuiet = false;

  constructor(fsm: Reconnect) {
    this.#fsm = fsm;
  }

  connecting(name: string): void {
    if (!this.#isQuiet) log.info(`${name}: connecting...`);
    log.dbg(`${name}: entering CONNECTING`);
  }

  listening(name: string): void {
    if (!this.#isQuiet) log.info(`${name}: listening...`);
    log.dbg(`${name}: entering LISTENING`);
  }

  connected(name: string): void {
    this.#isQuiet = false;
    log.info(`${name}: connected`);
    log.dbg(`${name}: entering ACTIVE`);
  }

  /** The connection did not come about. Before the machine is told. */
  failed(name: string, error: unknown): void {
    if (!this.#isQuiet) log.info(`${name}: connection attempt failed (${errorMessage(error)})`);
  }

  /** The connection has ended. Before the machine is told. */
  dropped(name: string, error: unknown): void {
    if ((error as { code?: string }).code === 'EOF') log.info(`${name}: connection closed by peer`);
    else log.warn(`${name}: connection dropped (${errorMessage(error)})`);
  }

  /** The machine has been told: what comes next. */
  waiting(name: string): void {
    const { backoff, times } = this.#fsm;
    if (!this.#isQuiet && backoff > times.minBackoff) {
      this.#isQuiet = backoff >= times.maxBackoff;
      log.info(
        this.#isQuiet
          ? `${name}: continuing to reconnect in the background but suppressing further logging`
          : `${name}: waiting ${backoff / 1000} seconds before reconnect`,
      );
    }
    log.dbg(`${name}: entering BACKOFF`);
  }

  probing(name: string, idleMs: number): void {
    log.dbg(`${name}: idle ${idleMs} ms, sending inactivity probe`);
    log.dbg(`${name}: entering IDLE`);
  }

  unanswered(name: string): void {
    log.err(
      `${name}: no response to inactivity probe after ${this.#fsm.times.probeInterval / 1000} seconds, disconnecting`,
    );
  }
}
