/** What ports on Windows adapters stand on: made once per thread. */

import { CompletionPort } from '../../sys/windows/completion-port.js';
import { WindowsRegistry } from '../../sys/windows/registry.js';
import { tryWin32, type Win32 } from '../../sys/windows/win32.js';
import { findTapAdapter } from './adapters.js';

export interface WindowsHost {
  readonly api: Win32;
  readonly completions: CompletionPort;
  /** The path by which the adapter called `name` is opened; undefined when there is none. */
  readonly pathOf: (name: string) => string | undefined;
}

/** That of this machine; undefined when it is not Windows or its API cannot be called. */
export function tryWindowsHost(): WindowsHost | undefined {
  const api = tryWin32();
  const completions = api && CompletionPort.create(api);
  if (completions === undefined) return undefined;
  const registry = new WindowsRegistry(api!);
  return {
    api: api!,
    completions,
    pathOf: (name) => {
      const adapter = findTapAdapter(registry, name);
      return adapter && `\\\\.\\Global\\${adapter.guid}.tap`;
    },
  };
}
