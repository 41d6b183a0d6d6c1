/**
 * Where the pseudo device's pipe is: the one place that knows. `OVS_RUNDIR/ovs-datapath.sock`, a Unix socket or, on
 * Windows, the named pipe of that name; `--datapath=PATH` of the programs or OVS_DATAPATH in the environment
 * says otherwise.
 */
import { absName, dirs } from '@ovs-node/common/dirs';

/** The environment variable that overrides the default place. */
export const DEVICE_PATH_VARIABLE = 'OVS_DATAPATH';
const DEFAULT_NAME = 'ovs-datapath.sock';

/**
 * The pipe's path. `option` is what the command line said, if anything; a relative path is relative to the run
 * directory, and a leading `unix:` or `punix:` is allowed.
 */
export function devicePath(option?: string): string {
  const said = option ?? process.env[DEVICE_PATH_VARIABLE] ?? '';
  const path = said.replace(/^p?unix:/, '');
  return absName(dirs.rundir, path === '' ? DEFAULT_NAME : path);
}

/** The stream name to connect to (`connectStream`). */
export function deviceConnectName(option?: string): string {
  return `unix:${devicePath(option)}`;
}

/** The stream name to listen at (`listenStream`). */
export function deviceListenName(option?: string): string {
  return `punix:${devicePath(option)}`;
}
