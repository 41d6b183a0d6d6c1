/** How a switch and somebody who connects to it agree on a version: what is said first, good and bad. */
import net from 'node:net';
import { join } from 'node:path';
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { decodeHeader } from '@ovs-node/openflow/messages/codec';
import { OfError } from '@ovs-node/openflow/errors';
import { takeMessages } from '@ovs-node/openflow/testkit/take-messages';

/** How long a switch has to say all that it has to say, ms. */
const PATIENCE_MS = 300;

/** A hello in hex: its version, the elements that follow, and what the length says if not the truth. */
const hello = (version: number, elements = '', length = 8 + elements.length / 2): string =>
  `${byte(version)}00${byte(length >> 8)}${byte(length & 255)}00000001${elements}`;
const byte = (n: number): string => n.toString(16).padStart(2, '0');
/** An element of hello with versions as bits. */
const bitmap = (...words: number[]): string => {
  const length = 4 + 4 * words.length;
  const bits = words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  return `0001${byte(length >> 8)}${byte(length & 255)}${bits}${length % 8 === 0 ? '' : '00000000'}`;
};
const features = (version: number): string => `${byte(version)}05000800000002`;
const echo = (version: number): string => `${byte(version)}02000800000003`;

/** What is said, by what is special about it. */
export const HELLOS: Readonly<Record<string, string>> = {
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((v) => [`version ${v}`, hello(v) + features(v)])),
  'version 0': hello(0) + features(1),
  'version 7, which is not there yet': hello(7) + features(6),
  'version 0x99': hello(0x99) + features(6),
  'a bitmap': hello(6, bitmap(1 << 4)) + features(4),
  'a bitmap of all versions': hello(6, bitmap(0x7e)) + features(6),
  'a bitmap that says less than the header': hello(6, bitmap(0x06)) + features(2),
  'a bitmap of versions to come': hello(7, bitmap(0x80)) + features(6),
  'a bitmap of a version to come and one that is there': hello(7, bitmap(0x90)) + features(4),
  'a bitmap of no version': hello(4, bitmap(0)) + features(4),
  'a bitmap of version 0': hello(4, bitmap(1)) + features(4),
  'a bitmap without bits': hello(4, '00010004') + features(4),
  'a bitmap of two words': hello(4, bitmap(0x10, 0x10)) + features(4),
  'two bitmaps': hello(4, bitmap(0x10) + bitmap(0x02)) + features(4),
  'a bitmap that is cut off': hello(4, '0001000800') + features(4),
  'a bitmap that says to be too long': hello(4, '0001001000000010') + features(4),
  'an element of length 0': hello(4, '00010000') + features(4),
  'an element that is not known': hello(4, `00020008${'00'.repeat(4)}`) + features(4),
  'an element that is not known before a bitmap': hello(6, `0002000800000000${bitmap(0x10)}`) + features(4),
  'bytes after the elements': hello(4, `${bitmap(0x10)}0000`) + features(4),
  'text after the header': hello(1, Buffer.from('hi there').toString('hex')) + features(1),
  'something else first': features(4),
  'an echo first': echo(4) + hello(4),
  'an error first': `0401000c0000000100000000${hello(4)}`,
  'another version afterwards': hello(4) + features(1) + features(4),
  'an echo of another version afterwards': hello(4) + echo(1) + features(4),
  'hello again, in another version': hello(4) + hello(1) + features(4),
  'a length that is less than that of a header': hello(4, '', 4) + features(4),
  'a part of a message': hello(4).slice(0, 10),
  'a part of a message after the hello': hello(4) + features(4).slice(0, 12),
};

/** All that a switch has to say to these bytes, in hex, and whether it ends the connection; transaction ids of its own are left out. */
export function saidTo(suite: Suite, bridge: string, hex: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(join(suite.dirs.run, `${bridge}.mgmt`));
    const chunks: Buffer[] = [];
    let isClosed = false;
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => (isClosed = true));
    socket.write(Buffer.from(hex, 'hex'));
    setTimeout(() => {
      const said: string[] = [];
      const rest = takeMessages(Buffer.concat(chunks), (message) => said.push(withoutOwnXid(message)));
      if (rest.length > 0) said.push(rest.toString('hex'));
      resolve([...said, isClosed ? 'closed' : 'open'].join('\n'));
      socket.destroy();
    }, PATIENCE_MS);
  });
}

/** Hellos, and errors that come before a version is agreed on, have numbers that count for the whole program. */
function withoutOwnXid(message: Buffer): string {
  const header = decodeHeader(message);
  const copy = Buffer.from(message);
  if (!(header instanceof OfError) && header.wire.name === 'OFPT_HELLO') copy.fill(0, 4, 8);
  return copy.toString('hex');
}
