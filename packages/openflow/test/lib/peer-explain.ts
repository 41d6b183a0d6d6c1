/** What the peer's ovs-ofctl says of each of many messages on standard output and in its log: a process each, as it tells little twice. */
import fs from 'node:fs';
import path from 'node:path';
import { peerPath, run } from '@ovs-node/common/testkit/index';
import { setConsoleWriter, setRateLimited } from '@ovs-node/common/vlog';
import { explainToLog } from '../../src/explain-log.js';
import { printMessage } from '../../src/text/message.js';
import { useByteText } from '../../src/wire.js';

// As the tool that prints them: names come out byte for byte.
useByteText(true);

/** Text, and lines of the log without time and number. */
export interface Told {
  readonly text: string;
  readonly log: string;
}

/** The log without times and numbers. */
const logLines = (stderr: string): string => stderr.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+\|/gm, '');

/** Ends what is told of one message. */
const END = '\u0001end\u0002';

/** What the peer tells; `dir` is where messages and a script go. */
export async function peerTells(
  dir: string,
  messages: readonly Uint8Array[],
  options: readonly string[] = [],
): Promise<Told[]> {
  const program = peerPath('ovs-ofctl')!;
  const file = (i: number): string => path.join(dir, `message-${process.pid}-${i}`);
  const script = messages.map((bytes, i) => {
    fs.writeFileSync(file(i), bytes);
    return `'${program}' ${options.join(' ')} ofp-parse '${file(i)}'; printf '\\001end\\002'; printf '\\001end\\002' >&2\n`;
  });
  const batch = path.join(dir, `batch-${process.pid}.sh`);
  fs.writeFileSync(batch, script.join(''));
  const { stdout, stderr } = await run('/bin/sh', [batch], { timeoutMs: 600_000, encoding: 'latin1' });
  for (const i of messages.keys()) fs.rmSync(file(i));
  const [texts, logs] = [stdout.split(END), stderr.split(END)];
  if (texts.length !== messages.length + 1) throw new Error(`${messages.length} messages: ${texts.length}`);
  return messages.map((_, i) => ({ text: texts[i], log: logLines(logs[i]) }));
}

/** What this library tells of a message, or of several one after the other. */
export function oursTells(bytes: Uint8Array): Told {
  let log = '';
  let text = '';
  // How often matches are told to have been normalized is limited for the process, and not for the messages.
  setRateLimited('ofp_match', bytes.length > ((bytes[2] << 8) | bytes[3]));
  const writer = setConsoleWriter((line) => (log += line));
  const explain = explainToLog();
  try {
    for (let at = 0, length = 0; at < bytes.length; at += length) {
      length = (bytes[at + 2] << 8) | bytes[at + 3];
      text += printMessage(bytes.subarray(at, at + length), { verbosity: 2, explain });
    }
    return { text, log: logLines(log) };
  } finally {
    setConsoleWriter(writer);
  }
}
