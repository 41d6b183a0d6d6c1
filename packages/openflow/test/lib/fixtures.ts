/** Tables of packages/openflow/test/fixtures. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The cells of each row of a file; lines that begin with `#` are none. */
export function fixtureRows(name: string): string[][] {
  return readFileSync(path.resolve(import.meta.dirname, '../../../test/fixtures', name), 'utf8')
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.split('\t'));
}
