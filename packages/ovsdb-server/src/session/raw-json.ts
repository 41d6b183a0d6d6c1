/** JSON text that is ready to be sent: built once, shared by every session that sends it. */
import { type Json, stringifyJson } from 'ovsdb-client/data/json';

export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  static of(json: Json): RawJson {
    return new RawJson(stringifyJson(json));
  }
}

/**
 * Text of a JSON-RPC message whose params or result may hold `RawJson` as elements of the outermost array, or be
 * one.
 */
export function stringifyMessage(message: unknown): string {
  const { params, result } = message as { params?: unknown; result?: unknown };
  if (Array.isArray(params) && params.some((param) => param instanceof RawJson)) {
    const { id, method } = message as { id: unknown; method: string };
    return `{"id":${stringifyJson(id as Json)},"method":${JSON.stringify(method)},"params":${arrayText(params)}}`;
  }
  const raw =
    result instanceof RawJson || (Array.isArray(result) && result.some((part) => part instanceof RawJson));
  if (raw) {
    const { id } = message as { id: unknown };
    const text = result instanceof RawJson ? result.text : arrayText(result as unknown[]);
    return `{"id":${stringifyJson(id as Json)},"result":${text},"error":null}`;
  }
  return stringifyJson(message as Json);
}

function arrayText(parts: unknown[]): string {
  return `[${parts.map((part) => (part instanceof RawJson ? part.text : stringifyJson(part as Json))).join(',')}]`;
}
