/** `ovsdb-client convert` and `needs-conversion`: a database and a schema file. */
import { FatalError, strerror } from '@ovs-node/common/errors';
import { readPlainText } from '@ovs-node/common/windows-files';
import { OvsdbError } from 'ovsdb-client/data/error';
import { type Json, parseJson } from 'ovsdb-client/data/json';
import { jsonSyntaxError } from 'ovsdb-client/data/json-check';
import { type DatabaseSchema, schemaEquals, schemaFromJson } from 'ovsdb-client/schema';
import { runRequest } from './transact.js';
import type { ClientContext } from './types.js';

/** Reads a schema file. @throws FatalError */
export function readSchema(file: string): { json: Json; schema: DatabaseSchema } {
  const fail = (why: string): never => {
    throw new FatalError(`failed to read schema: ${why}`);
  };
  let text = '';
  try {
    text = readPlainText(file);
  } catch (error) {
    fail(`"${file}" could not be read as JSON (error opening "${file}": ${strerror(error)})`);
  }
  const wrong = jsonSyntaxError(text);
  if (wrong !== undefined) fail(`"${file}" could not be read as JSON (${wrong})`);
  const json = parseJson(text);
  try {
    return { json, schema: schemaFromJson(json) };
  } catch (error) {
    if (!(error instanceof OvsdbError)) throw error;
    const details = `failed to parse "${file}" as ovsdb schema: ${error.details ?? ''}`;
    throw new FatalError(new OvsdbError(error.tag, details, error.syntax).message);
  }
}

export async function needsConversion({ connection, args, print }: ClientContext): Promise<void> {
  const wanted = readSchema(args[0] as string).schema;
  const { schema } = await connection.schema(wanted.name);
  print(schemaEquals(schema, wanted) ? 'no\n' : 'yes\n');
}

export async function convert(context: ClientContext): Promise<void> {
  const { json, schema } = readSchema(context.args[0] as string);
  await runRequest(context, 'convert', [schema.name, json]);
}
