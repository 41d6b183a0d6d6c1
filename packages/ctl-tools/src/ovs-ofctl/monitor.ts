/** monitor and snoop: prints what a switch sends until it hangs up. */
import { FatalError, strerror, errnoName } from '@ovs-node/common/errors';
import { printMessage, type PrintOptions } from '@ovs-node/openflow/text/message';
import type { SwitchConfig } from '@ovs-node/openflow/messages/types';
import type { OfctlContext, Switch } from './context.js';

/** A connection whose messages are printed from `start` on; what comes before is kept until then. */
class Printer {
  private options: PrintOptions | undefined;
  private waiting: Uint8Array[] = [];
  private readonly timestamp: boolean;
  readonly ended: Promise<Error | undefined>;
  readonly end: (reason: Error | undefined) => void;

  constructor(timestamp: boolean) {
    this.timestamp = timestamp;
    let end: (reason: Error | undefined) => void = () => undefined;
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.end = end;
  }

  frame(bytes: Uint8Array): void {
    if (this.options) this.print(bytes, this.options);
    else this.waiting.push(bytes.slice());
  }

  start(options: PrintOptions): void {
    this.options = options;
    for (const bytes of this.waiting) this.print(bytes, options);
    this.waiting = [];
  }

  private print(bytes: Uint8Array, options: PrintOptions): void {
    if (this.timestamp) process.stderr.write(`${stamp(new Date())}: `);
    process.stderr.write(printMessage(bytes, options));
  }
}

function stamp(now: Date): string {
  return now.toISOString().replace('T', ' ').slice(0, 23);
}

/** Prints until the end, which is an error. */
async function printUntilEnd(c: OfctlContext, target: string, printer: Printer): Promise<void> {
  printer.start(await c.printOptions(target, 2));
  const reason = await printer.ended;
  const text = reason ? strerror(errnoName(reason)) : 'End of file';
  throw new FatalError(`vconn_recv (${text})`);
}

async function config(c: OfctlContext, sw: Switch): Promise<SwitchConfig> {
  const [{ msg }] = await c.transact(sw, { type: 'get_config_request' });
  if (msg.type !== 'get_config_reply') throw new FatalError(`${sw.name}: bad reply to config request`);
  return msg.config;
}

export async function monitor(c: OfctlContext, args: readonly string[]): Promise<void> {
  const [target, ...words] = args;
  const printer = new Printer(c.settings.timestamp);
  const sw = await c.connect(target, 'mgmt', {
    onMessage: (_decoded, bytes) => printer.frame(bytes),
    onBadMessage: (_error, bytes) => printer.frame(bytes),
    onClose: (reason) => printer.end(reason),
  });
  for (const word of words) {
    if (/^\d/.test(word)) {
      const now = await config(c, sw);
      await c.noReply(sw, {
        type: 'set_config',
        config: { ...now, missSendLen: Number.parseInt(word, 10) & 0xffff },
      });
    } else if (word === 'invalid_ttl') {
      const now = await config(c, sw);
      await c.noReply(sw, { type: 'set_config', config: { ...now, invalidTtlToController: true } });
    } else if (word.startsWith('watch:')) {
      throw new FatalError(`${word}: flow monitors are not supported yet`);
    } else {
      throw new FatalError(`${word}: unsupported "monitor" argument`);
    }
  }
  await setPacketInFormat(c, sw);
  await printUntilEnd(c, target, printer);
}

async function setPacketInFormat(c: OfctlContext, sw: Switch): Promise<void> {
  const wanted = c.settings.packetInFormat;
  if (wanted !== undefined) {
    const error = await c.tryNoReply(sw, { type: 'set_packet_in_format', format: wanted });
    if (error)
      throw new FatalError(
        `${sw.name}: failed to set packet in format to nx_packet_in, controller might not support this extension.`,
      );
    return;
  }
  // The richest that the switch has.
  const error = await c.tryNoReply(sw, { type: 'set_packet_in_format', format: 'nxt_packet_in2' });
  if (error && sw.connection.version === 1) {
    await c.tryNoReply(sw, { type: 'set_packet_in_format', format: 'nxt_packet_in' });
  }
}

export async function snoop(c: OfctlContext, [target]: readonly string[]): Promise<void> {
  const printer = new Printer(c.settings.timestamp);
  await c.connect(target, 'snoop', {
    onMessage: (_decoded, bytes) => printer.frame(bytes),
    onBadMessage: (_error, bytes) => printer.frame(bytes),
    onClose: (reason) => printer.end(reason),
  });
  await printUntilEnd(c, target, printer);
}
