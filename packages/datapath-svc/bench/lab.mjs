// What the benchmark runs in: two network namespaces, each with one end of a veth pair whose other end is here, and
// two suites side by side, this one and the peer. Both run all the time, idle but for the one that has the ports.
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

export const PREFIX = 'ovsb';
export const PORTS = [`${PREFIX}va`, `${PREFIX}vb`];
export const NAMESPACES = [`${PREFIX}-a`, `${PREFIX}-b`];
/** Core of the switch, and of everything else. */
export const SWITCH_CORE = '0';
export const LOAD_CORE = '1';

const quiet = { stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 };
const ip = (...args) => execFileSync('ip', args, quiet);

/** Runs a command pinned to the load's core in namespace `index`; its standard output. */
export async function inNamespace(index, ...command) {
  const args = ['netns', 'exec', NAMESPACES[index], 'taskset', '-c', LOAD_CORE, ...command];
  const { stdout } = await execFileAsync('ip', args, { timeout: 60_000, maxBuffer: 1 << 24 });
  return stdout;
}

/** Makes the namespaces: eth0 in them, 10.1.0.1 and 10.1.0.2, fixed neighbours, no IPv6. */
export function makeNamespaces() {
  removeNamespaces();
  NAMESPACES.forEach((ns, i) => {
    ip('netns', 'add', ns);
    ip('link', 'add', PORTS[i], 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
    execFileSync('sysctl', ['-qw', `net.ipv6.conf.${PORTS[i]}.disable_ipv6=1`], quiet);
    ip('netns', 'exec', ns, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1');
    ip('-n', ns, 'link', 'set', 'eth0', 'address', `02:00:00:00:01:0${i + 1}`);
    ip('-n', ns, 'link', 'set', 'lo', 'up');
    ip('-n', ns, 'link', 'set', 'eth0', 'up');
    ip('link', 'set', PORTS[i], 'up');
    ip('-n', ns, 'addr', 'add', `10.1.0.${i + 1}/24`, 'dev', 'eth0');
    ip('-n', ns, 'neigh', 'add', `10.1.0.${2 - i}`, 'lladdr', `02:00:00:00:01:0${2 - i}`, 'dev', 'eth0');
  });
}

export function removeNamespaces() {
  for (const name of PORTS) tryQuietly(() => ip('link', 'del', name));
  for (const ns of NAMESPACES) tryQuietly(() => ip('netns', 'del', ns));
}

function tryQuietly(fn) {
  try {
    fn();
  } catch {
    // It was not there.
  }
}

/** Packets that arrived in namespace b. */
export function arrived() {
  const text = execFileSync('ip', [
    'netns',
    'exec',
    NAMESPACES[1],
    'cat',
    '/sys/class/net/eth0/statistics/rx_packets',
  ]);
  return Number(text);
}

/** One suite in a folder of its own, with a bridge that has no ports yet. */
export class Suite {
  constructor(side) {
    this.side = side;
    this.bridge = `${PREFIX}${side}`;
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), `${PREFIX}-${side}-`));
    this.env = { ...process.env };
    for (const name of ['RUNDIR', 'LOGDIR', 'DBDIR', 'SYSCONFDIR']) this.env[`OVS_${name}`] = this.dir;
    delete this.env.NODE_EXTRA_CA_CERTS;
  }

  program(name) {
    if (this.side === 'ours') return path.join(ROOT, 'bin', name);
    return fs.existsSync(`/usr/sbin/${name}`) ? `/usr/sbin/${name}` : `/usr/bin/${name}`;
  }

  /** Runs a tool of this side; its standard output. */
  run(name, ...args) {
    return execFileSync(this.program(name), args, {
      env: this.env,
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).toString();
  }

  #daemon(name, ...args) {
    // Standard error must be a file: a daemon keeps it.
    const all = [
      '-c',
      SWITCH_CORE,
      this.program(name),
      ...args,
      '--detach',
      '--pidfile',
      '--log-file',
      '-vconsole:off',
    ];
    execFileSync('taskset', all, { env: this.env, stdio: ['ignore', 'ignore', 'ignore'], timeout: 30_000 });
  }

  start() {
    this.run('ovsdb-tool', 'create', path.join(this.dir, 'conf.db'), SCHEMA);
    this.#daemon('ovsdb-server', path.join(this.dir, 'conf.db'), `--remote=punix:${this.dir}/db.sock`);
    this.run('ovs-vsctl', '--no-wait', 'init');
    if (this.side === 'ours') this.#daemon('ovs-datapath-svc');
    this.#daemon('ovs-vswitchd');
    const type = this.side === 'ours' ? 'system' : 'netdev';
    this.run('ovs-vsctl', 'add-br', this.bridge, '--', 'set', 'bridge', this.bridge, `datapath_type=${type}`);
  }

  /** Throws when the bridge is not there, which add-br alone does not tell. */
  check() {
    try {
      this.run('ovs-ofctl', 'show', this.bridge);
    } catch {
      throw new Error(
        `${this.bridge} could not be made: does another Open vSwitch run on this machine (ip link show)?`,
      );
    }
  }

  attach() {
    this.run('ovs-vsctl', ...PORTS.flatMap((port) => ['--', 'add-port', this.bridge, port]).slice(1));
  }

  detach() {
    this.run(
      'ovs-vsctl',
      ...PORTS.flatMap((port) => ['--', '--if-exists', 'del-port', this.bridge, port]).slice(1),
    );
  }

  /** Replaces the flow table by `flows`, in which A and B stand for the two ports. */
  flows(flows) {
    const number = (port) => this.run('ovs-vsctl', 'get', 'interface', port, 'ofport').trim();
    const [a, b] = PORTS.map(number);
    this.run('ovs-ofctl', 'del-flows', this.bridge);
    for (const flow of flows)
      this.run('ovs-ofctl', 'add-flow', this.bridge, flow.replace(/\bA\b/g, a).replace(/\bB\b/g, b));
  }

  /** Forgets all datapath flows, so that the next packet of each kind misses. */
  forgetFlows() {
    if (this.side === 'ours') this.run('ovs-dpctl', 'del-flows');
    else this.run('ovs-appctl', 'dpctl/del-flows', 'netdev@ovs-netdev');
  }

  stop() {
    // The peer's internal ports outlive it unless their bridge is deleted.
    tryQuietly(() => this.run('ovs-vsctl', '--if-exists', 'del-br', this.bridge));
    for (const name of ['ovs-vswitchd', 'ovs-datapath-svc', 'ovsdb-server']) {
      tryQuietly(() => process.kill(Number(fs.readFileSync(path.join(this.dir, `${name}.pid`), 'utf8'))));
    }
    const end = Date.now() + 5000;
    while (fs.readdirSync(this.dir).some((name) => name.endsWith('.pid')) && Date.now() < end) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Processor time that the switch's processes have used, in milliseconds (not what the kernel does in soft interrupts). */
export function switchCpu(suite) {
  let ticks = 0;
  for (const name of ['ovs-vswitchd', 'ovs-datapath-svc']) {
    const pidfile = path.join(suite.dir, `${name}.pid`);
    if (!fs.existsSync(pidfile)) continue;
    const stat = fs.readFileSync(`/proc/${Number(fs.readFileSync(pidfile, 'utf8'))}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10;
}
