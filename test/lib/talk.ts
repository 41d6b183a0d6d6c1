/** One OpenFlow connection to a switch, over which messages go as bytes, good or bad, and what comes back for each. */
import net from 'node:net';
import { join } from 'node:path';
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { OfError } from '@ovs-node/openflow/errors';
import { decodeHeader, decodeMessage } from '@ovs-node/openflow/messages/codec';
import { header } from '@ovs-node/openflow/testkit/header';
import { takeMessages } from '@ovs-node/openflow/testkit/take-messages';
import { comparable } from './reply-forms.js';

const ERROR = 1;
const HELLO = 0;
/** How long a switch may take to answer, ms. */
const PATIENCE_MS = 20_000;

/** What a switch made of one message. */
export interface Answer {
  /** The errors that came back, whole messages in hex. */
  readonly errors: readonly string[];
  /** The replies that came back, as they are compared. */
  readonly replies: readonly string[];
  readonly isClosed: boolean;
}

/** One connection to BRIDGE.mgmt, which is opened again when the switch has closed it. */
export class Talk {
  readonly #path: string;
  readonly #version: number;
  readonly #patienceMs: number;
  #socket: net.Socket | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #got: Buffer[] = [];
  #isClosed = true;
  #wake: () => void = () => undefined;

  /** Messages that answer none, in the order in which they came; for the reader to take out. */
  readonly asides: Uint8Array[] = [];
  /** Is told of each message that comes. */
  onMessage: (message: Uint8Array) => void = () => undefined;

  constructor(suite: Suite, bridge: string, version: number, patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
    this.#path = join(suite.dirs.run, `${bridge}.mgmt`);
    this.#version = version;
  }

  #connect(): net.Socket {
    this.#isClosed = false;
    this.#rest = Buffer.alloc(0);
    const socket = net.connect(this.#path);
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.write(header(this.#version, HELLO, 1));
    return socket;
  }

  #take(chunk: Buffer): void {
    this.#rest = takeMessages(Buffer.concat([this.#rest, chunk]), (message) =>
      this.#sort(Buffer.from(message)),
    );
    this.#wake();
  }

  /** What answers no request may come at any time, between two of them as well. */
  #sort(message: Buffer): void {
    this.onMessage(message);
    if (isAside(message)) this.asides.push(message);
    else if (message[1] !== HELLO) this.#got.push(message);
  }

  /** Sends a message and waits for the barrier behind it, or the end of the connection. */
  async send(message: Uint8Array, mark: number): Promise<Answer> {
    const socket = this.#isClosed || this.#socket === undefined ? this.#connect() : this.#socket;
    this.#got = [];
    const isOf10 = this.#version === 1;
    socket.write(Buffer.concat([message, header(this.#version, isOf10 ? 18 : 20, mark)]));
    const isMark = (m: Buffer): boolean => m[1] === (isOf10 ? 19 : 21) && m.readUInt32BE(4) === mark;
    const deadline = setTimeout(() => socket.destroy(), this.#patienceMs);
    while (!this.#isClosed && !this.#got.some(isMark)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(deadline);
    const errors = this.#got.filter((m) => m[1] === ERROR).map((m) => m.toString('hex'));
    const replies = comparable(this.#got.filter((m) => m[1] !== ERROR && !isMark(m)));
    return { errors, replies, isClosed: this.#isClosed };
  }

  close(): void {
    this.#socket?.destroy();
  }
}

/** Errors of what has waited too long for its rest, which are no answer to the last message. */
const LATE: ReadonlySet<string | undefined> = new Set(['OFPBRC_MULTIPART_REQUEST_TIMEOUT', 'OFPBFC_TIMEOUT']);

/** Messages that a switch sends of itself, some time after what was their cause. */
const ASIDES = /PACKET_IN|FLOW_REMOVED|_STATUS$|REQUESTFORWARD|FLOW_MONITOR/;
const isAside = (m: Uint8Array): boolean =>
  m[1] === ERROR ? LATE.has(errorName(m)) : ASIDES.test(nameOf(m));

/** The name of the error that a message is, if it is one. */
export function errorName(m: Uint8Array): string | undefined {
  const decoded = decodeMessage(m);
  return !(decoded instanceof OfError) && decoded.msg.type === 'error' ? decoded.msg.error.name : undefined;
}

/** The name of a message, such as `OFPST_FLOW reply`; '' when it has none. */
export function nameOf(message: Uint8Array): string {
  const known = decodeHeader(message);
  return known instanceof OfError ? '' : known.wire.name;
}
