/** dpctl: connection tracking. */
import { errorMessage, strerror } from '@ovs-node/common/errors';
import {
  PEER_STATES,
  ctProtoName,
  ctTcpStates,
  formatConntrack,
  parseCtTuples,
} from '@ovs-node/netlink/text/conntrack-text';
import {
  type DpctlCommand,
  type DpctlContext,
  DpctlError,
  because,
  openOptionalDp,
} from './dpctl-context.js';
import type { CtFilter, Dpif } from './provider.js';

const EINVAL = strerror('EINVAL');

/** `zone=N`: N modulo 2^16, as the peer reads it; undefined when the word is something else. */
function zoneOf(arg: string | undefined): number | undefined {
  const m = /^zone=(-?[0-9]+)$/.exec(arg ?? '');
  return m === null ? undefined : Number(m[1]) & 0xffff;
}

/** The datapath and the zone of a command with `[dp] [zone=N]`. */
async function dpAndZone(
  context: DpctlContext,
  args: readonly string[],
): Promise<{ dp: Dpif; zone: number | undefined }> {
  const { dp, rest } = await openOptionalDp(context, args, (first) => zoneOf(first) === undefined);
  if (rest.length === 0) return { dp, zone: undefined };
  const zone = zoneOf(rest[0]);
  if (zone === undefined || rest.length > 1) throw new DpctlError(`datapath not found (${EINVAL})`);
  return { dp, zone };
}

async function dumpConntrack(context: DpctlContext, args: readonly string[]): Promise<void> {
  const { dp, zone } = await dpAndZone(context, args);
  const options = { verbose: context.options.more > 0, stats: context.options.statistics };
  // The peer's dummy datapath tells neither, and its dumps are compared with ours.
  const bare = dp.type === 'dummy';
  try {
    for await (const entries of dp.conntrack.dump(zone)) {
      for (const entry of entries)
        context.print(`${formatConntrack(bare ? { ...entry, id: 0, status: 0 } : entry, options)}\n`);
    }
  } catch (error) {
    throw because('dumping conntrack entry', error);
  }
}

async function flushConntrack(context: DpctlContext, args: readonly string[]): Promise<void> {
  // The words after the datapath are all `name=value` lists, or empty.
  const { dp, rest } = await openOptionalDp(
    context,
    args,
    (first) => /@/.test(first) || (args.length > 1 && first !== '' && !first.includes('=')),
  );
  const words = [...rest];
  const filter: { -readonly [K in keyof CtFilter]: CtFilter[K] } = {};
  if (words[0]?.startsWith('zone=')) {
    const zone = zoneOf(words.shift());
    if (zone === undefined) throw new DpctlError(`failed to parse zone (${EINVAL})`);
    filter.zone = zone;
  }
  if (words.length > 2) throw new DpctlError(`invalid arguments (${EINVAL})`);
  try {
    const [orig, reply] = parseCtTuples(words);
    if (orig && Object.keys(orig).length > 0) filter.orig = orig;
    if (reply && Object.keys(reply).length > 0) filter.reply = reply;
  } catch (error) {
    throw new DpctlError(`${errorMessage(error)} (${EINVAL})`);
  }
  try {
    await dp.conntrack.flush(filter);
  } catch (error) {
    // That nothing fits a filter is no error; that the one connection a whole tuple names is not there is one.
    const absent = (error as { code?: string }).code === 'ENOENT';
    if (!absent || isWholeTuple(filter)) throw because('failed to flush conntrack', error);
  }
}

/** Does a filter say all that names one connection? */
function isWholeTuple({ orig, reply }: CtFilter): boolean {
  if (orig?.src === undefined || orig.dst === undefined || orig.proto === undefined || reply !== undefined)
    return false;
  return (orig.sport !== undefined && orig.dport !== undefined) || orig.icmpId !== undefined;
}

/** Protocols of ct-stats-show, in its order; the rest is `Other`. */
const STATS_PROTOS = [6, 17, 132, 1, 58, 33, 2, 136] as const;
const STATS_NAMES: Readonly<Record<number, string>> = {
  6: 'TCP',
  17: 'UDP',
  132: 'SCTP',
  1: 'ICMP',
  33: 'DCCP',
  2: 'IGMP',
  136: 'UDPLITE',
};

async function ctStatsShow(context: DpctlContext, args: readonly string[]): Promise<void> {
  const { dp, zone } = await dpAndZone(context, args);
  const counts = new Map<number, number>();
  const states = new Map<string, number>();
  let total = 0;
  try {
    for await (const entries of dp.conntrack.dump(zone)) {
      for (const entry of entries) {
        total++;
        const known = STATS_NAMES[entry.orig.proto] !== undefined;
        const proto = known ? entry.orig.proto : -1;
        // ICMPv6 counts towards the total alone: so the peer does it.
        if (entry.orig.proto !== 58) counts.set(proto, (counts.get(proto) ?? 0) + 1);
        if (entry.tcp !== undefined) {
          const { state } = ctTcpStates(entry.tcp);
          states.set(state, (states.get(state) ?? 0) + 1);
        }
      }
    }
  } catch (error) {
    throw because('getting conntrack stats', error);
  }
  context.print(`Connections Stats:\n    Total: ${total}\n`);
  for (const proto of STATS_PROTOS) {
    const n = counts.get(proto) ?? 0;
    if (n === 0) continue;
    context.print(`  ${STATS_NAMES[proto] ?? ctProtoName(proto)}: ${n}\n`);
    if (proto !== 6 || context.options.more === 0) continue;
    context.print('    Conn per TCP states:\n');
    for (const state of PEER_STATES) {
      if (states.has(state)) context.print(`\t  [${state}]=${states.get(state)}\n`);
    }
  }
  const other = counts.get(-1) ?? 0;
  if (other > 0) context.print(`  Other: ${other}\n`);
}

async function getCount(
  context: DpctlContext,
  args: readonly string[],
  which: 'connections' | 'maxConnections',
  failure: string,
): Promise<void> {
  const { dp } = await openOptionalDp(context, args, () => true);
  try {
    context.print(`${(await dp.conntrack.stats())[which]}\n`);
  } catch (error) {
    throw because(failure, error);
  }
}

export const conntrackCommands: readonly DpctlCommand[] = [
  { name: 'dump-conntrack', usage: '[-m] [-s] [dp] [zone=N]', min: 0, max: 2, run: dumpConntrack },
  {
    name: 'flush-conntrack',
    usage: '[dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]',
    min: 0,
    max: 4,
    write: true,
    run: flushConntrack,
  },
  { name: 'ct-stats-show', usage: '[dp] [zone=N]', min: 0, max: 2, run: ctStatsShow },
  {
    name: 'ct-get-maxconns',
    usage: '[dp]',
    min: 0,
    max: 1,
    run: (context, args) => getCount(context, args, 'maxConnections', 'maxconns could not be retrieved'),
  },
  {
    name: 'ct-get-nconns',
    usage: '[dp]',
    min: 0,
    max: 1,
    run: (context, args) => getCount(context, args, 'connections', 'nconns could not be retrieved'),
  },
];
