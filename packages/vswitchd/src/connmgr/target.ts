/**
 * Which targets of the Controller table the switch connects to or listens at. Whoever may write the database must not
 * thereby reach arbitrary sockets of this host, or put files in its place: Unix sockets are only those of the run
 * directory, and of these the switch itself makes only such as begin with the bridge's name and a period.
 */
import { OvsError } from '@ovs-node/common/errors';
import { isActiveName, isPassiveName, OPENFLOW_PORT, parsePassive } from '@ovs-node/common/stream-name';

/** Why a target is not used, in one line; undefined for one that is fine. */
export function targetProblem(
  target: string,
  bridge: string,
  rundir: string,
  windows = process.platform === 'win32',
): string | undefined {
  // A Windows path may be written with either slash.
  const slashed = (text: string): string => (windows ? text.replaceAll('\\', '/') : text);
  const path = slashed(target);
  const permitted = slashed(rundir);
  const always = `or connect to "unix:${rundir}/${bridge}.mgmt" (which is always available without special configuration).`;
  if (target.startsWith('unix:')) {
    if (!path.includes('/') || isBelow(path.slice(5), `${permitted}/`)) return undefined;
    return `bridge ${bridge}: Not connecting to socket controller "${target}" due to possibility for remote exploit.  Instead, specify socket in permitted directory "${rundir}/" ${always}`;
  }
  if (target.startsWith('punix:')) {
    if (isBelow(path.slice(6), `${permitted}/${bridge}.`)) return undefined;
    return `bridge ${bridge}: Not adding Unix domain socket controller "${target}" due to possibility of overwriting local files. Instead, specify path in permitted format "punix:${rundir}/${bridge}.*" ${always}`;
  }
  if (isPassiveName(target)) {
    try {
      parsePassive(target, OPENFLOW_PORT);
      return undefined;
    } catch (error) {
      if (error instanceof OvsError && error.code === 'EAFNOSUPPORT')
        return `${bridge}: ${target}: bad port number`;
      return `${bridge}: ${(error as Error).message}`;
    }
  }
  return isActiveName(target) ? undefined : `${bridge}: unsupported controller "${target}"`;
}

/** Whether a path starts so, and then stays in that directory. */
function isBelow(path: string, start: string): boolean {
  return path.startsWith(start) && !path.slice(start.length).includes('/');
}
