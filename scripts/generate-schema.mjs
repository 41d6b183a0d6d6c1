// Writes packages/ovsdb-client/vswitch.ovsschema from the typed definition (run after `tsc -b`). With --check it
// only tells whether the file is stale. The checksum is that of POSIX cksum over the text without its own
// "cksum" member, the rule that Open vSwitch documents for schema files.
import { readFileSync, writeFileSync } from 'node:fs';
import { definitionToJson } from '../packages/ovsdb-client/dist/src/definition.js';
import { VSWITCH } from '../packages/ovsdb-client/dist/src/vswitch/schema.js';
import { schemaFileText } from '../packages/ovsdb-client/dist/src/schema-file.js';

const file = new URL('../packages/ovsdb-client/vswitch.ovsschema', import.meta.url);
const text = schemaFileText(definitionToJson(VSWITCH));
if (process.argv.includes('--check')) {
  let present = '';
  try {
    present = readFileSync(file, 'utf8');
  } catch {
    // A missing file is stale.
  }
  if (present !== text) {
    console.error('packages/ovsdb-client/vswitch.ovsschema is stale: run node scripts/generate-schema.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(file, text);
}
