/**
 * OpenFlow conversations with a switch, whoever's it is: what is sent, and the text of all that comes back.
 */
import { join } from 'node:path';
import { connectStream } from '@ovs-node/common/stream';
import { type Suite, runCommand } from '@ovs-node/ctl-tools/lab/suite';
import { OfConnection } from '@ovs-node/openflow/connection';
import { OfError } from '@ovs-node/openflow/errors';
import { decodeMessage, encodeMessage } from '@ovs-node/openflow/messages/codec';
import type { OfMessage } from '@ovs-node/openflow/messages/types';
import { printMessage } from '@ovs-node/openflow/text/message';

const NAMES: Readonly<Record<number, string>> = { 1: '10', 2: '11', 3: '12', 4: '13', 5: '14', 6: '15' };
/** Transaction ids of what a test sends count from here, so that they are the same on both sides. */
const FIRST_XID = 0x10000000;

/** One connection to BRIDGE.mgmt. */
export class Conversation {
  readonly version: number;
  readonly suite: Suite;
  readonly bridge: string;
  readonly #of: OfConnection;
  readonly #texts: string[] = [];
  #xid = FIRST_XID;
  /** Whether packets that come in are sent back, to go on. */
  resumes = false;
  /** Whether what comes in is shown in bytes, too. */
  showsBytes = false;

  private constructor(suite: Suite, bridge: string, version: number, of: OfConnection) {
    this.suite = suite;
    this.bridge = bridge;
    this.version = version;
    this.#of = of;
  }

  static async open(suite: Suite, bridge: string, version: number): Promise<Conversation> {
    const stream = await connectStream(`unix:${join(suite.dirs.run, `${bridge}.mgmt`)}`);
    let conversation: Conversation | undefined;
    const ready = new Promise<void>((resolve, reject) => {
      const of = new OfConnection(
        stream,
        { versions: 1 << version },
        {
          onReady: () => resolve(),
          onMessage: (_decoded, bytes) => conversation?.hear(bytes),
          onBadMessage: (_error, bytes) => conversation?.hear(bytes),
          onClose: (reason) => reject(reason ?? new Error('closed')),
        },
      );
      conversation = new Conversation(suite, bridge, version, of);
    });
    await ready;
    return conversation!;
  }

  private hear(bytes: Uint8Array): void {
    const decoded = this.resumes ? decodeMessage(bytes) : undefined;
    if (decoded && !(decoded instanceof OfError) && decoded.msg.type === 'packet_in')
      this.send({ type: 'resume', packetIn: decoded.msg.packetIn });
    this.#texts.push(printMessage(bytes).trimEnd());
    // Of a continuation without the bridge that made it, whose number is of its own.
    const bridge = /(?<=80000014)[0-9a-f]{32}/;
    if (this.showsBytes) this.#texts.push(Buffer.from(bytes).toString('hex').replace(bridge, 'X'));
  }

  /** The transaction id of the next message. */
  get nextXid(): number {
    return this.#xid;
  }

  send(...messages: OfMessage[]): void {
    for (const msg of messages) this.#of.sendBytes(encodeMessage(msg, this.version, this.#xid++));
  }

  /** Sends bytes as they are, with the version and a transaction id put in. */
  sendBytes(bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes);
    copy[0] = this.version;
    new DataView(copy.buffer).setUint32(4, this.#xid++);
    this.#of.sendBytes(copy);
  }

  /** Waits until everything sent has been carried out. */
  async settle(): Promise<void> {
    await this.#of.ask({ type: 'barrier_request' }, 'barrier_reply');
  }

  /** Runs the peer's ovs-ofctl on the switch, in the version of the conversation; its output is part of the text. */
  async ofctl(command: string, ...args: string[]): Promise<void> {
    const target = `unix:${join(this.suite.dirs.run, `${this.bridge}.mgmt`)}`;
    const line = ['-O', `OpenFlow${NAMES[this.version]!}`, ...command.split(' '), target, ...args];
    const { stdout, stderr } = await runCommand('/usr/bin/ovs-ofctl', line, {
      env: this.suite.env,
      input: '',
      timeoutMs: 10_000,
    });
    // What the switch had to say of it comes first, on either side.
    await this.settle();
    const text = `${stdout}${stderr}`.trim();
    if (text !== '') this.#texts.push(`$ ${command}\n${text}`);
  }

  /** Runs `ovs-appctl`; its output is part of the text. */
  async appctl(...args: string[]): Promise<void> {
    this.#texts.push(`$ ${args.join(' ')}\n${(await this.suite.appctl(...args)).trim()}`);
  }

  /** Everything that came, what differs from run to run taken out. */
  text(): string {
    return this.#texts
      .join('\n')
      .replace(/duration=?[0-9.]+s/g, 'duration=X')
      .replace(/\bxid=0x[0-9a-f]+\)/g, (xid) => (parseInt(xid.slice(6), 16) >= FIRST_XID ? xid : 'xid=X)'))
      .replace(/(idle_age|hard_age)=\d+/g, '$1=X')
      .replace(/(continuation\.bridge)=.*/g, '$1=X')
      .replace(/\bpid=\d+/g, 'pid=X')
      .replace(/\brecirc_id=(0x[0-9a-f]+|[1-9]\d*)/g, 'recirc_id=X')
      .replace(/\brecirc\(0x[0-9a-f]+\)/g, 'recirc(X)')
      .replaceAll(this.suite.dirs.run, 'DIR');
  }

  close(): void {
    this.#of.close();
  }
}
