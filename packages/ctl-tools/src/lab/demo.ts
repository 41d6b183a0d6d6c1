/**
 * `npm run demo`: two hosts, a bridge between them, and a stateful firewall, from nothing to nothing. It prints each
 * command that it runs, checks each outcome, and exits with status 1 when one is not as it should be.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Host, withHosts } from './netns.js';
import { Suite, checkout, dirsAt } from './suite.js';

/**
 * Connections may be opened from host A (port 1) to host B (port 2), not from B to A; replies and ARP pass.
 * Table 0 sends IP through the connection tracker, table 1 decides on the state that it found.
 */
export const FIREWALL = `
table=0, priority=10, arp, actions=NORMAL
table=0, priority=10, ip, ct_state=-trk, actions=ct(table=1)
table=0, priority=0, actions=drop
table=1, priority=10, in_port=1, ip, ct_state=+trk+new, actions=ct(commit),output:2
table=1, priority=10, ip, ct_state=+trk+est, actions=NORMAL
table=1, priority=10, ip, ct_state=+trk+rel, actions=NORMAL
table=1, priority=0, actions=drop
`;

/** How long the demo takes is not its point, but a switch that hangs should not hang the reader too. */
const TCP_PORT = 8080;

/** @param args `--bin=DIR`: the programs of DIR, not of this checkout. */
export async function demo(args: readonly string[] = []): Promise<number> {
  const bin = args[0]?.startsWith('--bin=') === true ? resolve(args[0].slice('--bin='.length)) : undefined;
  if (args.length > (bin === undefined ? 0 : 1)) {
    console.error(`npm run demo: ${args[0]}: the only option is --bin=DIR`);
    return 1;
  }
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    console.error('npm run demo: needs root on Linux (it makes network namespaces); try: sudo npm run demo');
    return 1;
  }
  const dir = mkdtempSync(join(tmpdir(), 'ovs-demo-'));
  const suite = new Suite({
    root: checkout,
    side: 'ours',
    dirs: dirsAt(dir),
    ...(bin === undefined ? {} : { bin }),
  });
  try {
    await withHosts(
      [
        { name: 'ovs-demo-a', port: 'ovsdemo-a', ip: '10.1.0.1/24' },
        { name: 'ovs-demo-b', port: 'ovsdemo-b', ip: '10.1.0.2/24' },
      ],
      (a, b) => play(suite, a as Host, b as Host),
    );
    console.log('\nThe demo passed.');
    return 0;
  } catch (error) {
    console.error(`\nThe demo failed: ${(error as Error).message}`);
    return 1;
  } finally {
    await suite.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function play(suite: Suite, a: Host, b: Host): Promise<void> {
  const show = async (tool: string, ...args: string[]): Promise<string> => {
    console.log(
      `\n$ ${[tool, ...args].map((word) => (/[\s$&|;<>()*]/.test(word) ? `'${word}'` : word)).join(' ')}`,
    );
    const text = await suite.must(tool, ...args);
    if (text !== '') console.log(text.trimEnd());
    return text;
  };
  const check = (what: string, holds: boolean): void => {
    console.log(`${holds ? 'ok  ' : 'FAIL'}  ${what}`);
    if (!holds) throw new Error(what);
  };

  console.log('== three daemons, one bridge, two hosts');
  await suite.start();
  await show('ovs-vsctl', 'add-br', 'br0');
  // One after the other: ports that are added together get their numbers in no order that one would expect.
  await show('ovs-vsctl', 'add-port', 'br0', a.port);
  await show('ovs-vsctl', 'add-port', 'br0', b.port);
  await show('ovs-vsctl', 'show');
  check('A pings B through the bridge', await a.pings(b.address));

  console.log('\n== a stateful firewall: A may open connections to B, B may not to A');
  console.log(FIREWALL.trim());
  const loaded = await suite.run('ovs-ofctl', ['add-flows', 'br0', '-'], { input: `delete\n${FIREWALL}` });
  check(`the flows load ${loaded.stderr.trim()}`, loaded.status === 0);
  const servers = [await a.serveTcp(TCP_PORT), await b.serveTcp(TCP_PORT)];
  try {
    check('A connects to B', (await a.connectTcp(b.address, TCP_PORT)) === 'hello\n');
    check('B does not reach A', (await b.connectTcp(a.address, TCP_PORT)) === undefined);
    await show('ovs-ofctl', 'dump-flows', 'br0');
    await show('ovs-dpctl', 'dump-flows');
    const before = await show('ovs-dpctl', 'dump-conntrack');
    check('the connection is tracked', before.includes('src=10.1.0.1,dst=10.1.0.2'));
    await show('ovs-dpctl', 'flush-conntrack');
    const after = await show('ovs-dpctl', 'dump-conntrack');
    check('no connection is left', after.trim() === '');
  } finally {
    for (const server of servers) server.kill('SIGKILL');
  }
}
