// The datapath side by side with the peer's userspace datapath, on the same veths, interleaved: each round measures
// both sides, and what is compared is the median over the rounds of the ratio within one round.
//   node bench/run.mjs [--rounds=5] [--seconds=2] [--only=udp,normal,ct,tcp,tcp-plain,latency] [--append=FILE]
// Needs root, two cores, the peer's packages, iperf3; nothing else should run on the machine.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  arrived,
  inNamespace,
  LOAD_CORE,
  makeNamespaces,
  NAMESPACES,
  removeNamespaces,
  Suite,
  switchCpu,
} from './lab.mjs';

const FLOOD = fileURLToPath(new URL('./flood.mjs', import.meta.url));
const OFFLOAD = fileURLToPath(new URL('./offload.mjs', import.meta.url));
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: 'udp,normal,ct,tcp,tcp-plain,latency' },
    append: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const flood = (ns, ...args) => inNamespace(ns, process.execPath, FLOOD, ...args);

/** 64-byte frames (with FCS) of one UDP flow from a to b: thousands a second that arrive. */
async function udpRate(suite) {
  // Frames back first: the address is learned, the connection established.
  const back = ['--dst=02:00:00:00:00:01', '--src=02:00:00:00:00:02', '--sip=10.1.0.2', '--dip=10.1.0.1'];
  await flood(0, '--packets=3');
  await flood(1, '--packets=3', ...back, '--sport=2000', '--dport=1000');
  const running = flood(0, `--seconds=${seconds + 1}`);
  await sleep(700);
  const [packets, cpu, from] = [arrived(), switchCpu(suite), performance.now()];
  await sleep(seconds * 1000 - 300);
  const count = arrived() - packets;
  const rate = count / (performance.now() - from);
  suite.cpuPerPacket = ((switchCpu(suite) - cpu) * 1000) / count;
  await running;
  return rate;
}

/** One TCP stream from a to b, gigabits a second received. */
async function tcpRate() {
  const server = spawn(
    'ip',
    ['netns', 'exec', NAMESPACES[1], 'taskset', '-c', LOAD_CORE, 'iperf3', '-s', '-1'],
    { stdio: 'ignore' },
  );
  await sleep(400);
  try {
    const report = JSON.parse(
      await inNamespace(0, 'iperf3', '-c', '10.1.0.2', '-t', String(seconds + 1), '-O', '1', '-J'),
    );
    return report.end.sum_received.bits_per_second / 1e9;
  } finally {
    server.kill();
  }
}

/**
 * Round trip of a ping whose request and reply both miss, in milliseconds; after some thousand misses, so that a
 * just-in-time compiler has seen the way of a miss.
 */
async function firstPacket(suite) {
  suite.flows([
    ...ONE_FLOW,
    'priority=40000,udp,tp_src=5,actions=drop',
    'priority=40000,udp,tp_src=0xffff,actions=drop',
  ]);
  for (let i = 0; i < 20; i++) {
    suite.forgetFlows();
    await flood(0, '--packets=256', '--flows=256', `--sport=${1000 + 256 * i}`);
  }
  suite.flows(ONE_FLOW);
  await sleep(300);
  const times = [];
  for (let i = 0; i < 10; i++) {
    suite.forgetFlows();
    await sleep(50);
    const text = await inNamespace(0, 'ping', '-c', '1', '-W', '2', '10.1.0.2');
    const time = /time=([\d.]+) ms/.exec(text);
    if (time) times.push(Number(time[1]));
  }
  return median(times);
}

const ONE_FLOW = ['in_port=A,actions=output:B', 'in_port=B,actions=output:A'];
const CT = [
  'table=0,priority=10,arp,actions=NORMAL',
  'table=0,priority=10,ip,ct_state=-trk,actions=ct(table=1)',
  'table=1,priority=10,ip,ct_state=+trk+new,in_port=A,actions=ct(commit),output:B',
  'table=1,priority=10,ip,ct_state=+trk+est,in_port=A,actions=output:B',
  'table=1,priority=10,ip,ct_state=+trk+est,in_port=B,actions=output:A',
];

