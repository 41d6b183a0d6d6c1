/** dpctl: datapaths and their ports. */
import {
  type DpctlCommand,
  type DpctlContext,
  DpctlError,
  because,
  listDps,
  openDp,
  parseDpName,
  whyOf,
} from './dpctl-context.js';
import type { Dpif, DpPort, PortAdd } from './provider.js';

/** `NAME,key=value,…` of add-dp, add-if and set-if. */
interface IfaceArg {
  readonly name: string;
  type: string | undefined;
  portNo: string | undefined;
  readonly options: [string, string][];
}

function parseIface(text: string): IfaceArg {
  const [name, ...pairs] = text.split(',');
  const iface: IfaceArg = { name: name!, type: undefined, portNo: undefined, options: [] };
  for (const pair of pairs) {
    if (pair === '') continue;
    const eq = pair.indexOf('=');
    const key = eq < 0 ? pair : pair.slice(0, eq);
    const value = eq < 0 ? '' : pair.slice(eq + 1);
    if (key === 'type') iface.type = value;
    else if (key === 'port_no') iface.portNo = value;
    else iface.options.push([key, value]);
  }
  return iface;
}

async function open(context: DpctlContext, name: string): Promise<Dpif> {
  try {
    return await openDp(context, name);
  } catch (error) {
    throw because('opening datapath', error);
  }
}

async function addDp(context: DpctlContext, args: readonly string[]): Promise<void> {
  const { type, name } = parseDpName(args[0]!);
  let dp: Dpif;
  try {
    dp = await (await context.provider(type)).create(name);
    context.opened?.push(dp);
  } catch (error) {
    throw because('add_dp', error);
  }
  await addPorts(context, dp, `${type}@${name}`, args.slice(1));
}

async function addPorts(
  context: DpctlContext,
  dp: Dpif,
  dpName: string,
  ifaces: readonly string[],
): Promise<void> {
  for (const text of ifaces) {
    const iface = parseIface(text);
    const port: PortAdd = {
      name: iface.name,
      ...(iface.type === undefined ? {} : { type: iface.type }),
      // As atoi() has it: what is no number is 0.
      ...(iface.portNo === undefined ? {} : { portNo: Number.parseInt(iface.portNo, 10) >>> 0 }),
      options: iface.options,
    };
    try {
      await dp.ports.add(port);
    } catch (error) {
      if ((error as { code?: string }).code === 'EAFNOSUPPORT') {
        context.fail(`${iface.name}: failed to open network device (${whyOf(error)})`);
      } else context.fail(`adding ${iface.name} to ${dpName} failed (${whyOf(error)})`);
    }
  }
}

async function addIf(context: DpctlContext, args: readonly string[]): Promise<void> {
  const dp = await open(context, args[0]!);
  await addPorts(context, dp, `${dp.type}@${dp.name}`, args.slice(1));
}

async function setIf(context: DpctlContext, args: readonly string[]): Promise<void> {
  const dp = await open(context, args[0]!);
  for (const text of args.slice(1)) {
    const iface = parseIface(text);
    let port: DpPort;
    try {
      port = await dp.ports.byName(iface.name);
    } catch (error) {
      context.fail(`${iface.name}: failed to query port in ${dp.type}@${dp.name} (${whyOf(error)})`);
      continue;
    }
    if (iface.type !== undefined && iface.type !== port.type) {
      context.fail(`${iface.name}: can't change type from ${port.type} to ${iface.type}`);
      continue;
    }
    if (iface.portNo !== undefined && Number.parseInt(iface.portNo, 10) !== port.portNo) {
      context.fail(`${iface.name}: can't change port number from ${port.portNo} to ${iface.portNo}`);
      continue;
    }
    try {
      if (iface.options.length > 0) await dp.ports.set(port.portNo, iface.options);
    } catch (error) {
      context.fail(`${iface.name}: failed to reconfigure network device (${whyOf(error)})`);
    }
  }
}

async function delIf(context: DpctlContext, args: readonly string[]): Promise<void> {
  const dp = await open(context, args[0]!);
  for (const name of args.slice(1)) {
    let portNo = /^[0-9]+$/.test(name) ? Number(name) : -1;
    if (portNo < 0) {
      try {
        portNo = (await dp.ports.byName(name)).portNo;
      } catch {
        context.fail(`no port named ${name}`);
        continue;
      }
    }
    try {
      await dp.ports.del(portNo);
    } catch (error) {
      context.fail(`deleting port ${name} from ${dp.type}@${dp.name} failed (${whyOf(error)})`);
    }
  }
}

