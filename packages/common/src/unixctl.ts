/**
 * Control sockets: the daemon's side of ovs-appctl. A command is a JSON-RPC 1.0 request whose params are strings;
 * the reply's result or error is text that ends in a newline.
 */
import { coverageCounter } from './coverage.js';
import { errorMessage } from './errors.js';
import { libraryEngine } from './jsonrpc/adapter.js';
import { JsonRpcError, JsonRpcSession } from './jsonrpc/session.js';
import { listenStream, type Listener } from './stream.js';
import { versionLine } from './version.js';
import * as vlogState from './vlog.js';
import { applyVerbose, setRateLimiting } from './vlog-spec.js';
import { absName, defaultCtlPath, dirs } from './dirs.js';

const log = vlogState.vlog('unixctl');
const received = coverageCounter('unixctl_received');
const replied = coverageCounter('unixctl_replied');

/** Runs a command; what it throws becomes the error reply. */
export type UnixctlHandler = (args: string[]) => string | Promise<string>;

interface Command {
  readonly usage: string;
  readonly min: number;
  readonly max: number;
  readonly handler: UnixctlHandler;
}

/** A row of a daemon's command table. */
export interface UnixctlCommand extends Command {
  readonly name: string;
}

const withNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

/** A daemon's control server, with `list-commands`, `version` and `vlog/*` there from the start. */
export class UnixctlServer {
  readonly program: string;
  readonly #commands = new Map<string, Command>();
  readonly #sessions = new Set<JsonRpcSession>();
  #listener: Listener | null = null;
  #connections = 0;

  constructor(program: string) {
    this.program = program;
    this.register('list-commands', '', 0, 0, () => this.#list());
    this.register('version', '', 0, 0, () => versionLine(program));
    registerVlog(this);
  }

  /** Adds a command; the first of a name wins. @param max Infinity for any number of arguments. */
  register(name: string, usage: string, min: number, max: number, handler: UnixctlHandler): void {
    if (!this.#commands.has(name)) this.#commands.set(name, { usage, min, max, handler });
  }

  /** Adds a table of commands. */
  registerAll(table: readonly UnixctlCommand[]): void {
    for (const row of table) this.register(row.name, row.usage, row.min, row.max, row.handler);
  }

  /** Runs a command as if it had come over the socket. Rejects with the error's text as an Error's message. */
  async run(name: string, args: string[]): Promise<string> {
    const command = this.#commands.get(name);
    if (!command) {
      throw new Error(
        `"${name}" is not a valid command (use "list-commands" to see a list of valid commands)`,
      );
    }
    if (args.length < command.min)
      throw new Error(`"${name}" command requires at least ${command.min} arguments`);
    if (args.length > command.max)
      throw new Error(`"${name}" command takes at most ${command.max} arguments`);
    return command.handler(args);
  }

  /**
   * Listens.
   *
   * @param path the value of --unixctl: absolute, or relative to the run directory; undefined for
   *   RUNDIR/PROG.PID.ctl; 'none' for no socket.
   * @throws (rejects) OvsError with the errno name.
   */
  async listen(path?: string): Promise<void> {
    if (path === 'none') return;
    const full = path === undefined ? defaultCtlPath(this.program) : absName(dirs.rundir, path);
    this.#listener = await listenStream(`punix:${full}`, (socket) => {
      const session = new JsonRpcSession(socket, {
        name: `unix#${this.#connections++}`,
        echo: false,
        engine: libraryEngine,
        maxBacklog: 256 * 1024 * 1024,
        limits: { maxBytes: 64 * 1024 * 1024, maxDepth: 8 },
      });
      this.#sessions.add(session);
      session.onClose(() => this.#sessions.delete(session));
      session.onNotification(() => {
        log.warn(`${session.name}: received unexpected notification message`);
        session.close();
      });
      session.onRequest(async (method, params, id) => {
        received.total++;
        if (log.debugging) log.dbg(`received request ${method}${JSON.stringify(params)}, id=${String(id)}`);
        try {
          if (params.some((p) => typeof p !== 'string')) {
            throw new Error(`"${method}" command has non-string argument`);
          }
          const text = await this.run(method, params as string[]);
          log.dbg(() => `replying with success, id=${String(id)}: "${text}"`);
          return withNewline(text);
        } catch (error) {
          const text = error instanceof Error ? error.message : errorMessage(error);
          log.dbg(() => `replying with error, id=${String(id)}: "${text}"`);
          throw new JsonRpcError(withNewline(text));
        } finally {
          replied.total++;
        }
      });
    });
  }

  /** Stops listening, removes the socket and ends the connections once their replies are written. */
  async close(): Promise<void> {
    for (const session of this.#sessions) session.close();
    const listener = this.#listener;
    this.#listener = null;
    await listener?.close();
  }

  #list(): string {
    let text = 'The available commands are:\n';
    for (const name of [...this.#commands.keys()].sort()) {
      text += `  ${name.padEnd(23)} ${this.#commands.get(name)!.usage}\n`;
    }
    return text;
  }
}

function registerVlog(server: UnixctlServer): void {
  const orThrow = (error: string | null): string => {
    if (error !== null) throw new Error(error);
    return '';
  };
  server.registerAll([
    {
      name: 'vlog/set',
      usage: '{spec | PATTERN:destination:pattern}',
      min: 0,
      max: Infinity,
      handler: (args) => {
        for (const arg of args.length === 0 ? [''] : args) orThrow(applyVerbose(arg));
        return '';
      },
    },
    { name: 'vlog/list', usage: '', min: 0, max: 0, handler: () => vlogState.listLevels() },
    { name: 'vlog/list-pattern', usage: '', min: 0, max: 0, handler: () => vlogState.listPatterns() },
    {
      name: 'vlog/enable-rate-limit',
      usage: '[module]...',
      min: 0,
      max: Infinity,
      handler: (args) => orThrow(setRateLimiting(args, true)),
    },
    {
      name: 'vlog/disable-rate-limit',
      usage: '[module]...',
      min: 0,
      max: Infinity,
      handler: (args) => orThrow(setRateLimiting(args, false)),
    },
    {
      name: 'vlog/close',
      usage: '',
      min: 0,
      max: 0,
      handler: () => {
        vlogState.closeLogFile();
        return '';
      },
    },
    { name: 'vlog/reopen', usage: '', min: 0, max: 0, handler: () => orThrow(vlogState.reopenLogFile()) },
  ]);
}
