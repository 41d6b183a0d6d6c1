/** The text that the peer's ovs-ofctl prints for many messages, by one run over a file of them. */
import fs from 'node:fs';
import path from 'node:path';
import { peerPath, run } from '@ovs-node/common/testkit/index';
import { useByteText } from '../../src/wire.js';

// As the tool that prints them: names come out byte for byte.
useByteText(true);

/** A message that no generator makes, between two others: an echo request of OpenFlow 1.0 with a number as its xid. */
function separator(i: number): Uint8Array {
  const bytes = new Uint8Array([1, 2, 0, 8, 0xfe, 0xed, i >> 8, i & 255]);
  return bytes;
}

/**
 * The peer's text for each message, printed with `2 + more` as verbosity.
 *
 * @param dir where the file of messages goes. Each message must be as long as its length field says.
 */
export async function peerTexts(dir: string, messages: readonly Uint8Array[], more = 0): Promise<string[]> {
  const file = path.join(dir, `messages-${process.pid}`);
  const parts: Uint8Array[] = [];
  messages.forEach((m, i) => parts.push(m, separator(i)));
  fs.writeFileSync(file, Buffer.concat(parts));
  const { stdout, status, stderr } = await run(
    peerPath('ovs-ofctl')!,
    [...Array.from({ length: more }, () => '-m'), 'ofp-parse', file],
    { encoding: 'latin1' },
  );
  fs.rmSync(file);
  if (status !== 0) throw new Error(`ofp-parse: ${stderr.slice(-500)}`);
  const texts: string[] = [];
  let rest = stdout;
  for (let i = 0; i < messages.length; i++) {
    const mark = `OFPT_ECHO_REQUEST (xid=0x${(0xfeed0000 + i).toString(16)}): 0 bytes of payload\n`;
    const at = rest.indexOf(mark);
    if (at < 0) throw new Error(`the peer printed nothing after message ${i}`);
    texts.push(rest.slice(0, at));
    rest = rest.slice(at + mark.length);
    // With -m -m -m and more, bytes are dumped, of the separator too.
    if (more >= 3) rest = rest.slice(rest.indexOf('\n') + 1);
  }
  return texts;
}
