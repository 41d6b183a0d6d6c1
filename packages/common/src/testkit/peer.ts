import fs from 'node:fs';
import path from 'node:path';
import { bindTmp } from './tmp.js';
import { run, type RunOptions, type RunResult } from './programs.js';

const PLACES = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'];
const PROGRAMS = [
  'ovsdb-server',
  'ovsdb-tool',
  'ovsdb-client',
  'ovs-vswitchd',
  'ovs-vsctl',
  'ovs-ofctl',
  'ovs-dpctl',
  'ovs-appctl',
] as const;

/** The peer's program `name`, or null when it is not installed. */
export function peerPath(name: string): string | null {
  // Wine shows Linux's folders to Windows' Node.js, which can start nothing of theirs.
  if (process.platform === 'win32') return null;
  for (const place of PLACES) {
    const file = path.join(place, name);
    if (fs.existsSync(file)) return file;
  }
  return null;
}

/** The peer's programs that are installed: name to path. */
export function peerPrograms(): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of PROGRAMS) {
    const file = peerPath(name);
    if (file !== null) found.set(name, file);
  }
  return found;
}

/** Is the peer (Open vSwitch itself) installed, with all its programs? */
export function peerAvailable(): boolean {
  return peerPrograms().size === PROGRAMS.length;
}

/** A running peer. */
export interface Peer {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** The database's socket, as a name: unix:DIR/db.sock. */
  readonly db: string;
  /** Runs one of the peer's tools in this environment. */
  tool(name: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Ends the daemons it started. */
  stop(): Promise<void>;
}

/**
 * Starts the peer's ovsdb-server and (unless `vswitchd` is false) its ovs-vswitchd with dummy devices, in `dir`.
 * Rejects with the failing program's words.
 */
export async function startPeer(dir: string, options: { vswitchd?: boolean } = {}): Promise<Peer> {
  const env = bindTmp(dir);
  const programs = peerPrograms();
  const tool = (name: string, args: readonly string[], more: RunOptions = {}): Promise<RunResult> =>
    run(programs.get(name) ?? name, args, { ...more, cwd: dir, env: { ...env, ...more.env } });
  const must = async (name: string, ...args: string[]): Promise<void> => {
    const { status, stderr } = await tool(name, args);
    if (status !== 0) throw new Error(`peer's ${name} ${args.join(' ')}: status ${status}: ${stderr}`);
  };
  const pidOf = (name: string): number => {
    try {
      return Number(fs.readFileSync(path.join(dir, `${name}.pid`), 'utf8'));
    } catch {
      return 0;
    }
  };
  const peer: Peer = {
    dir,
    env,
    db: `unix:${dir}/db.sock`,
    tool,
    async stop() {
      for (const name of ['ovs-vswitchd', 'ovsdb-server']) {
        const pid = pidOf(name);
        if (pid <= 0) continue;
        try {
          process.kill(pid, 'SIGTERM');
          for (let i = 0; i < 200 && fs.existsSync(path.join(dir, `${name}.pid`)); i++) {
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        } catch {
          // Gone already.
        }
      }
    },
  };
  const db = path.join(dir, 'conf.db');
  try {
    await must('ovsdb-tool', 'create', db, '/usr/share/openvswitch/vswitch.ovsschema');
    await must(
      'ovsdb-server',
      db,
      `--remote=punix:${dir}/db.sock`,
      '--detach',
      '--pidfile',
      '--log-file',
      '-vconsole:off',
    );
    await must('ovs-vsctl', '--no-wait', 'init');
    if (options.vswitchd !== false) {
      await must(
        'ovs-vswitchd',
        '--enable-dummy',
        '--disable-system',
        '--detach',
        '--pidfile',
        '--log-file',
        '-vconsole:off',
      );
    }
  } catch (error) {
    await peer.stop();
    throw error;
  }
  return peer;
}
