/** The same messages to two switches, over one connection per OpenFlow version to each, and what differs. */
import { isDeepStrictEqual } from 'node:util';
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { OfError } from '@ovs-node/openflow/errors';
import { decodeMessage, encodeMessage } from '@ovs-node/openflow/messages/codec';
import type { OfMessage, PacketIn } from '@ovs-node/openflow/messages/types';
import { header } from '@ovs-node/openflow/testkit/header';
import { printMessage } from '@ovs-node/openflow/text/message';
import { asidesInForm } from './reply-forms.js';
import { type Answer, Talk } from './talk.js';

export const VERSION_NUMBERS = [1, 2, 3, 4, 5, 6] as const;
/** How long messages that nobody asked for may be under way, ms. */
const SETTLE_MS = 40;
const XID = 0x10000000;
const HELLO = 0;

export class BothSides {
  readonly peer: Suite;
  readonly ours: Suite;
  /** What was not the same, for people. */
  readonly differences: string[] = [];
  /** Is told of each message that the peer sends, and of those sent to it that it takes. */
  onPeer: (message: Uint8Array) => void = () => undefined;
  #name = '';
  readonly #bridge: string;
  #talks: (readonly [Talk, Talk])[] = [];
  /** Packets that have come to the connections of each side. */
  #packetIns: [PacketIn[], PacketIn[]] = [[], []];
  #mark = 0;

  constructor(peer: Suite, ours: Suite, bridge: string) {
    this.peer = peer;
    this.ours = ours;
    this.#bridge = bridge;
  }

  /** Begins with something else: all connections are new. */
  async begin(name: string): Promise<void> {
    this.#name = name;
    this.close();
    this.#packetIns = [[], []];
    this.#talks = VERSION_NUMBERS.map((v) => {
      const [peer, ours] = [this.peer, this.ours].map((suite) => new Talk(suite, this.#bridge, v));
      peer.onMessage = (m) => this.onPeer(m);
      return [peer, ours];
    });
    for (const v of VERSION_NUMBERS) {
      const { isClosed } = await this.send(v, new Uint8Array(0));
      if (!isClosed) this.onPeer(header(v, HELLO, 0));
    }
  }

  /** Sends a message in bytes, or of a version, to both. @returns what the peer made of it. */
  async send(version: number, message: OfMessage | Uint8Array): Promise<Answer> {
    const bytes =
      message instanceof Uint8Array ? message : encodeMessage(message, version, XID + ++this.#mark);
    return this.#sendEach(version, [bytes, bytes]);
  }

  async #sendEach(version: number, bytes: readonly [Uint8Array, Uint8Array]): Promise<Answer> {
    const mark = 0xbb000000 + ++this.#mark;
    const pair = this.#talks[version - 1];
    const [peer, ours] = await Promise.all([pair[0].send(bytes[0], mark), pair[1].send(bytes[1], mark)]);
    this.#compare(`version ${version}: ${textOf(bytes[0])}`, peer, ours);
    if (peer.errors.length === 0 && bytes[0].length > 0) this.onPeer(bytes[0]);
    return peer;
  }

  /** Gives each side the packet back that came to it last, to go on with it. */
  async resume(version: number): Promise<Answer> {
    const messages = this.#packetIns.map((all) => {
      const packetIn = all.pop();
      if (packetIn === undefined) throw new Error(`${this.#name}: no packet to go on with`);
      return encodeMessage({ type: 'resume', packetIn }, version, XID);
    });
    return this.#sendEach(version, [messages[0], messages[1]]);
  }

  /** Runs the same command of either side on its switch. */
  async run(program: string, ...args: string[]): Promise<void> {
    const results = await Promise.all([this.peer, this.ours].map((suite) => suite.run(program, args)));
    const [peer, ours] = results.map(({ status, stderr }) => ({ status, stderr }));
    this.#compare(`${program} ${args.join(' ')}`, peer, ours);
    if (peer.status !== 0) throw new Error(`${this.#name}: ${program} ${args.join(' ')}: ${peer.stderr}`);
  }

  /**
   * Compares what the switches have sent without being asked, to each connection by itself.
   * @param form what of a message counts.
   */
  async settle(form: (message: Uint8Array) => Uint8Array = (message) => message): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    for (const [i, pair] of this.#talks.entries()) {
      const version = i + 1;
      await this.send(version, new Uint8Array(0));
      const [peer, ours] = pair.map(({ asides }, side) => {
        const all = asides.splice(0);
        this.#packetIns[side].push(...all.flatMap(packetInOf));
        return asidesInForm(all.map(form));
      });
      this.#compare(`version ${version}: asynchronous messages`, peer, ours);
    }
  }

  #compare(what: string, peer: unknown, ours: unknown): void {
    if (isDeepStrictEqual(peer, ours)) return;
    const [theirs, mine] = [peer, ours].map((each) => JSON.stringify(each, undefined, 1));
    this.differences.push(`${this.#name}: ${what}\n  peer: ${theirs}\n  ours: ${mine}`);
  }

  close(): void {
    for (const pair of this.#talks) for (const talk of pair) talk.close();
  }
}

function packetInOf(message: Uint8Array): PacketIn[] {
  const decoded = decodeMessage(message);
  return decoded instanceof OfError || decoded.msg.type !== 'packet_in' ? [] : [decoded.msg.packetIn];
}

const textOf = (message: Uint8Array): string =>
  message.length === 0 ? 'nothing' : printMessage(message).split('\n')[0];
