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

/** The words that a module's code stands between, on the first line, so that positions in the file stay what they are. */
const BEFORE = Buffer.from('(function (exports, require, module, __filename, __dirname) { ');
const AFTER = Buffer.from('\n});');
const NOTHING = Buffer.alloc(0);

/**
 * Memory that files are read into, one after the other. What a process touches for the first time costs it more than the
 * reading does: copies of a bundle and of its code were 400 of the 3,200 page faults of ovs-ofctl's start.
 */
class Desk {
  #bytes;

  /** @param size bytes that will do for the longest of the files */
  constructor(size) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  /** Reads a file between other bytes. Gives all of it, good until the next file is read, and the file's state. */
  read(file, before = NOTHING, after = NOTHING) {
    const fd = fs.openSync(file, 'r');
    try {
      const { size, mtimeMs } = fs.fstatSync(fd);
      const length = before.length + size + after.length;
      if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafe(length);
      const bytes = this.#bytes.subarray(0, length);
      bytes.set(before);
      for (let at = before.length, n; at < before.length + size; at += n) {
        n = fs.readSync(fd, bytes, at, before.length + size - at);
        if (n === 0) throw new Error(`${file}: became shorter while it was read`);
      }
      bytes.set(after, before.length + size);
      return { bytes, size, mtimeMs };
    } finally {
      fs.closeSync(fd);
    }
  }
}

/** The code compiled for a bundle of that size and time; undefined when there is none for just these bytes. */
function cachedCode(desk, file, { mtimeMs, size }) {
  try {
    const { bytes } = desk.read(file);
    if (bytes.readDoubleLE(0) !== mtimeMs || bytes.readDoubleLE(8) !== size) return undefined;
    return bytes.subarray(HEADER);
  } catch {
    return undefined;
  }
}

/**
 * Reads and compiles the bundle of `name`, with the code kept for it unless `anew`. Gives its file, the compiled script,
 * and what runs it; undefined, with a message, when it has not been built.
 */
function open(name, anew = false) {
  const file = path.join(__dirname, '..', 'dist', `${name}.cjs`);
  const cache = `${file}.cache`;
  const sizes = [file, cache].map((f) => fs.statSync(f, { throwIfNoEntry: false })?.size ?? 0);
  const desk = new Desk(Math.max(...sizes) + BEFORE.length + AFTER.length);
  let bundle;
  try {
    bundle = desk.read(file, BEFORE, AFTER);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    process.stderr.write(`${name}: not built yet: run "npm run build" in the checkout\n`);
    process.exitCode = 1;
    return undefined;
  }
  // Bundles are plain ASCII, which is read several times faster than UTF-8 is.
  const source = bundle.bytes.toString('latin1');
  const cachedData = anew ? undefined : cachedCode(desk, cache, bundle);
  const script = new vm.Script(source, { filename: file, cachedData });
  const run = () => {
    const made = { exports: {} };
    const main = script.runInThisContext();
    main.call(made.exports, made.exports, require, made, file, path.dirname(file));
  };
  return { file, script, run };
}

module.exports = function load(name) {
  open(name)?.run();
};
module.exports.open = open;
module.exports.HEADER = HEADER;
