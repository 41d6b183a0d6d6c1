// npm run fuzz -- TARGET [--seconds=N] [--seed=N]: feeds mutated inputs to a decoder until the time is over.
//
// A target is a module with `seeds()`, the inputs to begin with, and `run(input)`, which throws when the input shows a
// mistake, and otherwise says in a few words what became of it: an input of which that has not been seen before is kept
// and mutated further, which is what guides the search. A target may have words of its own to insert (`tokens`).
//
// The loop runs in a thread with little memory, watched from here: an input that throws, takes more than the memory, or
// longer than a few seconds, is written to the target's corpus, where a test runs it from then on. The limit of the
// thread is of its heap alone. Buffers are counted after each input; what is taken meanwhile, in one that does not end,
// shows in the memory of the process.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { option } from './fuzz-option.mjs';

const root = resolve(import.meta.dirname, '..');

/** A target: its module (compiled) and the folder of inputs that found something or are worth keeping. */
const TARGETS = {
  openflow: { module: 'packages/openflow/dist/test/fuzz-target.js', corpus: 'packages/openflow/test/corpus' },
  ovsdb: {
    module: 'packages/ovsdb-server/dist/test/fuzz-target.js',
    corpus: 'packages/ovsdb-server/test/corpus',
  },
};

/** Megabytes that a decoder may take on the heap, and in buffers, with all that the loop itself keeps. */
const MEMORY_MB = 512;
/** Megabytes by which the process may grow: heap and buffers, and half as much for what is not returned at once. */
const GROWTH_MB = 2.5 * MEMORY_MB;
const MEGABYTE = 1 << 20;
const MEMORY_WATCH_MS = 50;
const LONGEST_MS = 5000;
const LONGEST_INPUT = 65536;
/** Inputs kept for what became of them, besides the seeds; when there are more, new ones take the place of old ones. */
const KEPT = 5000;
/** Outcomes remembered. A target's should be far fewer: beyond these, nothing is new any more, which the end of a run says. */
const OUTCOMES = 1_000_000;

function main() {
  const name = process.argv[2] ?? '';
  if (!Object.hasOwn(TARGETS, name)) {
    console.error(`usage: npm run fuzz -- ${Object.keys(TARGETS).join('|')} [--seconds=N] [--seed=N]`);
    process.exit(2);
  }
  const target = TARGETS[name];
  if (!existsSync(join(root, target.module))) {
    console.error('fuzz: not built yet: run "npx tsc -b" first');
    process.exit(2);
  }
  const seconds = option('seconds', 60);
  const seed = option('seed', Date.now() % 0x100000000);
  // What the loop is at: the length of the input, how many there have been, and the input itself.
  const state = new Int32Array(new SharedArrayBuffer(8));
  const input = new Uint8Array(new SharedArrayBuffer(LONGEST_INPUT));
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { target, seed, seconds, state, input },
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  let last = -1;
  const watch = setInterval(() => {
    const count = Atomics.load(state, 1);
    if (count === last && count > 0) finish(`no end in ${LONGEST_MS} ms`);
    last = count;
  }, LONGEST_MS);
  const atStart = process.memoryUsage.rss();
  const memoryWatch = setInterval(() => {
    const growth = Math.round((process.memoryUsage.rss() - atStart) / MEGABYTE);
    if (growth > GROWTH_MB) finish(`${growth} MB of memory, more than ${GROWTH_MB}`);
  }, MEMORY_WATCH_MS);

  function stopWatching() {
    clearInterval(watch);
    clearInterval(memoryWatch);
  }

  function finish(problem) {
    stopWatching();
    const bytes = Buffer.from(input.subarray(0, Atomics.load(state, 0)));
    const file = join(target.corpus, `${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.bin`);
    mkdirSync(join(root, target.corpus), { recursive: true });
    writeFileSync(join(root, file), bytes);
    console.error(`fuzz: ${problem}\nfuzz: the input is ${file} (seed ${seed})`);
    process.exit(1);
  }

  worker.on('message', ({ problem, text }) => {
    if (problem !== undefined) finish(problem);
    console.log(text);
  });
  worker.on('error', (error) => finish(error.stack ?? String(error)));
  worker.on('exit', stopWatching);
}

