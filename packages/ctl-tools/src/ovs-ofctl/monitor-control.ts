/** The control commands of a running monitor: ovs-ofctl(8), "RUNTIME MANAGEMENT COMMANDS". */
import { errnoName, strerror } from '@ovs-node/common/errors';
import type { UnixctlServer } from '@ovs-node/common/unixctl';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { encodeMessage, HEADER_LENGTH } from '@ovs-node/openflow/messages/codec';
import type { OfctlContext } from './context.js';
import { hexToBytes } from './input.js';
import type { Monitored } from './monitor.js';
import { parsePacketOut } from './packet-out.js';

/** The message that hex digits spell, or why they spell none. */
function messageFromHex(text: string): Uint8Array | string {
  const bytes = hexToBytes(text);
  if (!bytes) return 'Trailing garbage in hex data';
  if (bytes.length < HEADER_LENGTH) return 'Message too short for OpenFlow';
  if (((bytes[2] << 8) | bytes[3]) !== bytes.length)
    return 'Message size does not match length in OpenFlow header';
  return bytes;
}

/** Registers ofctl/send, barrier and so on for what is monitored. */
export function registerMonitorCommands(unixctl: UnixctlServer, c: OfctlContext, monitored: Monitored): void {
  const { sw, printer } = monitored;
  const { connection } = sw;
  let blocked = false;

  const send = async (messages: string[]): Promise<string> => {
    const read = messages.map(messageFromHex);
    if (read.some((each) => typeof each !== 'string')) await monitored.ready();
    let failed = false;
    const replies = read.map((bytes) => {
      if (typeof bytes === 'string') {
        failed = true;
        return bytes;
      }
      printer.sent(bytes, c.settings.verbosity);
      if (connection.isClosed) {
        failed = true;
        return strerror('EPIPE');
      }
      connection.sendBytes(bytes);
      return 'sent';
    });
    const text = `${replies.join('\n')}\n`;
    if (failed) throw new Error(text);
    return text;
  };

  const packetOut = async ([text]: string[]): Promise<string> => {
    const names = await c.acceptNames(sw.streamName);
    let parsed: ReturnType<typeof parsePacketOut>;
    try {
      parsed = parsePacketOut(text, names);
    } catch (e) {
      if (e instanceof FlowSyntaxError) throw new Error(e.message, { cause: e });
      throw e;
    }
    if ((parsed.usable & sw.protocol) === 0) {
      throw new Error('PACKET_OUT actions are incompatible with the OpenFlow connection.');
    }
    await monitored.ready();
    const bytes = encodeMessage(
      { type: 'packet_out', packetOut: parsed.packetOut },
      connection.version,
      connection.nextXid(),
    );
    printer.sent(bytes, c.settings.verbosity, '');
    connection.sendBytes(bytes);
    return '';
  };

  unixctl.registerAll([
    { name: 'ofctl/send', usage: 'OFMSG...', min: 1, max: Infinity, handler: send },
    {
      name: 'ofctl/packet-out',
      usage: '"in_port=<port> packet=<hex data> actions=..."',
      min: 1,
      max: 1,
      handler: packetOut,
    },
    {
      name: 'ofctl/barrier',
      usage: '',
      min: 0,
      max: 0,
      handler: async () => {
        if (monitored.onBarrier) throw new Error('already waiting for barrier reply');
        try {
          await sw.exchange.send({ type: 'barrier_request' });
        } catch (e) {
          throw new Error(strerror(errnoName(e)), { cause: e });
        }
        // Whatever barrier it answers.
        await new Promise<void>((resolve) => (monitored.onBarrier = resolve));
        monitored.onBarrier = undefined;
        return '';
      },
    },
    {
      name: 'ofctl/set-output-file',
      usage: 'FILE',
      min: 1,
      max: 1,
      handler: ([file]) => {
        try {
          printer.output.open(file);
        } catch (e) {
          throw new Error(strerror(e), { cause: e });
        }
        return '';
      },
    },
    {
      name: 'ofctl/block',
      usage: '',
      min: 0,
      max: 0,
      handler: () => {
        if (blocked) return 'already blocking';
        blocked = true;
        monitored.block(true);
        return '';
      },
    },
    {
      name: 'ofctl/unblock',
      usage: '',
      min: 0,
      max: 0,
      handler: () => {
        if (!blocked) return 'already unblocked';
        blocked = false;
        monitored.block(false);
        return '';
      },
    },
  ]);
}
