// Installs what is missing and builds what is stale, then runs the command given, if any.
//   node scripts/setup.mjs [COMMAND ARGS...]
// Plain JavaScript with no imports beyond Node: it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const npm = process.env.npm_execpath;

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node.js 20.19 or later is needed; this is ${process.versions.node}`);
  process.exit(1);
}

function run(what, file, args, options = {}) {
  const started = Date.now();
  process.stderr.write(`${what} ... `);
  const result = spawnSync(file, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20, ...options });
  if (result.status === 0) {
    process.stderr.write(`done (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
    return;
  }
  process.stderr.write(
    `failed\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? `${result.error.message}\n` : ''}`,
  );
  process.exit(1);
}

function newest(dir) {
  let latest = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.name === 'dist' || entry.name === 'node_modules') continue;
    const path = join(dir, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
}

const mtime = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

// npm leaves the lock file of what it installed in node_modules.
if (mtime(join(root, 'node_modules/.package-lock.json')) < mtime(join(root, 'package-lock.json'))) {
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  if (npm) run('installing', process.execPath, [npm, ...args]);
  // Through a shell: on Windows npm is a script.
  else run('installing', ['npm', ...args].join(' '), [], { shell: true });
}

const stamp = mtime(join(root, 'dist/.built'));
const sources = ['packages', 'test', 'scripts', 'bin'].map((dir) => newest(join(root, dir)));
if (stamp < Math.max(...sources, mtime(join(root, 'package.json')), mtime(join(root, 'package-lock.json')))) {
  run('compiling', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b']);
  run('bundling', process.execPath, [join(root, 'scripts/bundle.mjs')]);
  writeFileSync(join(root, 'dist/.built'), '');
}

const [file, ...args] = process.argv.slice(2);
if (file !== undefined) {
  // The child ends in its own order; this process only hands signals on and waits.
  const child = (await import('node:child_process')).spawn(process.execPath, [join(root, file), ...args], {
    stdio: 'inherit',
    cwd: root,
  });
  // Windows tells every process of a console, and kill() there gives the child no chance to end in its own order.
  const pass = process.platform === 'win32' ? () => {} : (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
  child.on('exit', (status, signal) => process.exit(status ?? (signal ? 1 : 0)));
}
