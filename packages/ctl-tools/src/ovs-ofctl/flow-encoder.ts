/**
 * Flows of a text as flow-mod messages, in the first protocol that all of them can go by, which only the last flow may
 * decide. A table of a hundred thousand flows has a few shapes, so most of its lines are read by them (`LineShapes`);
 * and each flow is encoded as it comes, because a million values that live long cost more than to parse them.
 */
import { unlogged } from '@ovs-node/common/vlog';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { putMessage } from '@ovs-node/openflow/messages/codec';
import { LineShapes } from '@ovs-node/openflow/shapes/line-reader';
import type { ParsedFlow } from '@ovs-node/openflow/text/flow';
import type { ProtocolRow } from '@ovs-node/openflow/text/protocols';
import { Writer } from '@ovs-node/openflow/wire';
import { flowModMessage } from './mod-sender.js';

/** Reads a flow at `text[from..to)`. @throws FlowSyntaxError */
export type ParseLine = (text: string, from: number, to: number) => ParsedFlow;

/** Calls `each` for the lines that say something. */
export type EachLine = (each: (text: string, from: number, to: number) => void) => void;

/** The protocol for flows that `usable` protocols can carry; undefined: there is none. */
export type ChooseProtocol = (usable: number) => ProtocolRow | undefined;

export interface EncodedFlows {
  /** Protocols (bits of `PROTO`) that can carry all flows. */
  readonly usable: number;
  /** The protocol of the messages; without one there are none. */
  readonly protocol: ProtocolRow | undefined;
  /** Messages one after the other; the first is of transaction 1. */
  readonly messages: Uint8Array;
  readonly count: number;
}

/** Goes through lines once. */
export class FlowEncoder {
  usable: number;
  protocol: ProtocolRow | undefined;
  readonly messages: Writer;
  /** Lines so far, and how many of them came before the protocol was what it is. */
  count = 0;
  early = 0;
  private shapes: LineShapes | undefined;
  private readonly trial = new Writer(256);
  private readonly parse: ParseLine;
  private readonly choose: ChooseProtocol;

  constructor(parse: ParseLine, choose: ChooseProtocol, size: number, usable: number) {
    this.parse = parse;
    this.choose = choose;
    this.usable = usable;
    // Text is about as long as what it says.
    this.messages = new Writer(size);
    this.start(choose(usable), 0);
  }

  /** Begins messages of a protocol, after `early` lines. */
  private start(protocol: ProtocolRow | undefined, early: number): void {
    this.protocol = protocol;
    this.messages.clear();
    this.early = early;
    this.shapes =
      protocol &&
      new LineShapes((line) => {
        try {
          const parsed = this.parse(line, 0, line.length);
          return { bytes: this.encode(parsed, protocol), usable: parsed.usable };
        } catch (e) {
          if (e instanceof FlowSyntaxError) return undefined;
          throw e;
        }
      });
  }

  private encode({ flowMod }: ParsedFlow, { bit, version }: ProtocolRow): Uint8Array {
    this.trial.clear();
    putMessage(this.trial, flowModMessage(flowMod, bit), version, 0);
    return this.trial.finish();
  }

  line(text: string, from: number, to: number): void {
    const { messages, shapes } = this;
    const at = messages.length;
    this.count++;
    if (shapes !== undefined && shapes.read(text, from, to, messages) !== 0) {
      messages.setU32(at + 4, this.count);
    } else {
      this.other(text, from, to);
    }
  }

  /** A line of no shape known. */
  private other(text: string, from: number, to: number): void {
    const parsed = this.parse(text, from, to);
    if ((this.usable & ~parsed.usable) !== 0) {
      this.usable &= parsed.usable;
      const protocol = this.choose(this.usable);
      if (protocol !== this.protocol) this.start(protocol, this.count - 1);
    }
    const { protocol, shapes, messages } = this;
    if (!protocol || !shapes) return;
    const at = messages.length;
    putMessage(messages, flowModMessage(parsed.flowMod, protocol.bit), protocol.version, 0);
    shapes.missed(text.slice(from, to), { bytes: messages.borrow().slice(at), usable: parsed.usable });
    messages.setU32(at + 4, this.count);
  }
}

/** Encodes the flows of the lines. `size`: of the text. @throws FlowSyntaxError */
export function encodeFlows(
  eachLine: EachLine,
  parse: ParseLine,
  choose: ChooseProtocol,
  size: number,
): EncodedFlows {
  const pass = new FlowEncoder(parse, choose, size, PROTO_ANY);
  eachLine((text, from, to) => pass.line(text, from, to));
  const { usable, protocol, early, count } = pass;
  const messages = pass.messages.borrow();
  if (early === 0 || protocol === undefined) return { usable, protocol, messages, count };
  // The lines that were read before the protocol was known, once more.
  const first = encodeAgain(eachLine, parse, protocol, usable, early, Math.ceil((size * early) / count));
  const all = new Uint8Array(first.length + messages.length);
  all.set(first);
  all.set(messages, first.length);
  return { usable, protocol, messages: all, count };
}

/** The messages of the first `count` lines, all of which have been read before, in a protocol that can carry them. */
export function encodeAgain(
  eachLine: EachLine,
  parse: ParseLine,
  protocol: ProtocolRow,
  usable: number,
  count: number,
  size: number,
): Uint8Array {
  const pass = new FlowEncoder(parse, () => protocol, size, usable);
  // The log has told what there is to tell of them.
  unlogged(() =>
    eachLine((text, from, to) => {
      if (pass.count < count) pass.line(text, from, to);
    }),
  );
  return pass.messages.borrow();
}
