/** What every daemon tells of itself: coverage counters and memory, by command and in the log. */
import { coverage, SAMPLE_MS } from './coverage.js';
import { MEMORY_CHECK_MS, MemoryWatch, memoryUsage } from './memory.js';
import type { UnixctlServer } from './unixctl.js';
import { vlog } from './vlog.js';

const log = vlog('memory');

/**
 * Registers coverage/show, coverage/read-counter and memory/show, and starts what they need. For the process's life.
 *
 * @param hasMemory whether memory is told of.
 */
export function startSelfReports(unixctl: UnixctlServer, hasMemory: boolean): void {
  unixctl.register('coverage/show', '', 0, 0, () => coverage.show());
  unixctl.register('coverage/read-counter', 'COUNTER', 1, 1, ([name]) => coverage.read(name!));
  coverage.sample(performance.now());
  setInterval(() => coverage.sample(performance.now()), SAMPLE_MS).unref();
  if (!hasMemory) return;
  unixctl.register('memory/show', '', 0, 0, () => memoryUsage());
  const watch = new MemoryWatch();
  setInterval(() => {
    const line = watch.check(performance.now(), process.resourceUsage().maxRSS);
    if (line === null) return;
    log.info(line);
    // By its command: a program may have one of its own.
    void unixctl.run('memory/show', []).then((usage) => {
      if (usage.trim() !== '') log.info(usage.trim());
    });
  }, MEMORY_CHECK_MS).unref();
}
