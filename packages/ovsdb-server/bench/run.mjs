// Speed of ovsdb-server against the peer's, interleaved. Usage: npm run bench:ovsdb [-- ROUNDS [WORD...]]
// A WORD chooses the measurements whose title has it. The table goes to docs/benchmarks.md by hand.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SIDES, createFile, insertion, startServer } from './sides.mjs';

const [rounds = '5', ...words] = process.argv.slice(2);
const SECONDS = 1.5;
const ROWS = 100_000;
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ovs-bench-'));
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const since = (begin) => (performance.now() - begin) / 1000;

/** Runs `body` on a fresh server, with `rows` in its file; gives what it measured and the server's processor time, ms. */
async function fresh(side, body, rows = 0) {
  const file = path.join(dir, `${side.name}.db`);
  if (rows > 0) fs.copyFileSync(path.join(dir, 'full.db'), file);
  else createFile(file);
  const server = await startServer(side, dir, file);
  try {
    const before = server.cpuMs();
    const value = await body(server);
    return { value, cpu: server.cpuMs() - before };
  } finally {
    await server.stop();
  }
}

const COUNTER = '{"id":1,"method":"transact","params":["B",{"op":"insert","table":"Counter","row":{}}]}';
const bump = (durable) =>
  `{"id":1,"method":"transact","params":["B",{"op":"mutate","table":"Counter","where":[],"mutations":[["n","+=",1]]}` +
  `${durable ? ',{"op":"commit","durable":true}' : ''}]}`;

/** Small transactions per second. */
const small = (connections, durable) => (side) =>
  fresh(side, async (server) => {
    const clients = await Promise.all(Array.from({ length: connections }, () => server.client()));
    await clients[0].request(COUNTER);
    let count = 0;
    const begin = performance.now();
    await Promise.all(
      clients.map(async (client) => {
        while (since(begin) < SECONDS) {
          await client.request(bump(durable));
          count++;
        }
      }),
    );
    return count / since(begin);
  });

const bulk = (n) => (side) =>
  fresh(side, async (server) => {
    const text = insertion(0, n);
    const client = await server.client();
    const begin = performance.now();
    await client.request(text);
    return since(begin);
  });

const timed = (text) => (side) =>
  fresh(
    side,
    async (server) => {
      const client = await server.client();
      const begin = performance.now();
      await client.request(text);
      return since(begin);
    },
    ROWS,
  );

/** Seconds until every monitor knows of every update. */
const fanOut = (monitors, updates) => (side) =>
  fresh(side, async (server) => {
    const clients = [];
    // One after the other: the peer lets few wait to be accepted.
    while (clients.length < monitors) clients.push(await server.client());
    let told = 0;
    let done;
    const all = new Promise((resolve) => (done = resolve));
    for (const client of clients) {
      await client.request('{"id":1,"method":"monitor_cond","params":["B","m",{"Counter":[{}]}]}');
      client.onUpdate = (text) => {
        // Each update has the counter's new value: the last one tells that all are there.
        if (text.includes(`"n":${updates}`) && ++told === monitors) done();
      };
    }
    const writer = await server.client();
    await writer.request(COUNTER);
    const begin = performance.now();
    for (let i = 0; i < updates; i++) await writer.request(bump(false));
    await all;
    const seconds = since(begin);
    for (const client of clients) client.close();
    return seconds;
  });

async function startUp(side) {
  const file = path.join(dir, `${side.name}.db`);
  fs.copyFileSync(path.join(dir, 'full.db'), file);
  const begin = performance.now();
  const server = await startServer(side, dir, file);
  const value = since(begin);
  const cpu = server.cpuMs();
  await server.stop();
  return { value, cpu };
}

const memory = (side) =>
  fresh(side, async (server) => {
    const client = await server.client();
    await client.request(insertion(0, ROWS));
    await client.request('{"id":1,"method":"monitor","params":["B","m",{"Item":[{}]}]}');
    return server.peakKb() / 1024;
  });

const ms = { unit: 'ms', scale: 1000, more: false };
const rate = { unit: '/s', scale: 1, more: true };
const MEASUREMENTS = [
  { title: 'small transactions, 1 connection', ...rate, measure: small(1, false) },
  { title: 'small transactions, 10 connections', ...rate, measure: small(10, false) },
  { title: 'durable transactions, 1 connection', ...rate, measure: small(1, true) },
  { title: 'durable transactions, 10 connections', ...rate, measure: small(10, true) },
  { title: 'one transaction of 10,000 inserts', ...ms, measure: bulk(10_000) },
  { title: 'one transaction of 100,000 inserts', ...ms, measure: bulk(ROWS) },
  {
    title: 'monitor of 100,000 rows, initial dump',
    ...ms,
    measure: timed('{"id":1,"method":"monitor_cond","params":["B","m",{"Item":[{}]}]}'),
  },
  {
    title: 'select of 100,000 rows',
    ...ms,
    measure: timed('{"id":1,"method":"transact","params":["B",{"op":"select","table":"Item","where":[]}]}'),
  },
  { title: '50 monitors, 1,000 updates', ...ms, measure: fanOut(50, 1000) },
  { title: '100 monitors, 1,000 updates', ...ms, measure: fanOut(100, 1000) },
  { title: 'start-up with 100,000 rows', ...ms, measure: startUp },
  {
    title: 'peak memory, 100,000 rows loaded and dumped',
    unit: 'MB',
    scale: 1,
    more: false,
    measure: memory,
  },
];

/** A file of 100,000 rows, in transactions of 1000, compacted by none. */
async function makeFull() {
  const file = path.join(dir, 'full.db');
  createFile(file);
  const server = await startServer(SIDES[0], dir, file);
  const client = await server.client();
  for (let n = 0; n < ROWS; n += 1000) await client.request(insertion(n, n + 1000));
  await server.stop();
}

const show = (value) => (value >= 1000 ? value.toFixed(0) : value.toPrecision(3));
try {
  await makeFull();
  const chosen = MEASUREMENTS.filter(
    ({ title }) => words.length === 0 || words.some((word) => title.includes(word)),
  );
  console.log(
    `${os.cpus()[0].model}, ${os.cpus().length} cores, Node.js ${process.version}, ${rounds} rounds, load ${os.loadavg()[0].toFixed(2)}`,
  );
  console.log('| measurement | ours | peer | unit | ratio | processor time of the server, ours / peer |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const { title, unit, scale, more, measure } of chosen) {
    const values = SIDES.map(() => []);
    const cpus = SIDES.map(() => []);
    for (let round = 0; round < Number(rounds); round++) {
      for (let i = 0; i < SIDES.length; i++) {
        const at = (i + round) % SIDES.length;
        const { value, cpu } = await measure(SIDES[at]);
        values[at].push(value * scale);
        // For rates: of one transaction, in µs.
        cpus[at].push(more ? (cpu * 1000) / (value * SECONDS) : cpu);
      }
    }
    const [ours, peer] = values;
    const ratios = ours.map((value, i) => (more ? value / peer[i] : peer[i] / value));
    const time = cpus.map((each) => show(median(each))).join(' / ');
    console.log(
      `| ${title} | ${show(median(ours))} | ${show(median(peer))} | ${unit} | ${median(ratios).toFixed(2)} | ${time} ${more ? 'us' : 'ms'} |`,
    );
  }
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
