/**
 * A file of which each read gives and each write takes one message, by overlapped operations: a TAP adapter, whose
 * messages are frames (or a named pipe of message type, which tests put in its place).
 *
 * A fixed number of reads is always under way, each into a slot of its own; a write copies its message into a free
 * slot and returns at once. One mapping holds it all, so that addresses never change:
 *
 *     slot i:  OVERLAPPED (32)  headroom (64)  message (up to `longest`)        READS slots, then WRITES slots
 *
 * What was read is valid during `onMessages`; slots are read into again after it returns. The memory goes back when the
 * last operation has ended, for the kernel writes to it until then.
 */

import { acquireMemory, type Memory, releaseMemory } from '../memory.js';
import type { CompletionOwner, CompletionPort } from './completion-port.js';
import { ERROR_IO_PENDING, type Win32 } from './win32.js';

const OVERLAPPED = 32;
const READS = 32;
/** A segmented packet or a batch of the core must find room; slots are free again only after a turn of the event loop. */
const WRITES = 256;

/** What a file tells its user. */
export interface MessageSink {
  /** Room that must be before each message in memory; at most 64 bytes. */
  readonly headroom: number;
  /** Messages came: `memory[starts[i], ends[i])` for the first `count`. */
  onMessages(memory: Uint8Array, starts: Uint32Array, ends: Uint32Array, count: number): void;
  /** A message could not be written. */
  onWriteError(): void;
  /** Nothing more will be read: the device has gone. Told once, not after `close`. */
  onLost(): void;
}

export class MessageFile implements CompletionOwner {
  readonly #api: Win32;
  readonly #port: CompletionPort;
  readonly #handle: number;
  readonly #memory: Memory;
  readonly #sink: MessageSink;
  readonly #longest: number;
  readonly #slot: number;
  #key = 0;
  readonly #free: number[] = [];
  readonly #starts = new Uint32Array(READS);
  readonly #ends = new Uint32Array(READS);
  readonly #read: number[] = [];
  #pending = 0;
  #closed = false;
  #lost = false;

  private constructor(
    api: Win32,
    port: CompletionPort,
    handle: number,
    memory: Memory,
    sink: MessageSink,
    longest: number,
    slot: number,
  ) {
    this.#api = api;
    this.#port = port;
    this.#handle = handle;
    this.#memory = memory;
    this.#sink = sink;
    this.#longest = longest;
    this.#slot = slot;
    for (let i = READS; i < READS + WRITES; i++) this.#free.push(i);
  }

  /**
   * Takes over `handle`, opened for overlapped use, and begins to read messages of up to `longest` bytes. Undefined when
   * there is no memory or the file cannot be read; the handle is the caller's again then.
   */
  static open(
    api: Win32,
    port: CompletionPort,
    handle: number,
    longest: number,
    sink: MessageSink,
  ): MessageFile | undefined {
    const slot = (OVERLAPPED + sink.headroom + longest + 63) & ~63;
    const memory = acquireMemory(api, slot * (READS + WRITES));
    if (memory === undefined) return undefined;
    const file = new MessageFile(api, port, handle, memory, sink, longest, slot);
    file.#key = port.add(handle, file);
    if (file.#key === 0) {
      releaseMemory(memory);
      return undefined;
    }
    for (let i = 0; i < READS; i++) file.#startRead(i);
    return file;
  }

  /** Writes `bytes[start, end)`. False when it is too long or too many writes are under way: it was not written. */
  write(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#closed || length > this.#longest) return false;
    const index = this.#free.pop();
    if (index === undefined) return false;
    const at = this.#message(index);
    this.#memory.bytes.set(bytes.subarray(start, end), at);
    const overlapped = this.#clear(index);
    if (this.#begun(this.#api.writeFile(this.#handle, this.#memory.address + at, length, 0, overlapped)))
      return true;
    this.#free.push(index);
    return false;
  }

  /** Ends all operations and closes the file. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#api.cancelIo(this.#handle, 0);
    this.#api.closeHandle(this.#handle);
    this.#release();
  }

  completed(overlapped: number, status: number, bytes: number): void {
    this.#pending--;
    const index = Math.floor((overlapped - this.#memory.address) / this.#slot);
    if (index >= READS) {
      this.#free.push(index);
      if (status !== 0 && !this.#closed) this.#sink.onWriteError();
    } else if (status === 0) {
      const at = this.#message(index);
      const count = this.#read.length;
      this.#starts[count] = at;
      this.#ends[count] = at + bytes;
      this.#read.push(index);
    } else this.#lost = true;
  }

  drained(): void {
    const count = this.#read.length;
    if (count > 0 && !this.#closed)
      this.#sink.onMessages(this.#memory.bytes, this.#starts, this.#ends, count);
    for (let i = 0; i < count && !this.#closed; i++) this.#startRead(this.#read[i]!);
    this.#read.length = 0;
    if (this.#lost && !this.#closed) {
      this.close();
      this.#sink.onLost();
    }
    this.#release();
  }

  #startRead(index: number): void {
    const at = this.#memory.address + this.#message(index);
    const overlapped = this.#clear(index);
    if (!this.#begun(this.#api.readFile(this.#handle, at, this.#longest, 0, overlapped))) this.#lost = true;
  }

  /** Whether the operation's outcome will come by the port: it does for one that ended at once, too. */
  #begun(result: number): boolean {
    const begun = result !== 0 || this.#api.lastError() === ERROR_IO_PENDING;
    if (begun) this.#pending++;
    return begun;
  }

  /** Zeroes the OVERLAPPED of a slot; its address. */
  #clear(index: number): number {
    const at = index * this.#slot;
    this.#memory.bytes.fill(0, at, at + OVERLAPPED);
    return this.#memory.address + at;
  }

  #message(index: number): number {
    return index * this.#slot + OVERLAPPED + this.#sink.headroom;
  }

  #release(): void {
    if (!this.#closed || this.#pending > 0 || this.#key === 0) return;
    this.#port.remove(this.#key);
    this.#key = 0;
    releaseMemory(this.#memory);
  }
}
