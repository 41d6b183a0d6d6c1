/** What the commands of ovsdb-tool share. */
import path from 'node:path';
import { dirs } from '@ovs-node/common/dirs';
import { FatalError, errnoName, strerror } from '@ovs-node/common/errors';
import { readPlainText } from '@ovs-node/common/windows-files';
import { OvsdbError } from 'ovsdb-client/data/error';
import { parseJson } from 'ovsdb-client/data/json';
import { jsonSyntaxError } from 'ovsdb-client/data/json-check';
import { definitionToJson } from 'ovsdb-client/definition';
import { type DatabaseSchema, schemaFromJson } from 'ovsdb-client/schema';
import { schemaFileText } from 'ovsdb-client/schema-file';
import { VSWITCH } from 'ovsdb-client/vswitch/schema';

/** The options of the command line. */
export interface ToolOptions {
  /** How often -m was given. */
  more: number;
  /** Role whose rights `query` and `transact` have; undefined: all rights. */
  rbacRole: string | undefined;
}

/** `DB` when it is not given. */
export function defaultDatabase(): string {
  return path.join(dirs.dbdir, 'conf.db');
}

/** `SCHEMA` when it is not given. */
export function defaultSchema(): string {
  return path.join(dirs.pkgdatadir, 'vswitch.ovsschema');
}

/**
 * Reads and checks a schema file. Where the default one is not installed, this suite's own Open_vSwitch schema is
 * taken. Throws `FatalError` or `OvsdbError` in the peer's words.
 */
export function readSchemaFile(given: string | undefined): DatabaseSchema {
  const file = given ?? defaultSchema();
  let text: string;
  try {
    text = readPlainText(file);
  } catch (error) {
    if (
      given === undefined &&
      errnoName(error) === 'ENOENT' &&
      (process.env['OVS_PKGDATADIR'] ?? '') === ''
    ) {
      return schemaFromJson(parseJson(schemaFileText(definitionToJson(VSWITCH))));
    }
    throw new FatalError(
      `failed to read schema: "${file}" could not be read as JSON (error opening "${file}": ${strerror(error)})`,
    );
  }
  const wrong = text === '' ? 'line 0, column 0, byte 0: empty input stream' : jsonSyntaxError(text);
  if (wrong !== undefined)
    throw new FatalError(`failed to read schema: "${file}" could not be read as JSON (${wrong})`);
  try {
    return schemaFromJson(parseJson(text));
  } catch (error) {
    if (!(error instanceof OvsdbError)) throw error;
    const details = `failed to parse "${file}" as ovsdb schema: ${error.details ?? ''}`;
    throw new OvsdbError(error.tag, details, error.syntax);
  }
}
