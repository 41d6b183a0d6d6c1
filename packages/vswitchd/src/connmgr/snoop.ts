/** BRIDGE.snoop: copies of what a bridge and its controller say to each other, for `ovs-ofctl snoop`. */
import { errorMessage } from '@ovs-node/common/errors';
import { type Listener, listenStream } from '@ovs-node/common/stream';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { OfConnection } from '@ovs-node/openflow/connection';
import type { Duplex } from 'node:stream';
import { explain } from '../explain.js';
import { ASYNC_BACKLOG, type SwitchConnection } from './connection.js';

const log = vlog('connmgr');
const rate = new RateLimit(5, 5);
const MAX_SNOOPERS = 16;
const PREFERENCE = { primary: 2, equal: 1, secondary: 0 } as const;

interface Snooper {
  readonly of: OfConnection;
  /** Whom it listens to. */
  readonly subject: SwitchConnection;
  isReady: boolean;
}

export class Snoops {
  readonly #bridge: string;
  readonly #versions: () => number;
  readonly #candidates: () => Iterable<SwitchConnection>;
  readonly #snoopers = new Set<Snooper>();
  #listener: Listener | undefined;

  /** @param candidates the connections to controllers. */
  constructor(bridge: string, versions: () => number, candidates: () => Iterable<SwitchConnection>) {
    this.#bridge = bridge;
    this.#versions = versions;
    this.#candidates = candidates;
  }

  /** Listens at `punix:FILE`; failures are logged. */
  async listen(target: string): Promise<void> {
    try {
      this.#listener = await listenStream(target, (socket) => this.accept(socket));
    } catch (error) {
      log.warn(`${this.#bridge}: listening on ${target} failed (${errorMessage(error)})`);
    }
  }

  accept(stream: Duplex): void {
    const subject = this.#best();
    if (subject === undefined || this.#snoopers.size >= MAX_SNOOPERS) {
      if (subject === undefined) log.infoRl(rate, `${this.#bridge}: no controller connection to snoop`);
      stream.on('error', () => {});
      stream.destroy();
      return;
    }
    const of: OfConnection = new OfConnection(
      stream,
      { versions: this.#versions(), explain },
      {
        onReady: () => {
          snooper.isReady = true;
        },
        onClose: () => this.#snoopers.delete(snooper),
      },
    );
    const snooper: Snooper = { of, subject, isReady: false };
    this.#snoopers.add(snooper);
  }

  #end(snooper: Snooper): void {
    this.#snoopers.delete(snooper);
    snooper.of.close();
  }

  /** The connection that governs the switch, or the next best. */
  #best(): SwitchConnection | undefined {
    let best: SwitchConnection | undefined;
    for (const each of this.#candidates()) {
      if (best === undefined || PREFERENCE[each.role] > PREFERENCE[best.role]) best = each;
    }
    return best;
  }

  /** Passes a message on that went over a connection. Who does not read misses some. */
  copy(subject: SwitchConnection, bytes: Uint8Array): void {
    for (const snooper of this.#snoopers) {
      if (snooper.subject !== subject || !snooper.isReady || snooper.of.queued > ASYNC_BACKLOG) continue;
      snooper.of.sendBytes(bytes.slice());
    }
  }

  /** A connection ended: so do those that listen to it. */
  ended(subject: SwitchConnection): void {
    for (const snooper of this.#snoopers) if (snooper.subject === subject) this.#end(snooper);
  }

  async close(): Promise<void> {
    for (const snooper of this.#snoopers) this.#end(snooper);
    await this.#listener?.close();
  }
}
