/**
 * What is asked of and told to a TAP-Windows6 adapter by DeviceIoControl. Control codes are
 * `CTL_CODE(FILE_DEVICE_UNKNOWN, n, METHOD_BUFFERED, FILE_ANY_ACCESS)` (the driver's tap-windows.h).
 */

import { acquireMemory, releaseMemory } from '../../sys/memory.js';
import { ERROR_IO_PENDING, type Win32 } from '../../sys/windows/win32.js';

const FILE_DEVICE_UNKNOWN = 0x22;
const control = (request: number): number => (FILE_DEVICE_UNKNOWN << 16) | (request << 2);
export const TapControl = {
  GET_MAC: control(1),
  GET_MTU: control(3),
  SET_MEDIA_STATUS: control(6),
} as const;

/** Places in the memory of one request: OVERLAPPED (its event at 24), bytes returned, data. */
const EVENT = 24;
const RETURNED = 32;
const DATA = 40;
const MIN_MTU = 576;
const MAX_MTU = 65_535;

export interface TapDevice {
  /** 6 bytes. */
  readonly mac: Uint8Array;
  readonly mtu: number;
}

/**
 * Reads address and MTU of the adapter that `handle` (opened for overlapped use, not yet at a completion port) stands
 * for, and connects its medium. Undefined when it does not answer as such an adapter does.
 */
export function askTap(api: Win32, handle: number): TapDevice | undefined {
  const memory = acquireMemory(api, 64);
  if (memory === undefined) return undefined;
  const event = api.createEvent(0, 1, 0, null);
  const { address, bytes, words } = memory;
  const ask = (code: number, length: number): boolean => {
    bytes.fill(0, 0, RETURNED + 8);
    memory.putPointer(EVENT, event);
    const data = address + DATA;
    const at = address + RETURNED;
    const done =
      api.deviceIoControl(handle, code, data, length, data, length, at, address) !== 0 ||
      (api.lastError() === ERROR_IO_PENDING && api.getOverlappedResult(handle, address, at, 1) !== 0);
    return done && words[RETURNED >>> 2] === length;
  };
  try {
    if (!ask(TapControl.GET_MAC, 6)) return undefined;
    const mac = bytes.slice(DATA, DATA + 6);
    if (!ask(TapControl.GET_MTU, 4)) return undefined;
    const mtu = words[DATA >>> 2]!;
    if (mtu < MIN_MTU || mtu > MAX_MTU) return undefined;
    words[DATA >>> 2] = 1;
    return ask(TapControl.SET_MEDIA_STATUS, 4) ? { mac, mtu } : undefined;
  } finally {
    api.closeHandle(event);
    releaseMemory(memory);
  }
}
