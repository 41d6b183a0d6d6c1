// Writes packages/ovsdb-client/vswitch.ovsschema and docs/schema.md from the typed definition (run after `tsc -b`).
// With --check it only tells whether a file is stale or something lacks its documentation. The schema's checksum is
// that of POSIX cksum over the text without its own "cksum" member, the rule that Open vSwitch documents for schema
// files.
import { readFileSync } from 'node:fs';
import { format } from 'prettier';
import { definitionToJson } from '../packages/ovsdb-client/dist/src/definition.js';
import { VSWITCH } from '../packages/ovsdb-client/dist/src/vswitch/schema.js';
import { schemaFileText } from '../packages/ovsdb-client/dist/src/schema-file.js';
import { writeOrCheck } from './generated.mjs';
import { schemaDocument, undocumented } from './schema-doc.mjs';

const prettierOptions = JSON.parse(readFileSync(new URL('../.prettierrc.json', import.meta.url), 'utf8'));
const generated = {
  'packages/ovsdb-client/vswitch.ovsschema': schemaFileText(definitionToJson(VSWITCH)),
  'docs/schema.md': await format(schemaDocument(), { ...prettierOptions, parser: 'markdown' }),
};
const problems = undocumented();
for (const [name, text] of Object.entries(generated)) {
  const stale = writeOrCheck(name, text, 'generate-schema.mjs');
  if (stale !== undefined) problems.push(stale);
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
