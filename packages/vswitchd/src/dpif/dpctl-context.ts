/**
 * What the commands of dpctl share: their context and options, naming datapaths, errors in the peer's words.
 *
 * A command prints through its context. Errors are lines `PROG: what (why)`: a command that fails throws a
 * `DpctlError`, and one that goes on after a failure of one of its arguments reports it by `fail` and ends with
 * status 1 all the same.
 */
import { type OvsError, errorMessage, errnoName, strerror } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import type { DpPortNames } from '@ovs-node/netlink/text/key-table';
import type { Dpif, DpifProvider } from './provider.js';

const log = vlog('dpif');

/** What the options say. */
export interface DpctlOptions {
  /** -m: how often. */
  readonly more: number;
  /** -s */
  readonly statistics: boolean;
  /** --names, --no-names; undefined: names when `more`. */
  readonly names: boolean | undefined;
  readonly clear: boolean;
  readonly mayCreate: boolean;
  readonly readOnly: boolean;
}

/** What a command runs in. */
export interface DpctlContext {
  /** As in `PROG: message`. */
  readonly program: string;
  /** Whether it runs inside vswitchd. */
  readonly inDaemon: boolean;
  readonly options: DpctlOptions;
  /** The provider of a datapath type, connected. Rejects with an `OvsError`: EAFNOSUPPORT for an unknown type. */
  provider(type: string): Promise<DpifProvider>;
  /** The types to look for datapaths in. */
  readonly types: readonly string[];
  print(text: string): void;
  /** Reports an error without ending the command. */
  fail(message: string): void;
  /** Datapaths that the command opened; `runDpctl` makes it, and closes them. */
  readonly opened?: Dpif[];
  /** Text of standard input, for commands that read files named `-`. */
  readStdin(): string;
}

/** A row of the table. */
export interface DpctlCommand {
  readonly name: string;
  readonly usage: string;
  readonly min: number;
  readonly max: number;
  /** Changes something: refused with --read-only. */
  readonly write?: true;
  readonly run: (context: DpctlContext, args: readonly string[]) => Promise<void> | void;
}

/** Ends a command; the message stands without the program's name. An empty one was reported already. */
export class DpctlError extends Error {}

/** `what (why)`, with the C library's words for an error that has an errno. */
export function because(what: string, error: unknown): DpctlError {
  return new DpctlError(`${what} (${whyOf(error)})`);
}

/** The reason as the peer shows it: the text of the errno, and never a sentence of the datapath's. */
export function whyOf(error: unknown): string {
  const code = (error as Partial<OvsError> | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)
    ? strerror(errnoName(error))
    : errorMessage(error);
}

/** Splits `[type@]name`. */
export function parseDpName(text: string): { readonly type: string; readonly name: string } {
  const at = text.indexOf('@');
  return at < 0 ? { type: 'system', name: text } : { type: text.slice(0, at), name: text.slice(at + 1) };
}

/** Opens the datapath that `text` names, until the end of the command. Rejects with the `OvsError`. */
export async function openDp(context: DpctlContext, text: string): Promise<Dpif> {
  const { type, name } = parseDpName(text);
  const dp = await (await context.provider(type)).open(name);
  context.opened?.push(dp);
  return dp;
}

/** All datapaths as `type@name`. A type that cannot be asked is warned of, and makes `failed` true. */
export async function listDps(context: DpctlContext): Promise<{ names: string[]; failed: boolean }> {
  const names: string[] = [];
  let failed = false;
  for (const type of context.types) {
    try {
      for (const name of await (await context.provider(type)).list()) names.push(`${type}@${name}`);
    } catch (error) {
      failed = true;
      log.warn(`failed to enumerate ${type} datapaths: ${whyOf(error)}`);
    }
  }
  return { names, failed };
}

/**
 * The datapath of a command whose DP argument is optional, and the arguments that remain. `isDp` says whether the first
 * argument is meant as a datapath.
 */
export async function openOptionalDp(
  context: DpctlContext,
  args: readonly string[],
  isDp: (first: string) => boolean,
): Promise<{ dp: Dpif; rest: readonly string[] }> {
  const first = args[0];
  if (first !== undefined && isDp(first)) {
    try {
      return { dp: await openDp(context, first), rest: args.slice(1) };
    } catch {
      throw new DpctlError(`datapath not found (${strerror('EINVAL')})`);
    }
  }
  const { names } = await listDps(context);
  if (names.length !== 1) {
    context.fail(names.length === 0 ? 'no datapaths exist' : 'multiple datapaths, specify one');
    throw new DpctlError(`datapath not found (${strerror('EINVAL')})`);
  }
  try {
    return { dp: await openDp(context, names[0]!), rest: args };
  } catch (error) {
    throw because('opening datapath', error);
  }
}

/** Whether flows are shown with port names: asked for, or not asked against while verbose. */
export function wantsNames(options: DpctlOptions): boolean {
  return options.names ?? options.more > 0;
}

/** The names of a datapath's ports. */
export async function portNames(dp: Dpif): Promise<DpPortNames> {
  const ports = await dp.ports.dump();
  const byNo = new Map(ports.map((port) => [port.portNo, port.name]));
  const byName = new Map(ports.map((port) => [port.name, port.portNo]));
  return { nameOf: (no) => byNo.get(no), numberOf: (name) => byName.get(name) };
}
