/** Reading the registry: names of subkeys, and values that are text. */

import type { Win32 } from './win32.js';

/** What of the registry below HKEY_LOCAL_MACHINE its readers need; a test gives its own. */
export interface Registry {
  /** The names of the keys below `path`; none when there is no such key. */
  subkeys(path: string): string[];
  /** A value of type REG_SZ; undefined when there is none. */
  text(path: string, value: string): string | undefined;
}

const HKEY_LOCAL_MACHINE = 0x80000002;
const KEY_READ = 0x20019;
const RRF_RT_REG_SZ = 2;
/** Names of keys have at most 255 characters, and so have the values that are read here. */
const MAX_CHARACTERS = 256;
/** More keys than any machine has adapters. */
const MAX_SUBKEYS = 10_000;

export class WindowsRegistry implements Registry {
  readonly #api: Win32;

  constructor(api: Win32) {
    this.#api = api;
  }

  subkeys(path: string): string[] {
    const names: string[] = [];
    this.#with(path, (key) => {
      for (let index = 0; index < MAX_SUBKEYS; index++) {
        const name = new Uint8Array(2 * MAX_CHARACTERS);
        const length = Uint32Array.of(MAX_CHARACTERS);
        if (this.#api.enumKey(key, index, name, length, 0, 0, 0, 0) !== 0) return;
        names.push(Buffer.from(name.buffer).toString('utf16le', 0, 2 * length[0]!));
      }
    });
    return names;
  }

  text(path: string, value: string): string | undefined {
    let text: string | undefined;
    this.#with(path, (key) => {
      const data = new Uint8Array(2 * MAX_CHARACTERS);
      const length = Uint32Array.of(data.length);
      if (this.#api.getValue(key, null, value, RRF_RT_REG_SZ, 0, data, length) !== 0) return;
      text = Buffer.from(data.buffer).toString('utf16le', 0, length[0]).replace(/\0.*$/s, '');
    });
    return text;
  }

  #with(path: string, use: (key: number) => void): void {
    const key = new BigInt64Array(1);
    if (this.#api.openKey(HKEY_LOCAL_MACHINE, path, 0, KEY_READ, key) !== 0) return;
    try {
      use(Number(key[0]));
    } finally {
      this.#api.closeKey(Number(key[0]));
    }
  }
}
