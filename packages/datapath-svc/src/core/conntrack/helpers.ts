/**
 * Helpers of connections by number, 0 being none. A connection keeps the name of the helper that it was made with; what
 * a helper is for, to expect the data connections that are spoken of in one of control, is not done.
 */
const HELPERS: readonly string[] = ['', 'ftp', 'tftp'];

/** -1: no such helper. */
export function helperNumber(name: string): number {
  return HELPERS.indexOf(name);
}

/** '' for none. */
export function helperName(number: number): string {
  return HELPERS[number] ?? '';
}
