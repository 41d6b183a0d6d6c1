/** Commands that need no switch: parse-flow, parse-flows, ofp-print, ofp-parse, parse-actions, parse-instructions. */
import { errnoName, FatalError, strerror } from '@ovs-node/common/errors';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { type ParsedFlow, parseFlowProtocols } from '@ovs-node/openflow/text/flow';
import { printMessage } from '@ovs-node/openflow/text/message';
import { formatProtocols, type ProtocolRow, PROTOCOLS } from '@ovs-node/openflow/text/protocols';
import { putMessage } from '@ovs-node/openflow/messages/codec';
import { Writer } from '@ovs-node/openflow/wire';
import type { FlowMod } from '@ovs-node/openflow/messages/types';
import { forEachFlow, parseOrFail } from './flow-commands.js';
import { flowModMessage } from './mod-sender.js';
import type { OfctlContext } from './context.js';
import { hexToBytes, readFileOrInput, TextOutput } from './input.js';

/** Flows kept as values for the case that one after them narrows the choice of a protocol. */
const EARLY = 1000;

/**
 * Flow-mods as messages one after the other, in the first of the allowed protocols that all of them can go by. Each
 * is encoded as it comes, so that it need not be kept: a million values that live long cost more than a parse.
 */
class FlowMessages {
  usable = PROTO_ANY;
  /** Whether a flow has come for which the messages before it are of the wrong protocol. */
  stale = false;
  readonly messages = new Writer(0x10000);
  private readonly allowed: number;
  private readonly keep: number;
  private protocol: ProtocolRow | undefined;
  private readonly early: FlowMod[] = [];
  private count = 0;

  /** `keep`: how many flows to keep as values. */
  constructor(allowed: number, keep = EARLY, usable = PROTO_ANY) {
    this.allowed = allowed;
    this.keep = keep;
    this.usable = usable;
  }

  /** The protocol of the messages; undefined when there is none that can carry all flows so far. */
  get chosen(): ProtocolRow | undefined {
    return PROTOCOLS.find((p) => (this.usable & this.allowed & p.bit) !== 0);
  }

  add({ flowMod, usable }: ParsedFlow): void {
    if (this.stale) {
      this.usable &= usable;
      return;
    }
    if ((this.usable & ~usable) !== 0 || this.count === 0) {
      this.usable &= usable;
      this.choose();
    }
    if (this.count < this.keep) this.early.push(flowMod);
    this.count++;
    if (!this.stale) this.put(flowMod, this.count);
  }

  private choose(): void {
    const chosen = this.chosen;
    if (chosen === this.protocol) return;
    this.protocol = chosen;
    if (this.count > this.early.length) this.stale = true;
    this.messages.clear();
    if (!this.stale) this.early.forEach((flowMod, i) => this.put(flowMod, i + 1));
  }

  private put(flowMod: FlowMod, xid: number): void {
    const { protocol } = this;
    if (protocol) putMessage(this.messages, flowModMessage(flowMod, protocol.bit), protocol.version, xid);
  }
}

function printFlows(c: OfctlContext, flows: FlowMessages): void {
  process.stdout.write(`usable protocols: ${formatProtocols(flows.usable)}\n`);
  const { chosen } = flows;
  if (!chosen) throw new FatalError('no usable protocol');
  const out = new TextOutput();
  out.add(`chosen protocol: ${chosen.name}\n`);
  const options = c.plainOptions(0);
  const bytes = flows.messages.borrow();
  for (let at = 0; at < bytes.length;) {
    const end = at + ((bytes[at + 2] << 8) | bytes[at + 3]);
    out.add(printMessage(bytes.subarray(at, end), options));
    at = end;
  }
  out.flush();
}

export function parseFlow(c: OfctlContext, [text]: readonly string[]): void {
  const flows = new FlowMessages(c.settings.protocols);
  flows.add(parseOrFail(() => parseFlowProtocols(text, 'add')));
  printFlows(c, flows);
}

export function parseFlows(c: OfctlContext, [file]: readonly string[]): void {
  // Standard input cannot be read twice.
  let flows = new FlowMessages(c.settings.protocols, file === '-' ? Infinity : EARLY);
  forEachFlow(file, 'add', false, {}, (parsed) => flows.add(parsed));
  if (flows.stale) {
    // Now that the protocol is known.
    flows = new FlowMessages(c.settings.protocols, EARLY, flows.usable);
    forEachFlow(file, 'add', false, {}, (parsed) => flows.add(parsed));
  }
  printFlows(c, flows);
}

export function ofpPrint(c: OfctlContext, [hex, verbosity]: readonly string[]): void {
  const more = verbosity === undefined ? 2 : Number.parseInt(verbosity, 10) || 0;
  let text = hex;
  if (hex === '-') {
    // A line of standard input.
    const input = readFileOrInput('-').toString('latin1');
    if (input === '') throw new FatalError('Failed to read stdin');
    text = input.split('\n', 1)[0];
  }
  const bytes = hexToBytes(text);
  if (!bytes) throw new FatalError('trailing garbage following hex bytes');
  process.stdout.write(printMessage(bytes, { ...c.plainOptions(0), verbosity: more }));
}

export function ofpParse(c: OfctlContext, [file]: readonly string[]): void {
  let bytes: Uint8Array;
  try {
    bytes = readFileOrInput(file);
  } catch (e) {
    throw new FatalError(`${file}: open (${strerror(errnoName(e))})`);
  }
  const out = new TextOutput();
  try {
    for (let at = 0; at < bytes.length;) {
      if (bytes.length - at < 8) throw new FatalError(`${file}: unexpected end of file mid-message`);
      const length = (bytes[at + 2] << 8) | bytes[at + 3];
      if (length < 8) throw new FatalError(`${file}: ${length}-byte message is too short for OpenFlow`);
      if (length > bytes.length - at) throw new FatalError(`${file}: unexpected end of file mid-message`);
      out.add(printMessage(bytes.subarray(at, at + length), c.plainOptions(2)));
      at += length;
    }
  } finally {
    out.flush();
  }
}
