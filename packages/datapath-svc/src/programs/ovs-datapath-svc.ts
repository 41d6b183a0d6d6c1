/**
 * ovs-datapath-svc: the datapath as a process of its own. The main thread serves the pseudo device (netlink messages
 * over a Unix socket or named pipe) and the control socket; a worker thread runs the datapath.
 */

import { runDaemon } from '@ovs-node/common/daemon';
import { daemonHelp } from '@ovs-node/common/daemon-options';
import { FatalError, errorMessage } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { vlogHelp } from '@ovs-node/common/vlog-options';
import { deviceListenName, devicePath } from '@ovs-node/netlink/device-path';
import { serveDevice } from '@ovs-node/netlink/pipe/server';
import { createInProcessDatapath } from '../worker/in-process.js';

const NAME = 'ovs-datapath-svc';
const log = vlog('datapath_svc');

function help(): string {
  return `${NAME}: Open vSwitch datapath service
usage: ${NAME} [OPTIONS]

Device options:
  --device=punix:FILE     where the pseudo device is served
                          (default: punix:${devicePath()})
${daemonHelp(NAME)}${vlogHelp(NAME)}
Other options:
  --unixctl=SOCKET          override default control socket name
  -h, --help                display this help message
  -V, --version             display version information
`;
}

// It handles its own failures.
void runDaemon({
  name: NAME,
  usesNetwork: true,
  options: [{ name: 'device', arg: 'required' }],
  help,
  check: ({ operands }) => {
    if (operands.length > 0) throw new FatalError('no non-option arguments accepted; use --help for usage');
  },
  async start({ commandLine, unixctl }) {
    const device = commandLine.options.findLast((option) => option.name === 'device')?.value;
    if (device !== undefined && /^(p?tcp|p?ssl):/.test(device)) {
      throw new FatalError(`${device}: the pseudo device is served at a Unix socket or named pipe only`);
    }
    const datapath = createInProcessDatapath({ worker: true, dummy: false });
    try {
      // The first handle proves that the thread runs; nobody uses it.
      (await datapath.open()).close();
    } catch (error) {
      throw new FatalError(`could not start the datapath thread (${errorMessage(error)})`);
    }
    for (const { name, usage, min, max } of datapath.commands) {
      unixctl.register(name, usage, min, max, (args) => datapath.command(name, args));
    }
    const listenAt = deviceListenName(device);
    try {
      const server = await serveDevice(datapath, listenAt, {
        onBadClient: (reason) => log.warn(`device: ${reason}`),
      });
      unixctl.register('device/show', '', 0, 0, () => `${listenAt}: ${server.connections} open handles`);
      log.info(`pseudo device at ${listenAt}`);
      return {
        async stop() {
          await server.close();
          await datapath.close();
        },
      };
    } catch (error) {
      await datapath.close();
      throw new FatalError(`${listenAt}: could not serve the pseudo device (${errorMessage(error)})`);
    }
  },
});
