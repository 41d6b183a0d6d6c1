// What JSON-RPC costs: the splitter's speed on a large load, and requests per second with and without the
// `json-rpc-2.0` package behind the adapter (over an in-memory stream, so that nothing but the session is measured).
// Usage: node packages/common/bench/jsonrpc.mjs   (after the build)
import { Duplex } from 'node:stream';
import { JsonSplitter } from '../dist/src/jsonrpc/framing.js';
import { JsonRpcSession } from '../dist/src/jsonrpc/session.js';

const median = (v) => v.toSorted((a, b) => a - b)[v.length >> 1];

function splitter() {
  const row = {
    table: 'Interface',
    name: 'vnet-1234',
    options: ['map', [['k', 'a "quoted" \\ value']]],
    statistics: Array(40).fill(123456),
  };
  const text = Buffer.from(JSON.stringify({ id: 1, result: Array(250_000).fill(row), error: null }));
  const rates = [];
  const parse = [];
  for (let round = 0; round < 3; round++) {
    let whole;
    const s = new JsonSplitter((t) => (whole = t));
    let begin = performance.now();
    for (let at = 0; at < text.length; at += 65536) s.push(text.subarray(at, at + 65536));
    rates.push(text.length / 1e3 / (performance.now() - begin));
    begin = performance.now();
    JSON.parse(whole);
    parse.push(text.length / 1e3 / (performance.now() - begin));
  }
  console.log(
    `splitter, one ${(text.length / 1e6).toFixed(0)} MB text in 64 KB chunks  ${median(rates).toFixed(0)} MB/s (JSON.parse of it ${median(parse).toFixed(0)} MB/s)`,
  );
}

function pair() {
  const ends = [];
  for (let i = 0; i < 2; i++) {
    ends.push(
      new Duplex({
        read() {},
        write(chunk, _encoding, done) {
          ends[1 - i].push(chunk);
          done();
        },
      }),
    );
  }
  return ends;
}

const params = [
  'Open_vSwitch',
  { op: 'insert', table: 'Bridge', row: { name: 'br0' }, 'uuid-name': 'x' },
  { op: 'comment', comment: 'c' },
];
const result = [{ uuid: ['uuid', '550e8400-e29b-41d4-a716-446655440000'] }, {}];
const COUNT = 40_000;
const WINDOW = 32;

/** Through JsonRpcSession, that is, the adapter. */
async function adapter() {
  const [a, b] = pair();
  const client = new JsonRpcSession(a);
  const server = new JsonRpcSession(b);
  server.onRequest(() => result);
  await pump(() => client.request('transact', params));
}

/** The least a session could do: same splitter, a Map of pending requests, no package. */
async function bare() {
  const [a, b] = pair();
  const pending = new Map();
  const parse = (end, handle) => {
    const s = new JsonSplitter((t) => handle(JSON.parse(t)));
    end.on('data', (d) => s.push(d));
  };
  parse(b, (m) => b.write(JSON.stringify({ id: m.id, result, error: null })));
  parse(a, (m) => {
    pending.get(m.id)(m.result);
    pending.delete(m.id);
  });
  await pump(
    (id) =>
      new Promise((resolve) => {
        pending.set(id, resolve);
        a.write(JSON.stringify({ id, method: 'transact', params }));
      }),
  );
}

async function pump(call) {
  for (let i = 0; i < COUNT; i += WINDOW) {
    await Promise.all(Array.from({ length: WINDOW }, (_, k) => call(i + k)));
  }
}

splitter();
const times = { adapter: [], bare: [] };
await adapter();
await bare();
for (let round = 0; round < 5; round++) {
  for (const [name, fn] of [
    ['adapter', adapter],
    ['bare', bare],
  ]) {
    const begin = performance.now();
    await fn();
    times[name].push(performance.now() - begin);
  }
}
const us = (name) => (median(times[name]) * 1000) / COUNT;
console.log(`request and reply, session with json-rpc-2.0   ${us('adapter').toFixed(1)} us`);
console.log(`request and reply, bare                         ${us('bare').toFixed(1)} us`);
