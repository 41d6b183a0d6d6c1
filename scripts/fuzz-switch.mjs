// npm run fuzz:switch -- [--messages=N] [--seed=N]: OpenFlow messages of every kind and version, half of them with
// something wrong in them, to a live ovs-vswitchd on several connections at once.
//
// The daemon has to answer a barrier after each few of them, to keep its connections (a fault in a request costs the
// connection, see packages/vswitchd/src/connmgr/connection.ts), to log no error, and to stay within its memory. What it
// says to each message is compared with the peer by other tests.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { option } from './fuzz-option.mjs';

const root = resolve(import.meta.dirname, '..');
const load = (path) => import(join(root, 'packages', path));
const { KINDS, generate } = await load('openflow/dist/src/testkit/diff-run.js');
const { header } = await load('openflow/dist/src/testkit/header.js');
const { spoil } = await load('openflow/dist/src/testkit/mutate.js');
const { Random } = await load('openflow/dist/src/testkit/random.js');
const { Suite, checkout, dirsAt } = await load('ctl-tools/dist/src/lab/suite.js');

const VERSIONS = [1, 2, 3, 4, 5, 6];
const BATCH = 8;
const PATIENCE_MS = 20_000;
/** What the daemon may take more than at the start, MB. */
const GROWTH_MB = 400;
const MARK = 0xbbbbbbbb;

/** A connection that counts errors and waits for barriers. */
class Talk {
  constructor(path, version) {
    this.version = version;
    this.errors = 0;
    this.isClosed = false;
    this.rest = Buffer.alloc(0);
    this.wake = () => undefined;
    this.socket = net.connect(path);
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
    this.socket.on('data', (chunk) => this.take(chunk));
    this.socket.write(header(version, 0, 1));
  }

  take(chunk) {
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= 8 && this.rest.length >= this.rest.readUInt16BE(2)) {
      const [type, xid] = [this.rest[1], this.rest.readUInt32BE(4)];
      if (type === 1) this.errors++;
      if (type === (this.version === 1 ? 19 : 21) && xid === MARK) this.wake();
      this.rest = this.rest.subarray(this.rest.readUInt16BE(2));
    }
  }

  /** Waits for a barrier; false when it does not come. */
  async barrier() {
    let timer;
    const answered = new Promise((done) => {
      this.wake = () => done(!this.isClosed);
      timer = setTimeout(() => done(false), PATIENCE_MS);
    });
    this.socket.write(header(this.version, this.version === 1 ? 18 : 20, MARK));
    const isAlive = await answered;
    clearTimeout(timer);
    return isAlive;
  }
}

const messages = option('messages', 100_000);
const seed = option('seed', Date.now() % 0x100000000);
const dir = mkdtempSync(join(tmpdir(), 'ovs-fuzz-'));
const suite = new Suite({
  root: checkout,
  side: 'ours',
  dirs: dirsAt(dir),
  vswitchdArgs: ['--enable-dummy'],
});
const residentMb = () =>
  Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${suite.pid('ovs-vswitchd')}/status`, 'utf8'))[1]) / 1024;

async function run() {
  await suite.start();
  const bridge = ['datapath_type=dummy', 'fail_mode=secure'];
  await suite.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', ...bridge);
  await suite.vsctl('add-port', 'br0', 'p1', '--', 'set', 'interface', 'p1', 'type=dummy');
  const before = residentMb();
  const random = new Random(seed);
  const talks = VERSIONS.map((version) => new Talk(join(dir, 'br0.mgmt'), version));
  let sent = 0;
  let last = new Uint8Array(8);
  while (sent < messages) {
    const talk = random.pick(talks);
    const batch = [];
    for (let i = 0; i < BATCH; i++) {
      const valid = generate(random, random.pick(KINDS), talk.version);
      if (valid === undefined) continue;
      const bytes = random.chance(0.5) ? spoil(random, valid, last) : valid;
      last = valid;
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, ++sent);
      batch.push(Buffer.from(bytes).toString('hex'));
      talk.socket.write(bytes);
    }
    if (!(await talk.barrier())) return `version ${talk.version}: no answer after\n${batch.join('\n')}`;
  }
  for (const { socket } of talks) socket.destroy();
  const errors = talks.reduce((sum, talk) => sum + talk.errors, 0);
  const growth = Math.round(residentMb() - before);
  console.log(`fuzz-switch: ${sent} messages, ${errors} refused, ${growth} MB more, seed ${seed}`);
  if (growth > GROWTH_MB) return `${growth} MB more than before`;
  const log = readFileSync(join(dir, 'ovs-vswitchd.log'), 'utf8').split('\n');
  // Of headers that are wrong the log tells as the peer's does; any other error is one of the switch's own.
  return log.find((line) => /\|(ERR|EMER)\|/.test(line) && !/\|vconn(_stream)?\|ERR\|/.test(line));
}

let problem;
try {
  problem = await run();
} finally {
  await suite.stop();
  rmSync(dir, { recursive: true, force: true });
}
if (problem !== undefined) console.error(`fuzz-switch: seed ${seed}: ${problem}`);
process.exit(problem === undefined ? 0 : 1);
