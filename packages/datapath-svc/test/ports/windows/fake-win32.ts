/**
 * A Windows with one TAP adapter in it, for where there is none: memory with made-up addresses, overlapped operations
 * that end later, a completion port. Only what the ports call; anything else is a test's failure.
 */
import {
  ERROR_FILE_NOT_FOUND,
  ERROR_IO_PENDING,
  INVALID_HANDLE,
  type Win32,
} from '../../../src/sys/windows/win32.js';
import { TapControl } from '../../../src/ports/windows/tap-control.js';

const STATUS_CANCELLED = 0xc0000120;

interface PendingRead {
  readonly buffer: number;
  readonly length: number;
  readonly overlapped: number;
}

export class FakeAdapter {
  readonly path: string;
  readonly mac: Uint8Array;
  mtu = 1500;
  /** What SET_MEDIA_STATUS said last. */
  isPlugged = false;
  isThere = true;
  /** Frames that were written to the adapter, in hexadecimal. */
  readonly written: string[] = [];
  readonly #api: FakeWin32;
  readonly #reads: PendingRead[] = [];
  readonly #frames: Uint8Array[] = [];
  handle = 0;
  key = 0;

  constructor(api: FakeWin32, path: string, mac: readonly number[]) {
    this.#api = api;
    this.path = path;
    this.mac = Uint8Array.from(mac);
  }

  /** Frames arrive at the adapter from the host. */
  push(frames: readonly Uint8Array[]): void {
    this.#frames.push(...frames);
    this.#serve();
  }

  read(read: PendingRead): void {
    this.#reads.push(read);
    this.#serve();
  }

  /** The adapter is disabled: what is under way ends, and it cannot be opened. */
  remove(): void {
    this.isThere = false;
    this.cancel();
  }

  cancel(): void {
    for (const { overlapped } of this.#reads.splice(0))
      this.#api.complete(this.key, overlapped, STATUS_CANCELLED, 0);
  }

  #serve(): void {
    while (this.#reads.length > 0 && this.#frames.length > 0) {
      const { buffer, length, overlapped } = this.#reads.shift()!;
      const frame = this.#frames.shift()!.subarray(0, length);
      this.#api.bytes(buffer, frame.length).set(frame);
      this.#api.complete(this.key, overlapped, 0, frame.length);
    }
  }
}

/** Memory is pooled by the process, and so handed from one fake to another. */
const regions: { readonly address: number; readonly buffer: ArrayBuffer }[] = [];
let nextAddress = 0x1_0000_0000;

/** As much of `Win32` as ports on adapters use. */
export class FakeWin32 implements Partial<Win32> {
  readonly adapters: FakeAdapter[] = [];
  readonly open = new Set<number>();
  readonly #completions: (readonly [key: number, overlapped: number, status: number, bytes: number])[] = [];
  #wake: (() => void) | undefined;
  #nextHandle = 4;
  #error = 0;

  /** The whole interface; what is not here cannot be called. */
  get api(): Win32 {
    const bound = Object.getOwnPropertyNames(FakeWin32.prototype)
      .filter((name) => name !== 'api' && name !== 'constructor')
      .map((name) => [name, (this as unknown as Record<string, () => unknown>)[name]!.bind(this)] as const);
    return Object.fromEntries(bound) as unknown as Win32;
  }

  mmap(_address: number, length: number): number {
    const address = nextAddress;
    nextAddress += length + 0x1000;
    regions.push({ address, buffer: new ArrayBuffer(length) });
    return address;
  }

  view(address: number): ArrayBuffer {
    return regions.find((region) => region.address === address)!.buffer;
  }

  bytes(address: number, length: number): Uint8Array {
    const region = regions.find(
      (r) => address >= r.address && address + length <= r.address + r.buffer.byteLength,
    );
    if (region === undefined) throw new Error(`address ${address} is nobody's memory`);
    return new Uint8Array(region.buffer, address - region.address, length);
  }

  complete(key: number, overlapped: number, status: number, bytes: number): void {
    this.#completions.push([key, overlapped, status, bytes]);
    this.#wake?.();
  }

  lastError(): number {
    return this.#error;
  }

