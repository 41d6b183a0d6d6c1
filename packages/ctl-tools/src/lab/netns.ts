/** Hosts for trials: a Linux network namespace each, joined to the switch by a veth pair. Needs root and iproute2. */
import { type ChildProcess, spawn } from 'node:child_process';
import { type RunResult, runCommand } from './suite.js';

export interface HostOptions {
  /** Namespace and name of the host; also the prefix of its devices. */
  readonly name: string;
  /** The switch's end of the veth pair, at most 15 characters. */
  readonly port: string;
  /** Address with prefix length, such as `10.1.0.1/24`. */
  readonly ip: string;
  readonly mac?: string;
  readonly ip6?: string;
}

/** One host. Its device inside is called `eth0`. */
export class Host {
  readonly name: string;
  readonly port: string;
  readonly address: string;
  readonly #options: HostOptions;

  constructor(options: HostOptions) {
    this.#options = options;
    this.name = options.name;
    this.port = options.port;
    this.address = options.ip.split('/')[0] as string;
  }

  async create(): Promise<void> {
    const { name, port, ip, mac, ip6 } = this.#options;
    await this.destroy();
    await must('ip', 'netns', 'add', name);
    await must('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    await must('ip', 'link', 'set', port, 'up');
    await this.must('ip', 'link', 'set', 'lo', 'up');
    if (mac !== undefined) await this.must('ip', 'link', 'set', 'eth0', 'address', mac);
    await this.must('ip', 'addr', 'add', ip, 'dev', 'eth0');
    if (ip6 !== undefined) await this.must('ip', '-6', 'addr', 'add', ip6, 'dev', 'eth0', 'nodad');
    await this.must('ip', 'link', 'set', 'eth0', 'up');
  }

  async destroy(): Promise<void> {
    await runCommand('ip', ['link', 'del', this.port]);
    await runCommand('ip', ['netns', 'del', this.name]);
  }

  /** Runs a command inside. */
  run(file: string, ...args: string[]): Promise<RunResult> {
    return runCommand('ip', ['netns', 'exec', this.name, file, ...args]);
  }

  /** Runs a command inside that has to succeed; gives its output. */
  must(file: string, ...args: string[]): Promise<string> {
    return must('ip', 'netns', 'exec', this.name, file, ...args);
  }

  /** Starts a command inside that goes on; the caller kills it. */
  spawn(file: string, ...args: string[]): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.name, file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** True when `count` pings to `to` are all answered within a second each. */
  async pings(to: string, count = 3): Promise<boolean> {
    const result = await this.run('ping', '-n', '-c', String(count), '-i', '0.2', '-W', '1', to);
    return result.status === 0 && result.stdout.includes(` ${count} received`);
  }

  /** A TCP server inside that answers each connection with one line. Resolves when it listens. */
  serveTcp(port: number, answer = 'hello\n'): Promise<ChildProcess> {
    const program = `require('net').createServer({allowHalfOpen: false}, (s) => { s.on('error', () => {}); s.write(${JSON.stringify(answer)}); })
      .listen(${port}, () => console.log('ready'))`;
    const child = this.spawn(process.execPath, '-e', program);
    return new Promise((done, failed) => {
      child.stdout?.once('data', () => done(child));
      child.once('exit', (status) => failed(new Error(`TCP server in ${this.name}: status ${status}`)));
    });
  }

  /** Connects by TCP from inside and gives the first line that comes back, or `undefined` within `timeoutMs`. */
  async connectTcp(address: string, port: number, timeoutMs = 1500): Promise<string | undefined> {
    const program = `const s = require('net').connect(${port}, ${JSON.stringify(address)});
      s.on('data', (d) => { process.stdout.write(d); s.destroy(); }); s.on('error', () => process.exit(1));
      setTimeout(() => process.exit(1), ${timeoutMs});s.on('close', () => process.exit(0));`;
    const result = await this.run(process.execPath, '-e', program);
    return result.status === 0 && result.stdout !== '' ? result.stdout : undefined;
  }
}

/** Runs a command that has to succeed and gives its standard output. */
export async function must(file: string, ...args: string[]): Promise<string> {
  const result = await runCommand(file, args);
  if (result.status !== 0) throw new Error(`${file} ${args.join(' ')}: ${result.stderr.trim()}`);
  return result.stdout;
}

/** Creates the hosts, gives them to `body`, and removes them whatever happens. */
export async function withHosts<T>(
  options: readonly HostOptions[],
  body: (...hosts: Host[]) => Promise<T>,
): Promise<T> {
  const hosts = options.map((each) => new Host(each));
  try {
    for (const host of hosts) await host.create();
    return await body(...hosts);
  } finally {
    for (const host of hosts) await host.destroy();
  }
}
