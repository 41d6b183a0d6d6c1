/** Commands that need no switch: parse-flow, parse-flows, ofp-print, ofp-parse, parse-actions, parse-instructions. */
import { FatalError } from '@ovs-node/common/errors';
import { printMessage } from '@ovs-node/openflow/text/message';
import { formatProtocols } from '@ovs-node/openflow/text/protocols';
import { flowLines, flowParser, parseOrFail } from './flow-commands.js';
import { type EachLine, encodeFlows, type EncodedFlows } from './flow-encoder.js';
import type { OfctlContext } from './context.js';
import { hexToBytes, MessageOutput } from './input.js';
import { inputLines, readLines } from './line-text.js';
import { MessageFile } from './message-file.js';

function printFlows(c: OfctlContext, { usable, protocol, messages }: EncodedFlows): void {
  process.stdout.write(`usable protocols: ${formatProtocols(usable)}\n`);
  if (!protocol) throw new FatalError('no usable protocol');
  const out = new MessageOutput(c.plainOptions(0));
  out.add(`chosen protocol: ${protocol.name}\n`);
  for (let at = 0, length = 0; at < messages.length; at += length) {
    length = (messages[at + 2] << 8) | messages[at + 3];
    out.print(messages, at, length);
  }
  out.flush();
}

export function parseFlow(c: OfctlContext, [text]: readonly string[]): void {
  const eachLine: EachLine = (each) => each(text, 0, text.length);
  const flows = parseOrFail(() =>
    encodeFlows(eachLine, flowParser('add', false, { explain: c.explain }), c.chooseProtocol, 256),
  );
  printFlows(c, flows);
}

export function parseFlows(c: OfctlContext, [file]: readonly string[]): void {
  const lines = readLines(file, 'open failed');
  const parse = flowParser('add', false, { explain: c.explain });
  printFlows(c, encodeFlows(flowLines(file, lines), parse, c.chooseProtocol, lines.size));
}

export function ofpPrint(c: OfctlContext, [hex, verbosity]: readonly string[]): void {
  const more = verbosity === undefined ? 2 : Number.parseInt(verbosity, 10) || 0;
  let text = hex;
  if (hex === '-') {
    // A line of standard input.
    const [line] = inputLines();
    if (line === undefined) throw new FatalError('Failed to read stdin');
    text = line;
  }
  const bytes = hexToBytes(text);
  if (!bytes) throw new FatalError('trailing garbage following hex bytes');
  process.stdout.write(printMessage(bytes, { ...c.plainOptions(0), verbosity: more }));
}

export function ofpParse(c: OfctlContext, [name]: readonly string[]): void {
  const file = new MessageFile(name);
  const out = new MessageOutput(c.plainOptions(2));
  try {
    while (file.next()) out.print(file.bytes, file.at, file.length);
  } finally {
    out.flush();
    file.close();
  }
}
