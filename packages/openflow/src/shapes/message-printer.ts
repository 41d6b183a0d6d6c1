import { u16, u32 } from '@ovs-node/flow/views/bytes';
import { unlogged } from '@ovs-node/common/vlog';
import { OfError } from '../errors.js';
import { explainLater } from '../explain.js';
import { decodeHeader } from '../messages/codec.js';
import { printMessage, type PrintOptions } from '../text/message.js';
import { ByteText, viewOf } from './byte-text.js';
import { findPrintShape, type PrintOne, type PrintShape } from './print-shape.js';
import { flowModSpans, flowStatsSpans, type WireSpans } from './spans.js';

/** Shapes kept at most, and of one length: they are tried one after the other. */
const MAX_SHAPES = 512;
const MAX_OF_LENGTH = 16;
/** Messages printed the usual way for each shape that is looked for: finding one takes some hundred. */
const PATIENCE = 8;
/** Of messages of one length, how many may have turned out to be of no shape before no more are looked at. */
const MAX_FAILURES = 3;

/** The shapes of one kind of message, by length. */
export class PrintShapes {
  private readonly byLength: (PrintShape[] | undefined)[] = [];
  private count = 0;
  private misses = 0;
  private readonly failures: (number | undefined)[] = [];
  private readonly spansOf: (bytes: Uint8Array) => WireSpans | undefined;
  private readonly printOne: PrintOne;

  constructor(spansOf: (bytes: Uint8Array) => WireSpans | undefined, printOne: PrintOne) {
    this.spansOf = spansOf;
    this.printOne = printOne;
  }

  /** Prints the message at `bytes[at..at + length)` if it is of a shape known; `view` is of the same bytes. */
  print(bytes: Uint8Array, view: DataView, at: number, length: number, out: ByteText): boolean {
    const list = this.byLength[length];
    if (list === undefined) return false;
    for (let i = 0; i < list.length; i++) {
      const shape = list[i];
      if (!shape.matches(bytes, view, at)) continue;
      shape.print(bytes, at, out);
      // The ones in use move to the front.
      if (i > 0) {
        list[i] = list[i - 1];
        list[i - 1] = shape;
      }
      return true;
    }
    return false;
  }

  /** Tells of a message that was of no shape, and has been printed the usual way: after a few, its shape is learned. */
  missed(message: Uint8Array): void {
    if (++this.misses < PATIENCE || this.count >= MAX_SHAPES) return;
    const { length } = message;
    const list = (this.byLength[length] ??= []);
    const failures = this.failures[length] ?? 0;
    if (list.length >= MAX_OF_LENGTH || failures >= MAX_FAILURES) return;
    this.misses = 0;
    const wire = this.spansOf(message);
    const { value: shape, messages } = unlogged(() => wire && findPrintShape(message, wire, this.printOne));
    // What the log tells of, it tells of each time.
    if (shape && messages === 0) {
      list.push(shape);
      this.count++;
    } else {
      this.failures[length] = failures + 1;
    }
  }
}

