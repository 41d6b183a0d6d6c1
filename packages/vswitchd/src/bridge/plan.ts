/**
 * From what is to what is asked for, as a list of steps: pure, so that a test compares plans as values.
 *
 * Order matters: what goes makes room (names, datapath ports, numbers) for what comes.
 */
import { hashOfName, hmapOrder } from '../ofproto/hmap-order.js';
import type { BridgeConfig, InterfaceConfig, PortConfig, SwitchConfig } from './config.js';

/** One thing to do. */
export type Step =
  | { readonly do: 'delete bridge'; readonly bridge: string }
  | { readonly do: 'create bridge'; readonly bridge: BridgeConfig }
  | { readonly do: 'delete port'; readonly bridge: string; readonly port: string }
  | { readonly do: 'delete interface'; readonly bridge: string; readonly name: string }
  | { readonly do: 'add interface'; readonly bridge: string; readonly config: InterfaceConfig }
  /** Only what can change in place: the peer of a patch port. */
  | { readonly do: 'change interface'; readonly bridge: string; readonly config: InterfaceConfig }
  | { readonly do: 'configure port'; readonly bridge: string; readonly config: PortConfig }
  | { readonly do: 'configure bridge'; readonly bridge: BridgeConfig };

/** What is, of one bridge: the configuration that was applied last, and the interfaces that really work. */
export interface BridgeState {
  readonly config: BridgeConfig;
  /** Made when it is asked for, as `ofports`: not to be asked for in a loop. */
  readonly interfaces: ReadonlyMap<string, InterfaceConfig>;
  readonly ports: ReadonlyMap<string, PortConfig>;
  /** OpenFlow port numbers of `interfaces`, by name. */
  readonly ofports: ReadonlyMap<string, number>;
}

/** The steps that lead from `now` to `wanted`; an interface that failed before is in no state, so it is tried again. */
export function plan(now: ReadonlyMap<string, BridgeState>, wanted: SwitchConfig): Step[] {
  const removals: Step[] = [];
  const additions: Step[] = [];
  const isNew = (config: BridgeConfig): boolean => now.get(config.name)?.config.type !== config.type;
  const moving = new Map<string, ReadonlySet<string>>();
  for (const [name, state] of now) {
    const config = wanted.bridges.get(name);
    if (config === undefined || isNew(config)) removals.push({ do: 'delete bridge', bridge: name });
    else {
      moving.set(name, movingIn(state, config));
      removals.push(...removalsOf(state, config, moving.get(name)!));
    }
  }
  for (const config of wanted.bridges.values()) {
    const state = isNew(config) ? undefined : now.get(config.name);
    if (state === undefined) additions.push({ do: 'create bridge', bridge: config });
    additions.push(...additionsOf(state, config, moving.get(config.name) ?? NONE));
    if (state === undefined || !sameBridge(state.config, config))
      additions.push({ do: 'configure bridge', bridge: config });
  }
  return [...removals, ...additions];
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Interfaces that are made anew to get other OpenFlow port numbers: those that ask for another one than they have,
 * and those in the way that did not ask for theirs. Nobody moves for a number that its holder asked for.
 */
function movingIn(state: BridgeState, config: BridgeConfig): ReadonlySet<string> {
  const moving = new Set<string>();
  const wanted = interfacesOf(config);
  const { ofports } = state;
  const holders = new Map([...ofports].map(([name, ofport]) => [ofport, name]));
  for (const [name, { ofportRequest, isLocal }] of wanted) {
    const have = ofports.get(name);
    // One that is new takes what is free: it may never come to work, and nobody shall move for that.
    if (isLocal || ofportRequest === undefined || have === undefined || have === ofportRequest) continue;
    const holder = holders.get(ofportRequest);
    const holderWants = holder === undefined ? undefined : wanted.get(holder)?.ofportRequest;
    if (holderWants === ofportRequest) continue;
    moving.add(name);
    if (holder !== undefined) moving.add(holder);
  }
  return moving;
}

function removalsOf(state: BridgeState, config: BridgeConfig, moving: ReadonlySet<string>): Step[] {
  const bridge = config.name;
  const wanted = interfacesOf(config);
  const steps: Step[] = [];
  for (const name of state.ports.keys())
    if (!config.ports.has(name)) steps.push({ do: 'delete port', bridge, port: name });
  for (const [name, have] of state.interfaces) {
    const want = wanted.get(name);
    if (want === undefined || moving.has(name) || !canChangeInto(have, want))
      steps.push({ do: 'delete interface', bridge, name });
  }
  return steps;
}

function additionsOf(
  state: BridgeState | undefined,
  config: BridgeConfig,
  moving: ReadonlySet<string>,
): Step[] {
  const bridge = config.name;
  const steps: Step[] = [];
  const interfaces = state?.interfaces;
  for (const port of orderedPorts(config)) {
    let changed = !samePort(state?.ports.get(port.name), port);
    for (const want of port.interfaces) {
      const have = interfaces?.get(want.name);
      if (have === undefined || moving.has(want.name) || !canChangeInto(have, want)) {
        steps.push({ do: 'add interface', bridge, config: want });
        changed = true;
      } else if (!sameInterface(have, want)) steps.push({ do: 'change interface', bridge, config: want });
    }
    if (changed) steps.push({ do: 'configure port', bridge, config: port });
  }
  return steps;
}

/** Those that ask for a number first, so that they get it, and else in the peer's order, which gives the others theirs. */
function orderedPorts(config: BridgeConfig): PortConfig[] {
  const asks = (port: PortConfig): boolean =>
    port.interfaces.some((each) => each.ofportRequest !== undefined);
  const ports = hmapOrder([...config.ports.values()], (port) => hashOfName(port.name));
  return [...ports.filter(asks), ...ports.filter((port) => !asks(port))];
}

function interfacesOf(config: BridgeConfig): Map<string, InterfaceConfig> {
  return new Map(
    [...config.ports.values()].flatMap((port) => port.interfaces.map((each) => [each.name, each])),
  );
}

const sameMap = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);

/** Can the interface stay, perhaps with another peer, or has it to be made anew? */
function canChangeInto(have: InterfaceConfig, want: InterfaceConfig): boolean {
  if (have.type !== want.type || have.uuid !== want.uuid) return false;
  return want.type === 'patch' || sameMap(have.options, want.options);
}

function sameInterface(have: InterfaceConfig, want: InterfaceConfig): boolean {
  return sameMap(have.options, want.options) && have.mac === want.mac && have.mtuRequest === want.mtuRequest;
}

function sameList(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
  return (
    a === b ||
    (a !== undefined && b !== undefined && a.length === b.length && a.every((each, i) => each === b[i]))
  );
}

function samePort(have: PortConfig | undefined, want: PortConfig): boolean {
  if (have === undefined) return false;
  return (
    have.vlanMode === want.vlanMode &&
    have.vlan === want.vlan &&
    have.priorityTags === want.priorityTags &&
    have.isProtected === want.isProtected &&
    have.tunnelType === want.tunnelType &&
    sameList(have.trunks, want.trunks) &&
    sameList(have.customerVlans, want.customerVlans) &&
    sameList(names(have), names(want))
  );
}

const names = (port: PortConfig): string[] => port.interfaces.map((each) => each.name);

function sameBridge(have: BridgeConfig, want: BridgeConfig): boolean {
  const { ports: _have, controllers: haveControllers, ...a } = have;
  const { ports: _want, controllers: wantControllers, ...b } = want;
  return JSON.stringify([a, haveControllers]) === JSON.stringify([b, wantControllers]);
}