/** What is measured: a name, the flow table, the measurement, the unit; `lower`: less is better. */
const SCENARIOS = {
  udp: { title: '64-byte UDP, one megaflow', flows: ONE_FLOW, measure: udpRate, unit: 'kpps' },
  normal: { title: '64-byte UDP, NORMAL', flows: ['actions=NORMAL'], measure: udpRate, unit: 'kpps' },
  ct: { title: '64-byte UDP, ct pipeline, established', flows: CT, measure: udpRate, unit: 'kpps' },
  // The peer's userspace datapath passes no unfinished checksums on: its hosts must compute them themselves.
  tcp: {
    title: 'TCP, one stream; hosts with offloads for us, without for the peer',
    flows: ONE_FLOW,
    measure: tcpRate,
    unit: 'Gb/s',
    offloads: { ours: 'on', peer: 'off' },
  },
  'tcp-plain': {
    title: 'TCP, one stream; hosts without offloads',
    flows: ONE_FLOW,
    measure: tcpRate,
    unit: 'Gb/s',
    offloads: { ours: 'off', peer: 'off' },
  },
  latency: {
    title: 'first packet, round trip with two misses',
    flows: ONE_FLOW,
    measure: firstPacket,
    unit: 'ms',
    lower: true,
  },
};

function fail(text) {
  console.error(`bench: ${text}`);
  process.exit(1);
}

if (process.platform !== 'linux' || process.getuid() !== 0) fail('needs Linux and root');
if (!fs.existsSync('/usr/sbin/ovs-vswitchd')) fail("needs the peer's packages (openvswitch-switch)");
const wanted = values.only.split(',');
for (const name of wanted) if (!(name in SCENARIOS)) fail(`${name}: unknown measurement`);

const suites = [new Suite('ours'), new Suite('peer')];
const lines = [];
const say = (line) => {
  console.log(line);
  lines.push(line);
};
let ended = false;
const cleanUp = () => {
  if (ended) return;
  ended = true;
  for (const suite of suites) suite.stop();
  removeNamespaces();
};
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    cleanUp();
    process.exit(1);
  });
}

try {
  makeNamespaces();
  for (const suite of suites) {
    suite.start();
    suite.check();
  }
  const version = execFileSync('/usr/bin/ovs-vsctl', ['--version'])
    .toString()
    .split('\n', 1)[0]
    .replace(/.* /, '');
  say(
    `### ${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0].model}, ${os.cpus().length} cores, Linux ${os.release()}, Node.js ${process.version}, peer ${version}`,
  );
  say('');
  say(
    `${rounds} rounds of ${seconds} s; load average before: ${os.loadavg()[0].toFixed(2)}. Ratio: median of the rounds' ratios, in our favour above 1.`,
  );
  say('');
  say('| measurement | ours | peer | unit | ratio | CPU of the switch per packet, ours / peer |');
  say('|---|---|---|---|---|---|');
  for (const name of wanted) {
    const { title, flows, measure, unit, lower, offloads } = SCENARIOS[name];
    const results = { ours: [], peer: [] };
    const cpus = { ours: [], peer: [] };
    const ratios = [];
    for (let round = 0; round < rounds; round++) {
      // The one that goes first takes turns.
      for (const suite of round % 2 === 0 ? suites : [...suites].reverse()) {
        suite.attach();
        suite.flows(flows);
        for (const ns of [0, 1])
          await inNamespace(ns, process.execPath, OFFLOAD, 'eth0', offloads?.[suite.side] ?? 'on');
        await sleep(300);
        results[suite.side].push(await measure(suite));
        if (suite.cpuPerPacket !== undefined) cpus[suite.side].push(suite.cpuPerPacket);
        suite.cpuPerPacket = undefined;
        suite.detach();
      }
      const [ours, peer] = [results.ours.at(-1), results.peer.at(-1)];
      ratios.push(lower ? peer / ours : ours / peer);
    }
    const show = (list) => median(list).toFixed(unit === 'kpps' ? 0 : 2);
    const cpu =
      cpus.ours.length > 0 ? `${median(cpus.ours).toFixed(2)} / ${median(cpus.peer).toFixed(2)} us` : '';
    say(
      `| ${title} | ${show(results.ours)} | ${show(results.peer)} | ${unit} | ${median(ratios).toFixed(2)} | ${cpu} |`,
    );
  }
  if (values.append !== undefined) fs.appendFileSync(values.append, `\n${lines.join('\n')}\n`);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message.trim() : String(error)}`);
  process.exitCode = 1;
} finally {
  cleanUp();
}