async function delDp(context: DpctlContext, args: readonly string[]): Promise<void> {
  const dp = await open(context, args[0]!);
  try {
    await dp.destroy();
  } catch (error) {
    throw because('del_dp', error);
  }
}

async function dumpDps(context: DpctlContext): Promise<void> {
  const { names, failed } = await listDps(context);
  for (const name of names) context.print(`${name}\n`);
  if (failed) throw new DpctlError('');
}

/** ` (1.2 KiB)` from 1024 bytes on. */
function humanSize(bytes: number): string {
  const units = ['', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let v = bytes;
  while (v >= 1024 && unit < 4) {
    v /= 1024;
    unit++;
  }
  return unit === 0 ? '' : ` (${v.toFixed(1)} ${units[unit]})`;
}

/** What stands in parentheses after a port: its type and, for a tunnel, its options. */
function typeText(dp: Dpif, port: DpPort): string {
  const type =
    dp.type === 'dummy' && port.type === 'internal'
      ? 'dummy-internal'
      : dp.type === 'netdev' && port.type === 'internal'
        ? 'tap'
        : port.type;
  if (type === 'system') return '';
  const options = ['gre', 'vxlan', 'geneve', 'stt'].includes(type) ? [...port.options] : [];
  const shown = options.map(([key, value]) => `${key}=${value}`).toSorted();
  return shown.length === 0 ? ` (${type})` : ` (${type}: ${shown.join(', ')})`;
}

async function showDp(context: DpctlContext, dp: Dpif): Promise<void> {
  const stats = await dp.stats();
  context.print(`${dp.type}@${dp.name}:\n`);
  context.print(`  lookups: hit:${stats.hit} missed:${stats.missed} lost:${stats.lost}\n`);
  context.print(`  flows: ${stats.flows}\n`);
  // The userspace datapath types do not tell of their masks.
  if (stats.masks !== undefined && dp.type === 'system') {
    const packets = stats.hit + stats.missed;
    const per = packets === 0 ? 0 : stats.masks.hit / packets;
    context.print(`  masks: hit:${stats.masks.hit} total:${stats.masks.total} hit/pkt:${per.toFixed(2)}\n`);
  }
  for (const port of await dp.ports.dump()) {
    context.print(`  port ${port.portNo}: ${port.name}${typeText(dp, port)}\n`);
    if (!context.options.statistics) continue;
    const s = port.stats;
    // Counters that a kind of port does not have are shown as `?`.
    const known = (n: number): string => (dp.type === 'dummy' ? '?' : String(n));
    context.print(
      `    RX packets:${s.rxPackets} errors:${known(s.rxErrors)} dropped:${known(s.rxDropped)} overruns:? frame:?\n` +
        `    TX packets:${s.txPackets} errors:${known(s.txErrors)} dropped:${known(s.txDropped)} aborted:? carrier:?\n` +
        `    collisions:?\n` +
        `    RX bytes:${s.rxBytes}${humanSize(s.rxBytes)}  TX bytes:${s.txBytes}${humanSize(s.txBytes)}\n`,
    );
  }
}

async function show(context: DpctlContext, args: readonly string[]): Promise<void> {
  let names: readonly string[] = args;
  let failed = false;
  if (args.length === 0) ({ names, failed } = await listDps(context));
  for (const name of names) {
    let dp: Dpif;
    try {
      dp = await openDp(context, name);
    } catch (error) {
      context.fail(`opening datapath ${name} failed (${whyOf(error)})`);
      continue;
    }
    await showDp(context, dp);
  }
  if (failed) throw new DpctlError('');
}

export const datapathCommands: readonly DpctlCommand[] = [
  { name: 'add-dp', usage: 'dp [iface...]', min: 1, max: Infinity, write: true, run: addDp },
  { name: 'del-dp', usage: 'dp', min: 1, max: 1, write: true, run: delDp },
  { name: 'add-if', usage: 'dp iface...', min: 2, max: Infinity, write: true, run: addIf },
  { name: 'del-if', usage: 'dp iface...', min: 2, max: Infinity, write: true, run: delIf },
  { name: 'set-if', usage: 'dp iface...', min: 2, max: Infinity, write: true, run: setIf },
  { name: 'dump-dps', usage: '', min: 0, max: 0, run: dumpDps },
  { name: 'show', usage: '[-s] [dp...]', min: 0, max: Infinity, run: show },
];
