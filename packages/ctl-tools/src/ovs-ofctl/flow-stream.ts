/**
 * The flows of a file as messages, each read when it is asked for. In turn they are read once; one that is asked for again
 * is read again, without telling the log what it was told the first time.
 */
import { unlogged } from '@ovs-node/common/vlog';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { type ChooseProtocol, FlowEncoder, type ParseLine } from './flow-encoder.js';
import { countLines, LineCursor, type LineText, wrongLine } from './line-text.js';

/** Where a message has its transaction id. */
const XID_AT = 4;

export interface FlowSource {
  readonly file: string;
  readonly text: LineText;
  readonly parse: ParseLine;
}

/** Goes through the lines of a file once. */
class Reading {
  /** Lines that were read or passed over. */
  position = 0;
  readonly encoder: FlowEncoder;
  private readonly file: string;
  private readonly cursor: LineCursor;
  /** What was thrown because of a line, which is thrown again by whoever reads on. */
  private failure: unknown;

  constructor({ file, text, parse }: FlowSource, choose: ChooseProtocol) {
    this.file = file;
    this.cursor = new LineCursor(text);
    this.encoder = new FlowEncoder(parse, choose, 1024, PROTO_ANY);
  }

  skip(): void {
    this.position++;
    this.cursor.next();
  }

  /** Encodes a line in place of the one before it; false at the end. @throws FatalError */
  read(): boolean {
    const { cursor, encoder } = this;
    if (this.failure !== undefined) throw this.failure;
    if (!cursor.next()) return false;
    this.position++;
    encoder.messages.clear();
    try {
      encoder.line(cursor.text, cursor.from, cursor.to);
    } catch (e) {
      this.failure = wrongLine(this.file, cursor.number, e);
      throw this.failure;
    }
    return true;
  }

  /** The message of the next line, borrowed; undefined when there is none, or no protocol for it. @throws FatalError */
  next(xid: number): Uint8Array | undefined {
    const { messages } = this.encoder;
    if (!this.read() || messages.length === 0) return undefined;
    messages.setU32(XID_AT, xid);
    return messages.borrow();
  }
}

export class FlowStream {
  /** Lines that say something, each of which is a flow. */
  readonly count: number;
  private readonly source: FlowSource;
  private readonly choose: ChooseProtocol;
  private readonly first: Reading;
  private again: Reading | undefined;

  /** @param choose says which protocol messages are of; they cannot be of another later. */
  constructor(source: FlowSource, choose: ChooseProtocol) {
    this.source = source;
    this.choose = choose;
    this.count = countLines(source.text);
    this.first = new Reading(source, choose);
  }

  /** Whether there is a protocol for all flows so far. */
  get canSend(): boolean {
    return this.first.encoder.protocol !== undefined;
  }

  /**
   * The message of flow `i`, borrowed until another is asked for; undefined when there is no protocol for it.
   *
   * @throws FatalError when its line is wrong
   */
  message(i: number, xid: number): Uint8Array | undefined {
    if (i === this.first.position) return this.first.next(xid);
    return unlogged(() => {
      if (this.again === undefined || i < this.again.position)
        this.again = new Reading(this.source, this.choose);
      while (this.again.position < i) this.again.skip();
      return this.again.next(xid);
    }).value;
  }

  /** Reads all that is left. @returns the protocols (bits of `PROTO`) that can carry all flows. @throws FatalError */
  readRest(): number {
    while (this.first.read());
    return this.first.encoder.usable;
  }
}
