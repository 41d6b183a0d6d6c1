// Rules of the tree that no other tool checks; `npm run check` runs this last.
//  1. Imports point one way: a package imports only those that stand before it (style.md, "Layers"), and each
//     import is among its package.json dependencies and its tsconfig.json references.
//  2. No source file is far over 800 lines.
//  3. Every package the tree depends on is named in docs/dependencies.md.
//  4. Generated files are not stale.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { builtinModules } from 'node:module';

const root = resolve(import.meta.dirname, '..');
const problems = [];
const json = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

const layers = [
  'common',
  'flow',
  'openflow',
  'netlink',
  'ovsdb-client',
  'ovsdb-server',
  'datapath-svc',
  'vswitchd',
  'ctl-tools',
];
const packageOf = new Map(layers.map((dir) => [json(`packages/${dir}/package.json`).name, dir]));
const files = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '--', '*.ts', '*.mjs'], {
  cwd: root,
  encoding: 'utf8',
})
  .stdout.split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));

for (const file of files) {
  const text = readFileSync(join(root, file), 'utf8');
  const lines = text.split('\n').length;
  if (lines > 800) problems.push(`${file}: ${lines} lines (800 at most): several rooms in one?`);
  const owner = /^packages\/([^/]+)\/src\//.exec(file)?.[1];
  if (owner === undefined) continue;
  const manifest = json(`packages/${owner}/package.json`);
  const references = json(`packages/${owner}/tsconfig.json`).references.map((each) =>
    each.path.replace('../', ''),
  );
  for (const [, name] of text.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*'([^'.][^']*)'/gm)) {
    const base = name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : name.split('/')[0];
    if (base.startsWith('node:')) continue;
    if (builtinModules.includes(base)) problems.push(`${file}: imports ${name}; say node:${name}`);
    const target = packageOf.get(base);
    if (manifest.dependencies?.[base] === undefined && target !== owner)
      problems.push(`${file}: ${base} is not a dependency of its package`);
    if (target === undefined || target === owner) continue;
    if (layers.indexOf(target) > layers.indexOf(owner))
      problems.push(`${file}: imports ${name} from a layer above its own`);
    if (!references.includes(target))
      problems.push(`${file}: ${target} is not among the references of tsconfig.json`);
  }
}

const documented = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
const manifests = ['package.json', ...layers.map((dir) => `packages/${dir}/package.json`)].map(json);
for (const manifest of manifests) {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    if (packageOf.has(name)) continue;
    if (!documented.includes(`\`${name}\``))
      problems.push(`package.json of ${manifest.name}: ${name} is not in docs/dependencies.md`);
    if (!/^\d+\.\d+\.\d+/.test(version))
      problems.push(`package.json of ${manifest.name}: ${name} ${version} is not pinned`);
  }
}

for (const generator of [
  'scripts/generate-schema.mjs',
  'scripts/generate-openflow-docs.mjs',
  'scripts/generate-completions.mjs',
]) {
  if (!existsSync(join(root, generator))) continue;
  const result = spawnSync(process.execPath, [join(root, generator), '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (result.status !== 0) problems.push(`${generator}: ${(result.stderr || result.stdout).trim()}`);
}

for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
