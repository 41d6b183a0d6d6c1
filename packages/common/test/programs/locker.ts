/** Locks a file as it is told by lines on standard input: `locker FILE PLATFORM`, PLATFORM being what it runs on. */
import fs from 'node:fs';
import readline from 'node:readline';

const [file, platform] = process.argv.slice(2) as [string, string];
Object.defineProperty(process, 'platform', { value: platform });
const { lockOwner, tryLockFile, unlockFile } = await import('../../src/file-lock.js');

const commands: Record<string, (fd: number) => number | void> = {
  owner: (fd) => lockOwner(fd),
  'owner nginx': (fd) => lockOwner(fd, 'nginx'),
  try: tryLockFile,
  unlock: unlockFile,
};
let fd = fs.openSync(file, 'r+');
for await (const line of readline.createInterface({ input: process.stdin })) {
  console.log(String(commands[line]!(fd)));
  // A record lock would go with its descriptor; a text is read from the start.
  if (line.startsWith('owner')) {
    fs.closeSync(fd);
    fd = fs.openSync(file, 'r+');
  }
}
