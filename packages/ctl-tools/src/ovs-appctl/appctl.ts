/** ovs-appctl(8): runs a command at a daemon's control socket. */
import { FatalError } from '@ovs-node/common/errors';
import { exitEarly, listOptions, parseCommandLine, type ProgramSpec } from '@ovs-node/common/getopt';
import { parseTimeout, runTool, startTimeout } from '@ovs-node/common/tool';
import { unixctlCall } from '@ovs-node/common/unixctl-client';
import { versionLine } from '@ovs-node/common/version';
import { vlogOptions } from '@ovs-node/common/vlog-options';

const NAME = 'ovs-appctl';

const help = (): string => `\
ovs-appctl, for querying and controlling Open vSwitch daemon
usage: ovs-appctl [TARGET] COMMAND [ARG...]
Targets:
  -t, --target=TARGET  pidfile or socket to contact
Common commands:
  list-commands      List commands supported by the target
  version            Print version of the target
  vlog/list          List current logging levels
  vlog/list-pattern  List logging patterns for each destination.
  vlog/set [SPEC]
      Set log levels as detailed in SPEC, which may include:
      A valid module name (all modules, by default)
      'syslog', 'console', 'file' (all destinations, by default))
      'off', 'emer', 'err', 'warn', 'info', or 'dbg' ('dbg', bydefault)
  vlog/reopen        Make the program reopen its log file
Other options:
  --timeout=SECS     wait at most SECS seconds for a response
  -h, --help         Print this helpful information
  -V, --version      Display ovs-appctl version information
`;

/** Runs the tool with the process's arguments. */
export function appctl(): Promise<void> {
  return runTool(NAME, async (args) => {
    let target: string | undefined;
    let timeout: number | undefined;
    const program: ProgramSpec = {
      name: NAME,
      options: [
        {
          name: 'target',
          short: 't',
          arg: 'required',
          apply: (value) => {
            if (target !== undefined) throw new FatalError('-t or --target may be specified only once');
            target = value!;
          },
        },
        // Once took the command; now that is an operand, and scripts that still say -e work.
        { name: 'execute', short: 'e', apply: () => {} },
        { name: 'help', short: 'h', apply: () => exitEarly(help()) },
        { name: 'option', short: 'o', apply: () => exitEarly(listOptions(program.options)) },
        { name: 'version', short: 'V', apply: () => exitEarly(`${versionLine(NAME)}\n`) },
        {
          name: 'timeout',
          short: 'T',
          arg: 'required',
          apply: (value) => void (timeout = parseTimeout(value!, 'T')),
        },
        ...vlogOptions,
      ],
    };
    const [command, ...rest] = parseCommandLine(program, args).operands;
    startTimeout(timeout);
    if (command === undefined) {
      throw new FatalError('at least one non-option argument is required (use --help for help)');
    }
    target ??= 'ovs-vswitchd';
    const reply = await unixctlCall(target, command, rest);
    if (reply.ok) {
      process.stdout.write(reply.text);
      return 0;
    }
    process.stderr.write(`${reply.text}${NAME}: ${target}: server returned an error\n`);
    return 2;
  });
}
