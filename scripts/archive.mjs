// The archive of a standalone executable: with the schema, the licences, and what its system wants besides. On Linux the
// tool names are hard links in it; a zip file has none, so there `ovs install-links` makes them.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { zipSync } from 'fflate';
import { compiled, root } from './bundle-settings.mjs';
import { PROGRAMS } from './programs.mjs';

const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
/** Where the units of the archive expect the programs. */
const UNIX_BIN = '/usr/local/bin';

async function units(dir) {
  const { SERVICES } = await import(compiled('packages/ctl-tools/src/ovs-service/table.ts'));
  const { unitText } = await import(compiled('packages/ctl-tools/src/ovs-service/systemd.ts'));
  fs.mkdirSync(dir, { recursive: true });
  for (const row of SERVICES) {
    const text = unitText(row, '/etc/openvswitch/conf.db', [path.posix.join(UNIX_BIN, row.name)], {});
    fs.writeFileSync(path.join(dir, `${row.name}.service`), text);
  }
}

function files(dir, below = '') {
  return fs.readdirSync(path.join(dir, below), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(below, entry.name);
    return entry.isDirectory() ? files(dir, name) : [name];
  });
}

/** Packs `executable` with what belongs to it; returns the archive's path, beside it. */
export async function archive(target, executable, thirdParty, work) {
  const name = `ovs-${version}-${target}`;
  const dir = path.join(work, name);
  const put = (from, to) => {
    fs.mkdirSync(path.dirname(path.join(dir, to)), { recursive: true });
    fs.copyFileSync(path.join(root, from), path.join(dir, to));
  };
  fs.mkdirSync(path.join(dir, 'bin'), { recursive: true });
  put('LICENSE', 'LICENSE');
  fs.writeFileSync(path.join(dir, 'THIRD-PARTY-LICENSES.txt'), thirdParty);
  put('packages/ovsdb-client/vswitch.ovsschema', 'share/openvswitch/vswitch.ovsschema');
  if (target.startsWith('win')) {
    fs.copyFileSync(executable, path.join(dir, 'bin/ovs.exe'));
    put('docs/windows.md', 'docs/windows.md');
    put('powershell/OVS.psm1', 'powershell/OVS.psm1');
    const content = Object.fromEntries(
      files(dir).map((file) => [`${name}/${file}`, fs.readFileSync(path.join(dir, file))]),
    );
    const output = path.join(root, 'dist', `${name}.zip`);
    fs.writeFileSync(output, zipSync(content, { level: 6 }));
    return output;
  }
  const ovs = path.join(dir, 'bin/ovs');
  fs.copyFileSync(executable, ovs);
  for (const program of Object.keys(PROGRAMS)) fs.linkSync(ovs, path.join(dir, 'bin', program));
  await units(path.join(dir, 'lib/systemd/system'));
  const output = path.join(root, 'dist', `${name}.tar.gz`);
  const { status, stderr } = spawnSync('tar', ['-czf', output, name], { cwd: work, encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar: ${stderr.trim()}`);
  return output;
}
