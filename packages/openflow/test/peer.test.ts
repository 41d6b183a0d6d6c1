/** The peer's ovs-ofctl asks a switch of ours in every version; what it prints is what this library prints. */
import test from 'ava';
import { connectStream } from '@ovs-node/common/stream';
import { peerPath, needing, run, tmpDir } from '@ovs-node/common/testkit/index';
import { OFPP } from '@ovs-node/flow/ports';
import { OfConnection } from '../src/connection.js';
import type { MultipartRequest, OfMessage } from '../src/messages/types.js';
import { printMessage } from '../src/text/message.js';
import { VERSIONS } from '../src/version.js';
import { startMiniSwitch } from './mini-switch.js';

const REQUESTS: readonly (readonly [command: string, request: MultipartRequest])[] = [
  ['dump-desc', { type: 'desc' }],
  ['dump-tables', { type: 'table' }],
  ['dump-ports', { type: 'port', portNo: OFPP.ANY }],
  ['dump-ports-desc', { type: 'port_desc', portNo: OFPP.ANY }],
];

/** What this library prints for the replies to a request. */
async function ask(socket: string, version: number, msg: OfMessage): Promise<string> {
  const stream = await connectStream(`unix:${socket}`);
  let out = '';
  await new Promise<void>((resolve, reject) => {
    const c: OfConnection = new OfConnection(
      stream,
      { versions: 1 << version },
      {
        onReady: () => {
          c.request(msg, (_decoded, bytes) => {
            out += printMessage(bytes, { verbosity: 1 });
          }).then(resolve, reject);
        },
        onClose: () => undefined,
      },
    );
  });
  stream.destroy();
  return out;
}

const anonymous = (text: string): string => text.replace(/xid=0x[0-9a-f]+/g, 'xid');

for (const { version, name } of VERSIONS) {
  if (version > 5) continue;
  needing(test, 'peer')(`the peer's ovs-ofctl reads the replies of a switch of ours, ${name}`, async (t) => {
    const dir = tmpDir(t);
    const socket = `${dir}/sw.mgmt`;
    const mini = await startMiniSwitch(`punix:${socket}`, 1 << version);
    t.teardown(() => mini.close());
    for (const [command, request] of REQUESTS) {
      // What a table can do is in its statistics in these two versions only, and not printed yet.
      if (command === 'dump-tables' && (version === 2 || version === 3)) continue;
      const { stdout, stderr, status } = await run(peerPath('ovs-ofctl')!, ['-O', name, command, socket]);
      t.is(status, 0, stderr);
      const ours = await ask(socket, version, { type: 'multipart_request', request, more: false });
      t.is(anonymous(ours), anonymous(stdout), command);
    }
    const flow = 'table=third,tcp,tp_dst=80,priority=7,actions=mod_tp_dst:81,output:1';
    const added = await run(peerPath('ovs-ofctl')!, ['-O', name, 'add-flow', socket, flow]);
    t.is(added.status, 0, added.stderr);
    t.is(mini.flowMods.length, 1);
    t.is(mini.flowMods[0].tableId, 3);
    t.is(mini.flowMods[0].priority, 7);
  });
}

needing(test, 'peer')("the peer's ovs-ofctl reads a flow table of many pages", async (t) => {
  const dir = tmpDir(t);
  const mini = await startMiniSwitch(`punix:${dir}/sw.mgmt`, 1 << 4, true);
  t.teardown(() => mini.close());
  const { stdout } = await run(peerPath('ovs-ofctl')!, ['-O', 'OpenFlow13', 'dump-flows', `${dir}/sw.mgmt`]);
  t.is(stdout.match(/actions=output:1/g)?.length, 3000);
  t.regex(stdout, /flags=\[more\]/);
});
