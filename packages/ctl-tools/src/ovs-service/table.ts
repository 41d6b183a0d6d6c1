/** The daemons as services of the system: one table, from which Windows services and systemd units are made. */
import { programCommand } from '@ovs-node/common/program';

export interface ServiceRow {
  /** Of the service, the unit and the program. */
  readonly name: string;
  readonly description: string;
  /** What the program gets before the options all of them get. */
  readonly args: (database: string) => readonly string[];
  /** Services that have to run before it. */
  readonly needs: readonly string[];
}

/** In the order in which they start. */
export const SERVICES = [
  {
    name: 'ovsdb-server',
    description: 'Open vSwitch Database Server',
    args: (database) => [
      database,
      '--remote=punix:db.sock',
      '--remote=db:Open_vSwitch,Open_vSwitch,manager_options',
    ],
    needs: [],
  },
  {
    name: 'ovs-datapath-svc',
    description: 'Open vSwitch Datapath Service',
    args: () => [],
    needs: [],
  },
  {
    name: 'ovs-vswitchd',
    description: 'Open vSwitch Switch Daemon',
    args: () => [],
    needs: ['ovsdb-server', 'ovs-datapath-svc'],
  },
] as const satisfies readonly ServiceRow[];

const EVERYWHERE = ['-vconsole:off', '-vfile:info', '--log-file', '--pidfile'];
const LIFE = {
  windows: ['--service', '--service-monitor'],
  systemd: ['--detach', '--no-chdir'],
} as const;

/**
 * The whole command line of a row, as words.
 *
 * @param program its first words; of this installation when absent.
 */
export function serviceCommand(
  row: ServiceRow,
  kind: keyof typeof LIFE,
  database: string,
  program: readonly string[] = programCommand(row.name),
): string[] {
  return [...program, ...row.args(database), ...EVERYWHERE, ...LIFE[kind]];
}

/** What `ovs-service status` tells of one. */
export interface ServiceState {
  readonly name: string;
  readonly state: 'running' | 'starting' | 'stopping' | 'stopped' | 'not installed';
  /** 0 when it does not run. */
  readonly pid: number;
  /** Why it stopped, where that is known: the exit code is not 0. */
  readonly exitCode: number;
}

/** What a system with services offers; each rejects with a FatalError of one line. */
export interface ServiceSystem {
  /** Rejects when `install` would find something in its way, before anything is made. */
  checkInstall(): Promise<void> | void;
  /** Makes what is not there yet, to be started with the system. Says what it did, a line each. */
  install(database: string): Promise<string[]> | string[];
  uninstall(): Promise<string[]> | string[];
  /** Returns when all of them serve. */
  start(): Promise<void> | void;
  /** Returns when all of them have ended. */
  stop(): Promise<void> | void;
  status(): Promise<ServiceState[]> | ServiceState[];
}
