/**
 * Linux capabilities (capabilities(7)): what a daemon keeps of root's rights when it becomes another user.
 *
 * They belong to threads. Those of the calling thread are set; threads and processes that it starts from then on have
 * the same. Threads that Node started before keep none after setuid(2), and need none: they read and write files.
 */
import { strerror } from './errors.js';
import { tryKoffi } from './koffi.js';

/** Numbers of linux/capability.h. */
export const CAPABILITY = {
  netBindService: 10,
  netBroadcast: 11,
  netAdmin: 12,
  netRaw: 13,
  ipcLock: 14,
} as const;

const PR_SET_KEEPCAPS = 8;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
/** _LINUX_CAPABILITY_VERSION_3: two words of each set. */
const VERSION_3 = 0x20080522;
const MAX_CAPABILITY = 63;

interface Calls {
  readonly prctl: (option: number, a: number, b: number, c: number, d: number) => number;
  readonly capset: (header: Uint8Array, data: Uint8Array) => number;
}

let calls: Calls | undefined;

function system(): Calls {
  if (calls !== undefined) return calls;
  const library = tryKoffi()?.load(null);
  if (library === undefined) throw new Error(strerror('ENOSYS'));
  const prctl = library.func(
    'int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)',
  ) as unknown as Calls['prctl'];
  const capset = library.func('int capset(uint8_t *, uint8_t *)') as unknown as Calls['capset'];
  calls = { prctl, capset };
  return calls;
}

/** Lets this thread keep its permitted capabilities over the setuid(2) that follows. */
export function keepOverSetuid(): void {
  system().prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

/** Takes from this thread, and all it starts, the right to gain capabilities by running a program, but for these. */
export function dropBounding(except: readonly number[]): void {
  for (let each = 0; each <= MAX_CAPABILITY; each++) {
    if (except.includes(each)) continue;
    if (system().prctl(PR_CAPBSET_DROP, each, 0, 0, 0) !== 0) return;
  }
}

/**
 * Reduces this thread to these capabilities.
 *
 * @param inherited whether programs that it runs get them too; its bounding set must have them then.
 * @returns false where the system refuses.
 */
export function setCapabilities(numbers: readonly number[], inherited: boolean): boolean {
  const { prctl, capset } = system();
  // All that we keep have numbers below 32.
  const bits = numbers.reduce((mask, each) => mask | (1 << each), 0) >>> 0;
  const header = new DataView(new ArrayBuffer(8));
  header.setUint32(0, VERSION_3, true);
  const data = new DataView(new ArrayBuffer(24));
  data.setUint32(0, bits, true);
  data.setUint32(4, bits, true);
  data.setUint32(8, inherited ? bits : 0, true);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (capset(new Uint8Array(header.buffer), new Uint8Array(data.buffer)) !== 0) return false;
  if (inherited) for (const each of numbers) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, each, 0, 0);
  return true;
}