  createFile(path: string): number {
    const adapter = this.adapters.find((each) => each.path === path && each.isThere);
    if (adapter === undefined) {
      this.#error = ERROR_FILE_NOT_FOUND;
      return INVALID_HANDLE;
    }
    if (this.open.has(adapter.handle)) {
      this.#error = 31;
      return INVALID_HANDLE;
    }
    adapter.handle = this.#handle();
    return adapter.handle;
  }

  createEvent(): number {
    return this.#handle();
  }

  closeHandle(handle: number): number {
    const adapter = this.adapters.find((each) => each.handle === handle);
    if (adapter !== undefined) {
      adapter.isPlugged = false;
      adapter.cancel();
    }
    return this.open.delete(handle) ? 1 : 0;
  }

  deviceIoControl(
    device: number,
    code: number,
    input: number,
    _inputLength: number,
    output: number,
    outputLength: number,
    returned: number,
  ): number {
    const adapter = this.#adapter(device);
    const data = this.bytes(output, outputLength);
    if (code === TapControl.GET_MAC) data.set(adapter.mac);
    else if (code === TapControl.GET_MTU)
      new DataView(data.buffer, data.byteOffset).setUint32(0, adapter.mtu, true);
    else if (code === TapControl.SET_MEDIA_STATUS) adapter.isPlugged = this.bytes(input, 4)[0] === 1;
    else throw new Error(`control code ${code}`);
    const count = this.bytes(returned, 4);
    new DataView(count.buffer, count.byteOffset).setUint32(0, outputLength, true);
    this.#error = ERROR_IO_PENDING;
    return 0;
  }

  getOverlappedResult(): number {
    return 1;
  }

  createCompletionPort(file: number, port: number, key: number): number {
    if (file === INVALID_HANDLE) return this.#handle();
    this.#adapter(file).key = key;
    return port;
  }

  readFile(file: number, buffer: number, length: number, _read: number, overlapped: number): number {
    this.#adapter(file).read({ buffer, length, overlapped });
    this.#error = ERROR_IO_PENDING;
    return 0;
  }

  /** Ends at once, as the driver's writes do; the completion comes all the same. */
  writeFile(file: number, buffer: number, length: number, _written: number, overlapped: number): number {
    const adapter = this.#adapter(file);
    adapter.written.push(Buffer.from(this.bytes(buffer, length)).toString('hex'));
    this.complete(adapter.key, overlapped, 0, length);
    return 1;
  }

  cancelIo(file: number): number {
    this.#adapter(file).cancel();
    return 1;
  }

  takeCompletions(_port: number, entries: number, count: number, removed: number): number {
    const taken = this.#completions.splice(0, count);
    const view = (address: number, length: number): DataView => {
      const bytes = this.bytes(address, length);
      return new DataView(bytes.buffer, bytes.byteOffset, length);
    };
    view(removed, 4).setUint32(0, taken.length, true);
    for (const [i, [key, overlapped, status, bytes]] of taken.entries()) {
      const entry = view(entries + 32 * i, 32);
      entry.setBigUint64(0, BigInt(key), true);
      entry.setBigUint64(8, BigInt(overlapped), true);
      entry.setBigUint64(16, BigInt(status), true);
      entry.setUint32(24, bytes, true);
    }
    return taken.length > 0 ? 1 : 0;
  }

  takeCompletionsAsync(
    port: number,
    entries: number,
    count: number,
    removed: number,
    timeoutMs: number,
    _alertable: number,
    done: (error: Error | null, result: number) => void,
  ): void {
    const end = (): void => {
      clearTimeout(timer);
      this.#wake = undefined;
      setImmediate(() => done(null, this.takeCompletions(port, entries, count, removed)));
    };
    const timer = setTimeout(end, timeoutMs);
    if (this.#completions.length > 0) end();
    else this.#wake = end;
  }

  #handle(): number {
    const handle = this.#nextHandle;
    this.#nextHandle += 4;
    this.open.add(handle);
    return handle;
  }

  #adapter(handle: number): FakeAdapter {
    const adapter = this.adapters.find((each) => each.handle === handle);
    if (adapter === undefined || !this.open.has(handle)) throw new Error(`${handle} is not an open adapter`);
    return adapter;
  }
}
