'use strict';
/*
 * Runs a program's bundle, dist/NAME.cjs, with the code that V8 compiled for it when it was built (scripts/code-cache.mjs):
 * compiling it anew takes some 20 ms of each start. What was compiled of other bytes, or by another Node.js, does not count.
 * It lies beside the bundle and not, as Node.js would have it, in a folder for temporary files, where others could put code
 * for root to run.
 */
const fs = require('node:fs');
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

/** The words that a module's code stands between, on the first line, so that positions in the file stay what they are. */
const WRAPPER = ['(function (exports, require, module, __filename, __dirname) { ', '\n});'];

/**
 * Reads and compiles the bundle of `name`, with the code kept for it unless `anew`. Gives its file, the compiled script,
 * and what runs it; undefined, with a message, when it has not been built.
 */
function open(name, anew = false) {
  const file = path.join(__dirname, '..', 'dist', `${name}.cjs`);
  let source;
  try {
    // Bundles are plain ASCII, which is read several times faster than UTF-8 is.
    source = fs.readFileSync(file, 'latin1');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    process.stderr.write(`${name}: not built yet: run "npm run build" in the checkout\n`);
    process.exitCode = 1;
    return undefined;
  }
  const cachedData = anew ? undefined : cachedCode(file);
  const script = new vm.Script(WRAPPER.join(source), { filename: file, cachedData });
  const run = () => {
    const bundle = { exports: {} };
    const main = script.runInThisContext();
    main.call(bundle.exports, bundle.exports, require, bundle, file, path.dirname(file));
  };
  return { file, script, run };
}

module.exports = function load(name) {
  open(name)?.run();
};
module.exports.open = open;
module.exports.HEADER = HEADER;
