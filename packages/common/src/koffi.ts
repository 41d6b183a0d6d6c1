/**
 * The one place that loads koffi, for calling the system directly. It is a native module, and everything but the
 * Linux port providers works without it (stream and dummy ports, Windows, macOS, platforms koffi has no binary
 * for): so it is loaded on first use, and a failure to load is a value with the reason, not an exception at start-up.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { dirs } from './dirs.js';
import { standalone, type Sea } from './program.js';

export type Koffi = typeof import('koffi').default;

let loaded: Koffi | undefined;
let failure: string | undefined;

/** koffi, or undefined when it cannot be loaded here (`koffiFailure()` then says why). */
export function tryKoffi(): Koffi | undefined {
  if (loaded === undefined && failure === undefined) {
    try {
      const executable = standalone();
      loaded = executable === null ? installed() : packed(executable);
    } catch (error) {
      failure = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error);
    }
  }
  return loaded;
}

/** Why koffi is not there: one line, empty when it is. */
export function koffiFailure(): string {
  tryKoffi();
  return failure ?? '';
}

function installed(): Koffi {
  // A bundle is CommonJS, where there is no `import.meta.url`.
  const here = typeof __filename === 'string' ? __filename : import.meta.url;
  const module = process.getBuiltinModule('node:module').createRequire(here)('koffi') as Koffi & {
    default?: Koffi;
  };
  return module.default ?? module;
}

/** What folders of unpacked binaries begin with. */
const UNPACKED = 'ovs-koffi-';
/** One that is older than this has been loaded. */
const STALE_MS = 60_000;

/**
 * koffi's binary out of a standalone executable. The system loads code from files only: it goes to a new folder that
 * nobody else can write to, and the folder goes when the code is loaded, or, on Windows, which keeps files that are
 * in use, when a later process finds it. Tried in the run directory too, because temporary files may be `noexec`.
 */
function packed(sea: Sea): Koffi {
  const binary = Buffer.from(sea.getRawAsset('koffi.node'));
  let failure: unknown;
  for (const place of [os.tmpdir(), dirs.rundir]) {
    let dir: string | undefined;
    try {
      if (process.platform === 'win32') removeStale(place);
      dir = fs.mkdtempSync(path.join(place, UNPACKED));
      const file = path.join(dir, 'koffi.node');
      fs.writeFileSync(file, binary, { flag: 'wx', mode: 0o500 });
      const module = { exports: {} };
      process.dlopen(module, file);
      return module.exports as Koffi;
    } catch (error) {
      failure ??= error;
    } finally {
      if (dir !== undefined) tryRemove(dir);
    }
  }
  throw failure;
}

function removeStale(place: string): void {
  for (const name of fs.readdirSync(place)) {
    const dir = path.join(place, name);
    if (name.startsWith(UNPACKED) && Date.now() - fs.statSync(dir).mtimeMs > STALE_MS) tryRemove(dir);
  }
}

function tryRemove(dir: string): void {
  try {
    fs.rmSync(dir, { recursive: true, force: true });
  } catch {
    // In use.
  }
}
