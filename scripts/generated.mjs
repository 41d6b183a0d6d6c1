// Files that are generated from the code and kept in the repository.
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);

/**
 * Writes the file `name` (relative to the checkout); with --check on the command line it only looks.
 *
 * @param generator the script that does this, for the words about a stale file.
 * @returns what is wrong, in one line; undefined when the file is as it should be.
 */
export function writeOrCheck(name, text, generator) {
  const file = new URL(name, root);
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text);
    return undefined;
  }
  let present = '';
  try {
    present = readFileSync(file, 'utf8');
  } catch {
    // A missing file is stale.
  }
  return present === text ? undefined : `${name} is stale: run node scripts/${generator}`;
}
