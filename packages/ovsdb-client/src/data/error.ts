/** Errors of the OVSDB protocol: the members of RFC 7047 <error> objects, thrown as one class. */
import { type Json, type JsonObject, canonicalJson } from './json.js';

/** Every `error` string of RFC 7047 (sections 3.1, 4.1, 5.2) and those that the peer adds to it. */
export const ERROR_TAGS = {
  syntax: 'syntax error',
  unknownDatabase: 'unknown database',
  unknownTable: 'unknown table',
  unknownColumn: 'unknown column',
  unknownFunction: 'unknown function',
  unknownMutator: 'unknown mutator',
  constraint: 'constraint violation',
  referential: 'referential integrity violation',
  duplicateUuidName: 'duplicate uuid-name',
  duplicateUuid: 'duplicate uuid',
  domain: 'domain error',
  range: 'range error',
  timedOut: 'timed out',
  notSupported: 'not supported',
  aborted: 'aborted',
  notOwner: 'not owner',
  resourcesExhausted: 'resources exhausted',
  io: 'I/O error',
  ovsdb: 'ovsdb error',
  internal: 'internal error',
  canceled: 'canceled',
  permission: 'permission error',
  notAllowed: 'not allowed',
  notAvailable: 'database not available',
} as const satisfies Record<string, string>;

/**
 * An error of the OVSDB protocol. `tag` is the RFC's `error` member, `details` the human text, `syntax` the JSON
 * text that was wrong.
 */
export class OvsdbError extends Error {
  readonly tag: string;
  readonly details: string | undefined;
  readonly syntax: string | undefined;

  constructor(tag: string, details?: string, syntax?: string) {
    super(errorText(tag, details, syntax));
    this.name = 'OvsdbError';
    this.tag = tag;
    this.details = details;
    this.syntax = syntax;
  }

  /** The <error> object of RFC 7047 section 3.1. */
  toJson(): JsonObject {
    const json: Record<string, Json> = {};
    if (this.details !== undefined) json['details'] = this.details;
    json['error'] = this.tag;
    if (this.syntax !== undefined) json['syntax'] = this.syntax;
    return json;
  }
}

/** One line as the peer's tools print it: `syntax "JSON": TAG: DETAILS`. */
function errorText(tag: string, details?: string, syntax?: string): string {
  const where = syntax === undefined ? '' : `syntax "${syntax}": `;
  return details === undefined ? `${where}${tag}` : `${where}${tag}: ${details}`;
}

/** The error for JSON that does not have the form it must have; `tag` defaults to `syntax error`. */
export function syntaxError(
  json: Json | undefined,
  details: string,
  tag: string = ERROR_TAGS.syntax,
): OvsdbError {
  return new OvsdbError(tag, details, json === undefined ? undefined : canonicalJson(json));
}

/** The error for a value that its column's constraints do not allow. */
export function constraintError(details: string): OvsdbError {
  return new OvsdbError(ERROR_TAGS.constraint, details);
}
