/**
 * The worker's entry: the datapath's thread, driven by messages of the main thread (protocol.ts).
 */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { hostMonotonicMs } from '@ovs-node/netlink/monotonic';
import type { Handle } from '../core/handle.js';
import { runThreadCommand } from './commands.js';
import type { FromWorker, ToWorker, WorkerData } from './protocol.js';
import { DatapathThread } from './thread.js';

const port = parentPort!;
const outbox: FromWorker[] = [];
let scheduled = false;
const handles = new Map<number, Handle>();

const thread = new DatapathThread({
  now: hostMonotonicMs,
  wall: () => Date.now(),
  log: (level, text, module) => post({ t: 'log', level, text, ...(module === undefined ? {} : { module }) }),
  dummy: (workerData as WorkerData).dummy,
  mayBlock: true,
  onWake: drain,
});
thread.loop.afterBatch = flush;

/** Queue `message` for the main thread; it goes with the next `flush`, at the latest after this turn. */
function post(message: FromWorker): void {
  outbox.push(message);
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    flush();
  });
}

/** Send what is queued, in one message: each wakes the main thread, which on a busy machine takes this one's core. */
function flush(): void {
  if (outbox.length > 0) port.postMessage(outbox.splice(0));
}

/** While the thread blocks, no 'message' events come; what is queued is fetched. */
function drain(): void {
  for (;;) {
    const received = receiveMessageOnPort(port) as { message: ToWorker[] } | undefined;
    if (received === undefined) break;
    received.message.forEach(handle);
  }
  flush();
}

function handle(message: ToWorker): void {
  switch (message.t) {
    case 'open': {
      const id = message.handle;
      const opened = thread.core.openHandle({
        complete: (tag, errno, reply) => post({ t: 'complete', handle: id, tag, errno, reply }),
      });
      handles.set(id, opened);
      post({ t: 'opened', handle: id, pid: opened.pid });
      return;
    }
    case 'op':
      handles.get(message.handle)?.op(message.op, message.tag, message.request, thread.loop.now());
      return;
    case 'close':
      handles.get(message.handle)?.close();
      handles.delete(message.handle);
      return;
    case 'command':
      try {
        const text = runThreadCommand(thread, message.name, message.args);
        post({ t: 'reply', id: message.id, ok: true, text });
      } catch (error) {
        post({
          t: 'reply',
          id: message.id,
          ok: false,
          text: error instanceof Error ? error.message : String(error),
        });
      }
      return;
    case 'stop':
      void thread.stop().then(() => {
        flush();
        port.close();
      });
  }
}

port.on('message', (messages: ToWorker[]) => {
  messages.forEach(handle);
  flush();
});
post({ t: 'ready', wakeFd: thread.loop.wakeFd });
flush();
thread.start();
