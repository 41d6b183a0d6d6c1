/** Packages as others get them: packed with npm, installed from the tarballs into an empty folder without a network. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { tmpDir } from '@ovs-node/common/testkit/tmp';
import { checkout, runCommand } from '@ovs-node/ctl-tools/lab/suite';

/** Runs a program in `dir`, which has to succeed. @returns what it printed. */
export async function runIn(
  t: ExecutionContext,
  dir: string,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { env: { ...process.env, PWD: dir, ...env }, cwd: dir, timeoutMs: 120_000 };
  const { status, stdout, stderr } = await runCommand(file, args, options);
  t.is(status, 0, `${file} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/**
 * Installs packages into an empty folder that is an application.
 *
 * @param folders of the packages and of all that they depend on, from the checkout.
 * @returns the application's folder.
 */
export async function installPacked(t: ExecutionContext, folders: readonly string[]): Promise<string> {
  const dir = tmpDir(t);
  const [tarballs, app] = [join(dir, 'tarballs'), join(dir, 'app')];
  for (const each of [tarballs, app]) mkdirSync(each);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const paths = folders.map((each) => join(checkout, each));
  await runIn(t, checkout, npm, ['pack', '--silent', '--pack-destination', tarballs, ...paths]);
  const dependencies: Record<string, string> = {};
  for (const folder of paths) {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string };
    const file = readdirSync(tarballs).find((each) =>
      each.startsWith(`${name.replace(/^@|\//g, (c) => (c === '/' ? '-' : ''))}-`),
    );
    dependencies[name] = `file:../tarballs/${file}`;
  }
  const manifest = { name: 'app', private: true, type: 'module', dependencies };
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest));
  const how = ['--offline', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  await runIn(t, app, npm, ['install', ...how]);
  return app;
}

/** Compiles a program in the application; its types, and those of all it imports, are checked. */
export async function compileIn(
  t: ExecutionContext,
  app: string,
  file: string,
  ...more: string[]
): Promise<void> {
  const types = join(checkout, 'node_modules/@types');
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  const compiler = join(checkout, 'node_modules/.bin/tsc');
  await runIn(t, app, compiler, [...options, '--typeRoots', types, ...more, file]);
}
