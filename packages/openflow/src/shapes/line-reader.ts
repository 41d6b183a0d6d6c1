import { unlogged } from '@ovs-node/common/vlog';
import { Writer } from '../wire.js';
import { findLineShape, type LineShape, type ReadLine, type ReadOne } from './line-shape.js';

/** Shapes kept at most: they are tried one after the other, the likeliest first. */
const MAX_SHAPES = 64;
/** Lines read the usual way for each shape that is looked for: finding one takes some hundred. */
const PATIENCE = 8;
/** Lines of which no shape could be made, before no more are looked at. */
const MAX_FAILURES = 32;

/** The shapes of the lines of a file, as they are learned, for one protocol. */
export class LineShapes {
  private readonly shapes: LineShape[] = [];
  private last: LineShape | undefined;
  private misses = 0;
  private failures = 0;
  private readonly readOne: ReadOne;
  private readonly trials = new Writer(1024);

  constructor(readOne: ReadOne) {
    this.readOne = readOne;
  }

  /**
   * Writes the message of the line `text[from..to)`, of transaction 0, if it is of a shape known; gives the
   * protocols (bits of `PROTO`) that can carry it, or 0.
   */
  read(text: string, from: number, to: number, w: Writer): number {
    const { shapes, last } = this;
    // Flows often come in turn.
    const next = last?.next;
    if (next?.read(text, from, to, w) === true) {
      this.last = next;
      return next.usable;
    }
    for (let i = 0; i < shapes.length; i++) {
      const shape = shapes[i];
      if (shape === next || !shape.read(text, from, to, w)) continue;
      if (i > 0) {
        shapes[i] = shapes[i - 1];
        shapes[i - 1] = shape;
      }
      if (last) last.next = shape;
      this.last = shape;
      return shape.usable;
    }
    this.last = undefined;
    return 0;
  }

  /** Tells of a line that was of no shape, and what it was read as: after a few, its shape is learned. */
  missed(line: string, sample: ReadLine): void {
    if (++this.misses < PATIENCE || this.shapes.length >= MAX_SHAPES || this.failures >= MAX_FAILURES) return;
    this.misses = 0;
    const { value: shape, messages } = unlogged(() => findLineShape(line, sample, this.readOne, this.trials));
    // What the log tells of, it tells of each time.
    if (shape && messages === 0) this.shapes.push(shape);
    else this.failures++;
  }
}