/** Numbers from 0 to n - 1, the same for the same seed. */
function generator(seed) {
  let s = seed | 1;
  return (n) => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) % n;
  };
}

const INTERESTING = [0, 1, 2, 4, 7, 8, 16, 32, 63, 64, 127, 128, 254, 255];

/** A copy of `bytes` with a few changes. */
function mutate(bytes, other, below, tokens) {
  let b = Uint8Array.from(bytes);
  for (let n = 1 + below(4); n > 0; n--) {
    const at = below(Math.max(b.length, 1));
    switch (below(tokens.length > 0 ? 8 : 7)) {
      case 0:
        if (b.length > 0) b[at] ^= 1 << below(8);
        break;
      case 1:
        if (b.length > 0) b[at] = INTERESTING[below(INTERESTING.length)];
        break;
      case 2:
        if (b.length > 1)
          b.set([below(256), INTERESTING[below(INTERESTING.length)]], Math.min(at, b.length - 2));
        break;
      case 3:
        b = b.slice(0, at);
        break;
      case 4:
        b = Buffer.concat([b.subarray(0, at), b.subarray(Math.min(at + 1 + below(16), b.length))]);
        break;
      case 5:
        b = Buffer.concat([b.subarray(0, at), other.subarray(below(Math.max(other.length, 1)))]);
        break;
      case 6:
        b = Buffer.concat([b.subarray(0, at), b.subarray(at, at + below(64)), b.subarray(at)]);
        break;
      default:
        b = Buffer.concat([b.subarray(0, at), tokens[below(tokens.length)], b.subarray(at)]);
    }
  }
  return b.subarray(0, LONGEST_INPUT);
}

async function loop() {
  const { target, seed, seconds, state, input } = workerData;
  const { seeds, run, tokens = [] } = await import(join(root, target.module));
  const corpus = join(root, target.corpus);
  const kept = [...seeds()];
  if (existsSync(corpus)) for (const file of readdirSync(corpus)) kept.push(readFileSync(join(corpus, file)));
  const given = kept.length;
  const seen = new Set();
  const below = generator(seed);
  const end = Date.now() + seconds * 1000;
  let count = 0;
  let fromSeeds = 0;
  for (; Date.now() < end; count++) {
    const bytes =
      count < given
        ? Uint8Array.from(kept[count])
        : mutate(kept[below(kept.length)], kept[below(kept.length)], below, tokens);
    Atomics.store(state, 0, bytes.length);
    input.set(bytes);
    Atomics.store(state, 1, count + 1);
    try {
      const outcome = run(bytes);
      const buffers = Math.round(getHeapStatistics().external_memory / MEGABYTE);
      if (buffers > MEMORY_MB) throw new Error(`${buffers} MB of buffers, more than ${MEMORY_MB}`);
      if (!seen.has(outcome) && seen.size < OUTCOMES) {
        seen.add(outcome);
        // A seed is kept as it is.
        if (count < given) fromSeeds++;
        else if (kept.length < given + KEPT) kept.push(bytes);
        else kept[given + below(KEPT)] = bytes;
      }
    } catch (error) {
      parentPort.postMessage({ problem: error.stack ?? String(error) });
      return;
    }
  }
  const rate = Math.round(count / seconds);
  parentPort.postMessage({
    text: `fuzz: ${count} inputs in ${seconds} s (${rate}/s), ${seen.size} outcomes, ${fromSeeds} of them of the ${given} seeds, nothing found (seed ${seed})${seen.size < OUTCOMES ? '' : '; too many outcomes to be guided by'}`,
  });
}

if (isMainThread) main();
else await loop();
