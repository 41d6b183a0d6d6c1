/**
 * --user: a daemon that root starts goes on as somebody else (ovs-vswitchd(8), "Daemon Options"). On Linux it keeps the
 * few capabilities that it works with, as the peer does; elsewhere it keeps none.
 */
import os from 'node:os';
import { CAPABILITY, dropBounding, keepOverSetuid, setCapabilities } from './capabilities.js';
import { FatalError } from './errors.js';
import { tryKoffi, type Koffi } from './koffi.js';
import { setLevels, vlog } from './vlog.js';

const log = vlog('daemon_unix');

/** Somebody to become. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** What the C library knows of users and groups. */
interface Accounts {
  user(name: string): { uid: number; gid: number } | undefined;
  group(name: string): number | undefined;
  /** The groups of a user, his first one included. */
  groupsOf(name: string, gid: number): readonly number[];
}

/** Groups of one user that are looked at. */
const MAX_GROUPS = 256;

function accounts(koffi: Koffi): Accounts {
  const library = koffi.load(null);
  // The beginnings of struct passwd and struct group, the same on Linux and macOS.
  const passwd = koffi.struct({ name: 'str', password: 'str', uid: 'uint32_t', gid: 'uint32_t' });
  const group = koffi.struct({ name: 'str', password: 'str', gid: 'uint32_t' });
  const getpwnam = library.func('getpwnam', koffi.pointer(passwd), ['str']);
  const getgrnam = library.func('getgrnam', koffi.pointer(group), ['str']);
  const getgrouplist = library.func('int getgrouplist(const char *, uint32_t, uint32_t *, int *)');
  const decode = <T>(pointer: unknown, type: ReturnType<Koffi['struct']>): T | undefined =>
    pointer === null ? undefined : (koffi.decode(pointer, type) as T);
  return {
    user: (name) => decode(getpwnam(name), passwd),
    group: (name) => decode<{ gid: number }>(getgrnam(name), group)?.gid,
    groupsOf: (name, gid) => {
      const groups = new Uint32Array(MAX_GROUPS);
      const count = new Int32Array([MAX_GROUPS]);
      getgrouplist(name, gid, groups, count);
      return [...groups.subarray(0, Math.min(MAX_GROUPS, count[0]!))];
    },
  };
}

/** Ends the start, in the log too. */
function refuse(where: string, text: string): never {
  // Who looks at the console is told by the error.
  setLevels('daemon_unix', 'console', 'off');
  log.emer(`${where}: ${text}`);
  throw new FatalError(`${where}: ${text}`);
}

/**
 * Reads `USER`, `USER:GROUP` or `:GROUP`; what is left out is the current one.
 *
 * @param pidfile what messages begin with, as the peer's do.
 * @throws FatalError in the peer's words.
 */
function findAccount(spec: string, pidfile: string): Account {
  const koffi = tryKoffi();
  if (koffi === undefined) refuse(pidfile, `user ${spec} not found, aborting.`);
  const known = accounts(koffi);
  const colon = spec.indexOf(':');
  const userName = colon < 0 ? spec : spec.slice(0, colon);
  const groupName = colon < 0 ? '' : spec.slice(colon + 1);
  const name = userName === '' ? os.userInfo().username : userName;
  const user = known.user(name);
  if (user === undefined) refuse(pidfile, `user ${name} not found, aborting.`);
  if (groupName === '') return { name, ...user };
  const gid = known.group(groupName);
  if (gid === undefined) refuse(pidfile, `group ${groupName} not found, aborting.`);
  if (!known.groupsOf(name, user.gid).includes(gid)) {
    refuse(pidfile, `Invalid --user option ${spec} (user ${name} is not in group ${groupName}), aborting.`);
  }
  return { name, uid: user.uid, gid };
}

/** How a daemon becomes another user. */
export interface UserChange {
  /** The value of --user. */
  readonly spec: string;
  /** The value of --pidfile, which the peer's messages begin with. */
  readonly pidfile: string | null;
  /** Whether it works with devices of the network. */
  readonly usesNetwork: boolean;
  /** Whether it starts programs that need the same capabilities. */
  readonly inherited: boolean;
  /** Called before, with the right to make files his. */
  readonly giveFiles?: (account: Account) => void;
}

function capabilitiesFor(usesNetwork: boolean): number[] {
  const { ipcLock, netBindService, netAdmin, netBroadcast, netRaw } = CAPABILITY;
  return usesNetwork ? [ipcLock, netBindService, netAdmin, netBroadcast, netRaw] : [ipcLock, netBindService];
}

/**
 * Looks whether there is such a user, and this process may become him: as by the peer, where an option says so.
 *
 * @param pidfile the value of --pidfile so far.
 * @throws FatalError in the peer's words.
 */
export function checkUser(spec: string, pidfile: string | null): Account {
  const where = pidfile ?? '(null)';
  if (process.getuid?.() !== 0) throw new FatalError(`${where}: only root can use --user option`);
  return findAccount(spec, where);
}

/**
 * Becomes that user, for good.
 *
 * @throws FatalError in the peer's words when there is no such user, or this process may not become him.
 */
export function becomeUser(change: UserChange): void {
  const where = change.pidfile ?? '(null)';
  const account = checkUser(change.spec, change.pidfile);
  change.giveFiles?.(account);
  const isLinux = process.platform === 'linux';
  const kept = capabilitiesFor(change.usesNetwork);
  try {
    if (isLinux) {
      dropBounding(change.inherited ? kept : []);
      keepOverSetuid();
    }
    process.setgroups!([]);
    process.setgid!(account.gid);
    process.setuid!(account.uid);
    if (isLinux && !setCapabilities(kept, change.inherited)) throw new Error('capset');
  } catch {
    const ids = `${account.uid}:${account.gid}`;
    refuse(where, `libcap-ng fail to switch to user and group ${ids}, aborting`);
  }
}

/** In a process that was started by one that `becomeUser` made another's: what it starts in turn gets no capabilities. */
export function keepCapabilitiesToItself(usesNetwork: boolean): void {
  if (process.platform === 'linux') setCapabilities(capabilitiesFor(usesNetwork), false);
}
