/** A switch that says what a test has it say, right or wrong: many messages in one piece, replies to nobody, half of one. */
import { takeMessages } from '@ovs-node/openflow/testkit/take-messages';
import net from 'node:net';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { checkoutRoot, peerPath, run, socketPath } from '@ovs-node/common/testkit/index';

/** Message types whose numbers all versions share. */
export const TYPE = { HELLO: 0, ERROR: 1, ECHO_REQUEST: 2, ECHO_REPLY: 3, EXPERIMENTER: 4 } as const;

/** What is unusual about a message. */
export interface Oddity {
  /** By default that of the request. */
  readonly version?: number;
  /** By default that of the request. */
  readonly xid?: number;
  /** What the header says, by default the truth. */
  readonly length?: number;
  /** Of a part of a multipart reply: others follow. */
  readonly more?: boolean;
}

/** A message that the switch got. */
export class Request {
  readonly bytes: Buffer;
  /** How many requests came on this connection before it. */
  readonly index: number;

  constructor(bytes: Buffer, index: number) {
    this.bytes = bytes;
    this.index = index;
  }

  get version(): number {
    return this.bytes[0];
  }

  get type(): number {
    return this.bytes[1];
  }

  get xid(): number {
    return this.bytes.readUInt32BE(4);
  }

  get isBarrier(): boolean {
    return this.type === (this.version === 1 ? 18 : 20);
  }

  /** The kind of statistics that are asked for; undefined: none are. */
  get stats(): number | undefined {
    return this.type === (this.version === 1 ? 16 : 18) ? this.bytes.readUInt16BE(8) : undefined;
  }

  /** A message of `type` with a body in hexadecimal. */
  say(type: number, body = '', { version = this.version, xid = this.xid, length }: Oddity = {}): Buffer {
    const rest = Buffer.from(body.replaceAll(' ', ''), 'hex');
    const head = Buffer.alloc(8);
    head[0] = version;
    head[1] = type;
    head.writeUInt16BE(length ?? 8 + rest.length, 2);
    head.writeUInt32BE(xid, 4);
    return Buffer.concat([head, rest]);
  }

  /** A multipart reply. */
  part(kind: number, body = '', odd: Oddity = {}): Buffer {
    const head = [kind, odd.more === true ? 1 : 0].map((n) => n.toString(16).padStart(4, '0')).join('');
    const type = this.version === 1 ? 17 : 19;
    return this.say(type, `${head}${this.version === 1 ? '' : '00000000'}${body}`, odd);
  }

  error(type: number, code: number, odd: Oddity = {}): Buffer {
    const numbers = [type, code].map((n) => n.toString(16).padStart(4, '0')).join('');
    return this.say(TYPE.ERROR, numbers + this.bytes.subarray(0, 8).toString('hex'), odd);
  }

  barrierReply(odd: Oddity = {}): Buffer {
    return this.say(this.version === 1 ? 19 : 21, '', odd);
  }
}

/** What a switch answers, in one piece; `end`: and hangs up. */
export type Answers = (request: Request) => readonly (Buffer | 'end')[];

/** Hangs up late enough for what is said of it not to depend on who is quicker. */
const END_MS = 100;

export interface UnrulySwitch {
  /** Says `answers` from here on. */
  answerWith(answers: Answers): void;
  /** What was sent to it since, but hellos, in hexadecimal. */
  heard(): readonly string[];
}

/** Starts a switch at `DIR/br0.mgmt` and `DIR/br0.snoop`. What it says is for the test to change by `answerWith`. */
export async function unrulySwitch(t: ExecutionContext, dir: string): Promise<UnrulySwitch> {
  let answers: Answers = () => [];
  let heard: string[] = [];
  const serve = (socket: net.Socket): void => {
    let buffered: Buffer = Buffer.alloc(0);
    let index = 0;
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      buffered = takeMessages(Buffer.concat([buffered, data]), (borrowed) => {
        const request = Buffer.from(borrowed);
        if (request[1] === TYPE.HELLO && index === 0 && socket.bytesWritten === 0) {
          // Agreed on by the first answer: the version of the hello, or what `answers` says to it.
          const said = answers(new Request(request, -1));
          socket.write(said.length === 0 ? request : Buffer.concat(said.filter((each) => each !== 'end')));
          if (said.includes('end')) setTimeout(() => socket.end(), END_MS);
          return;
        }
        // What is in an echo is drawn by lot.
        const isEcho = request[1] === TYPE.ECHO_REQUEST;
        heard.push(request.toString('hex', 0, isEcho ? 8 : request.length));
        const said = answers(new Request(request, index++));
        const bytes = Buffer.concat(said.filter((each) => each !== 'end'));
        // As switches do, it hears no more before what it says is taken.
        // One piece may have had several requests in it.
        if (bytes.length > 0 && !socket.write(bytes) && !socket.isPaused()) {
          socket.pause();
          socket.once('drain', () => socket.resume());
        }
        if (said.includes('end')) setTimeout(() => socket.end(), END_MS);
      });
    });
  };
  for (const kind of ['mgmt', 'snoop']) {
    const server = net.createServer(serve);
    await new Promise<void>((resolve) => server.listen(socketPath(path.join(dir, `br0.${kind}`)), resolve));
    t.teardown(() => server.close());
  }
  return {
    answerWith: (next) => {
      answers = next;
      heard = [];
    },
    heard: () => heard,
  };
}

/** A program with the words before its own. */
type Command = readonly [file: string, ...words: string[]];
export const OURS: Command = [process.execPath, path.join(checkoutRoot(), 'bin/ovs-ofctl')];
export const PEERS: Command = [peerPath('ovs-ofctl') ?? ''];

/** Shows the conversation. Only modules that both have: the peer's own main loop tells of itself. */
export const OPTIONS = ['-t', '4', ...['ofctl', 'vconn', 'stream_unix'].map((m) => `-v${m}:console:dbg`)];

/** All that a program shows. */
export interface Shown {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program says of a command line, run in `dir`, which is also where bridges are; without the time. */
export async function shown(
  [file, ...before]: Command,
  words: readonly string[],
  dir: string,
): Promise<Shown> {
  const { status, stdout, stderr } = await run(file, [...before, ...words], {
    cwd: dir,
    env: { OVS_RUNDIR: dir },
  });
  return {
    status,
    stdout: stdout.replace(/\d+\.\d ms/g, 'X ms').replace(/\(\d+ (packets|bytes)\/s\)/g, '(X $1/s)'),
    stderr: stderr.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+\|/gm, ''),
  };
}
