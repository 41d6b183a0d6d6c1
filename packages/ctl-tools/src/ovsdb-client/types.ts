/** What the commands of ovsdb-client share. */
import type { FatalError } from '@ovs-node/common/errors';
import type { TableStyle } from '../lib/table.js';
import type { Connection } from './connection.js';

/** What every command gets. */
export interface ServerContext {
  /** The server as the user named it. */
  readonly server: string;
  readonly args: readonly string[];
  readonly style: TableStyle;
  /** Each table of a monitor is preceded by its time. */
  readonly timestamp: boolean;
  /** Of `restore`: even where the schemas differ. */
  readonly force: boolean;
  readonly print: (text: string) => void;
}

/** With a connection to the server. */
export interface ClientContext extends ServerContext {
  readonly connection: Connection;
  /** Empty for commands that take none. */
  readonly database: string;
}

interface CommandRow<Context> {
  readonly name: string;
  /** What stands before the command's own arguments. */
  readonly takes: 'server' | 'database';
  /** Stands before the words in the help. */
  readonly before?: string;
  readonly usage: string;
  readonly what: string;
  readonly min: number;
  readonly max: number;
  /** Reads the arguments, to refuse what can be refused without the server. @throws FatalError */
  readonly check?: (args: readonly string[]) => void;
  /** Gives what goes on after the first output, for commands that follow the server. */
  readonly run: (context: Context) => Promise<Following | void>;
}

/** A command with a connection, or one that sees to its connection itself. */
export type ClientCommand =
  | (CommandRow<ClientContext> & { readonly connects?: true })
  | (CommandRow<ServerContext> & { readonly connects: false });

/** A command that goes on until the connection ends, which is an error. */
export interface Following {
  readonly over: Promise<FatalError>;
}
