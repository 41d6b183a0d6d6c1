'use strict';
/*
 * Runs a program's bundle, dist/NAME.cjs, with the code that V8 compiled for it when it was built (scripts/code-cache.mjs):
 * compiling it anew takes some 20 ms of each start. What was compiled of other bytes, or by another Node.js, does not count.
 * It lies beside the bundle and not, as Node.js would have it, in a folder for temporary files, where others could put code
 * for root to run.
 */
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

/** Bytes before the code: the time and the size of the bundle that it was made of, as doubles. */
const HEADER = 16;

/** The code compiled for a bundle; undefined when there is none for just these bytes. */
function cachedCode(file) {
  try {
    const bytes = fs.readFileSync(`${file}.cache`);
    const { mtimeMs, size } = fs.statSync(file);
    if (bytes.readDoubleLE(0) !== mtimeMs || bytes.readDoubleLE(8) !== size) return undefined;
    return bytes.subarray(HEADER);
  } catch {
    return undefined;
  }
}

/**
 * Runs the bundle of `name`. `onScript` is given the compiled script before it runs, for what keeps its code.
 */
module.exports = function load(name, onScript) {
  const file = path.join(__dirname, '..', 'dist', `${name}.cjs`);
  let source;
  try {
    source = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    process.stderr.write(`${name}: not built yet: run "npm run build" in the checkout\n`);
    process.exitCode = 1;
    return;
  }
  const cachedData = onScript === undefined ? cachedCode(file) : undefined;
  const script = new vm.Script(Module.wrap(source), { filename: file, cachedData });
  onScript?.(script, file);
  const bundle = { exports: {} };
  const run = script.runInThisContext();
  run.call(bundle.exports, bundle.exports, Module.createRequire(file), bundle, file, path.dirname(file));
};
module.exports.HEADER = HEADER;
