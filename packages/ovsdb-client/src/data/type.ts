/** Column types (RFC 7047 section 3.2 <type>, <base-type>) and the check of their constraints. */
import type { Atom, AtomicType, IntegerAtom } from './atom.js';
import { formatAtom, formatReal } from './atom-format.js';
import { type Datum, datumEquals, hasKey } from './datum.js';
import { type OvsdbError, constraintError } from './error.js';

/** The type of a key or a value with its constraints. Absent constraints are `undefined`. */
export interface BaseType {
  readonly type: AtomicType;
  /** The set of allowed atoms; excludes every other constraint. */
  readonly enum?: Datum | undefined;
  readonly minInteger?: IntegerAtom | undefined;
  readonly maxInteger?: IntegerAtom | undefined;
  readonly minReal?: number | undefined;
  readonly maxReal?: number | undefined;
  /** In Unicode code points. */
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  /** uuid only: the table whose rows this refers to. */
  readonly refTable?: string | undefined;
  readonly refType?: 'strong' | 'weak' | undefined;
}

export interface ColumnType {
  readonly key: BaseType;
  /** Present for maps. */
  readonly value?: BaseType | undefined;
  /** 0 or 1. */
  readonly min: number;
  /** At least 1; `Infinity` is RFC 7047's "unlimited". */
  readonly max: number;
}

/** A type of exactly one atom. */
export function scalarType(type: AtomicType): ColumnType {
  return { key: { type }, min: 1, max: 1 };
}

/** Exactly one value, not a map. */
export function isScalar(type: ColumnType): boolean {
  return type.value === undefined && type.min === 1 && type.max === 1;
}

/** At most one value, not a map: "optional scalar". */
export function isOptionalScalar(type: ColumnType): boolean {
  return type.value === undefined && type.min === 0 && type.max === 1;
}

/** A map of any size. */
export function isMap(type: ColumnType): boolean {
  return type.value !== undefined;
}

/** A set that is neither a scalar nor an optional scalar. */
export function isSet(type: ColumnType): boolean {
  return type.value === undefined && type.max > 1;
}

/** Do data of this type print in brackets or braces (as opposed to a single bare atom)? */
export function isComposite(type: ColumnType): boolean {
  return type.value !== undefined || type.max > 1;
}

/** Is this a reference that keeps its target alive? */
export function isStrongRef(base: BaseType): boolean {
  return base.refTable !== undefined && base.refType !== 'weak';
}

/** Is this a reference that vanishes with its target? */
export function isWeakRef(base: BaseType): boolean {
  return base.refTable !== undefined && base.refType === 'weak';
}

/** Has the base type constraints that `checkAtom` can find violated? */
export function hasConstraints(base: BaseType): boolean {
  return (
    base.enum !== undefined ||
    base.minInteger !== undefined ||
    base.maxInteger !== undefined ||
    base.minReal !== undefined ||
    base.maxReal !== undefined ||
    base.minLength !== undefined ||
    base.maxLength !== undefined
  );
}

/** Checks an atom against its base type's constraints; gives the error, or undefined. References are not checked. */
export function checkAtom(base: BaseType, atom: Atom): OvsdbError | undefined {
  if (base.enum !== undefined && !hasKey(base.enum, atom)) {
    const allowed = base.enum.keys.map((key) => formatAtom(base.type, key)).join(', ');
    return constraintError(`${formatAtom(base.type, atom)} is not one of the allowed values ([${allowed}])`);
  }
  switch (base.type) {
    case 'integer':
      return checkRange(atom as IntegerAtom, base.minInteger, base.maxInteger, String);
    case 'real':
      return checkRange(atom as number, base.minReal, base.maxReal, (value) => formatReal(value as number));
    case 'string':
      return checkLength(atom as string, base.minLength ?? 0, base.maxLength ?? Infinity);
    default:
      return undefined;
  }
}

function checkRange(
  value: IntegerAtom,
  min: IntegerAtom | undefined,
  max: IntegerAtom | undefined,
  show: (value: IntegerAtom) => string,
): OvsdbError | undefined {
  if ((min === undefined || value >= min) && (max === undefined || value <= max)) return undefined;
  if (min === undefined) {
    return constraintError(`${show(value)} is greater than maximum allowed value ${show(max!)}`);
  }
  if (max === undefined)
    return constraintError(`${show(value)} is less than minimum allowed value ${show(min)}`);
  return constraintError(`${show(value)} is not in the valid range ${show(min)} to ${show(max)} (inclusive)`);
}

function checkLength(text: string, min: number, max: number): OvsdbError | undefined {
  if (min === 0 && max === Infinity) return undefined;
  let length = 0;
  for (const _ of text) length++;
  if (length < min) {
    return constraintError(`"${text}" length ${length} is less than minimum allowed length ${min}`);
  }
  if (length > max) {
    return constraintError(`"${text}" length ${length} is greater than maximum allowed length ${max}`);
  }
  return undefined;
}

/** Checks every atom of a datum; throws `OvsdbError` (`constraint violation`). */
export function checkDatum(type: ColumnType, datum: Datum): void {
  checkAtoms(type.key, datum.keys);
  if (type.value !== undefined) checkAtoms(type.value, datum.values);
}

function checkAtoms(base: BaseType, atoms: readonly Atom[]): void {
  if (!hasConstraints(base)) return;
  for (let i = 0; i < atoms.length; i++) {
    const error = checkAtom(base, atoms[i]!);
    if (error !== undefined) throw error;
  }
}

/** Are two base types equal in every constraint? */
export function baseTypeEquals(a: BaseType, b: BaseType): boolean {
  return (
    a.type === b.type &&
    (a.enum === undefined ? b.enum === undefined : b.enum !== undefined && datumEquals(a.enum, b.enum)) &&
    a.minInteger === b.minInteger &&
    a.maxInteger === b.maxInteger &&
    a.minReal === b.minReal &&
    a.maxReal === b.maxReal &&
    a.minLength === b.minLength &&
    a.maxLength === b.maxLength &&
    a.refTable === b.refTable &&
    (a.refType ?? 'strong') === (b.refType ?? 'strong')
  );
}

/** Are two column types equal in every constraint? */
export function columnTypeEquals(a: ColumnType, b: ColumnType): boolean {
  return (
    a.min === b.min &&
    a.max === b.max &&
    baseTypeEquals(a.key, b.key) &&
    (a.value === undefined
      ? b.value === undefined
      : b.value !== undefined && baseTypeEquals(a.value, b.value))
  );
}
