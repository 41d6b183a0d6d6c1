import test from 'ava';
import { hasDrive, plainText } from '../src/windows-files.js';

const LF = 'é=1\n\n# two\n\r3\n';
const CRLF = LF.replaceAll('\n', '\r\n');
const marked = (encoding: 'utf16le' | 'utf8', text: string): Buffer => Buffer.from(`\ufeff${text}`, encoding);

test('a text of Windows is read in whatever encoding its mark says', (t) => {
  for (const bytes of [
    Buffer.from(LF),
    Buffer.from(CRLF),
    marked('utf8', CRLF),
    marked('utf8', LF),
    marked('utf16le', CRLF),
    marked('utf16le', CRLF).swap16(),
    Buffer.concat([marked('utf16le', LF), Buffer.of(0x20)]),
  ])
    t.is(plainText(bytes, 'win32').toString(), LF);
  t.is(plainText(Buffer.alloc(0), 'win32').length, 0);
  const unmarked = Buffer.from('ab', 'utf16le');
  t.is(plainText(unmarked, 'win32'), unmarked);
});

test('elsewhere a text is what it is', (t) => {
  for (const bytes of [marked('utf16le', CRLF), marked('utf8', CRLF), Buffer.from(CRLF)])
    t.is(plainText(bytes, 'linux'), bytes);
});

test('a name with a drive is one on Windows only', (t) => {
  for (const name of ['C:\\a', 'z:/a'])
    t.deepEqual([hasDrive(name, 'win32'), hasDrive(name, 'linux')], [true, false]);
  for (const name of ['C:a', 'unix:/a', 'tcp:1.2.3.4', '/a', 'br0', 'C']) t.false(hasDrive(name, 'win32'));
});
