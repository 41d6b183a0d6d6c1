/**
 * A virtual NIC that sends back what it gets, addresses swapped; run by Windows' Node.js on a named pipe:
 * `node echo-nic.js PATH`. It ends with its port.
 */
import { StreamHost } from './stream-host.js';

const host = await StreamHost.open(`unix:${process.argv[2]!}`);
host.onClose(() => process.exit(0));
for (;;) {
  const frame = await host.receive(600_000);
  if (frame === undefined) break;
  const answer = Uint8Array.from(frame);
  answer.set(frame.subarray(6, 12), 0);
  answer.set(frame.subarray(0, 6), 6);
  host.send(answer);
}