/** The replies that have entries for shapes. */
const NXST_FLOW_REPLY = 'NXST_FLOW_REPLY';
const ENTRIES: readonly string[] = [NXST_FLOW_REPLY, 'OFPST11_FLOW_REPLY', 'OFPST13_FLOW_REPLY'];
/** Bytes of an entry before its match. */
const ENTRY_BASE = 48;
const NO_ENTRY = new Uint8Array(0);
/** Replies without entries, without their version. */
const EMPTY_REPLY = [19, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const EMPTY_NXST_REPLY = [17, 0, 24, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x23, 0x20, 0, 0, 0, 0, 0, 0, 0, 0];

/**
 * Prints messages that come by the thousand: as `printMessage`, with flow-mods and the entries of flow statistics by
 * their shapes. Port and table names are not for shapes, nor is the raw match that the higher verbosities print.
 */
export class MessagePrinter {
  private readonly options: PrintOptions;
  private readonly flowMods: PrintShapes | undefined;
  /** The bytes printed last, with a view of them: mostly the next message is in the same. */
  private viewed: Uint8Array = NO_ENTRY;
  private view = viewOf(NO_ENTRY);
  private readonly flowStats = new Map<string, PrintShapes>();

  constructor(options: PrintOptions) {
    this.options = options;
    const plain = options.ports === undefined && options.tables === undefined && (options.verbosity ?? 0) < 3;
    if (plain) this.flowMods = new PrintShapes(flowModSpans, (bytes) => printMessage(bytes, options));
  }

  /** Adds the text of the message in `bytes[at..at + length)` to `out`. */
  print(bytes: Uint8Array, at: number, length: number, out: ByteText): void {
    const { flowMods } = this;
    if (flowMods?.print(bytes, this.viewOf(bytes), at, length, out) === true) return;
    const message = bytes.subarray(at, at + length);
    if (flowMods !== undefined && isStatsReply(message) && this.printFlowStats(message, out)) return;
    out.add(printMessage(message, this.options));
    if (flowMods !== undefined && isFlowMod(message)) flowMods.missed(message);
  }

  private viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.viewed) {
      this.view = viewOf(bytes);
      this.viewed = bytes;
    }
    return this.view;
  }

  /** Prints a reply of flow statistics entry by entry; false, with nothing printed, for any other message. */
  private printFlowStats(message: Uint8Array, out: ByteText): boolean {
    const known = decodeHeader(message);
    if (known instanceof OfError || !ENTRIES.includes(known.wire.key)) return false;
    const head = this.headOf(message, known.bodyAt);
    const shapes = this.shapesOf(message[0], known.wire.key);
    const view = viewOf(message);
    const from = out.length;
    out.add(head);
    for (let at = known.bodyAt, length = 0; at < message.length; at += length) {
      length = at + 2 > message.length ? 0 : u16(message, at);
      if (length < ENTRY_BASE || at + length > message.length) return out.cutTo(from);
      out.add('\n ');
      if (shapes.print(message, view, at, length, out)) continue;
      const entry = message.subarray(at, at + length);
      const text = this.entryText(message, known.bodyAt, head, entry);
      if (text === undefined) return out.cutTo(from);
      out.add(text);
      shapes.missed(entry);
    }
    out.add('\n');
    return true;
  }

  /** What is printed of a reply without entries, but for the end of the line. */
  private headOf(message: Uint8Array, bodyAt: number): string {
    return printMessage(withBody(message, bodyAt, NO_ENTRY), this.options).slice(0, -1);
  }

  /** The text of an entry of `message`, whose `headOf` is `head`; undefined when there is something wrong with it. */
  private entryText(
    message: Uint8Array,
    bodyAt: number,
    head: string,
    entry: Uint8Array,
  ): string | undefined {
    const before = `${head}\n `;
    const { explain } = this.options;
    // What is wrong with a bad one is told when the whole message is printed.
    const later = explain && explainLater(explain);
    const options = { ...this.options, explain: later?.explain };
    const text = printMessage(withBody(message, bodyAt, entry), options);
    if (!text.startsWith(before)) return undefined;
    later?.tell();
    return text.slice(before.length, -1);
  }

  /** The text of an entry of flow statistics in the form `key` of a version; undefined when it is a bad one. */
  printEntry(version: number, key: string, entry: Uint8Array): string | undefined {
    const empty = Uint8Array.of(version, ...(key === NXST_FLOW_REPLY ? EMPTY_NXST_REPLY : EMPTY_REPLY));
    return this.entryText(empty, empty.length, this.headOf(empty, empty.length), entry);
  }

  private shapesOf(version: number, key: string): PrintShapes {
    const name = `${version} ${key}`;
    let shapes = this.flowStats.get(name);
    if (!shapes) {
      shapes = new PrintShapes(
        (entry) => flowStatsSpans(entry, version, key === NXST_FLOW_REPLY),
        (entry) => this.printEntry(version, key, entry),
      );
      this.flowStats.set(name, shapes);
    }
    return shapes;
  }
}

/** A statistics message with another body. */
function withBody(message: Uint8Array, bodyAt: number, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(bodyAt + body.length);
  out.set(message.subarray(0, bodyAt));
  out.set(body, bodyAt);
  out[2] = out.length >> 8;
  out[3] = out.length & 0xff;
  return out;
}

function isStatsReply(bytes: Uint8Array): boolean {
  return bytes.length >= 12 && bytes[1] === (bytes[0] === 1 ? 17 : 19) && u16(bytes, 2) === bytes.length;
}

/** Only these are worth a shape. */
function isFlowMod(bytes: Uint8Array): boolean {
  const type = bytes[1] === 14 || (bytes[1] === 4 && bytes.length >= 16 && u32(bytes, 12) === 13);
  return type && u16(bytes, 2) === bytes.length;
}
