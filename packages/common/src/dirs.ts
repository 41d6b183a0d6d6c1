/**
 * The places of files, as the peer has them: OVS_RUNDIR and so on win over the defaults. Read at each access,
 * because tests and `npm start` set the variables of a process before it looks.
 *
 * The defaults on Windows are those of the peer built as its installation manual for Windows says, with a prefix of
 * C:/openvswitch/usr, localstatedir C:/openvswitch/var and sysconfdir C:/openvswitch/etc; with slashes, as there, so
 * that names in logs and of pipes are the same.
 */
import path from 'node:path';

const windows = process.platform === 'win32';

function place(variable: string, unix: string, win: string): string {
  const value = process.env[variable];
  if (value !== undefined && value !== '') return value;
  return windows ? win : unix;
}

/** Directories of this installation; each a getter. Environment: ovs-vswitchd(8), "ENVIRONMENT"/FILES of the peer. */
export const dirs = {
  /** Sockets and pidfiles: OVS_RUNDIR. */
  get rundir(): string {
    return place('OVS_RUNDIR', '/var/run/openvswitch', 'C:/openvswitch/var/run/openvswitch');
  },
  /** Log files: OVS_LOGDIR. */
  get logdir(): string {
    return place('OVS_LOGDIR', '/var/log/openvswitch', 'C:/openvswitch/var/log/openvswitch');
  },
  /** The database: OVS_DBDIR; without it OVS_SYSCONFDIR/openvswitch; without that /etc/openvswitch. */
  get dbdir(): string {
    const sysconf = process.env['OVS_SYSCONFDIR'];
    if ((process.env['OVS_DBDIR'] ?? '') === '' && sysconf !== undefined && sysconf !== '') {
      return path.join(sysconf, 'openvswitch');
    }
    return place('OVS_DBDIR', '/etc/openvswitch', 'C:/openvswitch/etc/openvswitch');
  },
  /** Configuration: OVS_SYSCONFDIR. */
  get sysconfdir(): string {
    return place('OVS_SYSCONFDIR', '/etc', 'C:/openvswitch/etc');
  },
  /** Schemas and other read-only data: OVS_PKGDATADIR. */
  get pkgdatadir(): string {
    return place('OVS_PKGDATADIR', '/usr/share/openvswitch', 'C:/openvswitch/usr/share/openvswitch');
  },
};

/** `name` when it is absolute, else `name` inside `dir` (the peer's rule for sockets and pidfiles). */
export function absName(dir: string, name: string): string {
  return path.isAbsolute(name) ? name : `${dir}/${name}`;
}

/** The control socket a daemon makes by default: RUNDIR/PROG.PID.ctl. */
export function defaultCtlPath(program: string, pid: number = process.pid): string {
  return `${dirs.rundir}/${program}.${pid}.ctl`;
}

/** The pidfile a daemon makes by default: RUNDIR/PROG.pid. */
export function defaultPidfile(program: string): string {
  return `${dirs.rundir}/${program}.pid`;
}

/** The log file of --log-file without a name: LOGDIR/PROG.log. */
export function defaultLogFile(program: string): string {
  return `${dirs.logdir}/${program}.log`;
}

/** The database socket the tools use by default. */
export function defaultDbRemote(): string {
  return `unix:${dirs.rundir}/db.sock`;
}
