/**
 * The whole switch: carries out plans, one reconfiguration at a time, and says what came of them.
 *
 *     database changes ─┐
 *     datapath (dis)connected ─┼─► request() ─► read configuration ─► plan ─► steps, in order ─► done(report)
 *     device came or went ─┘                        (what came meanwhile is taken up in the next round)
 */
import { coverageCounter } from '@ovs-node/common/coverage';
import type { Clock, Timer } from '@ovs-node/common/clock';
import { errorMessage } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { Bridge } from './bridge.js';
import type { SwitchConfig } from './config.js';
import type { Datapaths } from './datapaths.js';
import { type Step, plan } from './plan.js';

const log = vlog('bridge');

/** How long to wait before interfaces that failed are tried again. */
const RETRY_MS = 1000;

const reconfigured = coverageCounter('bridge_reconfigure');

export interface SwitchHooks {
  /** Values of Interface.type that this process has. */
  readonly interfaceTypes: ReadonlySet<string>;
  /** The configuration to apply now; undefined: none is known yet. */
  readonly config: () => SwitchConfig | undefined;
  /** After each round. */
  readonly applied: (config: SwitchConfig) => void;
  readonly bridgeAdded: (bridge: Bridge) => void;
  readonly bridgeConfigured: (bridge: Bridge) => void;
  readonly bridgeRemoved: (bridge: Bridge) => void;
}

export class Switch {
  readonly bridges = new Map<string, Bridge>();
  readonly #datapaths: Datapaths;
  readonly #clock: Clock;
  readonly #hooks: SwitchHooks;
  #running = false;
  #again = false;
  #retry: Timer | undefined;
  #problems = '';
  #stopped = false;

  constructor(datapaths: Datapaths, clock: Clock, hooks: SwitchHooks) {
    this.#datapaths = datapaths;
    this.#clock = clock;
    this.#hooks = hooks;
    datapaths.onLost((type) => this.#datapathLost(type));
    datapaths.onReady(() => this.request());
    datapaths.onPortGone((type, name) => this.#portGone(type, name));
  }

  /** Has the configuration applied, now or when the present round is over. */
  request(): void {
    this.#again = true;
    if (!this.#running && !this.#stopped) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    this.#retry?.cancel();
    this.#retry = undefined;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      const config = this.#hooks.config();
      if (config === undefined) continue;
      this.#complain(config.problems);
      try {
        await this.#datapaths.limitVlans(config.vlanLimit);
        await this.#datapaths.prepare(new Set([...config.bridges.values()].map((each) => each.type)));
        reconfigured.total++;
        for (const step of plan(this.bridges, config)) await this.#apply(step);
        for (const bridge of this.bridges.values())
          bridge.config = config.bridges.get(bridge.config.name) ?? bridge.config;
        for (const bridge of this.bridges.values()) await bridge.settle();
        await this.#datapaths.sweep(this.bridges.values());
      } catch (error) {
        log.err(`reconfiguration failed: ${errorMessage(error)}`);
      }
      this.#hooks.applied(config);
    }
    this.#running = false;
    this.#retryLater();
  }

  /** Each problem is said once, not in every round. */
  #complain(problems: readonly string[]): void {
    const text = problems.join('\n');
    if (text !== this.#problems) for (const problem of problems) log.warn(problem);
    this.#problems = text;
  }

  #retryLater(): void {
    const failing = [...this.bridges.values()].some((bridge) => bridge.errors.size > 0);
    if (!failing || this.#stopped || this.#retry !== undefined) return;
    this.#retry = this.#clock.setTimer(RETRY_MS, () => {
      this.#retry = undefined;
      this.request();
    });
  }

  async #apply(step: Step): Promise<void> {
    if (step.do === 'create bridge') return this.#create(step.bridge);
    const name = typeof step.bridge === 'string' ? step.bridge : step.bridge.name;
    const bridge = this.bridges.get(name);
    if (bridge === undefined) return;
    switch (step.do) {
      case 'delete bridge':
        this.bridges.delete(name);
        this.#hooks.bridgeRemoved(bridge);
        return bridge.destroy();
      case 'delete port':
        return bridge.deletePort(step.port);
      case 'delete interface':
        return bridge.deleteInterface(step.name);
      case 'add interface':
        return bridge.addInterface(step.config, this.#datapaths.adoptable(bridge.config.type));
      case 'change interface':
        return bridge.changeInterface(step.config);
      case 'configure port':
        return bridge.configurePort(step.config);
      case 'configure bridge':
        bridge.configure(step.bridge, this.#clock.now());
        this.#hooks.bridgeConfigured(bridge);
    }
  }

  #create(config: Bridge['config']): void {
    const backer = this.#datapaths.backer(config.type);
    if (backer === undefined) {
      log.warn(`bridge ${config.name}: unknown datapath type ${config.type}`);
      return;
    }
    const bridge = new Bridge(config, backer, this.#hooks.interfaceTypes, this.#clock.now());
    this.bridges.set(config.name, bridge);
    this.#hooks.bridgeAdded(bridge);
  }

  /** The datapath took its ports with it: they are added again when it is back. */
  #datapathLost(type: string): void {
    if (this.#stopped) return;
    for (const bridge of this.bridges.values()) {
      if (bridge.config.type !== type) continue;
      for (const [name, live] of bridge.live) if (live.config.type !== 'patch') bridge.forget(name);
    }
  }

  #portGone(type: string, name: string): void {
    for (const bridge of this.bridges.values()) {
      if (bridge.config.type !== type || !bridge.live.has(name)) continue;
      bridge.forget(name);
      this.request();
    }
  }

  /** Ends reconfiguration. The datapath keeps its ports and flows, so that traffic goes on. */
  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
  }
}
