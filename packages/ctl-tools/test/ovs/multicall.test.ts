import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { tmpDir } from '@ovs-node/common/testkit/index';
import { calledName, installLinks } from '../../src/ovs/multicall.js';

const isWindows = process.platform === 'win32';

test('a program is known by the last part of the name it was started by', (t) => {
  t.is(calledName('ovs-vsctl'), 'ovs-vsctl');
  t.is(calledName('./bin/ovs-vsctl'), 'ovs-vsctl');
  t.is(calledName('/usr/bin/ovs'), 'ovs');
  t.is(calledName('C:\\ovs\\OVS-VSCTL.EXE'), isWindows ? 'ovs-vsctl' : 'C:\\ovs\\OVS-VSCTL.EXE');
});

test('links are one file with the executable, replace what is there, and are made again', (t) => {
  const dir = tmpDir(t);
  const target = path.join(dir, 'new', 'folder');
  const executable = path.join(dir, 'ovs-linux-x64');
  fs.writeFileSync(executable, 'one');
  const names = ['ovs-vsctl', 'ovs-ofctl'];
  const files = ['ovs', ...names].map((name) => path.join(target, name));
  t.deepEqual(installLinks(executable, target, names), files);
  t.deepEqual(
    files.map((file) => fs.readFileSync(file, 'utf8')),
    ['one', 'one', 'one'],
  );
  t.is(fs.statSync(files[0]!).nlink, 3);
  fs.writeFileSync(executable, 'two');
  t.is(fs.readFileSync(files[1]!, 'utf8'), 'one', 'what is installed is a copy');
  t.deepEqual(installLinks(executable, target, names), files);
  t.is(fs.readFileSync(files[2]!, 'utf8'), 'two');
  t.deepEqual(installLinks(files[0]!, target, names), [], 'from its own place there is nothing left to do');
});

test('a folder that cannot be is named', (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 'file');
  fs.writeFileSync(file, '');
  t.throws(() => installLinks(file, path.join(file, 'below'), []), { message: /file.below: / });
});
