/** Text forms of single atoms as the peer's tools print them. */
import type { Atom, AtomicType } from './atom.js';
import { isPartialUuid } from './uuid.js';

/** A real as C's `%.15g` prints it. */
export function formatReal(value: number): string {
  if (value === 0) return '0';
  const [mantissa, exponentText] = value.toExponential(14).split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 15) {
    const digits = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
    const sign = exponent < 0 ? '-' : '+';
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const fixed = value.toFixed(Math.max(0, 14 - exponent));
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

/** Must a string be quoted so that it reads back as the same string? */
export function stringNeedsQuotes(text: string): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text)) return true;
  return text === 'true' || text === 'false' || (isPartialUuid(text) && text.length === 36);
}

/** A string atom: bare when that is unambiguous, else a JSON string. */
export function formatString(text: string): string {
  return stringNeedsQuotes(text) ? JSON.stringify(text) : text;
}

/** An atom as `ovs-vsctl` prints and reads it. */
export function formatAtom(type: AtomicType, atom: Atom): string {
  if (type === 'string') return formatString(atom as string);
  return type === 'real' ? formatReal(atom as number) : String(atom);
}

/** An atom for `--data=bare`: strings without quotes. */
export function formatBareAtom(type: AtomicType, atom: Atom): string {
  return type === 'real' ? formatReal(atom as number) : String(atom);
}
