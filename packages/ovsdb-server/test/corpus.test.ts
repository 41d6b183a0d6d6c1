import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { run, seeds } from './fuzz-target.js';

const corpus = path.resolve(import.meta.dirname, '../../test/corpus');
const files = existsSync(corpus) ? readdirSync(corpus) : [];

test('requests of every kind, and all that fuzzing has found, are answered without an exception', (t) => {
  for (const seed of seeds()) t.notThrows(() => run(seed));
  for (const file of files) t.notThrows(() => run(readFileSync(path.join(corpus, file))), file);
});
