// The two servers of the benchmark, and a client that costs little.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { JsonSplitter } from '../../common/dist/src/jsonrpc/framing.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export const SIDES = [
  { name: 'ours', command: [process.execPath, path.join(ROOT, 'bin/ovsdb-server')] },
  { name: 'peer', command: ['/usr/sbin/ovsdb-server'] },
];

const SCHEMA = {
  name: 'B',
  version: '1.0.0',
  tables: {
    Item: {
      isRoot: true,
      columns: {
        name: { type: 'string' },
        n: { type: 'integer' },
        tags: { type: { key: 'string', min: 0, max: 'unlimited' } },
        options: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } },
      },
      indexes: [['name']],
    },
    Counter: { isRoot: true, columns: { n: { type: 'integer' } } },
  },
};

/** An empty database file. */
export function createFile(file) {
  fs.rmSync(file, { force: true });
  fs.writeFileSync(`${file}.schema`, JSON.stringify(SCHEMA));
  const { status, stderr } = spawnSync(process.execPath, [
    path.join(ROOT, 'bin/ovsdb-tool'),
    'create',
    file,
    `${file}.schema`,
  ]);
  if (status !== 0) throw new Error(String(stderr));
}

/** The text of a request that inserts rows `from` to `to`. */
export function insertion(from, to) {
  const operations = [];
  for (let n = from; n < to; n++) {
    const row = {
      name: `item-${n}`,
      n,
      tags: ['set', ['a', `b${n % 7}`]],
      options: [
        'map',
        [
          ['color', 'blue'],
          ['size', String(n % 100)],
        ],
      ],
    };
    operations.push({ op: 'insert', table: 'Item', row });
  }
  return JSON.stringify({ id: 1, method: 'transact', params: ['B', ...operations] });
}

/** One connection. */
export class Client {
  /** Connects; tries again where too many wait to be accepted. */
  static async connect(socket) {
    for (;;) {
      try {
        return await new Promise((resolve, reject) => {
          const stream = net.connect(socket, () => resolve(new Client(stream)));
          stream.once('error', reject);
        });
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  constructor(stream) {
    this.stream = stream;
    /** Called with each notification. */
    this.onUpdate = () => {};
    this.waiting = [];
    const splitter = new JsonSplitter((text) => {
      const head = text.slice(0, 300);
      if (head.includes('"method":"update')) this.onUpdate(text);
      else if (!head.includes('"method":"echo"')) this.waiting.shift()?.(text);
    });
    stream.on('data', (chunk) => splitter.push(chunk));
    stream.on('error', () => {});
  }

  /** Sends the text of a request, resolves with the text of its reply; throws for one that failed. */
  async request(text) {
    this.stream.write(text);
    const reply = await new Promise((resolve) => this.waiting.push(resolve));
    if (/"details":|"error":"/.test(reply.slice(-400))) throw new Error(reply.slice(-400));
    return reply;
  }

  close() {
    this.stream.destroy();
  }
}

/** Starts a server on a file; resolves when it answers. */
export async function startServer(side, dir, file) {
  const socket = path.join(dir, `${side.name}.sock`);
  fs.rmSync(socket, { force: true });
  const [program, ...args] = side.command;
  const child = spawn(
    program,
    [...args, `--remote=punix:${socket}`, '--unixctl=none', '-vconsole:off', '-vsyslog:off', file],
    { stdio: 'ignore', env: { ...process.env, OVS_RUNDIR: dir, OVS_LOGDIR: dir } },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  for (;;) {
    try {
      const client = await Client.connect(socket);
      await client.request('{"id":0,"method":"list_dbs","params":[]}');
      client.close();
      break;
    } catch {
      if (child.exitCode !== null) throw new Error(`${side.name} did not start`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  const peakKb = () => {
    const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s*(\d+)/.exec(status)[1]);
  };
  /** Processor time of all its threads so far, ms (a clock tick is 10). */
  const cpuMs = () => {
    const stat = fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  };
  return { socket, stop, peakKb, cpuMs, client: () => Client.connect(socket) };
}
