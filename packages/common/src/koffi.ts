/**
 * The one place that loads koffi, for calling the system directly. It is a native module, and everything but the
 * Linux port providers works without it (stream and dummy ports, Windows, macOS, platforms koffi has no binary
 * for): so it is loaded on first use, and a failure to load is a value with the reason, not an exception at start-up.
 */
import { createRequire } from 'node:module';

export type Koffi = typeof import('koffi').default;

let loaded: Koffi | undefined;
let failure: string | undefined;

/** koffi, or undefined when it cannot be loaded here (`koffiFailure()` then says why). */
export function tryKoffi(): Koffi | undefined {
  if (loaded === undefined && failure === undefined) {
    try {
      // A bundle is CommonJS, where there is no `import.meta.url`.
      const here = typeof __filename === 'string' ? __filename : import.meta.url;
      const module = createRequire(here)('koffi') as Koffi & { default?: Koffi };
      loaded = module.default ?? module;
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
