/** `ovsdb-client transact` and `query`. */
import { FatalError, errorMessage } from '@ovs-node/common/errors';
import { OvsdbError } from 'ovsdb-client/data/error';
import { type Json, canonicalJson, isJsonArray } from 'ovsdb-client/data/json';
import { parseTypedJson } from 'ovsdb-client/data/json-check';
import { asOvsdbError } from 'ovsdb-client/replica/reply';
import { prettyJson } from '../lib/table.js';
import type { ClientContext } from './types.js';

/** `[DATABASE, OPERATION…]` as the user typed it. @throws FatalError */
export function parseTransaction(text: string): Json[] {
  let json: Json;
  try {
    json = parseTypedJson(text);
  } catch (error) {
    throw new FatalError(`"${text}": ${errorMessage(error)}`);
  }
  if (!isJsonArray(json) || typeof json[0] !== 'string') throw new FatalError('not a valid OVSDB query');
  return [...json];
}

function printJson(json: Json, { style, print }: ClientContext): void {
  print(`${style.pretty ? prettyJson(json) : canonicalJson(json)}\n`);
}

/** A request whose error the user gets in the words of the protocol. @throws FatalError (rejects) */
export async function runRequest(
  { connection }: ClientContext,
  method: 'transact' | 'convert',
  params: Json[],
): Promise<Json> {
  try {
    return (await connection.session.request(method, params)) as Json;
  } catch (error) {
    const known = asOvsdbError(error);
    if (known instanceof OvsdbError)
      throw new FatalError(`transaction returned error: ${canonicalJson(known.toJson())}`);
    throw new FatalError(`${connection.server}: ${method} failed (${errorMessage(known)})`);
  }
}

export async function transact(context: ClientContext): Promise<void> {
  printJson(await runRequest(context, 'transact', parseTransaction(context.args[0] as string)), context);
}

/** As `transact`, undone: the last operation aborts, and its error is left out of the output. */
export async function query(context: ClientContext): Promise<void> {
  const operations = parseTransaction(context.args[0] as string);
  const reply = await runRequest(context, 'transact', [...operations, { op: 'abort' }]);
  printJson(isJsonArray(reply) ? reply.slice(0, -1) : reply, context);
}
