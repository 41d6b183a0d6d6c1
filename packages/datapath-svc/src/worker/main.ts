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
const post = (message: FromWorker): void => port.postMessage(message);
const handles = new Map<number, Handle>();

const thread = new DatapathThread({
  now: hostMonotonicMs,
  wall: () => Date.now(),
  log: (level, text) => post({ t: 'log', level, text }),
  dummy: (workerData as WorkerData).dummy,
  mayBlock: true,
  onWake: drain,
});

/** While the thread blocks, no 'message' events come; what is queued is fetched. */
function drain(): void {
  for (;;) {
    const received = receiveMessageOnPort(port) as { message: ToWorker } | undefined;
    if (received === undefined) return;
    handle(received.message);
  }
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
      void thread.stop().then(() => port.close());
  }
}

port.on('message', handle);
post({ t: 'ready', wakeFd: thread.loop.wakeFd });
thread.start();
