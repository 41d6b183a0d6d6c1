/** Services on Linux: systemd units. Source: systemd.unit(5), systemd.service(5), systemd.exec(5). */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultPidfile, dirs } from '@ovs-node/common/dirs';
import { FatalError, strerror } from '@ovs-node/common/errors';
import { SERVICES, serviceCommand, type ServiceRow, type ServiceState, type ServiceSystem } from './table.js';

/** The first line of each unit of ours: others are neither overwritten nor removed. */
const MARK = '# Made by ovs-service';
/** Where packages of the distribution have theirs. */
const PACKAGED = ['/usr/lib/systemd/system', '/lib/systemd/system'];
const VARIABLES = ['OVS_RUNDIR', 'OVS_LOGDIR', 'OVS_DBDIR', 'OVS_SYSCONFDIR', 'OVS_PKGDATADIR'];

/** A word as ExecStart and Environment read it back. */
export function quoteUnit(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\;]/.test(word) ? `"${escaped.replace(/["\\]/g, '\\$&')}"` : escaped;
}

/**
 * The text of a row's unit.
 *
 * @param program the first words of its command line; of this installation when absent.
 * @param env whose OVS_… variables the unit sets.
 */
export function unitText(
  row: ServiceRow,
  database: string,
  program?: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): string {
  const needs = row.needs.map((name) => `${name}.service`).join(' ');
  const environment = VARIABLES.filter((name) => (env[name] ?? '') !== '').map(
    (name) => `Environment=${quoteUnit(`${name}=${env[name]}`)}`,
  );
  const own = (kind: string, dir: string, base: RegExp): string[] =>
    base.test(dir) ? [`${kind}=openvswitch`] : [];
  return [
    MARK,
    '[Unit]',
    `Description=${row.description}`,
    ...(needs === '' ? [] : [`Wants=${needs}`, `After=${needs}`]),
    'Before=network.target',
    '',
    '[Service]',
    // The parent of --detach ends when the daemon serves: that is when systemd starts what comes after.
    'Type=forking',
    `PIDFile=${quoteUnit(defaultPidfile(row.name))}`,
    ...environment,
    ...own('RuntimeDirectory', dirs.rundir, /^(\/var)?\/run\/openvswitch$/),
    ...(/^(\/var)?\/run\/openvswitch$/.test(dirs.rundir) ? ['RuntimeDirectoryPreserve=yes'] : []),
    ...own('LogsDirectory', dirs.logdir, /^\/var\/log\/openvswitch$/),
    `ExecStart=${serviceCommand(row, 'systemd', database, program).map(quoteUnit).join(' ')}`,
    'Restart=on-failure',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

const unitName = (row: ServiceRow): string => `${row.name}.service`;

export class Systemd implements ServiceSystem {
  readonly #dir: string;
  /** Units are for another system, below a folder of this one. */
  readonly #elsewhere: boolean;

  /** @param root the folder that stands for `/`; empty for `/` itself. */
  constructor(root: string) {
    this.#elsewhere = root !== '';
    this.#dir = join(root === '' ? '/' : root, 'etc/systemd/system');
  }

  /** sd_booted(3): does systemd run this machine? */
  get #runs(): boolean {
    return !this.#elsewhere && existsSync('/run/systemd/system');
  }

  checkInstall(): void {
    for (const row of SERVICES) this.#checkNotForeign(row);
  }

  install(database: string): string[] {
    const done: string[] = [];
    this.#attempt(this.#dir, () => mkdirSync(this.#dir, { recursive: true }));
    for (const row of SERVICES) {
      const file = join(this.#dir, unitName(row));
      this.#attempt(file, () => writeFileSync(file, unitText(row, database)));
      done.push(`${file}: written`);
    }
    if (this.#runs) {
      this.#systemctl('daemon-reload');
      this.#systemctl('enable', ...SERVICES.map(unitName));
    } else if (!this.#elsewhere) done.push('systemd does not run here: the units are not enabled');
    return done;
  }

  uninstall(): string[] {
    const ours = SERVICES.filter((row) => this.#isOurs(row));
    if (this.#runs && ours.length > 0) {
      this.#systemctl('disable', '--now', ...ours.toReversed().map(unitName));
    }
    const done = ours.map((row) => {
      const file = join(this.#dir, unitName(row));
      this.#attempt(file, () => rmSync(file));
      return `${file}: removed`;
    });
    if (this.#runs) this.#systemctl('daemon-reload');
    return done;
  }

  start(): void {
    this.#systemctl('start', ...SERVICES.map(unitName));
  }

  stop(): void {
    this.#systemctl('stop', ...SERVICES.toReversed().map(unitName));
  }

  status(): ServiceState[] {
    return SERVICES.map((row) => {
      const text = this.#systemctl('show', '-pLoadState,ActiveState,MainPID,ExecMainStatus', unitName(row));
      const values = new Map(text.split('\n').map((line) => line.split('=', 2) as [string, string]));
      const active = values.get('ActiveState') ?? '';
      return {
        name: row.name,
        state: values.get('LoadState') === 'not-found' ? 'not installed' : (STATES[active] ?? 'stopped'),
        pid: Number(values.get('MainPID') ?? 0),
        exitCode: active === 'active' ? 0 : Number(values.get('ExecMainStatus') ?? 0),
      };
    });
  }

  #isOurs(row: ServiceRow): boolean {
    try {
      return readFileSync(join(this.#dir, unitName(row)), 'utf8').startsWith(MARK);
    } catch {
      return false;
    }
  }

  /** A unit of somebody else with a name of ours is not replaced. */
  #checkNotForeign(row: ServiceRow): void {
    const file = join(this.#dir, unitName(row));
    if (existsSync(file) && !this.#isOurs(row)) throw new FatalError(`${file}: not made by ovs-service`);
    if (this.#elsewhere) return;
    const packaged = PACKAGED.map((dir) => join(dir, unitName(row))).find((each) => existsSync(each));
    if (packaged !== undefined)
      throw new FatalError(`${packaged}: a package has installed this unit (remove the package first)`);
  }

  #attempt(file: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      throw new FatalError(`${file}: ${strerror(error)}`);
    }
  }

  #systemctl(...args: string[]): string {
    if (this.#elsewhere) throw new FatalError(`--root: "${args[0]}" is only for the system that runs`);
    if (!this.#runs) throw new FatalError('systemd does not run here');
    const { status, stdout, stderr, error } = spawnSync('systemctl', args, { encoding: 'utf8' });
    if (error) throw new FatalError(`systemctl: ${strerror(error)}`);
    if (status !== 0) throw new FatalError(`systemctl ${args.join(' ')}: ${stderr.trim().split('\n', 1)[0]}`);
    return stdout;
  }
}

const STATES: Readonly<Record<string, ServiceState['state']>> = {
  active: 'running',
  reloading: 'running',
  activating: 'starting',
  deactivating: 'stopping',
};
