#!/usr/bin/env node
/** ovsdb-typegen: TypeScript on standard output from a schema file. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { FatalError, strerror } from '@ovs-node/common/errors';
import { parseCommandLine } from '@ovs-node/common/getopt';
import { runTool } from '@ovs-node/common/tool';
import { OvsdbError } from '../data/error.js';
import { parseJson } from '../data/json.js';
import { jsonSyntaxError } from '../data/json-check.js';
import { schemaFromJson } from '../schema.js';
import { generateTypes } from './generate.js';

const NAME = 'ovsdb-typegen';

const help = (): string => `${NAME}: TypeScript for an OVSDB schema
usage: ${NAME} [OPTIONS] FILE.ovsschema > FILE.ts

Writes an interface for the rows of each table, the type "Tables" that gathers
them, and the schema, for use with package ovsdb-client:

  import { Replica } from 'ovsdb-client';
  import { DATABASE, type Tables, schema } from './FILE.js';
  const replica = new Replica<Tables>({ remote, database: DATABASE, schema });

Options:
  -h, --help                  display this help message
  -V, --version               display version information
`;

void runTool(NAME, (args) => {
  const { operands } = parseCommandLine({ name: NAME, options: [], help, order: 'permute' }, args);
  const [file] = operands;
  if (file === undefined || operands.length > 1)
    throw new FatalError('exactly one schema file has to be given; use --help for help');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new FatalError(`${file}: open failed (${strerror(error)})`);
  }
  const wrong = jsonSyntaxError(text);
  if (wrong !== undefined) throw new FatalError(`${file}: ${wrong}`);
  try {
    process.stdout.write(generateTypes(schemaFromJson(parseJson(text)), basename(file)));
  } catch (error) {
    if (error instanceof OvsdbError) throw new FatalError(`${file}: ${error.message}`);
    throw error;
  }
});
