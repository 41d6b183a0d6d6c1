import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { run, seeds } from './fuzz-target.js';

/** What `npm run fuzz -- openflow` has found so far. */
const corpus = path.resolve(import.meta.dirname, '../../test/corpus');
const files = existsSync(corpus) ? readdirSync(corpus) : [];

test('what fuzzing starts from, and what it has found, is decoded or refused', (t) => {
  for (const file of files) t.notThrows(() => run(readFileSync(path.join(corpus, file))), file);
  for (const seed of seeds()) t.notThrows(() => run(seed), Buffer.from(seed).toString('hex'));
});
