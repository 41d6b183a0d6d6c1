/** The ovs-vswitchd program: options, datapath types of this process, control commands. */
import { runDaemon } from '@ovs-node/common/daemon';
import { daemonHelp } from '@ovs-node/common/daemon-options';
import { defaultDbRemote, dirs } from '@ovs-node/common/dirs';
import { FatalError } from '@ovs-node/common/errors';
import type { CommandLine } from '@ovs-node/common/getopt';
import { sslOptions, streamHelp } from '@ovs-node/common/stream-options';
import type { UnixctlServer } from '@ovs-node/common/unixctl';
import { vlog } from '@ovs-node/common/vlog';
import { vlogHelp } from '@ovs-node/common/vlog-options';
import { WarpClock, registerTimeCommands } from '@ovs-node/common/warp-clock';
import { type InProcessDatapath, createInProcessDatapath } from '@ovs-node/datapath-svc/worker/in-process';
import type { Device } from '@ovs-node/netlink/device';
import { PipeDevice } from '@ovs-node/netlink/pipe/client';
import { readDebugActions } from '@ovs-node/openflow/actions/control';
import { registerCommands } from './commands.js';
import { DeviceProvider } from './dpif/dpif.js';
import { Vswitchd } from './vswitchd.js';

const NAME = 'ovs-vswitchd';

const INTERFACE_TYPES = ['internal', 'patch', 'stream', 'system', 'tap'];

/**
 * Start scripts ask for it. V8 gives pages of its heap back by madvise(2), takes a failure of that for corrupt memory,
 * and ends the process; and for locked pages it fails.
 */
const NO_MLOCKALL = '--mlockall has no effect: the JavaScript engine cannot work in locked memory';

function help(): string {
  return `${NAME}: Open vSwitch daemon
usage: ${NAME} [OPTIONS] [DATABASE]
where DATABASE is a socket on which ovsdb-server is listening
      (default: "${defaultDbRemote()}").

${streamHelp('DATABASE', { active: true, bootstrap: true, ssl: true })}${daemonHelp(NAME)}${vlogHelp(NAME)}
Other options:
  --unixctl=SOCKET          override default control socket name
  --enable-dummy            enable dummy datapaths and devices, for testing
  --disable-system          do not use ovs-datapath-svc
  -h, --help                display this help message
  -V, --version             display version information
`;
}

/** Runs the program. */
export function vswitchd(): Promise<void> {
  return runDaemon({
    name: NAME,
    options: [
      { name: 'enable-dummy', arg: 'optional' },
      { name: 'disable-system' },
      { name: 'mlockall' },
      ...sslOptions,
    ],
    help,
    logModule: 'vswitchd',
    usesNetwork: true,
    check: ({ operands }) => {
      if (operands.length > 1)
        throw new FatalError('at most one non-option argument accepted; use --help for usage');
    },
    start: ({ commandLine, unixctl, exit }) => serve(commandLine, unixctl, exit),
  });
}

async function serve(
  commandLine: CommandLine,
  unixctl: UnixctlServer,
  exit: () => void,
): Promise<{ stop: () => Promise<void> }> {
  const has = (name: string): boolean => commandLine.options.some((option) => option.name === name);
  if (has('mlockall')) vlog('vswitchd').info(NO_MLOCKALL);
  const clock = new WarpClock();
  const local = new LocalDatapaths(clock, unixctl, has('enable-dummy'));
  const types = [
    'netdev',
    ...(has('disable-system') ? [] : ['system']),
    ...(has('enable-dummy') ? ['dummy'] : []),
  ];
  const daemon = new Vswitchd({
    remote: commandLine.operands[0] ?? defaultDbRemote(),
    clock,
    rundir: dirs.rundir,
    datapathTypes: types,
    interfaceTypes: [...INTERFACE_TYPES, ...(has('enable-dummy') ? ['dummy'] : [])],
    provider: (type) => {
      if (!types.includes(type)) return undefined;
      const device: Device = type === 'system' ? new PipeDevice() : local.device(type);
      return new DeviceProvider({
        type,
        device,
        clock,
        ...(type === 'dummy' ? { usedNow: () => clock.now() } : {}),
      });
    },
  });
  if (has('enable-dummy')) {
    registerTimeCommands(unixctl, clock);
    readDebugActions();
  }
  registerCommands(unixctl, daemon, exit);
  await daemon.start();
  return {
    stop: async () => {
      await daemon.stop();
      await local.close();
    },
  };
}

/** Datapaths in this process, made when the first bridge asks for their type. */
class LocalDatapaths {
  readonly #clock: WarpClock;
  readonly #made = new Map<string, InProcessDatapath>();

  constructor(clock: WarpClock, unixctl: UnixctlServer, dummies: boolean) {
    this.#clock = clock;
    if (dummies) this.#registerDummyCommands(unixctl);
  }

  device(type: string): InProcessDatapath {
    let device = this.#made.get(type);
    if (device === undefined) {
      device = createInProcessDatapath({ worker: type !== 'dummy', clock: this.#clock });
      this.#made.set(type, device);
    }
    return device;
  }

  /** `netdev-dummy/receive` and its like go to the dummy datapath's thread. */
  #registerDummyCommands(unixctl: UnixctlServer): void {
    const { commands } = this.device('dummy');
    for (const { name, usage, min, max } of commands) {
      if (!name.startsWith('netdev-dummy/')) continue;
      unixctl.register(name, usage, min, max, (args) => this.device('dummy').command(name, args));
    }
  }

  async close(): Promise<void> {
    for (const device of this.#made.values()) await device.close();
  }
}
