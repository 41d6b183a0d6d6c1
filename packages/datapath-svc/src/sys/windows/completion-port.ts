/**
 * An I/O completion port: where Windows puts the outcomes of overlapped reads and writes of any number of files, and
 * the one thing that waits for them.
 *
 *     file ──ReadFile/WriteFile(OVERLAPPED)──► kernel ──► queue of the port ──take()──► owner.completed(…), owner.drained()
 *
 * Waiting happens on a thread of koffi's pool, at most `WAIT_MS` at a time; what is there by then is taken without
 * waiting, so that a busy port costs no change of threads. Owners are called on the event loop.
 *
 * Layouts (64 bits): OVERLAPPED is 32 bytes, its first 8 the status (NTSTATUS, in the low half). OVERLAPPED_ENTRY is 32
 * bytes: key, address of the OVERLAPPED, status, bytes transferred (u32 at 24).
 */

import { acquireMemory, type Memory, releaseMemory } from '../memory.js';
import { INVALID_HANDLE, type Win32 } from './win32.js';

const ENTRY = 32;
const ENTRIES = 128;
const WAIT_MS = 250;
/** Turns in a row without the event loop in between. */
const MAX_ROUNDS = 16;

/** Who started an operation. */
export interface CompletionOwner {
  /** The operation whose OVERLAPPED is at `overlapped` ended with NTSTATUS `status` (0: well) after `bytes` bytes. */
  completed(overlapped: number, status: number, bytes: number): void;
  /** All completions of this round have been told. */
  drained(): void;
}

export class CompletionPort {
  readonly #api: Win32;
  readonly #handle: number;
  readonly #memory: Memory;
  readonly #owners = new Map<number, CompletionOwner>();
  #nextKey = 1;
  #waiting = false;
  #closed = false;

  private constructor(api: Win32, handle: number, memory: Memory) {
    this.#api = api;
    this.#handle = handle;
    this.#memory = memory;
  }

  /** A completion port; undefined when the system has none to give. */
  static create(api: Win32): CompletionPort | undefined {
    const memory = acquireMemory(api, ENTRIES * ENTRY + 8);
    if (memory === undefined) return undefined;
    const handle = api.createCompletionPort(INVALID_HANDLE, 0, 0, 1);
    if (handle === 0) {
      releaseMemory(memory);
      return undefined;
    }
    return new CompletionPort(api, handle, memory);
  }

  /** Has the outcomes of what is done to `file` told to `owner`; the key by which to `remove` it, 0 on failure. */
  add(file: number, owner: CompletionOwner): number {
    const key = this.#nextKey++;
    if (this.#api.createCompletionPort(file, this.#handle, key, 0) === 0) return 0;
    this.#owners.set(key, owner);
    this.#wait();
    return key;
  }

  /** Forgets an owner that has nothing under way any more. */
  remove(key: number): void {
    this.#owners.delete(key);
  }

  close(): void {
    this.#closed = true;
    this.#owners.clear();
    if (!this.#waiting) this.#free();
  }

  #free(): void {
    this.#api.closeHandle(this.#handle);
    releaseMemory(this.#memory);
  }

  get #removed(): number {
    return this.#memory.address + ENTRIES * ENTRY;
  }

  #wait(): void {
    if (this.#waiting || this.#closed) return;
    this.#waiting = true;
    const { address } = this.#memory;
    this.#api.takeCompletionsAsync(
      this.#handle,
      address,
      ENTRIES,
      this.#removed,
      WAIT_MS,
      0,
      (error, got) => {
        this.#waiting = false;
        if (this.#closed) {
          this.#free();
          return;
        }
        if (error === null && got !== 0) this.#drain();
        if (this.#owners.size > 0) this.#wait();
      },
    );
  }

  /** Tells what was taken, then takes more for as long as there is more. An owner may close the port meanwhile. */
  #drain(): void {
    const { address } = this.#memory;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      this.#tell();
      if (this.#closed) return;
      if (this.#api.takeCompletions(this.#handle, address, ENTRIES, this.#removed, 0, 0) === 0) return;
    }
    this.#tell();
  }

  #tell(): void {
    const { words } = this.#memory;
    const count = words[(ENTRIES * ENTRY) >>> 2]!;
    const touched = new Set<CompletionOwner>();
    for (let i = 0; i < Math.min(count, ENTRIES); i++) {
      const at = (i * ENTRY) >>> 2;
      const owner = this.#owners.get(words[at]!);
      if (owner === undefined) continue;
      const overlapped = words[at + 2]! + words[at + 3]! * 0x1_0000_0000;
      touched.add(owner);
      owner.completed(overlapped, words[at + 4]!, words[at + 6]!);
    }
    for (const owner of touched) owner.drained();
  }
}
