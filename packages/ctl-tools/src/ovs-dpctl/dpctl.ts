/** ovs-dpctl(8): datapaths of the datapath service, without vswitchd. */
import { findCommand } from '@ovs-node/common/command';
import { OvsError, strerror } from '@ovs-node/common/errors';
import { parseCommandLine, type ProgramSpec } from '@ovs-node/common/getopt';
import { parseTimeout, runTool, startTimeout } from '@ovs-node/common/tool';
import { vlogHelp, vlogOptions } from '@ovs-node/common/vlog-options';
import { readPlainText } from '@ovs-node/common/windows-files';
import { deviceConnectName } from '@ovs-node/netlink/device-path';
import { PipeDevice } from '@ovs-node/netlink/pipe/client';
import { DeviceProvider } from '@ovs-node/vswitchd/dpif/dpif';
import { DPCTL_COMMANDS, DPCTL_OPTIONS, dpctlOptions, runDpctl } from '@ovs-node/vswitchd/dpif/dpctl';
import type { DpctlContext } from '@ovs-node/vswitchd/dpif/dpctl-context';

const NAME = 'ovs-dpctl';

const help = (): string => `\
ovs-dpctl: Open vSwitch datapath management utility
usage: ovs-dpctl [OPTIONS] COMMAND [ARG...]
  add-dp DP [IFACE...]     add new datapath DP (with IFACEs)
  del-dp DP                delete local datapath DP
  add-if DP IFACE...       add each IFACE as a port on DP
  set-if DP IFACE...       reconfigure each IFACE within DP
  del-if DP IFACE...       delete each IFACE from DP
  dump-dps                 display names of all datapaths
  show                     show basic info on all datapaths
  show DP...               show basic info on each DP
  dump-flows [DP]          display flows in DP
  add-flow [DP] FLOW ACTIONS add FLOW with ACTIONS to DP
  add-flows [DP] FILE        add flows from FILE
  mod-flow [DP] FLOW ACTIONS change FLOW actions to ACTIONS in DP
  mod-flows [DP] FILE        change flows from FILE
  get-flow [DP] ufid:UFID    fetch flow corresponding to UFID
  del-flow [DP] FLOW         delete FLOW from DP
  del-flows [DP] [FILE]      delete all or specified flows from DP
  dump-conntrack [DP] [zone=ZONE]  display conntrack entries for ZONE
  flush-conntrack [DP] [zone=ZONE] [ct-tuple]delete matched conntrack entries in ZONE
  ct-stats-show [DP] [zone=ZONE] [verbose] CT connections grouped by protocol
Each IFACE on add-dp, add-if, and set-if may be followed by
comma-separated options.  See ovs-dpctl(8) for syntax, or the
Interface table in ovs-vswitchd.conf.db(5) for an options list.
For COMMAND dump-flows, add-flow, add-flows, mod-flow,
mod-flows, del-flow and del-flows, DP is optional if there is
only one datapath.
${vlogHelp(NAME)}
Options for show and mod-flow:
  -s,  --statistics           print statistics for port or flow

Options for dump-flows:
  -m, --more                  increase verbosity of output
  --names                     use port names in output

Options for mod-flow:
  --may-create                create flow if it doesn't exist
  --read-only                 do not run read/write commands
  --clear                     reset existing stats to zero

Other options:
  -t, --timeout=SECS          give up after SECS seconds
  -h, --help                  display this help message
  -V, --version               display version information
`;

async function run(args: string[]): Promise<number> {
  let timeout: number | undefined;
  const program: ProgramSpec = {
    name: NAME,
    help,
    order: 'permute',
    options: [
      ...DPCTL_OPTIONS,
      {
        name: 'timeout',
        short: 't',
        arg: 'required',
        apply: (value) => void (timeout = parseTimeout(value!)),
      },
      ...vlogOptions,
    ],
  };
  const { options, operands } = parseCommandLine(program, args);
  startTimeout(timeout);
  const { spec, args: rest } = findCommand(DPCTL_COMMANDS, operands);
  // One connection, made when a command first needs it.
  let system: Promise<DeviceProvider> | undefined;
  const connect = async (): Promise<DeviceProvider> => {
    const provider = new DeviceProvider({ type: 'system', device: new PipeDevice(deviceConnectName()) });
    await provider.connect();
    return provider;
  };
  const context: DpctlContext = {
    program: NAME,
    inDaemon: false,
    options: dpctlOptions(options.map((option) => option.name)),
    types: ['system'],
    provider(type) {
      if (type === 'system') return (system ??= connect());
      // Datapaths inside vswitchd are reached by ovs-appctl.
      const code = type === 'netdev' ? 'ENODEV' : 'EAFNOSUPPORT';
      return Promise.reject(new OvsError(strerror(code), code));
    },
    print: (text) => void process.stdout.write(text),
    fail: (message) => void process.stderr.write(`${NAME}: ${message}\n`),
    readStdin: () => readPlainText(0),
  };
  const ok = await runDpctl(context, spec, rest);
  (await system?.catch(() => undefined))?.close();
  return ok ? 0 : 1;
}

/** Runs the tool with the process's arguments. */
export function dpctl(): Promise<void> {
  return runTool(NAME, run, { lostOutput: 'told' });
}
