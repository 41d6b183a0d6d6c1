// The rows of `npm run bench:openflow`. A row compares ours with the peer's: both are functions that do the work once
// and return the seconds it took; one of a side that has no such thing is left out. `prepare` makes what they need in a
// folder that is removed after, and returns the two. Rows are run one after the other, their sides in turn.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { decodeMessage, putMessage } from '../dist/src/messages/codec.js';
import { parseFlowProtocols } from '../dist/src/text/flow.js';
import { Writer } from '../dist/src/wire.js';
import { flowLines } from './flows.mjs';

const OURS = resolve(import.meta.dirname, '../../../bin/ovs-ofctl');
export const PEER = '/usr/bin/ovs-ofctl';
const FLOWS = 100_000;

/** Seconds that `work` takes. */
function timed(work) {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

/** Runs a program with its output going to a file of `dir`; throws when it fails. */
function runToFile(dir, program, args) {
  const out = openSync(join(dir, 'out'), 'w');
  const { status, stderr } = spawnSync(program, args, { stdio: ['ignore', out, 'pipe'], encoding: 'utf8' });
  closeSync(out);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** A command of ovs-ofctl, the whole program with its start, on either side. */
function whole(dir, ...args) {
  const side = (program) => () => timed(() => runToFile(dir, program, args));
  return { ours: side(OURS), peer: side(PEER) };
}

/** The flow-mods of the table, in the form of a version. */
function flowMods(version) {
  const form = version === 1 ? { format: 'nxm', withTableId: true } : {};
  return flowLines(FLOWS).map((line) => ({
    type: 'flow_mod',
    flowMod: parseFlowProtocols(line, 'add').flowMod,
    ...form,
  }));
}

/** All flow-mods as messages one after the other. */
function encoded(messages, version) {
  const w = new Writer(1 << 20);
  for (const [i, msg] of messages.entries()) putMessage(w, msg, version, i + 1);
  return w.finish();
}

function decodeAll(bytes) {
  for (let at = 0; at < bytes.length;) {
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    const decoded = decodeMessage(bytes.subarray(at, at + length));
    if (!('msg' in decoded)) throw new Error(decoded.toString());
    at += length;
  }
}

export const ROWS = [
  {
    name: 'ovs-ofctl parse-flows of 100,000 flows: read, send, print, process time included',
    count: FLOWS,
    prepare(dir) {
      const file = join(dir, 'flows.txt');
      writeFileSync(file, `${flowLines(FLOWS).join('\n')}\n`);
      return whole(dir, 'parse-flows', file);
    },
  },
  {
    name: 'ovs-ofctl ofp-parse of 100,000 flow-mods of OpenFlow 1.3: decode, print, process time included',
    count: FLOWS,
    prepare(dir) {
      const file = join(dir, 'flow-mods.bin');
      writeFileSync(file, encoded(flowMods(4), 4));
      return whole(dir, 'ofp-parse', file);
    },
  },
  {
    name: 'read the text of 100,000 flows, in process',
    count: FLOWS,
    prepare(dir) {
      const file = join(dir, 'flows.txt');
      writeFileSync(file, `${flowLines(FLOWS).join('\n')}\n`);
      return {
        ours: () =>
          timed(() => {
            const text = readFileSync(file, 'latin1');
            for (let from = 0; from < text.length;) {
              const to = text.indexOf('\n', from);
              parseFlowProtocols(text, 'add', {}, from, to);
              from = to + 1;
            }
          }),
      };
    },
  },
  ...[1, 4].map((version) => ({
    name: `encode 100,000 flow-mods of OpenFlow 1.${version - 1}, in process`,
    count: FLOWS,
    prepare() {
      const messages = flowMods(version);
      return { ours: () => timed(() => encoded(messages, version)) };
    },
  })),
  ...[1, 4].map((version) => ({
    name: `decode 100,000 flow-mods of OpenFlow 1.${version - 1}, in process`,
    count: FLOWS,
    prepare() {
      const bytes = encoded(flowMods(version), version);
      return { ours: () => timed(() => decodeAll(bytes)) };
    },
  })),
];
