/** JSON forms of column types: RFC 7047 section 3.2 <type> and <base-type>. */
import { ATOMIC_TYPES, type AtomicType, integerFromJson } from './atom.js';
import { datumFromJson, datumToJson } from './datum-json.js';
import { syntaxError } from './error.js';
import { type Json, isJsonObject } from './json.js';
import { ObjectParser } from './parser.js';
import { type BaseType, type ColumnType, isScalar } from './type.js';

/** Parses a <base-type>. Throws `OvsdbError`. */
export function baseTypeFromJson(json: Json): BaseType {
  if (typeof json === 'string') return { type: atomicTypeFromJson(json) };
  const parser = new ObjectParser(json, 'ovsdb type');
  const typeJson = parser.take('type', ['string']);
  const type = typeJson === undefined ? undefined : atomicTypeFromJson(typeJson);
  let base: BaseType = { type: type ?? 'string' };
  const enumJson = parser.take('enum', 'any', true);
  if (enumJson !== undefined && type !== undefined) {
    const set = datumFromJson({ key: { type }, min: 1, max: Infinity }, enumJson);
    base = { type, enum: set };
  } else if (type === 'integer') base = parseIntegerRange(parser, json);
  else if (type === 'real') base = parseRealRange(parser, json);
  else if (type === 'string') base = parseLengths(parser, json);
  else if (type === 'uuid') base = parseReference(parser);
  parser.finish();
  return base;
}

function atomicTypeFromJson(json: Json): AtomicType {
  if (typeof json !== 'string') throw syntaxError(json, 'atomic-type expected');
  const type = ATOMIC_TYPES.find((known) => known === json);
  if (type === undefined) throw syntaxError(json, `"${json}" is not an atomic-type`);
  return type;
}

function parseIntegerRange(parser: ObjectParser, json: Json): BaseType {
  const min = parser.take('minInteger', ['integer'], true);
  const max = parser.take('maxInteger', ['integer'], true);
  const minInteger = min === undefined ? undefined : integerFromJson(min);
  const maxInteger = max === undefined ? undefined : integerFromJson(max);
  if (minInteger !== undefined && maxInteger !== undefined && minInteger > maxInteger) {
    throw syntaxError(json, 'minInteger exceeds maxInteger');
  }
  return { type: 'integer', minInteger, maxInteger };
}

function parseRealRange(parser: ObjectParser, json: Json): BaseType {
  const min = parser.take('minReal', ['number'], true);
  const max = parser.take('maxReal', ['number'], true);
  const minReal = min === undefined ? undefined : Number(min);
  const maxReal = max === undefined ? undefined : Number(max);
  if (minReal !== undefined && maxReal !== undefined && minReal > maxReal) {
    throw syntaxError(json, 'minReal exceeds maxReal');
  }
  return { type: 'real', minReal, maxReal };
}

function parseLengths(parser: ObjectParser, json: Json): BaseType {
  const minLength = parseLength(parser, 'minLength');
  const maxLength = parseLength(parser, 'maxLength');
  if (minLength !== undefined && maxLength !== undefined && minLength > maxLength) {
    throw syntaxError(json, 'minLength exceeds maxLength');
  }
  return { type: 'string', minLength, maxLength };
}

function parseLength(parser: ObjectParser, name: string): number | undefined {
  const json = parser.take(name, ['integer'], true);
  if (json === undefined) return undefined;
  if (typeof json !== 'number' || json < 0 || json > 0xffffffff) {
    throw syntaxError(json, `${name} out of valid range 0 to 4294967295`);
  }
  return json;
}

function parseReference(parser: ObjectParser): BaseType {
  const refTable = parser.take('refTable', ['id'], true);
  if (typeof refTable !== 'string') return { type: 'uuid' };
  const refType = parser.take('refType', ['string'], true);
  if (refType !== undefined && refType !== 'strong' && refType !== 'weak') {
    throw syntaxError(refType, 'refType must be "strong" or "weak"');
  }
  return { type: 'uuid', refTable, refType: refType ?? 'strong' };
}

/** The <base-type> JSON; a bare string when there are no constraints. */
export function baseTypeToJson(base: BaseType): Json {
  const json: Record<string, Json> = { type: base.type };
  if (base.enum !== undefined) {
    json['enum'] = datumToJson({ key: { type: base.type }, min: 0, max: Infinity }, base.enum);
  }
  if (base.minInteger !== undefined) json['minInteger'] = base.minInteger;
  if (base.maxInteger !== undefined) json['maxInteger'] = base.maxInteger;
  if (base.minReal !== undefined) json['minReal'] = base.minReal;
  if (base.maxReal !== undefined) json['maxReal'] = base.maxReal;
  if (base.minLength !== undefined) json['minLength'] = base.minLength;
  if (base.maxLength !== undefined) json['maxLength'] = base.maxLength;
  if (base.refTable !== undefined) json['refTable'] = base.refTable;
  if (base.refType === 'weak') json['refType'] = 'weak';
  return Object.keys(json).length === 1 ? base.type : json;
}

/** Parses a <type>. Throws `OvsdbError`. */
export function columnTypeFromJson(json: Json): ColumnType {
  if (typeof json === 'string') return { key: baseTypeFromJson(json), min: 1, max: 1 };
  if (!isJsonObject(json)) throw syntaxError(json, 'ovsdb type expected');
  const parser = new ObjectParser(json, 'ovsdb type');
  const key = parser.take('key', ['string', 'object']);
  const value = parser.take('value', ['string', 'object'], true);
  const minJson = parser.take('min', ['integer'], true);
  const maxJson = parser.take('max', ['integer', 'string'], true);
  parser.finish();
  const min = minJson === undefined ? 1 : Number(minJson);
  const max = maxJson === undefined ? 1 : maxJson === 'unlimited' ? Infinity : Number(maxJson);
  const type = {
    key: baseTypeFromJson(key!),
    value: value === undefined ? undefined : baseTypeFromJson(value),
    min,
    max,
  };
  if (!(min === 0 || min === 1) || !(max >= 1) || min > max) {
    throw syntaxError(json, 'ovsdb type fails constraint checks');
  }
  return type;
}

/** The <type> JSON, without members that have their default. */
export function columnTypeToJson(type: ColumnType): Json {
  const key = baseTypeToJson(type.key);
  if (isScalar(type) && typeof key === 'string') return key;
  const json: Record<string, Json> = { key };
  if (type.value !== undefined) json['value'] = baseTypeToJson(type.value);
  if (type.min !== 1) json['min'] = type.min;
  if (type.max === Infinity) json['max'] = 'unlimited';
  else if (type.max !== 1) json['max'] = type.max;
  return json;
}
