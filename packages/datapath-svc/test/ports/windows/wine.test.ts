/**
 * The real Windows API, with a named pipe of message type in place of an adapter, whose driver is not to be had here:
 * overlapped reads and writes, the completion port and the registry are Windows' own. Runs on Windows and under Wine.
 */
import test, { type Implementation } from 'ava';
import { tryKoffi } from '@ovs-node/common/koffi';
import { VportType } from '@ovs-node/netlink/families';
import { addressOf, Memory } from '../../../src/sys/memory.js';
import { CompletionPort } from '../../../src/sys/windows/completion-port.js';
import { MessageFile, type MessageSink } from '../../../src/sys/windows/message-file.js';
import { WindowsRegistry } from '../../../src/sys/windows/registry.js';
import { FILE_FLAG_OVERLAPPED, tryWin32, type Win32 } from '../../../src/sys/windows/win32.js';
import { TapControl } from '../../../src/ports/windows/tap-control.js';
import { conforms } from '../conformance.js';
import { hex } from '../frames.js';
import { Rig } from '../rig.js';

const onWindows = (title: string, run: Implementation<[]>): void =>
  process.platform === 'win32'
    ? test(title, run)
    : test.skip(`${title} (needs Windows or npm run test:wine)`, run);

const PIPE_ACCESS_DUPLEX = 3;
const PIPE_TYPE_MESSAGE = 4;
const PIPE_READMODE_MESSAGE = 2;

/** The far end of the pipe: a message a frame. */
class Far implements MessageSink {
  readonly headroom = 0;
  readonly frames: string[] = [];

  onMessages(memory: Uint8Array, starts: Uint32Array, ends: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) this.frames.push(hex(memory.subarray(starts[i], ends[i])));
  }
  onWriteError(): void {}
  onLost(): void {}
}

function serverEnd(path: string): number {
  const create = tryKoffi()!
    .load('kernel32.dll')
    .func('CreateNamedPipeW', 'int64_t', [
      'str16',
      'uint32_t',
      'uint32_t',
      'uint32_t',
      'uint32_t',
      'uint32_t',
      'uint32_t',
      'size_t',
    ]);
  const size = 1 << 20;
  const mode = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED;
  return Number(create(path, mode, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, size, size, 0, 0));
}

/** The API, but that a pipe is opened to be read by messages, and answers what only an adapter does. */
function answering(api: Win32, memoryAt: (address: number, length: number) => Uint8Array): Win32 {
  const setMode = tryKoffi()!
    .load('kernel32.dll')
    .func('SetNamedPipeHandleState', 'int', ['int64_t', 'uint32_t *', 'size_t', 'size_t']);
  return {
    ...api,
    createFile: (...args) => {
      const handle = api.createFile(...args);
      setMode(handle, Uint32Array.of(PIPE_READMODE_MESSAGE), 0, 0);
      return handle;
    },
    deviceIoControl: (_device, code, _input, _length, output, outputLength, returned) => {
      const data = memoryAt(output, outputLength);
      if (code === TapControl.GET_MAC) data.set([2, 0, 0, 0, 0, 1]);
      if (code === TapControl.GET_MTU) new DataView(data.buffer, data.byteOffset).setUint32(0, 1500, true);
      memoryAt(returned, 1)[0] = outputLength;
      return 1;
    },
  };
}

onWindows(
  'a port whose adapter is a pipe conforms, over overlapped operations and a completion port',
  async (t) => {
    const real = tryWin32()!;
    const path = `\\\\.\\pipe\\ovs-tap-test-${process.pid}`;
    const handle = serverEnd(path);
    t.not(handle, -1);
    const memoryAt = (address: number, length: number): Uint8Array =>
      new Uint8Array(real.view(address, length));
    const api = answering(real, memoryAt);
    const completions = CompletionPort.create(api)!;
    const rig = new Rig('pipe', VportType.TAP, {}, { api, completions, pathOf: () => path });
    const far = new Far();
    const file = MessageFile.open(real, completions, handle, 2000, far)!;
    await conforms(
      t,
      {
        rig,
        send: (frames) => {
          for (const frame of frames) t.true(file.write(frame, 0, frame.length));
        },
        receive: async (count) => {
          await rig.until(() => far.frames.length >= count, `${count} frames at the far end`);
          return far.frames.splice(0);
        },
        close: () => file.close(),
      },
      1514,
    );
    completions.close();
  },
);

onWindows('the registry is read', (t) => {
  const registry = new WindowsRegistry(tryWin32()!);
  t.true(registry.subkeys('SOFTWARE').includes('Microsoft'));
  t.is(typeof registry.text('SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion', 'CurrentVersion'), 'string');
  t.is(registry.text('SOFTWARE\\Microsoft', 'no such value'), undefined);
  t.deepEqual(registry.subkeys('SOFTWARE\\No such key'), []);
});

test('memory that has an address is known by it', (t) => {
  const memory = new Memory(0x7000_0000_0000, new ArrayBuffer(64));
  t.is(addressOf(memory.bytes.subarray(10)), 0x7000_0000_000a);
  t.is(addressOf(new Uint8Array(4)), -1);
});
