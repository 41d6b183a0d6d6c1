/** Column types in words, for error texts: "set of up to 3 integers", "map of (string, string) pairs". */
import type { ColumnType } from './type.js';

/** The type in English as the peer's error texts have it. */
export function typeToEnglish(type: ColumnType): string {
  const key = type.key.type;
  if (type.value === undefined && type.min === 1 && type.max === 1) return key;
  const kind = type.value === undefined ? 'set' : 'map';
  const elements = type.value === undefined ? `${key}s` : `(${key}, ${type.value.type}) pairs`;
  return `${kind} of ${amount(type)}${elements}`;
}

function amount(type: ColumnType): string {
  if (type.max === Infinity) return type.min === 0 ? '' : `${type.min} or more `;
  return type.min === 0 ? `up to ${type.max} ` : `${type.min} to ${type.max} `;
}
