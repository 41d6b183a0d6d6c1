/** One command line of ovs-ofctl through both programs: ours within this process, the peer's in batches of a shell. */
import fs from 'node:fs';
import path from 'node:path';
import { toByteText } from '@ovs-node/common/byte-text';
import { EarlyExit, errorMessage, FatalError } from '@ovs-node/common/errors';
import { peerPath, run } from '@ovs-node/common/testkit/index';
import { setConsoleWriter, setRateLimited, vlog } from '@ovs-node/common/vlog';
import { useByteText } from '@ovs-node/openflow/wire';
import { runCommand } from '../../../src/ovs-ofctl/ofctl.js';

export interface CommandLine {
  readonly args: readonly string[];
  /** Standard input. */
  readonly input?: string;
  /** The texts are byte text (`common/byte-text.ts`) and not Unicode. */
  readonly isByteText?: boolean;
}

/** A command line whose texts are byte text. */
function inBytes(line: CommandLine): CommandLine {
  const { args, input, isByteText } = line;
  if (isByteText === true) return line;
  return { args: args.map(toByteText), ...(input === undefined ? {} : { input: toByteText(input) }) };
}

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Has what is written to `stream` added to a text instead; returns the function that ends it and gives the text. */
function divert(stream: NodeJS.WriteStream): () => string {
  let taken = '';
  // The method of the prototype comes to light again when this one is gone.
  Object.defineProperty(stream, 'write', {
    configurable: true,
    value: (text: string | Uint8Array) => {
      taken += typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
      return true;
    },
  });
  return () => {
    Reflect.deleteProperty(stream, 'write');
    return taken;
  };
}

/** What `body` ends with: its status, and what is said of what it throws. */
async function ending(body: () => Promise<number>): Promise<Outcome> {
  try {
    return { status: await body(), stdout: '', stderr: '' };
  } catch (e) {
    if (e instanceof EarlyExit) return { status: e.status, stdout: e.text, stderr: '' };
    const status = e instanceof FatalError ? e.status : 1;
    // What nobody meant to throw is a difference that should be seen.
    const message = e instanceof FatalError ? e.message : ((e as Error).stack ?? errorMessage(e));
    return { status, stdout: '', stderr: message === '' ? '' : `ovs-ofctl: ${message}\n` };
  }
}

/** As little of standard input comes at once as to cut most lines. */
const PIECE = 50;

/** Runs `body` with what it writes and reads turned aside. */
async function captured(input: string, body: () => Promise<number>): Promise<Outcome> {
  const { readFileSync, readSync } = fs;
  const bytes = Buffer.from(input, 'latin1');
  let at = 0;
  // Standard input is a file, or comes piece by piece.
  fs.readFileSync = ((file: fs.PathOrFileDescriptor, ...rest: []) =>
    file === 0 ? bytes : readFileSync(file, ...rest)) as typeof readFileSync;
  fs.readSync = ((
    fd: number,
    into: Buffer,
    to: number = 0,
    length: number = into.length - to,
    place: null = null,
  ) => {
    if (fd !== 0) return readSync(fd, into, to, length, place);
    const from = at;
    at = Math.min(at + PIECE, from + length, bytes.length);
    return bytes.copy(into, to, from, at);
  }) as unknown as typeof readSync;
  const consoleWriter = setConsoleWriter((line) => process.stderr.write(line));
  const [stdout, stderr] = [divert(process.stdout), divert(process.stderr)];
  try {
    const end = await ending(body);
    return { status: end.status, stdout: stdout() + end.stdout, stderr: stderr() + end.stderr };
  } finally {
    setConsoleWriter(consoleWriter);
    fs.readFileSync = readFileSync;
    fs.readSync = readSync;
  }
}

/** What our program does with a command line. One at a time: it takes over the process's output. */
export async function runOurs(line: CommandLine): Promise<Outcome> {
  const { args, input = '' } = inBytes(line);
  useByteText(true);
  // How often matches are told to have been normalized is limited for the process, and not for the command.
  setRateLimited('ofp_match', false);
  vlog('ofp_port').forget();
  // A shell ends what it is given with a new line.
  const outcome = await captured(input === '' ? '' : `${input}\n`, () => runCommand([...args]));
  return { ...outcome, stderr: plain(outcome.stderr) };
}

/** Log lines without time and number. */
function plain(stderr: string): string {
  return stderr.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+\|/gm, '').replace(/^\/\S*\/(?=ovs-ofctl: )/gm, '');
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/**
 * What the peer's program does with each of many command lines.
 *
 * @param dir where the script of the batch goes; commands run there.
 */
export async function runPeer(dir: string, lines: readonly CommandLine[]): Promise<Outcome[]> {
  const program = peerPath('ovs-ofctl')!;
  const script = lines
    .map(inBytes)
    .map(({ args, input = '' }) => {
      const command = [program, ...args].map(quote).join(' ');
      const from = input === '' ? '</dev/null' : `<<'\u0003'\n${input}\n\u0003`;
      return `${command} ${from}\nprintf '\\001%d\\002' $?; printf '\\001' >&2`;
    })
    .join('\n');
  const file = path.join(dir, `batch-${process.pid}.sh`);
  fs.writeFileSync(file, `${script}\n`, 'latin1');
  const { stdout, stderr } = await run('/bin/sh', [file], {
    cwd: dir,
    timeoutMs: 600_000,
    env: { OVS_RUNDIR: dir },
    encoding: 'latin1',
  });
  fs.rmSync(file);
  const outs = stdout.split('\u0002');
  const errs = stderr.split('\u0001');
  if (outs.length !== lines.length + 1) throw new Error(`${lines.length} lines, ${outs.length} answers`);
  return lines.map((_, i) => {
    const [text, status] = outs[i].split('\u0001');
    return { status: Number(status), stdout: text, stderr: plain(errs[i]) };
  });
}

export interface Difference {
  readonly line: CommandLine;
  readonly ours: Outcome;
  readonly peer: Outcome;
}

/** A command of the peer's that died of a signal: a mistake of its own, which nobody has to repeat. */
const died = (o: Outcome): boolean => o.status >= 128 && o.status < 200;

/** Runs command lines through both, and returns those that do not answer alike. */
export async function compare(dir: string, lines: readonly CommandLine[]): Promise<Difference[]> {
  const theirs = runPeer(dir, lines);
  const ours: Outcome[] = [];
  for (const line of lines) {
    ours.push(await runOurs(line));
    // The shell's answers have to be read in between.
    if (ours.length % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const peers = await theirs;
  return lines.flatMap((line, i) => {
    const [a, b] = [ours[i], peers[i]];
    const same = a.status === b.status && a.stdout === b.stdout && a.stderr === b.stderr;
    return same || died(b) ? [] : [{ line, ours: a, peer: b }];
  });
}

/** Differences as a report, the first few of them. */
export function report(differences: readonly Difference[], most = 20): string {
  const show = (o: Outcome): string =>
    `status ${o.status}\n${o.stdout}--\n${o.stderr}`.replace(/^/gm, '    ');
  return differences
    .slice(0, most)
    .map(({ line, ours, peer }) => {
      const input = line.input === undefined ? '' : ` <<< ${JSON.stringify(line.input)}`;
      return `ovs-ofctl ${line.args.map(quote).join(' ')}${input}\n  peer:\n${show(peer)}\n  ours:\n${show(ours)}`;
    })
    .join('\n');
}
