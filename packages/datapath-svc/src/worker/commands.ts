/**
 * Commands of the thread that runs the datapath: rows of a table, run there by name with string arguments, whoever
 * asks (the control socket of ovs-datapath-svc, or of vswitchd for its in-process datapaths).
 */

import { composePacket } from '@ovs-node/flow/compose';
import { parseDpKey, writtenKey } from '@ovs-node/netlink/text/key-parse';
import { decodePortOptionText } from '../ports/options.js';
import { dummyNames, findDummy } from '../ports/dummy.js';
import type { DatapathThread } from './thread.js';
import { showSwitch } from './show.js';

/** A command; throwing gives an error reply. */
export interface ThreadCommand {
  readonly name: string;
  readonly usage: string;
  readonly min: number;
  readonly max: number;
  readonly run: (thread: DatapathThread, args: readonly string[]) => string;
}

/** Most commands do something and answer nothing. */
function quietly(_done: void): string {
  return '';
}

export const THREAD_COMMANDS: readonly ThreadCommand[] = [
  { name: 'switch/show', usage: '', min: 0, max: 0, run: (thread) => showSwitch(thread) },
  { name: 'coverage/show', usage: '', min: 0, max: 0, run: ({ drops }) => drops.show() },
  {
    name: 'coverage/read-counter',
    usage: 'COUNTER',
    min: 1,
    max: 1,
    run: ({ drops }, [name]) => drops.read(name!),
  },
  {
    name: 'switch/port-create',
    usage: 'PORT [OVS-PORT-NAME]',
    min: 1,
    max: 2,
    run: (thread, [port, ovsPortName]) => quietly(thread.switch.portCreate(port!, ovsPortName)),
  },
  {
    name: 'switch/port-rename',
    usage: 'PORT OVS-PORT-NAME',
    min: 2,
    max: 2,
    run: (thread, [port, ovsPortName]) => quietly(thread.switch.portRename(port!, ovsPortName!)),
  },
  {
    name: 'switch/nic-create',
    usage: 'PORT stream|device|dummy [KEY=VALUE]...',
    min: 2,
    max: 34,
    run: (thread, [port, kind, ...options]) => {
      if (kind !== 'stream' && kind !== 'device' && kind !== 'dummy')
        throw new Error(`${kind}: unknown kind of NIC`);
      thread.switch.nicCreate(port!, { kind, options: decodePortOptionText(options) });
      return '';
    },
  },
  ...(['nic-connect', 'nic-disconnect', 'nic-delete', 'port-delete'] as const).map(
    (event): ThreadCommand => ({
      name: `switch/${event}`,
      usage: 'PORT',
      min: 1,
      max: 1,
      run: (thread, [port]) => quietly(thread.switch.step(port!, event)),
    }),
  ),
  {
    name: 'netdev-dummy/receive',
    usage: 'name [--qid queue_id] packet|flow [--len packet_len]',
    min: 2,
    max: Infinity,
    run: (thread, [name, ...words]) => {
      const port = findDummy(thread.loop, name!);
      if (port === undefined) throw new Error('no such dummy netdev');
      for (const frame of packetsOf(words)) port.inject(frame);
      return '';
    },
  },
  {
    name: 'netdev-dummy/set-admin-state',
    usage: '[netdev] up|down',
    min: 1,
    max: 2,
    run: (thread, args) => {
      const state = args.at(-1)!;
      if (state !== 'up' && state !== 'down') throw new Error('Invalid Admin State');
      const names = args.length === 2 ? [args[0]!] : dummyNames(thread.loop);
      for (const name of names) {
        const port = findDummy(thread.loop, name);
        if (port === undefined) throw new Error('Unknown Dummy Interface');
        port.setUp(state === 'up');
      }
      return 'OK';
    },
  },
];

/**
 * Packets: each its bytes in hexadecimal, or a datapath flow, of which a packet is made, of `--len` bytes when that
 * follows. A queue (`--qid`) may be named before them; there is but one here. Those before what is wrong are received.
 */
function* packetsOf(words: readonly string[]): Generator<Uint8Array> {
  let i = 0;
  if (words[0] === '--qid' && words.length > 1) {
    if ((Number.parseInt(words[1]!, 10) || 0) !== 0) throw new Error('bad rx queue id.');
    i = 2;
  }
  while (i < words.length) {
    const text = words[i++]!;
    const frame = parseHex(text);
    if (frame !== undefined) {
      yield frame;
      continue;
    }
    const flow = writtenKey(parseDpKey(text, undefined, true).key);
    if (words[i] !== '--len' || i + 1 >= words.length) {
      yield composePacket(flow);
      continue;
    }
    const size = Number.parseInt(/^\s*[+-]?\d+$/.exec(words[i + 1]!)?.[0] ?? '0', 10);
    if (size < MIN_PACKET) throw new Error('too small packet len');
    // No port takes longer ones.
    if (size <= MAX_PACKET) yield composePacket(flow, { size });
    i += 2;
  }
}

const MIN_PACKET = 14;
const MAX_PACKET = 65535;

/** The bytes of a packet in hexadecimal; undefined when `text` is something else, or less than an Ethernet header. */
function parseHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/[\s:]/g, '');
  if (digits.length < 2 * MIN_PACKET || !/^([0-9a-f]{2})+$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g)!, (pair) => parseInt(pair, 16));
}

/** The row of command `name`, its arguments counted. @throws Error in the words of the control socket. */
export function runThreadCommand(thread: DatapathThread, name: string, args: readonly string[]): string {
  const row = THREAD_COMMANDS.find((command) => command.name === name);
  if (row === undefined) throw new Error(`"${name}" is not a valid command`);
  if (args.length < row.min) throw new Error(`"${name}" command requires at least ${row.min} arguments`);
  if (args.length > row.max) throw new Error(`"${name}" command takes at most ${row.max} arguments`);
  return row.run(thread, args);
}
