/** The option group every program has for logging. */
import type { OptionSpec } from './getopt.js';
import { FatalError } from './errors.js';
import { openLogFile, setSyslogMethod, setSyslogTarget } from './vlog.js';
import { applyVerbose } from './vlog-spec.js';
import { defaultLogFile } from './dirs.js';

/** -v, --verbose, --log-file, --syslog-method, --syslog-target, --no-syslog's absence: as ovs-vswitchd(8) "Logging Options". */
export const vlogOptions = [
  {
    name: 'verbose',
    short: 'v',
    arg: 'optional',
    apply: (value) => {
      const error = applyVerbose(value);
      if (error !== null) throw new FatalError(`processing "${value ?? ''}": ${error}`);
    },
  },
  {
    name: 'log-file',
    arg: 'optional',
    apply: (value, program) => {
      const isOpen = openLogFile(value ?? defaultLogFile(program));
      // Who names no file gets along without one.
      if (!isOpen && value !== undefined) throw new FatalError('');
    },
  },
  { name: 'syslog-method', arg: 'required', apply: (value) => setSyslogMethod(value ?? '') },
  { name: 'syslog-target', arg: 'required', apply: (value) => setSyslogTarget(value ?? '') },
] as const satisfies readonly OptionSpec[];

/** The "Logging options:" part of a program's --help. */
export function vlogHelp(program: string): string {
  return `
Logging options:
  -vSPEC, --verbose=SPEC   set logging levels
  -v, --verbose            set maximum verbosity level
  --log-file[=FILE]        enable logging to specified FILE
                           (default: ${defaultLogFile(program)})
  --syslog-method=(libc|unix:file|udp:ip:port)
                           specify how to send messages to syslog daemon
  --syslog-target=HOST:PORT  also send syslog msgs to HOST:PORT via UDP
`;
}
