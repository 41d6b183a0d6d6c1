/**
 * Messages between the main thread and the datapath's worker (`postMessage`, structured clone), several at a time:
 * what is posted is an array of them. Netlink bytes are copied on the way; handles are numbers that the main thread
 * chose.
 *
 * To the worker, a message is followed by a write to the loop's wake-up descriptor, whose number the worker's first
 * message tells: the worker may be blocked in `poll`, where no message reaches it.
 */

import type { LogLevel } from '../ports/provider.js';

/** What the worker is started with. */
export interface WorkerData {
  readonly dummy: boolean;
}

export type ToWorker =
  | { readonly t: 'open'; readonly handle: number }
  | {
      readonly t: 'op';
      readonly handle: number;
      readonly tag: number;
      readonly op: number;
      readonly request: Uint8Array;
    }
  | { readonly t: 'close'; readonly handle: number }
  | { readonly t: 'command'; readonly id: number; readonly name: string; readonly args: readonly string[] }
  | { readonly t: 'stop' };

export type FromWorker =
  | { readonly t: 'ready'; readonly wakeFd: number }
  | { readonly t: 'opened'; readonly handle: number; readonly pid: number }
  | {
      readonly t: 'complete';
      readonly handle: number;
      readonly tag: number;
      readonly errno: number;
      readonly reply: Uint8Array;
    }
  | { readonly t: 'reply'; readonly id: number; readonly ok: boolean; readonly text: string }
  | { readonly t: 'log'; readonly level: LogLevel; readonly text: string; readonly module?: string };
