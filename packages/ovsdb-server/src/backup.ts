/** The server's part in an active-backup pair: which server is the active one, and whether this one is its backup. */
import { type ExcludedTables, formatExcluded, parseExcluded } from './upstream/excluded-tables.js';
import { Replication, type ReplicationHost } from './upstream/replication.js';

/** The peer probes an active server less often than its clients. */
const DEFAULT_PROBE_MS = 60_000;

export class Backup {
  readonly #host: Omit<ReplicationHost, 'replicationFailed'>;
  /** Address of the active server. */
  source: string | undefined;
  probeMs = DEFAULT_PROBE_MS;
  #excludedText = '';
  #excluded: ExcludedTables = new Map();
  #replication: Replication | undefined;

  constructor(host: Omit<ReplicationHost, 'replicationFailed'>) {
    this.#host = host;
  }

  /** Is this server a backup now? */
  get active(): boolean {
    return this.#replication !== undefined;
  }

  /** The tables left alone, as text. */
  get excludedTables(): string {
    return this.#excludedText;
  }

  /** Changes them; a replication begins anew. */
  setExcludedTables(text: string): void {
    this.#excluded = parseExcluded(text);
    this.#excludedText = formatExcluded(this.#excluded);
    if (this.active) this.start();
  }

  setProbe(ms: number): void {
    this.probeMs = ms;
    this.#replication?.setProbe(ms);
  }

  /** Becomes a backup of `source`, which must be set. */
  start(): void {
    this.#replication?.close();
    const { serverId, clock } = this.#host;
    this.#replication = new Replication(
      {
        serverId,
        clock,
        replicable: () => this.#host.replicable(),
        replicationFailed: () => this.stop(),
      },
      { source: this.source!, excluded: this.#excluded, probeMs: this.probeMs },
    );
  }

  /** Becomes active. */
  stop(): void {
    this.#replication?.close();
    this.#replication = undefined;
  }

  /** The text of `sync-status`. */
  status(): string {
    return this.#replication?.status() ?? 'state: active\n';
  }
}
