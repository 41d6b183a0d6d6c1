/** Commands that need no switch: parse-flow, parse-flows, ofp-print, ofp-parse, parse-actions, parse-instructions. */
import fs from 'node:fs';
import { errnoName, FatalError, strerror } from '@ovs-node/common/errors';
import { parseFlowProtocols } from '@ovs-node/openflow/text/flow';
import { printMessage } from '@ovs-node/openflow/text/message';
import { formatProtocols, PROTOCOLS, protocolRow } from '@ovs-node/openflow/text/protocols';
import { putMessage } from '@ovs-node/openflow/messages/codec';
import { Writer } from '@ovs-node/openflow/wire';
import { type FlowList, parseFlowFile, parseOrFail } from './flow-commands.js';
import { flowModMessage } from './mod-sender.js';
import type { OfctlContext } from './context.js';

function printFlows(c: OfctlContext, list: FlowList): void {
  process.stdout.write(`usable protocols: ${formatProtocols(list.usable)}\n`);
  const usable = list.usable & c.settings.protocols;
  if (usable === 0) throw new FatalError('no usable protocol');
  const { bit, name, version } = protocolRow(PROTOCOLS.find((p) => (usable & p.bit) !== 0)!.bit);
  process.stdout.write(`chosen protocol: ${name}\n`);
  let xid = 0;
  let out = '';
  const w = new Writer();
  const options = { verbosity: c.settings.verbosity };
  for (const flowMod of list.flowMods) {
    w.clear();
    putMessage(w, flowModMessage(flowMod, bit), version, ++xid);
    out += printMessage(w.borrow(), options);
    if (out.length < 0x10000) continue;
    process.stdout.write(out);
    out = '';
  }
  process.stdout.write(out);
}

export function parseFlow(c: OfctlContext, [text]: readonly string[]): void {
  const { flowMod, usable } = parseOrFail(() => parseFlowProtocols(text, 'add'));
  printFlows(c, { flowMods: [flowMod], usable });
}

export function parseFlows(c: OfctlContext, [file]: readonly string[]): void {
  printFlows(c, parseFlowFile(file, 'add', false, {}));
}

export function ofpPrint(c: OfctlContext, [hex, verbosity]: readonly string[]): void {
  const more = verbosity === undefined ? 2 : Number.parseInt(verbosity, 10) || 0;
  const digits = hex.replace(/\s/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits))
    throw new FatalError('trailing garbage following hex bytes');
  void c;
  process.stdout.write(printMessage(new Uint8Array(Buffer.from(digits, 'hex')), { verbosity: more }));
}

export function ofpParse(c: OfctlContext, [file]: readonly string[]): void {
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync(file === '-' ? 0 : file);
  } catch (e) {
    throw new FatalError(`${file}: open (${strerror(errnoName(e))})`);
  }
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 8) throw new FatalError(`${file}: unexpected end of file mid-message`);
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    if (length < 8) throw new FatalError(`${file}: ${length}-byte message is too short for OpenFlow`);
    if (length > bytes.length - at) throw new FatalError(`${file}: unexpected end of file mid-message`);
    process.stdout.write(printMessage(bytes.slice(at, at + length), { verbosity: c.settings.verbosity + 2 }));
    at += length;
  }
}
